"""Forms of values on their way to the drivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.store.dialects.arrays import array_literal
from tradewind.store.dialects.postgresql import conninfo_of_url
from tradewind.store.dialects.sqlite import instant_of, microseconds, path_of_url
from tradewind.store.dialects.values import clean_text
from tradewind.store.kinds import Kind, kind_of
from tradewind.wire.errors import BadInput


@given(st.text(st.characters(codec=None), max_size=20))
def test_clean_text_can_be_stored(value: str) -> None:
    clean = clean_text(value)
    clean.encode()
    assert "\x00" not in clean
    if "\x00" not in value and value.isprintable():
        assert clean == value


def test_clean_text_of_members() -> None:
    class Colour(StrEnum):
        RED = "red"

    assert type(clean_text(Colour.RED)) is str


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_instants_survive(value: datetime) -> None:
    assert instant_of(microseconds(value)) == value


def test_instants_of_other_zones_are_the_same_instants() -> None:
    there = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5)))
    assert instant_of(microseconds(there)) == there
    assert instant_of(microseconds(there)).tzinfo is UTC


@pytest.mark.parametrize(
    ("kind", "values", "literal"),
    [
        (Kind.TEXT, ["a", None, 'q"\\{},', "NULL", ""], '{"a",NULL,"q\\"\\\\{},","NULL",""}'),
        (Kind.INTEGER, [1, -2, None], "{1,-2,NULL}"),
        (Kind.FLOAT, [0.1, 1e300], "{0.1,1e+300}"),
        (Kind.FLAG, [True, False], "{t,f}"),
        (Kind.BYTES, [b"\x00\xff", b""], '{"\\\\x00ff","\\\\x"}'),
        (Kind.INSTANT, [datetime(2026, 1, 1, tzinfo=UTC)], '{"2026-01-01T00:00:00+00:00"}'),
        (Kind.ID, [], "{}"),
    ],
    ids=str,
)
def test_array_literals(kind: Kind, values: list[object], literal: str) -> None:
    assert array_literal(kind, values) == literal


def test_kinds_of_columns() -> None:
    assert kind_of("run_key", str) == (Kind.ID, None)
    assert kind_of("reason", str | None) == (Kind.TEXT, None)
    assert kind_of("tags", tuple[str, ...]) == (Kind.NAMES, None)
    with pytest.raises(TypeError, match="column odd"):
        kind_of("odd", set[int])


def test_urls() -> None:
    assert str(path_of_url("sqlite:////var/lib/t.db")) == "/var/lib/t.db"
    assert str(path_of_url("sqlite:///t.db?timeout=3")) == "t.db"
    assert conninfo_of_url("postgresql+psycopg://u@h/d?sslmode=require") == "postgresql://u@h/d?sslmode=require"
    with pytest.raises(BadInput, match="not a PostgreSQL URL"):
        conninfo_of_url("postgresql://u@h/d?nonsense=1")
