"""PostgreSQL array literals. Lists travel as one text each, whatever they hold, so that a statement keeps one signature
and is prepared once; the driver would choose a type by the values of the day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tradewind.store.kinds import Kind

_NULL = "NULL"


def _quoted(value: str) -> str:
    if '"' in value or "\\" in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def _flag(value: bool) -> str:
    return "t" if value else "f"


def _bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


def _instant(value: datetime) -> str:
    return f'"{value.isoformat()}"'


_ELEMENTS: dict[Kind, Callable[[Any], str]] = {
    Kind.ID: str,
    Kind.TEXT: _quoted,
    Kind.INTEGER: str,
    Kind.FLOAT: repr,
    Kind.FLAG: _flag,
    Kind.INSTANT: _instant,
    Kind.JSON: _quoted,
    Kind.NAMES: _quoted,
    Kind.BYTES: _bytes,
}


def array_literal(kind: Kind, values: Iterable[Any]) -> str:
    """Values, encoded for the driver, as one array."""
    element = _ELEMENTS[kind]
    return "{" + ",".join([_NULL if value is None else element(value) for value in values]) + "}"
