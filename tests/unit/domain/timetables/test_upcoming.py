"""What a schedule has in store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta

from tradewind.domain.timetables import DagRunInfo, parse_schedule, upcoming
from tradewind.wire.schedule import (
    ContinuousSchedule,
    CronIntervalSchedule,
    DeltaIntervalSchedule,
    DeltaTriggerSchedule,
    NullSchedule,
    OnceSchedule,
    Schedule,
    delta_of,
    events_of,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOW, START = at("2024-05-10 12:30"), at("2020-01-01 00:10")


def due(schedule: Schedule, count: int = 3, *, start: datetime | None = START, **more: bool) -> list[str]:
    runs = upcoming(schedule, start, None, more.get("catchup", False), NOW, count)
    return [f"{run.run_after:%Y-%m-%d %H:%M}" for run in runs]


@pytest.mark.parametrize("catchup", [False, True])
@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (parse_schedule("@daily"), ["2024-05-11 00:00", "2024-05-12 00:00", "2024-05-13 00:00"]),
        (parse_schedule("30 12 * * *"), ["2024-05-10 12:30", "2024-05-11 12:30", "2024-05-12 12:30"]),
        (parse_schedule("@hourly", "Asia/Kathmandu"), ["2024-05-10 13:15", "2024-05-10 14:15", "2024-05-10 15:15"]),
        (CronIntervalSchedule(cron="@daily"), ["2024-05-11 00:00", "2024-05-12 00:00", "2024-05-13 00:00"]),
        (
            DeltaTriggerSchedule(delta=delta_of(timedelta(hours=1))),
            ["2024-05-10 13:10", "2024-05-10 14:10", "2024-05-10 15:10"],
        ),
        (
            DeltaTriggerSchedule(delta=delta_of(relativedelta(months=1))),
            ["2024-06-01 00:10", "2024-07-01 00:10", "2024-08-01 00:10"],
        ),
        (
            DeltaIntervalSchedule(delta=delta_of(timedelta(hours=1))),
            ["2024-05-10 13:00", "2024-05-10 14:00", "2024-05-10 15:00"],
        ),
        (events_of([at("2024-05-10"), at("2024-05-11"), at("2024-05-12")]), ["2024-05-11 00:00", "2024-05-12 00:00"]),
        (OnceSchedule(), ["2020-01-01 00:10"]),
        (ContinuousSchedule(), ["2024-05-10 12:30"]),
        (NullSchedule(), []),
    ],
)
def test_the_next_ones(schedule: Schedule, expected: list[str], catchup: bool) -> None:
    assert due(schedule, catchup=catchup) == expected


def test_without_start_date() -> None:
    assert due(parse_schedule("@daily"), 1, start=None) == ["2024-05-11 00:00"]
    assert due(CronIntervalSchedule(cron="@daily"), 1, start=None, catchup=True) == ["2024-05-11 00:00"]
    assert due(DeltaTriggerSchedule(delta=delta_of(timedelta(hours=1))), 2, start=None) == [
        "2024-05-10 12:30",
        "2024-05-10 13:30",
    ]


def test_a_start_date_to_come() -> None:
    assert due(parse_schedule("@daily"), 1, start=at("2024-06-01 10:00")) == ["2024-06-02 00:00"]


def test_end_date_and_count() -> None:
    daily = parse_schedule("@daily")
    assert len(upcoming(daily, START, at("2024-05-12"), False, NOW, 10)) == 2
    assert upcoming(daily, START, at("2024-05-01"), False, NOW, 10) == []
    assert upcoming(daily, START, None, False, NOW, 0) == []


def test_what_is_owed_after_the_last_run() -> None:
    daily, last = parse_schedule("@daily"), DagRunInfo.exact(at("2024-05-07"))
    owed = upcoming(daily, START, None, True, NOW, 4, after=last)
    assert [run.run_after.day for run in owed] == [8, 9, 10, 11]
    latest = upcoming(daily, START, None, False, NOW, 2, after=last)
    assert [run.run_after.day for run in latest] == [10, 11]
    assert upcoming(OnceSchedule(), START, None, False, NOW, 2, after=last) == []


def test_instants_need_a_time_zone() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        upcoming(parse_schedule("@daily"), None, None, False, datetime(2024, 5, 10), 1)


def test_other_zones_are_taken_and_utc_is_given() -> None:
    from_berlin = datetime.fromisoformat("2024-05-11T01:00:00+02:00")
    runs = upcoming(parse_schedule("@daily", "Europe/Berlin"), None, None, False, from_berlin, 1)
    assert runs == [DagRunInfo.exact(at("2024-05-11 22:00"))]
    assert runs[0].run_after.tzinfo is UTC
