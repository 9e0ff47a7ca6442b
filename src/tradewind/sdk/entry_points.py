"""What installed packages announce to us: entry points by group, read once per process and inherited by its forks.

Reading names is not importing: a server process, or one that others are forked from, may do it.
"""

from __future__ import annotations

from typing import Any

GROUPS = ("tradewind.plugins", "airflow.plugins", "airflow.policy")
_found: dict[str, list[Any]] | None = None


def entry_points(group: str) -> list[Any]:
    """Entry points of one of `GROUPS`, not loaded."""
    return read()[group]


def read() -> dict[str, list[Any]]:
    """Read them now, unless they were; for processes that others are forked from."""
    global _found
    if _found is None:
        from importlib import metadata  # heavy, and wanted once

        everything = metadata.entry_points()
        _found = {group: list(everything.select(group=group)) for group in GROUPS}
    return _found


def forget() -> None:
    """Read anew the next time; for tests."""
    global _found
    _found = None
