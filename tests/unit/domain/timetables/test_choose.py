"""From what an author writes to a schedule, over the wire, to a timetable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import FrameType
from typing import Any

import msgspec
import pytest

from tradewind.domain.timetables import DagRunInfo, Restriction, find_zone, parse_schedule, timetable_for
from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import (
    ContinuousSchedule,
    CronIntervalSchedule,
    CronTriggerSchedule,
    DeltaIntervalSchedule,
    DeltaTriggerSchedule,
    NullSchedule,
    OnceSchedule,
    Schedule,
    delta_of,
    events_of,
)

HOUR = delta_of(timedelta(hours=1))
SCHEDULES: list[Schedule] = [
    NullSchedule(),
    OnceSchedule(),
    ContinuousSchedule(),
    CronTriggerSchedule(crons=("0 0 * * *",)),
    CronTriggerSchedule(crons=("0 0 * * *",), timezone="Asia/Kathmandu", interval=HOUR, run_immediately=600.0),
    CronTriggerSchedule(crons=("0 0 * * *", "0 1 * * *"), run_immediately=True),
    CronIntervalSchedule(cron="*/5 * * * *", timezone="+01:00"),
    DeltaTriggerSchedule(delta=HOUR, interval=HOUR),
    DeltaIntervalSchedule(delta=HOUR),
    events_of([datetime(2024, 5, 1, 2, tzinfo=timezone(timedelta(hours=2)))], description="A day"),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_a_schedule_crosses_the_wire(schedule: Schedule) -> None:
    raw = msgspec.json.encode(schedule)
    back = msgspec.json.decode(raw, type=Schedule)
    assert back == schedule
    assert hash(back) == hash(schedule)
    assert msgspec.json.encode(back) == raw
    assert timetable_for(back) is timetable_for(schedule)
    assert timetable_for(schedule).summary
    assert timetable_for(schedule).description


def test_events_are_canonical() -> None:
    zone = timezone(timedelta(hours=2))
    one = events_of([datetime(2024, 5, 2, tzinfo=UTC), datetime(2024, 5, 1, 2, tzinfo=zone)])
    other = events_of([datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, 2, tzinfo=zone)])
    assert msgspec.json.encode(one) == msgspec.json.encode(other)
    with pytest.raises(InvalidSchedule, match="has no time zone"):
        events_of([datetime(2024, 5, 1)])


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("@once", OnceSchedule()),
        ("@continuous", ContinuousSchedule()),
        ("@Daily", CronTriggerSchedule(crons=("0 0 * * *",), timezone="Europe/Berlin")),
        ("@midnight", CronTriggerSchedule(crons=("0 0 * * *",), timezone="Europe/Berlin")),
        ("@quarterly", CronTriggerSchedule(crons=("0 0 1 */3 *",), timezone="Europe/Berlin")),
        ("@annually", CronTriggerSchedule(crons=("0 0 1 1 *",), timezone="Europe/Berlin")),
        (" */5  * * * MON ", CronTriggerSchedule(crons=("*/5 * * * mon",), timezone="Europe/Berlin")),
        ("0 0 * * * 30", CronTriggerSchedule(crons=("0 0 * * * 30",), timezone="Europe/Berlin")),
    ],
)
def test_parse(text: str, schedule: Schedule) -> None:
    assert parse_schedule(text, "Europe/Berlin") == schedule


def test_parse_for_data_intervals() -> None:
    assert parse_schedule("@daily", "UTC", data_intervals=True) == CronIntervalSchedule(cron="0 0 * * *")


@pytest.mark.parametrize(
    ("text", "zone", "named"),
    [
        ("61 * * * *", "UTC", "cron '61 * * * *', field minute: 61 is outside 0-59"),
        ("0 0 31 2 *", "UTC", "'0 0 31 2 *', fields day of month, month and day of week"),
        ("@weakly", "UTC", "did you mean '@weekly'?"),
        ("@daily", "Europe/Berln", "time zone 'Europe/Berln' is not known: did you mean 'Europe/Berlin'?"),
        ("@daily", "europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("@daily", "Kathmandu", "did you mean 'Asia/Kathmandu'?"),
        ("@daily", "New York", "did you mean 'America/New_York'?"),
        ("@daily", "Mars/Phobos", "time zone 'Mars/Phobos' is not known: give an IANA name"),
        ("@daily", "", "time zone '' is not known"),
        ("@daily", "Europe", "time zone 'Europe' is not known"),
        ("@daily", "../../etc/passwd", "is not known"),
        ("@daily", "\x00", "is not known"),
        ("@daily", "+25:00", "an offset must be less than 24 hours"),
    ],
)
def test_refusals(text: str, zone: str, named: str) -> None:
    with pytest.raises(InvalidSchedule) as caught:
        parse_schedule(text, zone)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("name", "offset"),
    [("+05:30", 330), ("-0330", -210), ("UTC+2", 120), ("gmt-1", -60), ("UTC", 0), ("utc", 0), ("Z", 0)],
)
def test_fixed_zones(name: str, offset: int) -> None:
    assert find_zone(name).utcoffset(datetime(2024, 1, 1)) == timedelta(minutes=offset)


@pytest.mark.parametrize(
    ("cron", "zone"), [("30 2 * * *", "Europe/Berlin"), ("*/5 * * * *", "UTC"), ("@monthly", "America/New_York")]
)
def test_a_decision_is_cheap(cron: str, zone: str) -> None:
    """About a thousand instructions of the interpreter (10 to 20 µs): no walk over the calendar."""
    schedule = parse_schedule(cron, zone)
    last = DagRunInfo.exact(datetime(2024, 5, 10, tzinfo=UTC))
    bounds, now = Restriction(datetime(2020, 1, 1, tzinfo=UTC)), datetime(2024, 6, 20, 12, 34, 56, tzinfo=UTC)

    def decide() -> None:
        timetable_for(schedule).next_run(last, bounds, now)

    instructions_of(decide)  # the first decision fills what the later ones look up
    assert 0 < instructions_of(decide) < 2_000


def instructions_of(call: Callable[[], None]) -> int:
    """How many instructions the interpreter takes for a call: a measure of cost that no other load disturbs."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count
