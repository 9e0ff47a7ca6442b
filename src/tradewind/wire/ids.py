"""Identities and their rules: DAG ids, task ids, run ids, map index paths."""

from __future__ import annotations

import re
from typing import NewType

from .errors import BadInput

DagRunKey = NewType("DagRunKey", str)
"""Primary key of a DAG run (UUIDv7 text). `run_id` is the name people use, unique within its DAG."""
TaskInstanceKey = NewType("TaskInstanceKey", str)
"""Primary key of a task instance (UUIDv7 text)."""
DagVersionKey = NewType("DagVersionKey", str)
"""Primary key of a DAG version (UUIDv7 text)."""
AttemptToken = NewType("AttemptToken", str)
"""Random, unguessable name of one attempt; the fence against everything late."""

MapPath = tuple[int, ...]
"""Index of a mapped instance, outermost mapped scope first; `()` for an unmapped one."""

ID_LENGTH_MAX = 250
_ID = re.compile(r"[\w.\-]+\Z")


def check_id(kind: str, value: object, *, allow_double_dot: bool = False) -> str:
    """Return `value` if it may name a DAG, task or group (letters, digits, dash, dot, underscore; at most 250
    characters).

    `kind` is the noun for the message ("DAG id"). Raises `BadInput` naming kind, value and remedy.
    """
    if not isinstance(value, str):
        raise BadInput(f"{kind} must be a text, not {type(value).__name__}: {value!r}")
    if not value or len(value) > ID_LENGTH_MAX:
        raise BadInput(f"{kind} must have 1 to {ID_LENGTH_MAX} characters, this one has {len(value)}: {value[:60]!r}")
    if not _ID.match(value):
        bad = next(c for c in value if not _ID.match(c))
        raise BadInput(f"{kind} {value!r} contains {bad!r}; use letters, digits, dashes, dots and underscores only")
    if ".." in value and not allow_double_dot:
        raise BadInput(f"{kind} {value!r} contains consecutive dots; use single dots")
    return value


def check_run_id(value: object) -> str:
    """Return `value` if it may name a run: 1 to 250 printable characters without `/`, `\\` and not `.` or `..`. Raises
    `BadInput`.
    """
    if not isinstance(value, str) or not value or len(value) > ID_LENGTH_MAX:
        raise BadInput(f"run id must be a text of 1 to {ID_LENGTH_MAX} characters, not {value!r}")
    if not value.isprintable() or "/" in value or "\\" in value or value in {".", ".."}:
        raise BadInput(f"run id {value!r} must be printable and contain neither '/' nor '\\'")
    return value


def path_text(path: MapPath) -> str:
    """A map path as stored and shown: `""`, `"3"`, `"3.1"`."""
    return ".".join(map(str, path))


def path_of(text: str) -> MapPath:
    """The map path behind `path_text`."""
    return tuple(map(int, text.split("."))) if text else ()


_NESTED = 1 << 20
"""Above the instances that one mapped scope has by default: indexes of nested scopes are put together in this base."""


def map_index_of(text: str) -> int:
    """A map path as Airflow's one number: -1 for an unmapped instance, the index itself in one mapped scope. Nested
    scopes are put together, so that `map_path_of` finds the way back.
    """
    first, *rest = path_of(text) or (-1,)
    number = first
    for index in rest:
        number = (number + 1) * _NESTED + index
    return number


def map_path_of(index: int) -> str:
    """The map path behind `map_index_of`."""
    if index < 0:
        return ""
    parts: list[int] = []
    while index >= _NESTED:
        index, inner = divmod(index, _NESTED)
        parts.append(inner)
        index -= 1
    parts.append(index)
    return path_text(tuple(reversed(parts)))
