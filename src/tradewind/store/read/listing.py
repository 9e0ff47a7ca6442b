# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""One engine behind every list: a list says what its fields are, an `Ask` becomes a statement.

A statement's text depends on the shape of the question only (which fields, which comparisons), so that the database
prepares it once. A page from a place compares what the order compares, nested, so that an index on the order is walked
and a deep page costs as much as the first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from tradewind.ports.reads import Ask, Found, Op, Sort, Where
from tradewind.store.codec import encode_value
from tradewind.store.dialects.base import Dialect, Session
from tradewind.store.kinds import Kind
from tradewind.wire.errors import BadInput

Row = TypeVar("Row")
_ORDERED = {Op.AT_LEAST: ">=", Op.ABOVE: ">", Op.AT_MOST: "<=", Op.BELOW: "<"}
_PYTHON: Mapping[Kind, type | tuple[type, ...]] = {
    Kind.ID: str,
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.FLOAT: (int, float),
    Kind.FLAG: bool,
    Kind.INSTANT: datetime,
}
_SHAPES_KEPT = 512
_TERMS_MAX = 32
_SORTS_MAX = 10
_INTEGER_MAX = 2**63 - 1


class Field(NamedTuple):
    """What may be filtered and ordered.

    Parameters:
        sql: the expression; a function of the dialect where databases say it differently.
        nullable: whether it may be NULL; matters for its place in an order.
        join: name of the join it needs, None for none.
        plain: a condition by itself, which stands as it is in the statement: one that a partial index has. It can only
            be asked to hold.
    """

    sql: str | Callable[[Dialect], str]
    kind: Kind = Kind.TEXT
    nullable: bool = False
    join: str | None = None
    plain: bool = False

    def text(self, d: Dialect) -> str:
        return self.sql if isinstance(self.sql, str) else self.sql(d)


class Listing(NamedTuple, Generic[Row]):
    """A list.

    Parameters:
        name: what it is called.
        source: FROM, with its alias.
        select: the columns as a select list.
        read: makes a row of their values.
        key: field that tells two rows apart; ends every order.
        joins: name → JOIN clause; `shown` are those the select list needs.
        always: a condition that always holds.
    """

    name: str
    source: str
    select: str
    read: Callable[[Dialect], Callable[[Sequence[Any]], Row]]
    key: str
    fields: Mapping[str, Field]
    joins: Mapping[str, str] = {}
    shown: tuple[str, ...] = ()
    always: str = "true"


class Shape(NamedTuple):
    """What the text of a statement depends on."""

    where: tuple[tuple[str, Op, int], ...]
    """(field, comparison, form of the value)"""
    sort: tuple[Sort, ...]
    place: tuple[bool, ...] | None
    """Which of the values of the place are NULL."""
    backward: bool
    with_offset: bool
    bounded_count: bool


def order_of(listing: Listing[Any], sort: Sequence[Sort]) -> tuple[Sort, ...]:
    """The whole order: as asked, each field once, ended by the key. Raises `BadInput`."""
    if len(sort) > _SORTS_MAX:
        raise BadInput(f"order_by takes at most {_SORTS_MAX} fields, not {len(sort)}")
    whole: list[Sort] = []
    for each in sort:
        if each.field not in listing.fields:
            raise BadInput(f"{listing.name} cannot be ordered by {each.field!r}; fields are {_fields(listing)}")
        if all(each.field != known.field for known in whole):
            whole.append(each)
    if all(each.field != listing.key for each in whole):
        whole.append(Sort(listing.key, bool(whole) and whole[0].descending))
    return tuple(whole)


