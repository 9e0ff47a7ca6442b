"""Timetables under their public names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tradewind.sdk import (
    DAG,
    CronDataIntervalTimetable,
    CronTriggerTimetable,
    DeltaDataIntervalTimetable,
    DeltaTriggerTimetable,
    EventsTimetable,
    MultipleCronTriggerTimetable,
)
from tradewind.sdk.defaults import authoring_defaults, use_defaults
from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.timetables import Timetable
from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import (
    CronIntervalSchedule,
    CronTriggerSchedule,
    Delta,
    DeltaIntervalSchedule,
    DeltaTriggerSchedule,
    EventsSchedule,
    delta_of,
)

HOUR = Delta(seconds=3600)
EVENT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [
        (
            CronTriggerTimetable("@daily", timezone="UTC", interval=timedelta(hours=1), run_immediately=True),
            CronTriggerSchedule(crons=("0 0 * * *",), interval=HOUR, run_immediately=True),
        ),
        (
            MultipleCronTriggerTimetable(
                "0 1 * * *", "0 2 * * *", timezone=ZoneInfo("Asia/Tokyo"), run_immediately=timedelta(minutes=5)
            ),
            CronTriggerSchedule(crons=("0 1 * * *", "0 2 * * *"), timezone="Asia/Tokyo", run_immediately=300.0),
        ),
        (CronDataIntervalTimetable("0  1 * * MON", "UTC"), CronIntervalSchedule(cron="0 1 * * mon")),
        (
            DeltaTriggerTimetable(timedelta(hours=1), interval=timedelta(hours=1)),
            DeltaTriggerSchedule(delta=HOUR, interval=HOUR),
        ),
        (DeltaDataIntervalTimetable(timedelta(hours=1)), DeltaIntervalSchedule(delta=HOUR)),
        (EventsTimetable([EVENT], restrict_to_events=True), EventsSchedule(instants=(EVENT,), restrict_to_events=True)),
    ],
)
def test_they_carry_their_schedule(timetable: Timetable, expected: Any) -> None:
    made = DAG("d", schedule=timetable).wire_schedule
    assert made == expected
    if isinstance(expected, CronTriggerSchedule):
        assert isinstance(made, CronTriggerSchedule)
        assert type(made.run_immediately) is type(expected.run_immediately)


def test_equal_ones_are_equal() -> None:
    assert DeltaTriggerTimetable(timedelta(hours=1)) == DeltaTriggerTimetable(timedelta(minutes=60))
    assert len({DeltaTriggerTimetable(timedelta(hours=1)), DeltaTriggerTimetable(timedelta(minutes=60))}) == 1


def test_wrong_ones() -> None:
    with pytest.raises(InvalidSchedule, match="'Mars/Olympus' is not known"):
        CronTriggerTimetable("@daily", timezone="Mars/Olympus")
    with pytest.raises(InvalidSchedule, match="minute"):
        CronDataIntervalTimetable("99 * * * *", "UTC")
    with pytest.raises(InvalidSchedule, match="no time zone"):
        EventsTimetable([datetime(2024, 1, 1)])

    class Own(Timetable):
        pass

    with pytest.raises(NotImplementedError, match="Own must answer next_dagrun_info"):
        DAG("d", schedule=Own())
    with pytest.raises(WrongArgument, match="schedule of DAG 'd': AssetAll takes assets"):
        DAG("d", schedule=[object()])


def test_plain_schedules_may_mean_intervals() -> None:
    before = authoring_defaults()
    use_defaults(replace(before, data_intervals=True))
    try:
        assert DAG("d", schedule="@daily").wire_schedule == CronIntervalSchedule(cron="0 0 * * *")
        assert DAG("d", schedule=timedelta(hours=1)).wire_schedule == DeltaIntervalSchedule(
            delta=delta_of(timedelta(hours=1))
        )
        trigger = CronTriggerTimetable("0 0 * * *", timezone="UTC")
        assert DAG("d", schedule=trigger).wire_schedule == trigger.schedule
    finally:
        use_defaults(before)
