"""A local folder as a bundle: immutable snapshots that share what did not change.

`<root>/<bundle>/.objects/` holds each content once; the tree of a version is made of hard links to it, so that a save
in a folder of hundreds of files copies one file and links the rest. A tree is built under another name and renamed when
it is complete: a version that exists is whole, whoever dies when.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from tradewind.kernel.clock import Clock, SystemClock
from tradewind.kernel.ids import uuid7
from tradewind.ports.bundles import BundleFile, Snapshot, tree_path
from tradewind.wire.errors import Unavailable

from .bundles_scan import Found, Mark, scan
from .bundles_trees import remove_tree, trees_in

FILE_BYTES_MAX = 64 << 20
"""Larger files are no code: the tree has a link to the source instead of a copy."""
_DOUBT_NS = 50_000_000
"""A file changed so shortly before it was read may change again without a new mark: file systems have coarse clocks."""
_READS_MAX = 5
_BUILDING = ".building-"
_OBJECTS = ".objects"
# A file system allows only so many links to a file, and some have none; a copy does as well.
_NO_LINK = (errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP)


class LocalBundle:
    """`ports.bundles.Bundle` of a folder on this machine. For one thread.

    Parameters:
        name: of the bundle; a folder name.
        folder: the source. It may be missing for a while, then `snapshot` raises.
        root: setting bundles.root. The source is copied there, never linked, because editors write into files in place.
        clock: judges how fresh a change is.
    """

    def __init__(self, name: str, folder: Path, root: Path, clock: Clock | None = None) -> None:
        self._name = name
        self._folder = folder
        self._root = root
        self._home = tree_path(root, name, "")
        self._clock = clock or SystemClock()
        self._known: dict[str, tuple[Mark, str]] = {}
        self._last: Snapshot | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def refresh_seconds(self) -> None:
        """A folder tells of its changes."""

    def snapshot(self) -> Snapshot:
        notes: list[str] = []
        try:
            found = list(scan(str(self._folder), notes))
        except OSError as error:
            raise Unavailable(
                f"the DAG folder {self._folder} cannot be read: {error.strerror}; its DAGs stay as they are"
            ) from error
        known: dict[str, tuple[Mark, str]] = {}
        for file in found:
            digest = self._digest(file, notes)
            if digest is not None:
                known[file.path] = (file.mark, digest)
        version = _version({path: (digest, mark.executable) for path, (mark, digest) in known.items()})
        tree = tree_path(self._root, self._name, version)
        if self._last is None or self._last.version != version or not tree.is_dir():
            self._build(tree, {file.path: file.source for file in found}, known)
        # A fresh mark says too little: such a file is read again the next time.
        self._known = {path: entry for path, entry in known.items() if not self._is_fresh(entry[0])}
        files = {path: BundleFile(digest, mark.mtime_ns) for path, (mark, digest) in known.items()}
        self._last = Snapshot(version, tree, files, tuple(notes))
        return self._last

    def trees(self) -> dict[str, float]:
        return trees_in(self._home)

    def versions(self) -> list[str]:
        """Versions whose trees lie on this machine."""
        return sorted(self.trees())

    def remove_trees(self, in_use: Collection[str]) -> list[str]:
        """Delete all trees but the present one and those `in_use`, and contents nobody needs; what went."""
        kept = {*in_use, self._last.version if self._last else ""}
        gone = [version for version in self.versions() if version not in kept]
        for version in gone:
            remove_tree(self._home, version)
        for object_path in (self._home / _OBJECTS).glob("*/*"):
            if object_path.stat().st_nlink == 1:
                object_path.unlink()
        return gone

    # --- contents ----------------------------------------------------------------------------------------------------

    def _digest(self, file: Found, notes: list[str]) -> str | None:
        """Content hash of a file, which lies in the store afterwards; None when it has gone or cannot be read."""
        before = self._known.get(file.path)
        if before is not None and before[0] == file.mark and self._object(before[1], file.mark.executable).exists():
            return before[1]
        if file.mark.size > FILE_BYTES_MAX:
            notes.append(f"{file.path}: not copied, it has more than {FILE_BYTES_MAX >> 20} MiB; all versions share it")
            return hashlib.sha256(repr((file.source, file.mark)).encode()).hexdigest()
        try:
            content = _read_whole(file.source)
        except FileNotFoundError:
            return None
        except OSError as error:
            notes.append(f"{file.path}: left out, it cannot be read: {error.strerror}")
            return None
        digest = hashlib.sha256(content).hexdigest()
        self._store(digest, file.mark.executable, content)
        return digest

    def _is_fresh(self, mark: Mark) -> bool:
        return max(mark.mtime_ns, mark.ctime_ns) > self._clock.now().timestamp() * 1e9 - _DOUBT_NS

    def _object(self, digest: str, executable: bool) -> Path:
        return self._home / _OBJECTS / digest[:2] / (digest + ("x" if executable else ""))

    def _store(self, digest: str, executable: bool, content: bytes) -> None:
        target = self._object(digest, executable)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        building = target.parent / f"{_BUILDING}{uuid7()}"
        with open(building, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())  # runs will depend on it when the source has long changed
        os.chmod(building, 0o555 if executable else 0o444)
        os.rename(building, target)

    # --- trees -------------------------------------------------------------------------------------------------------

    def _build(self, tree: Path, sources: dict[str, str], known: dict[str, tuple[Mark, str]]) -> None:
        if tree.is_dir():
            return
        building = self._home / f"{_BUILDING}{uuid7()}"
        building.mkdir(parents=True)
        folders = {""}
        for path, (mark, digest) in known.items():
            folder = path.rpartition("/")[0]
            if folder not in folders:
                os.makedirs(building / folder, exist_ok=True)
                folders.add(folder)
            target = f"{building}/{path}"
            if mark.size > FILE_BYTES_MAX:
                os.symlink(os.path.abspath(sources[path]), target)
            else:
                _link(self._object(digest, mark.executable), target)
        try:
            os.rename(building, tree)
        except OSError as error:
            # Another process made the same version in the meantime.
            shutil.rmtree(building)
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise


def _link(kept: Path, target: str) -> None:
    try:
        os.link(kept, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copy(kept, target)


def _read_whole(source: str) -> bytes:
    """The content at one moment: read again while somebody writes."""
    for _ in range(_READS_MAX):
        with open(source, "rb") as opened:
            before = Mark.of(os.fstat(opened.fileno()))
            content = opened.read()
            if Mark.of(os.fstat(opened.fileno())) == before:
                break
    return content


def _version(contents: dict[str, tuple[str, bool]]) -> str:
    digest = hashlib.sha256()
    for path in sorted(contents):
        content, executable = contents[path]
        digest.update(f"{path}\0{content}{'x' if executable else ''}\n".encode())
    return digest.hexdigest()[:40]
