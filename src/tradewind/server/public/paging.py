"""Lists over HTTP: parameters become an `Ask`, what was found becomes the numbers and cursors of the answer.

A cursor is what the order compares of the row to go on from, as base64 of msgpack; `~` in front goes backwards.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from pydantic import BaseModel, Field

from tradewind.ports.reads import Ask, Found, Op, Place, PublicTransaction, Sort, Where
from tradewind.wire.errors import BadInput

PAGE_MAX = 100
"""Rows of a page at most, whatever was asked for."""
COUNT_MAX = 10_000
"""How far a list that is read from place to place is counted."""
_BACKWARD = "~"
_ENDINGS: tuple[tuple[str, Op], ...] = (
    ("_prefix_pattern", Op.BEGINS),
    ("_pattern", Op.LIKE),
    ("_gte", Op.AT_LEAST),
    ("_gt", Op.ABOVE),
    ("_lte", Op.AT_MOST),
    ("_lt", Op.BELOW),
)
_PAGING = frozenset({"limit", "offset", "order_by", "cursor", "page_limit", "page_offset"})
_OFFSET_MAX = 2**63 - 1
T = TypeVar("T")
Row = TypeVar("Row")


class Page(BaseModel):
    """Parameters of every list."""

    limit: Annotated[int, Field(ge=0)] = 50
    offset: Annotated[int, Field(ge=0, le=_OFFSET_MAX)] = 0


def conditions(given: BaseModel, rename: Mapping[str, str] | None = None, skip: Iterable[str] = ()) -> list[Where]:
    """Conditions of the parameters that were given: their endings say how they compare, lists mean "one of".

    Parameters:
        rename: name of a parameter (without its ending) → field of the list, where they differ.
        skip: parameters that the handler looks at itself.
    """
    names, left = rename or {}, _PAGING.union(skip)
    found = []
    for name in type(given).model_fields:
        value = getattr(given, name)
        if name in left or value is None or value == []:
            continue
        stem, op = name, Op.ANY if isinstance(value, list) else Op.IS
        for ending, meaning in _ENDINGS:
            if name.endswith(ending):
                stem, op = name.removesuffix(ending), meaning
                break
        found.append(Where(names.get(stem, stem), op, value))
    return found


def order(order_by: Sequence[str], rename: Mapping[str, str] | None = None) -> tuple[Sort, ...]:
    """`-name` descends."""
    names = rename or {}
    return tuple(
        Sort(names.get(name, name), each.startswith("-")) for each in order_by for name in (each.removeprefix("-"),)
    )


def page_of(
    tx: PublicTransaction,
    name: str,
    where: Sequence[Where],
    *,
    sort: tuple[Sort, ...],
    limit: int,
    offset: int = 0,
    cursor: str | None = None,
) -> Found[Any]:
    """A page of the list `name`. Raises `BadInput` (unknown field, broken cursor)."""
    place = _place(cursor) if cursor else None
    count_max = None if cursor is None else COUNT_MAX
    kept = 0 if cursor is not None else offset
    return tx.ask_list(name, Ask(tuple(where), sort, min(limit, PAGE_MAX), kept, place, count_max))


def cursors(found: Found[Any], cursor: str | None) -> dict[str, Any]:
    """The numbers of an answer to a list that takes cursors."""
    if cursor is None:
        return {"total_entries": found.total}
    backward = cursor.startswith(_BACKWARD)
    further = bool(found.rows) and (backward or found.more)
    before = bool(found.rows) and (found.more if backward else bool(cursor))
    return {
        "total_entries": found.total,
        "total_entries_limit": COUNT_MAX,
        "next_cursor": _text(found.last) if further else None,
        "previous_cursor": _BACKWARD + _text(found.first) if before else None,
    }


def slice_of(rows: Sequence[T], page: Page) -> list[T]:
    """A page of what is in memory anyway."""
    return list(rows[page.offset : page.offset + min(page.limit, PAGE_MAX)])


def sorted_by(rows: Iterable[T], order_by: Sequence[str], fields: Mapping[str, Callable[[T], Any]]) -> list[T]:
    """Rows in memory, in order. Raises `BadInput` for a field that is not in `fields`."""
    ordered = list(rows)
    for each in reversed(order_by):
        name = each.removeprefix("-")
        key = fields.get(name)
        if key is None:
            raise BadInput(f"this list cannot be ordered by {name!r}; fields are {', '.join(sorted(fields))}")
        ordered.sort(key=lambda row: ((value := key(row)) is None, value), reverse=each.startswith("-"))
    return ordered


def _text(values: tuple[Any, ...] | None) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(values)).decode().rstrip("=")


def _place(cursor: str) -> Place:
    backward = cursor.startswith(_BACKWARD)
    raw = cursor.removeprefix(_BACKWARD)
    try:
        values = msgspec.msgpack.decode(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    except (ValueError, msgspec.DecodeError):
        values = None
    if not isinstance(values, list):
        raise BadInput("the cursor is not one that was given by this list")
    return Place(tuple(values), backward)


def matches(text: str, pattern: str | None, prefix: str | None = None) -> bool:
    """Whether a text in memory fits what the database would find with these parameters."""
    if prefix and not text.startswith(tuple(term for part in prefix.split("|") if (term := part.strip()))):
        return False
    if not pattern:
        return True
    terms = [term for part in pattern.split("|") if (term := part.strip())]
    return not terms or any(_like(term).search(text) is not None for term in terms)


@functools.lru_cache(256)
def _like(term: str) -> re.Pattern[str]:
    signs = {"%": ".*", "_": "."}
    return re.compile("".join(signs.get(sign, re.escape(sign)) for sign in term), re.IGNORECASE | re.DOTALL)
