from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
import pathlib
import uuid
import zoneinfo
from decimal import Decimal
from typing import Any, NamedTuple

import attrs
import pendulum
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.sdk.memory_client import MemoryClient, MemoryWorld
from tradewind.sdk.values import (
    PatternGate,
    ValueLimits,
    decode_value,
    from_json,
    pack,
    register_class,
    to_json,
    value_length,
)
from tradewind.wire.errors import InvalidValue, LimitExceeded

EVERYTHING = PatternGate(patterns=("*",))
NOTHING = PatternGate(patterns=())


def back(value: Any, gate: PatternGate = EVERYTHING) -> Any:
    return from_json(to_json(value), gate)


class Colour(enum.Enum):
    RED = "r"
    PAIR = (1, 2)


class Point(NamedTuple):
    x: int
    y: Any


@dataclasses.dataclass(frozen=True)
class Order:
    number: int
    when: dt.datetime
    total: float = dataclasses.field(init=False, default=0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.number * 2.0)


@attrs.define
class Item:
    name: str
    _hidden: int = 1


class Customer(pydantic.BaseModel):
    name: str
    since: dt.date
    order: Order | None = None


class Old:
    __version__ = 3

    def __init__(self, x: int) -> None:
        self.x = x

    def serialize(self) -> dict[str, int]:
        return {"x": self.x}

    @staticmethod
    def deserialize(data: dict[str, int], version: int) -> Old:
        return Old(data["x"] + version)


NOW = dt.datetime(2024, 10, 27, 2, 30, 1, 5, tzinfo=dt.UTC)
VALUES = [
    None,
    [1, 2.5, True, "é", {"a": [None]}],
    NOW,
    NOW.replace(tzinfo=None),
    dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
    NOW.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30))),
    NOW.date(),
    NOW.time(),
    dt.timedelta(days=-1, microseconds=3),
    dt.UTC,
    zoneinfo.ZoneInfo("Asia/Tokyo"),
    Decimal("1.10"),
    uuid.UUID(int=5),
    pathlib.Path("/data/x"),
    (1, (2, "x"), [3]),
    {3, 1, 2},
    frozenset({"a"}),
    b"\x00\xff",
    bytearray(b"ab"),
    1 + 2j,
    2**80,
    -(2**63),
    {"$type": "datetime", "$value": "not a tag"},
    {"deep": {"$type": {"$type": 1}}},
    Colour.RED,
    Colour.PAIR,
    Point(1, {NOW}),
    Order(3, NOW),
    Item("a", 2),
    Customer(name="x", since=NOW.date(), order=Order(1, NOW)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert back({"in": [value]})["in"][0] == value
    assert type(back(value)) is type(value)


def test_special_values_that_are_not_equal_to_themselves_or_change_on_the_way() -> None:
    assert math.isnan(back(math.nan))
    assert back([math.inf, -math.inf]) == [math.inf, -math.inf]
    moment = pendulum.datetime(2024, 5, 6, tz="Europe/Rome")
    assert isinstance(back(moment), pendulum.DateTime)
    assert back(moment) == moment
    assert back(moment).timezone_name == "Europe/Rome"
    assert back(Old(1)).x == 4
    assert back({1: "a", None: "b"}) == {"1": "a", "None": "b"}
    assert back(range(3)) == [0, 1, 2]


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner) | st.sets(st.integers())
    ),
    max_leaves=20,
)


@given(json_like)
def test_whatever_json_holds_comes_back(value: Any) -> None:
    assert back(value, NOTHING) == value


@pytest.mark.parametrize(
    ("value", "path", "word"),
    [
        ({"rows": [1, 2, 3, {"conn": object()}]}, "$.rows[3].conn", "builtins.object"),
        ({"a b": (1, {"x": lambda: 1})}, "$['a b'][1].x", "function"),
        ([iter(())], "$[0]", "list("),
        ({"a": {1: 1, "1": 2}}, "$.a['1']", "two keys"),
        (Customer.model_construct(name=object(), since=None), "$.name", "object"),
    ],
)
def test_what_cannot_be_stored_is_named_by_its_path(value: Any, path: str, word: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        to_json(value)
    assert f"{path} " in str(caught.value) or f"{path}." in str(caught.value)
    assert word in str(caught.value)


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidValue, match="contains itself"):
        to_json(loop)


