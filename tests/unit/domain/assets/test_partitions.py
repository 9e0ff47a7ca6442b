"""Keys of partitions. `partition_keys.tsv`: what Airflow 3.3.2 answers, measured."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.assets.partitions import (
    downstream_keys,
    is_filled,
    is_ready,
    needed_keys,
    partition_date,
)
from tradewind.wire.assets import AllOf, AssetLeaf, topic_of
from tradewind.wire.errors import BadInput
from tradewind.wire.partitions import (
    AllowedKeysMap,
    ChainMap,
    FanOutMap,
    FixedKeyMap,
    IdentityMap,
    PartitionMap,
    ProductMap,
    RollupMap,
    Segments,
    TemporalMap,
    Window,
)
from tradewind.wire.schedule import PartitionedAssetSchedule

FORMATS = {
    "hour": "%Y-%m-%dT%H",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d (W%V)",
    "month": "%Y-%m",
    "quarter": "%Y-Q{quarter}",
    "year": "%Y",
}
FINER = {"day": "hour", "week": "day", "month": "day", "quarter": "month", "year": "month"}
MORNING = "2024-03-13T10:00:00"
MEASURED = [line.split("\t") for line in (Path(__file__).parent / "partition_keys.tsv").read_text().splitlines()]


def temporal(unit: str, timezone: str = "UTC", input_format: str = "%Y-%m-%dT%H:%M:%S") -> TemporalMap:
    return TemporalMap(unit=unit, output_format=FORMATS[unit], timezone=timezone, input_format=input_format)


def unit_of(name: str) -> str:
    return name.removeprefix("StartOf").removesuffix("Mapper").removesuffix("Window").lower()


@pytest.mark.parametrize("line", [line for line in MEASURED if line[0].startswith("StartOf")])
def test_starts_of_periods(line: list[str]) -> None:
    name, zone, key, found, date = line
    mapper = temporal(unit_of(name), zone)
    assert downstream_keys(mapper, key) == (found,)
    at = partition_date(mapper, found)
    assert at is not None
    assert at.isoformat() == date


@pytest.mark.parametrize("line", [line for line in MEASURED if line[0] == "window"])
def test_windows(line: list[str]) -> None:
    _, name, direction, key, count, first, last = line
    unit = unit_of(name)
    mapper = RollupMap(upstream=temporal(unit), window=Window(unit=unit, backward=direction == "backward"))
    (found,) = downstream_keys(mapper, key)
    needed = needed_keys(mapper, found)
    assert needed is not None
    assert (len(needed), min(needed), max(needed)) == (int(count), first, last)


@pytest.mark.parametrize("line", [line for line in MEASURED if line[0] == "fan"])
def test_fan_out(line: list[str]) -> None:
    _, name, key, count, first, last = line
    unit = unit_of(name)
    mapper = FanOutMap(upstream=temporal(unit), window=Window(unit=unit), downstream=temporal(FINER[unit]))
    found = downstream_keys(mapper, key)
    assert (len(found), found[0], found[-1]) == (int(count), first, last)


@pytest.mark.parametrize(
    ("mapper", "key", "found"),
    [
        (IdentityMap(), "x", ("x",)),
        (FixedKeyMap(key="all"), "x", ("all",)),
        (AllowedKeysMap(keys=("x", "y")), "y", ("y",)),
        (ProductMap(mappers=(AllowedKeysMap(keys=("eu",)), temporal("day"))), f"eu|{MORNING}", ("eu|2024-03-13",)),
        (ChainMap(mappers=(temporal("day"), temporal("month", input_format="%Y-%m-%d"))), MORNING, ("2024-03",)),
    ],
)  # fmt: skip
def test_other_mappers(mapper: PartitionMap, key: str, found: tuple[str, ...]) -> None:
    assert downstream_keys(mapper, key) == found


@pytest.mark.parametrize(
    ("mapper", "key", "message"),
    [
        (AllowedKeysMap(keys=("x",)), "z", "'z' is none of those allowed: x"),
        (temporal("day"), "yesterday", "'yesterday' is not written as '%Y-%m-%dT%H:%M:%S'"),
        (ProductMap(mappers=(IdentityMap(), IdentityMap())), "a|b|c", "has 3 parts"),
        (FanOutMap(upstream=temporal("day"), window=Window(unit="day"), downstream=temporal("hour"),
                   max_downstream_keys=5), MORNING, "becomes 24 keys, more than the 5 allowed"),
        (RollupMap(upstream=IdentityMap(), window=Window(unit="day")), "x", "needs keys of time"),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit(mapper: PartitionMap, key: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        needed_keys(mapper, downstream_keys(mapper, key)[0])


def test_segments_wait_for_each_other() -> None:
    mapper = RollupMap(upstream=FixedKeyMap(key="world"), window=Segments(keys=("eu", "us")))
    assert needed_keys(mapper, "world") == frozenset({"eu", "us"})
    assert not is_filled(mapper, "world", {"eu"})
    assert is_filled(mapper, "world", {"eu", "us", "mars"})


@pytest.mark.parametrize(
    ("minimum", "there", "filled"), [(3, 2, False), (3, 3, True), (-2, 4, False), (-2, 5, True), (-9, 0, True)]
)
def test_wait_policies(minimum: int, there: int, filled: bool) -> None:
    mapper = RollupMap(upstream=temporal("week"), window=Window(unit="week"), minimum=minimum)
    (key,) = downstream_keys(mapper, "2024-03-13T10:00:00")
    needed = needed_keys(mapper, key)
    assert needed is not None
    assert is_filled(mapper, key, set(sorted(needed)[:there])) is filled


def test_a_day_that_lost_an_hour_can_be_filled() -> None:
    mapper = RollupMap(
        upstream=temporal("day", "America/New_York", input_format="%Y-%m-%dT%H"), window=Window(unit="day")
    )
    needed = needed_keys(mapper, "2024-03-10")
    assert needed is not None
    assert len(needed) == 23
    assert "2024-03-10T02" not in needed


def test_conditions_over_partitions() -> None:
    a, b = AssetLeaf("a", "a"), AssetLeaf("b", "b")
    rollup = RollupMap(upstream=FixedKeyMap(key="k"), window=Segments(keys=("1", "2")))
    schedule = PartitionedAssetSchedule(condition=AllOf((a, b)), mappers=((a, rollup),), default=IdentityMap())
    assert not is_ready(schedule, "k", {topic_of(a): {"1"}, topic_of(b): {"k"}})
    assert not is_ready(schedule, "k", {topic_of(a): {"1", "2"}})
    assert is_ready(schedule, "k", {topic_of(a): {"1", "2"}, topic_of(b): {"k"}})


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)), st.sampled_from(sorted(FINER)))
def test_a_member_of_a_window_belongs_to_its_period(at: datetime, unit: str) -> None:
    upstream = temporal(unit)
    mapper = RollupMap(upstream=upstream, window=Window(unit=unit))
    (key,) = downstream_keys(mapper, at.strftime("%Y-%m-%dT%H:%M:%S"))
    needed = needed_keys(mapper, key)
    assert needed is not None
    assert {downstream_keys(mapper, each) for each in needed} == {(key,)}
