"""Which files of a bundle are DAG files: Python files and top-level members of zip archives that are not ignored.

In safe mode only those whose text mentions DAGs at all, so that helper modules are not run as if they were DAG files.
"""

from __future__ import annotations

import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tradewind.ports.bundles import Snapshot

from .ignore import NAMES, IgnoreRules

_MADE_BY = (b"airflow", b"tradewind")
_MADE = (b"dag", b"asset")
_KEPT_MAX = 50_000


class Discovery(NamedTuple):
    """The DAG files of a snapshot."""

    files: dict[str, str]
    """Path as in `FileRow` → the file it lies in: itself, or its archive."""
    notes: tuple[str, ...]
    """What could not be read as it was meant."""


class Discoverer:
    """Finds DAG files; remembers by content hash what it has looked into.

    Parameters:
        ignore_syntax: setting processor.ignore_syntax.
        safe_mode: setting processor.safe_mode.
    """

    def __init__(self, ignore_syntax: str, safe_mode: bool) -> None:
        self._ignore_syntax = ignore_syntax
        self._safe_mode = safe_mode
        self._looked_into: OrderedDict[tuple[object, str], tuple[str, ...]] = OrderedDict()

    def find(self, snapshot: Snapshot) -> Discovery:
        rules = self._rules(snapshot)
        notes = list(rules.notes)
        found: dict[str, str] = {}
        for path, file in snapshot.files.items():
            if not path.endswith((".py", ".zip")) or rules.ignores(path):
                continue
            if path.endswith(".py"):
                if self._look_into(path, file.digest, snapshot.tree, self._module):
                    found[path] = path
            else:
                for member in self._look_into(path, file.digest, snapshot.tree, self._members):
                    if not rules.ignores(f"{path}/{member}"):
                        found[f"{path}/{member}"] = path
        return Discovery(found, tuple(notes))

    def _rules(self, snapshot: Snapshot) -> IgnoreRules:
        texts = {
            path: (snapshot.tree / path).read_text("utf-8", "replace")
            for path in snapshot.files
            if path.rpartition("/")[2] in NAMES
        }
        return IgnoreRules(texts, self._ignore_syntax)

    def _look_into(
        self, path: str, digest: str, tree: Path, look: Callable[[Path], tuple[str, ...]]
    ) -> tuple[str, ...]:
        """What `look` finds, remembered by content."""
        known = self._looked_into.get((look, digest))
        if known is None:
            known = self._looked_into[look, digest] = look(tree / path)
            if len(self._looked_into) > _KEPT_MAX:
                self._looked_into.popitem(last=False)
        else:
            self._looked_into.move_to_end((look, digest))
        return known

    def _module(self, file: Path) -> tuple[str, ...]:
        return ("",) if not self._safe_mode or _mentions_dags(file.read_bytes()) else ()

    def _members(self, file: Path) -> tuple[str, ...]:
        try:
            with zipfile.ZipFile(file) as archive:
                names = [name for name in archive.namelist() if name.endswith(".py") and "/" not in name]
                return tuple(n for n in sorted(names) if not self._safe_mode or _mentions_dags(archive.read(n)))
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
            # Not an archive at all, or one with a password: other files may end with .zip, too.
            return ()


def _mentions_dags(text: bytes) -> bool:
    small = text.lower()
    return any(word in small for word in _MADE_BY) and any(word in small for word in _MADE)
