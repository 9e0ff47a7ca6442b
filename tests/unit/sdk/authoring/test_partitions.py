"""Partitions as authors write them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import tradewind
from tradewind import (
    DAG,
    AllowedKeyMapper,
    Asset,
    ChainMapper,
    CronPartitionTimetable,
    DayWindow,
    FanOutMapper,
    FixedKeyMapper,
    HourWindow,
    IdentityMapper,
    MinimumCount,
    MonthWindow,
    PartitionedAssetTimetable,
    PartitionedAtRuntime,
    PartitionMapper,
    ProductMapper,
    RollupMapper,
    SegmentWindow,
    StartOfDayMapper,
    StartOfHourMapper,
    StartOfMonthMapper,
    StartOfQuarterMapper,
    WaitForAll,
    WeekWindow,
    Window,
)
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.standard.empty import EmptyOperator
from tradewind.wire.assets import AssetLeaf, NameLeaf
from tradewind.wire.document import decode_document, encode_document
from tradewind.wire.errors import BadInput, InvalidSchedule
from tradewind.wire.partitions import FixedKeyMap, IdentityMap, RollupMap, Segments, TemporalMap
from tradewind.wire.partitions import Window as WireWindow
from tradewind.wire.schedule import CronPartitionSchedule, PartitionedAssetSchedule, RuntimePartitionSchedule


def test_every_name_is_there() -> None:
    for name in ["StartOfWeekMapper", "StartOfYearMapper", "QuarterWindow", "YearWindow"]:
        assert inspect.isclass(getattr(tradewind, name))


@pytest.mark.parametrize(
    ("mapper", "key", "found"),
    [
        (IdentityMapper(), "x", "x"),
        (FixedKeyMapper("all"), "x", "all"),
        (AllowedKeyMapper(["x"]), "x", "x"),
        (StartOfDayMapper(timezone="Asia/Tokyo"), "2024-03-13T10:42:15", "2024-03-13"),
        (StartOfQuarterMapper(output_format="{quarter}/%Y"), "2024-05-13T10:42:15", "2/2024"),
        (ProductMapper(IdentityMapper(), StartOfHourMapper()), "eu|2024-03-13T10:42:15", "eu|2024-03-13T10"),
        (
            ChainMapper(StartOfDayMapper(), StartOfMonthMapper(input_format="%Y-%m-%d")),
            "2024-03-13T10:42:15",
            "2024-03",
        ),
    ],
)
def test_mappers_answer(mapper: PartitionMapper, key: str, found: str) -> None:
    assert mapper.to_downstream(key) == found


def test_fan_out_and_rollup_are_mirrors() -> None:
    fan = FanOutMapper(upstream_mapper=StartOfDayMapper(input_format="%Y-%m-%d"), window=DayWindow())
    hours = fan.to_downstream("2024-03-13")
    assert isinstance(hours, list)
    rollup = RollupMapper(upstream_mapper=StartOfDayMapper(input_format="%Y-%m-%dT%H"), window=DayWindow())
    assert rollup.to_upstream("2024-03-13") == set(hours)
    assert rollup.wait_policy == WaitForAll()
    assert MonthWindow(direction="backward") != MonthWindow()
    assert MonthWindow(direction=Window.Direction.BACKWARD) == MonthWindow(direction="backward")


def test_schedules_become_documents() -> None:
    a, b = Asset("a"), Asset("b")
    timetable = PartitionedAssetTimetable(
        assets=a & b,
        partition_mapper_config={
            a: RollupMapper(
                upstream_mapper=StartOfDayMapper(), window=DayWindow(direction="backward"), wait_policy=MinimumCount(-1)
            ),
            Asset.ref(name="b"): RollupMapper(
                upstream_mapper=FixedKeyMapper("k"), window=SegmentWindow({"us", "eu"}), max_downstream_keys=7
            ),
        },
    )
    with DAG("d", schedule=timetable) as dag:
        EmptyOperator(task_id="t")
    document = compile_dag(dag, file="d.py")
    schedule = document.schedule
    assert isinstance(schedule, PartitionedAssetSchedule)
    assert schedule.default == IdentityMap()
    assert schedule.mappers == (
        (
            AssetLeaf("a", "a"),
            RollupMap(
                upstream=TemporalMap(unit="day", output_format="%Y-%m-%d"),
                window=WireWindow(unit="day", backward=True),
                minimum=-1,
            ),
        ),
        (
            NameLeaf("b"),
            RollupMap(upstream=FixedKeyMap(key="k"), window=Segments(keys=("eu", "us")), max_downstream_keys=7),
        ),
    )
    assert [asset.name for asset in document.assets] == ["a", "b"]
    assert decode_document(encode_document(document)) == document
    assert DAG("r", schedule=PartitionedAtRuntime()).wire_schedule == RuntimePartitionSchedule()
    cron = CronPartitionTimetable("0  0 * * *", timezone="UTC", run_offset=-1, key_format="%Y%m%d")
    assert cron.schedule == CronPartitionSchedule(
        cron="0 0 * * *", run_offset=-1, run_immediately=False, key_format="%Y%m%d"
    )
    assert DAG("c", schedule=cron).timetable.summary == "0 0 * * *"


ANY: Any = "no mapper"
WRITES_DAYS_ONLY = StartOfDayMapper(output_format="%d")


def _own() -> Any:
    class Own(PartitionMapper):
        def to_downstream(self, key: str) -> str:
            return key

    return Own()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: IdentityMapper(max_downstream_keys=0), WrongValue, "max_downstream_keys"),
        (lambda: MinimumCount(0), WrongValue, "WaitForAll"),
        (lambda: SegmentWindow([]), WrongValue, "at least one segment"),
        (lambda: SegmentWindow([1]), WrongValue, "must be a text"),
        (
            lambda: FanOutMapper(upstream_mapper=StartOfHourMapper(), window=HourWindow()),
            WrongValue,
            "downstream_mapper",
        ),
        (lambda: RollupMapper(upstream_mapper=IdentityMapper(), window=DayWindow()), WrongArgument, "keys of time"),
        (
            lambda: RollupMapper(upstream_mapper=StartOfDayMapper(), window=SegmentWindow(["x"])),
            WrongArgument,
            "fixed set",
        ),
        (lambda: RollupMapper(upstream_mapper=ANY, window=DayWindow()), WrongArgument, "takes partition mappers"),
        (
            lambda: RollupMapper(upstream_mapper=StartOfDayMapper(output_format="%d"), window=DayWindow()),
            WrongValue,
            "leaves out",
        ),
        (lambda: StartOfDayMapper(timezone="Mars/Base"), InvalidSchedule, "Mars/Base"),
        (lambda: WeekWindow(direction="up"), WrongValue, "forward or backward"),
        (lambda: CronPartitionTimetable("* * * * *", timezone="UTC", run_offset=ANY), WrongValue, "whole number"),
        (lambda: CronPartitionTimetable("99 * * * *", timezone="UTC"), InvalidSchedule, "minute"),
        (
            lambda: PartitionedAssetTimetable(Asset("a"), {Asset("z"): IdentityMapper()}),
            WrongValue,
            "none of the assets",
        ),
        (lambda: PartitionedAssetTimetable(Asset("a"), {ANY: IdentityMapper()}), WrongArgument, "keyed by assets"),
        (
            lambda: PartitionedAssetTimetable(Asset("a"), default_partition_mapper=_own()),
            NotImplementedError,
            "one's own",
        ),
        (lambda: AllowedKeyMapper(["x"]).to_downstream("y"), BadInput, "none of those allowed"),
    ],
)
def test_wrong_ones(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
