"""What installed packages announce to us: entry points by group, read once per process and inherited by its forks.

Reading names is not importing: a server process, or one that others are forked from, may do it. Most installations
announce nothing; a look at the files of the packages tells so without loading what reads them properly.
"""

from __future__ import annotations

import os
import sys
from typing import Any

GROUPS = ("tradewind.plugins", "airflow.plugins", "airflow.policy")
_FILE = "entry_points.txt"
_ENDINGS = (".dist-info", ".egg-info")
_found: dict[str, list[Any]] | None = None


def entry_points(group: str) -> list[Any]:
    """Entry points of one of `GROUPS`, not loaded."""
    return read()[group]


def read() -> dict[str, list[Any]]:
    """Read them now, unless they were; for processes that others are forked from."""
    global _found
    if _found is None:
        _found = {group: [] for group in GROUPS}
        if announced():
            from importlib import metadata  # heavy, and wanted by few

            everything = metadata.entry_points()
            _found = {group: list(everything.select(group=group)) for group in GROUPS}
    return _found


def announced() -> bool:
    """Whether the files of some installed package name one of `GROUPS`."""
    marks = tuple(f"[{group}]" for group in GROUPS)
    return any(mark in text for folder in sys.path for text in _texts(folder) for mark in marks)


def _texts(folder: str) -> list[str]:
    found = []
    try:
        names = [name for name in os.listdir(folder or ".") if name.endswith(_ENDINGS)]
    except OSError:
        return []
    for name in names:
        try:
            with open(os.path.join(folder, name, _FILE), encoding="utf-8") as file:
                found.append(file.read())
        except OSError:
            continue  # most packages have none
    return found


def forget() -> None:
    """Read anew the next time; for tests."""
    global _found
    _found = None