def run_ask(listing: Listing[Row], session: Session, ask: Ask) -> Found[Row]:
    """Answer `ask`. Raises `BadInput`."""
    d = session.dialect
    order = order_of(listing, ask.sort)
    params: dict[str, Any] = {"limit": min(ask.limit + 1, _INTEGER_MAX), "offset": min(ask.offset, _INTEGER_MAX)}
    where = tuple(_given(listing, d, params, number, each) for number, each in enumerate(ask.where))
    place = None
    if ask.place is not None:
        place = tuple(value is None for value in _place(listing, d, params, order, ask.place.values))
    backward = ask.place is not None and ask.place.backward
    shape = Shape(where, order, place, backward, bool(ask.offset) and place is None, bool(ask.count_max))
    page, count = _statements(listing.name, type(d), _Build(listing, d, shape))
    found = session.rows(page, params) if ask.limit else []
    more = len(found) > ask.limit
    found = found[: ask.limit]
    total = len(found)
    # A first page that is not full has been counted by reading it.
    told = not (more or ask.offset or place is not None or not ask.limit)
    if not told and (ask.count_max is None or ask.count_max > 0):
        total = int(session.rows(count, params | {"count_max": ask.count_max})[0][0])
    if backward:
        found.reverse()
    width = len(order)
    keys = [_keys(listing, d, order, row[-width:]) for row in (found[:1] + found[-1:])]
    read = listing.read(d)
    return Found(
        [read(row[:-width]) for row in found], total, keys[0] if keys else None, keys[-1] if keys else None, more
    )


class _Build:
    """Makes the texts of one shape; compared by its shape, so that it can be the key of a cache."""

    __slots__ = ("d", "listing", "shape")

    def __init__(self, listing: Listing[Any], d: Dialect, shape: Shape) -> None:
        self.listing = listing
        self.d = d
        self.shape = shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Build) and self.shape == other.shape

    def __hash__(self) -> int:
        return hash(self.shape)

    def texts(self) -> tuple[str, str]:
        """The statement of the page and the one that counts."""
        listing, shape = self.listing, self.shape
        conditions = [listing.always, *(self._condition(n, *each) for n, each in enumerate(shape.where))]
        asked = {listing.fields[name].join for name, _, _ in shape.where}
        ordered = {listing.fields[each.field].join for each in shape.sort}
        plain = f"FROM {listing.source} {self._joins(asked)} WHERE {' AND '.join(conditions)}"
        count = f"SELECT count(*) {plain}"
        if shape.bounded_count:
            count = f"SELECT count(*) FROM (SELECT 1 AS one {plain} LIMIT :count_max) AS counted"
        if shape.place is not None:
            conditions.append(self._beyond(shape.place))
        expressions = [listing.fields[each.field].text(self.d) for each in shape.sort]
        order = ", ".join(self._ordered(each) for each in shape.sort)
        page = (
            f"SELECT {listing.select}, {', '.join(expressions)} FROM {listing.source} "
            f"{self._joins(asked | ordered | set(listing.shown))} WHERE {' AND '.join(conditions)} ORDER BY {order} "
            f"LIMIT :limit{' OFFSET :offset' if shape.with_offset else ''}"
        )
        return self.d.prepare(page), self.d.prepare(count)

    def _joins(self, wanted: set[str | None]) -> str:
        return " ".join(clause for name, clause in self.listing.joins.items() if name in wanted)

    def _condition(self, number: int, name: str, op: Op, form: int) -> str:
        d, field = self.d, self.listing.fields[name]
        column, param = field.text(d), f"w{number}"
        if op in _ORDERED:
            return f"{column} {_ORDERED[op]} :{param}"
        if op is Op.LIKE:
            terms = (rf"{d.folded(column)} LIKE {d.folded(f':{param}_{n}')} ESCAPE '\'" for n in range(form))
            return f"({' OR '.join(terms)})" if form else "true"
        if op is Op.BEGINS:
            terms = (f"substr({column}, 1, :{param}_{n}l) = :{param}_{n}" for n in range(form))
            return f"({' OR '.join(terms)})" if form else "true"
        if op is Op.HAS_ALL:
            return d.holds_name(column, param)
        if op is Op.HAS_ANY:
            return f"({' OR '.join(d.holds_name(column, f'{param}_{n}') for n in range(form))})" if form else "false"
        if op is Op.NOT_ANY:
            return f"({column} IS NULL OR NOT ({d.any(column, param, field.kind)}))"
        if op is Op.ANY:
            some = d.any(column, param, field.kind)
            return f"({some} OR {column} IS NULL)" if form else f"({some})"
        if form:
            return f"{column} IS NULL"
        return column if field.plain else f"{column} = :{param}"

    def _ordered(self, each: Sort) -> str:
        descending = each.descending != self.shape.backward
        return f"{self.listing.fields[each.field].text(self.d)} {'DESC' if descending else 'ASC'}"

    def _beyond(self, nulls: tuple[bool, ...]) -> str:
        """Rows behind the place: the leading fields bound the range, the last one tells strictly."""
        text = ""
        for position in reversed(range(len(self.shape.sort))):
            each = self.shape.sort[position]
            loose, strict = self._bounds(each, position, nulls[position])
            text = f"({loose} AND ({strict} OR {text}))" if text else strict
        return text

    def _bounds(self, each: Sort, position: int, is_null: bool) -> tuple[str, str]:
        field = self.listing.fields[each.field]
        column, param = field.text(self.d), f":p{position}"
        descending = each.descending != self.shape.backward
        nulls_behind = field.nullable and self.d.nulls_are_greatest != descending
        if is_null:
            return (f"{column} IS NULL", "false") if nulls_behind else ("true", f"{column} IS NOT NULL")
        sign = "<" if descending else ">"
        loose, strict = f"{column} {sign}= {param}", f"{column} {sign} {param}"
        if nulls_behind:
            return f"({loose} OR {column} IS NULL)", f"({strict} OR {column} IS NULL)"
        return loose, strict


