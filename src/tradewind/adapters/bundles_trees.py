"""Trees of bundle versions on this machine: what lies there, and how one goes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tradewind.kernel.ids import uuid7

BUILDING = ".building-"
"""Prefix of what is not complete, or is going: never a version."""


def trees_in(home: Path) -> dict[str, float]:
    """Versions whose trees lie below `home`, and when each was made, in seconds since 1970."""
    try:
        with os.scandir(home) as entries:
            return {
                entry.name: entry.stat().st_mtime
                for entry in sorted(entries, key=lambda entry: entry.name)
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            }
    except FileNotFoundError:
        return {}


def remove_tree(home: Path, version: str) -> None:
    """Delete a tree. Renamed first: one that is half deleted must not look like a version."""
    doomed = home / f"{BUILDING}{uuid7()}"
    os.rename(home / version, doomed)
    shutil.rmtree(doomed, ignore_errors=True)