def test_a_class_inside_a_function_is_refused() -> None:
    @dataclasses.dataclass
    class Local:
        x: int = 1

    with pytest.raises(InvalidValue, match="module level"):
        to_json(Local())


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(InvalidValue, match="Unicode"):
        to_json("\ud800")


def test_classes_come_back_only_through_the_gate() -> None:
    with pytest.raises(InvalidValue, match=r"Order.*import the class in the DAG file"):
        back(Order(1, NOW), NOTHING)
    assert back(Colour.RED, NOTHING) == "r"
    import sys

    assert back(Order(1, NOW), PatternGate(patterns=(), modules=(sys.modules[__name__],))) == Order(1, NOW)
    assert back(Order(1, NOW), PatternGate(patterns=(), roots=(str(pathlib.Path(__file__).parent),))) == Order(1, NOW)
    register_class(Item)
    assert back(Item("x"), NOTHING) == Item("x")


def test_a_class_that_changed_is_named() -> None:
    stored = to_json(Order(1, NOW)).replace(b'"number"', b'"amount"')
    with pytest.raises(InvalidValue, match="does not fit its class"):
        from_json(stored, EVERYTHING)
    gone = to_json(Order(1, NOW)).replace(b":Order", b":Gone")
    with pytest.raises(InvalidValue, match="does not exist any more"):
        from_json(gone, EVERYTHING)
    with pytest.raises(InvalidValue, match="not JSON"):
        from_json(b"{", EVERYTHING)
    with pytest.raises(InvalidValue, match="newer version"):
        from_json(b'{"$type":"hologram","$value":1}', EVERYTHING)


def test_large_values_go_to_the_storage() -> None:
    world = MemoryWorld("d", "r")
    client = MemoryClient(world, ("t", ""))
    limits = ValueLimits(inline_bytes_max=10, bytes_max=1000)
    small = pack("k", [1], client, name="d/r/t", limits=limits).value
    large = pack("k", list(range(50)), client, name="d/r/t", limits=limits).value
    assert (small.data, small.url, small.length) == (b"[1]", None, 1)
    assert large.data is None
    assert large.url is not None
    assert "d/r/t/k" in large.url
    assert large.length == 50
    assert decode_value(large, client, NOTHING) == list(range(50))
    world.stored[large.url] = b"[]"
    with pytest.raises(InvalidValue, match="changed"):
        decode_value(large, client, NOTHING)
    with pytest.raises(LimitExceeded, match=r"d/r/t/k has 2002 bytes.*values.bytes_max allows 1000"):
        pack("k", "x" * 2000, client, name="d/r/t", limits=limits)
    with pytest.raises(InvalidValue, match="key"):
        pack("", 1, client, name="d/r/t", limits=limits)


@pytest.mark.parametrize(
    ("value", "length"),
    [([1, 2], 2), ((), 0), ({1}, 1), ({"a": 1}, 1), ("abc", None), (b"x", None), (5, None), (None, None)],
)
def test_length_for_mapping(value: Any, length: int | None) -> None:
    assert value_length(value) == length


def test_numpy_and_pandas() -> None:
    np = pytest.importorskip("numpy")
    array = np.arange(6, dtype="int32").reshape(2, 3)
    assert (back(array) == array).all()
    assert back(array).dtype == array.dtype
    assert back(np.float32(1.5)) == np.float32(1.5)
    assert type(back(np.float64(1.5))) is np.float64
    with pytest.raises(InvalidValue, match="Python objects"):
        to_json(np.array([object()]))
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=[5, 6])
    assert back(frame).equals(frame)
    assert back(frame["a"]).equals(frame["a"])
    assert back(pd.Timestamp("2024-01-01 05:00", tz="UTC")) == dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC)


def test_pyarrow_and_polars() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    assert back(table).equals(table)
    batch = table.to_batches()[0]
    assert back(batch).equals(batch)
    assert back(pa.scalar(5)) == 5
    assert back(pa.scalar(dt.date(2024, 1, 1))) == dt.date(2024, 1, 1)
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2], "day": [dt.date(2024, 1, 1), None]})
    assert back(frame).equals(frame)
    assert back(frame["a"]).equals(frame["a"])
    with pytest.raises(InvalidValue, match=r"call \.collect\(\)"):
        to_json(frame.lazy())
