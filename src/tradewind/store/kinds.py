"""What kinds of values columns hold, read from the types of `ports.rows`, so that rows and columns cannot drift apart.

A dialect says how each kind travels to and from its driver; `codec` puts whole rows together.
"""

from __future__ import annotations

import types
import typing
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any


class Kind(Enum):
    """How a value is stored; what it is on each database stands in `store.dialects`."""

    ID = "id"
    """UUID text of our own making."""
    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    FLAG = "flag"
    INSTANT = "instant"
    """Aware datetime in UTC, to the microsecond."""
    JSON = "json"
    """A dict, as JSON."""
    NAMES = "names"
    """A tuple of texts, as JSON."""
    BYTES = "bytes"


ID_COLUMNS = frozenset({"run_key", "ti_id", "version_id"})
_BY_TYPE: dict[Any, Kind] = {
    bool: Kind.FLAG,
    int: Kind.INTEGER,
    float: Kind.FLOAT,
    str: Kind.TEXT,
    bytes: Kind.BYTES,
    datetime: Kind.INSTANT,
    tuple: Kind.NAMES,
    dict: Kind.JSON,
}


def kind_of(column: str, annotation: Any) -> tuple[Kind, type[StrEnum] | None]:
    """The kind of `column`, and its enumeration if it has one.

    Raises:
        TypeError: the type is none that a column can hold.
    """
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        (annotation,) = (part for part in typing.get_args(annotation) if part is not types.NoneType)
    base = typing.get_origin(annotation) or annotation
    if column in ID_COLUMNS:
        return Kind.ID, None
    if isinstance(base, type) and issubclass(base, StrEnum):
        return Kind.TEXT, base
    try:
        return _BY_TYPE[base], None
    except KeyError:
        raise TypeError(f"column {column}: no kind of value fits {annotation!r}; add one to store.kinds") from None
