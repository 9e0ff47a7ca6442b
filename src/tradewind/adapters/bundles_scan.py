"""Looking through a folder of DAG code: which files count, and whether they changed since the last look."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from fnmatch import translate
from typing import NamedTuple

IGNORED_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".venv",
        "node_modules",
        ".idea",
        ".vscode",
    }
)
IGNORED_FILES = (
    "*.pyc",
    "*.pyo",
    "*~",
    ".*.sw?",
    ".*.sw??",
    ".#*",
    "#*#",
    "4913",
    "*___jb_???___",
    ".DS_Store",
    "*.tmp.[0-9]*",
)
"""Compiled code, and what editors put beside a file for a moment while they save it."""
_ignored_file = re.compile("|".join(translate(pattern) for pattern in IGNORED_FILES)).match
_EXECUTABLE = stat.S_IXUSR


class Mark(NamedTuple):
    """Looked at instead of the content. Equal marks: the same content, unless it changed within a clock tick."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int
    executable: bool

    @classmethod
    def of(cls, status: os.stat_result) -> Mark:
        return cls(
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
            status.st_dev,
            bool(status.st_mode & _EXECUTABLE),
        )


class Found(NamedTuple):
    """A file: its path inside the folder, where it lies, its mark."""

    path: str
    source: str
    mark: Mark


def scan(folder: str, notes: list[str]) -> Iterator[Found]:
    """All regular files below `folder`, links followed. What is left out for a reason worth telling goes to `notes`.

    Raises:
        OSError: `folder` itself cannot be read.
    """
    top = os.stat(folder)
    yield from _scan("", ((top.st_dev, top.st_ino),), notes, os.scandir(folder))


def _scan(
    prefix: str, above: tuple[tuple[int, int], ...], notes: list[str], entries: os._ScandirIterator[str]
) -> Iterator[Found]:
    with entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = prefix + entry.name
        try:
            path.encode()
        except UnicodeEncodeError:
            notes.append(f"{path!a}: left out, its name is not UTF-8; rename it")
            continue
        try:
            # Of a link the target counts; `entry.stat` would have its inode wrong on some file systems.
            status = os.stat(entry.path) if entry.is_symlink() else entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                if not _ignored_file(entry.name):
                    yield Found(path, entry.path, Mark.of(status))
            elif stat.S_ISDIR(status.st_mode) and entry.name not in IGNORED_FOLDERS:
                here = (status.st_dev, status.st_ino)
                if here in above:
                    notes.append(f"{path}: left out, the link leads back to a folder above it")
                else:
                    yield from _scan(f"{path}/", (*above, here), notes, os.scandir(entry.path))
        except FileNotFoundError:
            if entry.is_symlink():
                notes.append(f"{path}: left out, the link leads nowhere")
            # Otherwise it was deleted while we looked: as if it had never been.
        except PermissionError:
            notes.append(f"{path}: left out, this user may not read it")