@functools.lru_cache(_SHAPES_KEPT)
def _statements(name: str, dialect: type, build: _Build) -> tuple[str, str]:  # noqa: ARG001 # parts of the key
    return build.texts()


def _given(listing: Listing[Any], d: Dialect, params: dict[str, Any], number: int, where: Where) -> tuple[str, Op, int]:
    """Put the value of a condition into `params`; the part of the shape."""
    field = listing.fields.get(where.field)
    if field is None:
        raise BadInput(f"{listing.name} has no field {where.field!r}; there are {_fields(listing)}")
    param, op, value, form = f"w{number}", where.op, where.value, 0
    if op in (Op.LIKE, Op.BEGINS):
        for form, term in enumerate(_terms(value), 1):  # its last value is the number of terms
            text = d.encoders.get(Kind.TEXT, str)(term)
            params[f"{param}_{form - 1}"] = f"%{text}%" if op is Op.LIKE else text
            params[f"{param}_{form - 1}l"] = len(text)
    elif op is Op.HAS_ANY:
        for form, term in enumerate(value[:_TERMS_MAX], 1):
            params[f"{param}_{form - 1}"] = d.array(Kind.TEXT, [term])
    elif op is Op.HAS_ALL:
        params[param] = d.array(Kind.TEXT, value)
    elif op in (Op.ANY, Op.NOT_ANY):
        form = int(op is Op.ANY and any(each is None for each in value))
        params[param] = d.array(field.kind, [_fitting(each) for each in value if each is not None])
    elif value is None:
        form = 1
    else:
        params[param] = encode_value(d.encoders, field.kind, _fitting(value))
    return where.field, op, form


def _terms(value: str) -> Iterator[str]:
    """The alternatives of a pattern, divided by `|`."""
    kept = [term for part in value.split("|") if (term := part.strip())]
    return iter(kept[:_TERMS_MAX])


def _fitting(value: Any) -> Any:
    """Numbers beyond what a database can hold are equal to none and above all that are there."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-_INTEGER_MAX, min(value, _INTEGER_MAX))
    return str(value) if isinstance(value, StrEnum) else value


def _place(
    listing: Listing[Any], d: Dialect, params: dict[str, Any], order: tuple[Sort, ...], values: Sequence[Any]
) -> Sequence[Any]:
    if len(values) != len(order):
        raise BadInput("the cursor belongs to a list in another order")
    for position, (each, value) in enumerate(zip(order, values, strict=True)):
        field = listing.fields[each.field]
        if value is not None and (not isinstance(value, _PYTHON[field.kind]) or isinstance(value, bool)):
            raise BadInput("the cursor belongs to a list in another order")
        params[f"p{position}"] = encode_value(d.encoders, field.kind, _fitting(value))
    return values


def _keys(listing: Listing[Any], d: Dialect, order: tuple[Sort, ...], values: Sequence[Any]) -> tuple[Any, ...]:
    """What the order compares, as values."""
    found = []
    for each, value in zip(order, values, strict=True):
        decoder = d.decoders.get(listing.fields[each.field].kind)
        found.append(decoder(value) if decoder is not None and value is not None else value)
    return tuple(found)


def _fields(listing: Listing[Any]) -> str:
    return ", ".join(sorted(listing.fields))
