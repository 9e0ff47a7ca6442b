"""What is known of each DAG file, and which ones have to be loaded (again).

A file is judged by its fingerprint: a digest over its own content and that of everything its last load depended on. It
is kept in the file's row, so that a restart loads nothing that stayed equal, whoever loaded it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tradewind import __version__
from tradewind.ports.bundles import Snapshot
from tradewind.ports.rows import FileRow
from tradewind.wire.document import FORMAT

from .backlog import Urgency

_MARK = f"{__version__} {FORMAT} {sys.version_info[0]}.{sys.version_info[1]}".encode()
"""Another Tradewind or Python may see something else in the same file."""


class Contents:
    """A snapshot, asked for digests of files and folders."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._folders: dict[str, list[str]] | None = None

    def fingerprint(self, file: str, dependencies: Iterable[str]) -> str:
        """Digest of a file on disk and of what it depends on."""
        digest = hashlib.sha256(_MARK)
        digest.update(self._of(file).encode())
        for path in dependencies:
            digest.update(f"\n{path}\0{self._of(path)}".encode())
        return digest.hexdigest()

    def mtime_ns(self, file: str) -> int:
        found = self.snapshot.files.get(file)
        return found.mtime_ns if found is not None else 0

    def _of(self, path: str) -> str:
        """Content hash of a file, names in a folder; empty for what is not there."""
        if not path.endswith("/"):
            found = self.snapshot.files.get(path)
            return found.digest if found is not None else ""
        if self._folders is None:
            self._folders = {}
            for name in self.snapshot.files:
                above, _, own = name.rpartition("/")
                self._folders.setdefault(f"{above}/", []).append(own)
        return "/".join(self._folders.get(path, ()))


class _Known(NamedTuple):
    """One DAG file."""

    fingerprint: str
    dependencies: tuple[str, ...]


class Change(NamedTuple):
    """A file to load."""

    path: str
    urgency: Urgency


class KnownFiles:
    """The DAG files of one bundle, as last published."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._mtimes: dict[str, int] = {}
        self._looked = False
        self.steady: list[tuple[str, str]] = []
        """Of the last comparison: the files that are as they were loaded last, with their fingerprints."""

    def take_rows(self, rows: Iterable[FileRow]) -> None:
        """What the database says: at the start, and again now and then, because others publish too."""
        self._known = {row.path: _Known(row.digest, row.imported) for row in rows}

    def take_published(self, path: str, fingerprint: str, dependencies: tuple[str, ...]) -> None:
        self._known[path] = _Known(fingerprint, dependencies)

    def forget(self, path: str) -> None:
        self._known.pop(path, None)
        self._mtimes.pop(path, None)

    def dependencies_of(self, path: str) -> tuple[str, ...]:
        known = self._known.get(path)
        return known.dependencies if known is not None else ()

    def gone(self, found: Mapping[str, str]) -> list[str]:
        """Known files that are not among those found."""
        return [path for path in self._known if path not in found]

    def compare(self, contents: Contents, found: Mapping[str, str], under_way: Mapping[str, str]) -> list[Change]:
        """The files that have to be loaded.

        Parameters:
            found: DAG files → the file on disk.
            under_way: files being loaded → their fingerprint when that began.
        """
        changes = []
        self.steady = []
        for path, disk in found.items():
            known = self._known.get(path)
            now = contents.fingerprint(disk, known.dependencies if known is not None else ())
            mtime, before = contents.mtime_ns(disk), self._mtimes.get(path)
            self._mtimes[path] = mtime
            # Saved again without a change is somebody's way to say: look again.
            touched = before is not None and before != mtime
            if known is not None and known.fingerprint == now:
                self.steady.append((path, now))
                if not touched:
                    continue
            if under_way.get(path) == now:
                continue
            changes.append(Change(path, self._urgency(known, touched or before is None)))
        self._looked = True
        return changes

    def _urgency(self, known: _Known | None, own: bool) -> Urgency:
        if not self._looked:
            return Urgency.BACKLOG
        return Urgency.SAVED if own or known is None else Urgency.AFFECTED
