"""Ticks on the days on which the clocks of famous places changed. Expectations are local times with offset."""
# ruff: noqa: E501 - the rows of a table are easier to compare whole

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tradewind.domain.timetables.ticks import CronTicks

CASES = [
    # Spring in Berlin: 02:00 becomes 03:00. A time left out ticks as much later; twice-named instants tick once.
    ("30 2 * * *", "Europe/Berlin", "2024-03-30T00:00+01:00",
     ["2024-03-30T02:30+01:00", "2024-03-31T03:30+02:00", "2024-04-01T02:30+02:00"]),
    ("0,30 2 * * *", "Europe/Berlin", "2024-03-30T03:00+01:00",
     ["2024-03-31T03:00+02:00", "2024-03-31T03:30+02:00", "2024-04-01T02:00+02:00"]),
    ("45 2,3 * * *", "Europe/Berlin", "2024-03-30T12:00+01:00", ["2024-03-31T03:45+02:00", "2024-04-01T02:45+02:00"]),
    ("50 2-3/1 * * *", "Europe/Berlin", "2024-03-31T03:49+02:00", ["2024-03-31T03:50+02:00", "2024-04-01T02:50+02:00"]),
    ("*/30 * * * *", "Europe/Berlin", "2024-03-31T01:00+01:00",
     ["2024-03-31T01:00+01:00", "2024-03-31T01:30+01:00", "2024-03-31T03:00+02:00", "2024-03-31T03:30+02:00"]),
    ("0 */2 * * *", "Europe/Berlin", "2024-03-31T00:00+01:00",
     ["2024-03-31T00:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"]),
    # Autumn in Berlin: 03:00 becomes 02:00. A fixed hour ticks the second time, every hour ticks twice.
    ("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00+02:00", ["2024-10-27T02:30+01:00", "2024-10-28T02:30+01:00"]),
    ("*/30 * * * *", "Europe/Berlin", "2024-10-27T01:30+02:00",
     ["2024-10-27T01:30+02:00", "2024-10-27T02:00+02:00", "2024-10-27T02:30+02:00",
      "2024-10-27T02:00+01:00", "2024-10-27T02:30+01:00", "2024-10-27T03:00+01:00"]),
    ("0 */2 * * *", "Europe/Berlin", "2024-10-27T00:00+02:00",
     ["2024-10-27T00:00+02:00", "2024-10-27T02:00+01:00", "2024-10-27T04:00+01:00"]),
    ("0 0 * * *", "Europe/Berlin", "2024-10-27T00:00+02:00", ["2024-10-27T00:00+02:00", "2024-10-28T00:00+01:00"]),
    ("15 2 * * *", "Europe/Berlin", "2024-10-27T02:20+02:00", ["2024-10-27T02:15+01:00", "2024-10-28T02:15+01:00"]),
    # New York.
    ("30 1 * * *", "America/New_York", "2024-11-02T12:00-04:00", ["2024-11-03T01:30-05:00", "2024-11-04T01:30-05:00"]),
    ("30 2 * * *", "America/New_York", "2024-03-09T12:00-05:00", ["2024-03-10T03:30-04:00", "2024-03-11T02:30-04:00"]),
    ("0 9 * * mon-fri", "America/New_York", "2024-03-08T10:00-05:00", ["2024-03-11T09:00-04:00", "2024-03-12T09:00-04:00"]),
    # Lord Howe changes by half an hour.
    ("0 2 * * *", "Australia/Lord_Howe", "2024-10-05T12:00+10:30", ["2024-10-06T02:30+11:00", "2024-10-07T02:00+11:00"]),
    ("45 1 * * *", "Australia/Lord_Howe", "2024-04-06T12:00+11:00", ["2024-04-07T01:45+10:30", "2024-04-08T01:45+10:30"]),
    ("*/30 * * * *", "Australia/Lord_Howe", "2024-04-07T01:00+11:00",
     ["2024-04-07T01:00+11:00", "2024-04-07T01:30+11:00", "2024-04-07T01:30+10:30", "2024-04-07T02:00+10:30"]),
    ("*/30 * * * *", "Australia/Lord_Howe", "2024-10-06T01:30+10:30",
     ["2024-10-06T01:30+10:30", "2024-10-06T02:30+11:00", "2024-10-06T03:00+11:00"]),
    # Kathmandu lies 5:45 east.
    ("0 0 * * *", "Asia/Kathmandu", "2024-01-01T12:00+05:45", ["2024-01-02T00:00+05:45", "2024-01-03T00:00+05:45"]),
    # Apia had no 30 December 2011.
    ("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00-10:00",
     ["2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00", "2012-01-01T12:00+14:00"]),
    ("0 0 * * *", "Pacific/Apia", "2011-12-29T00:00-10:00",
     ["2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00", "2012-01-01T00:00+14:00"]),
    ("0 9 * * fri", "Pacific/Apia", "2011-12-24T00:00-10:00", ["2011-12-31T09:00+14:00", "2012-01-06T09:00+14:00"]),
    ("0 */12 * * *", "Pacific/Apia", "2011-12-29T12:00-10:00",
     ["2011-12-29T12:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T12:00+14:00"]),
    ("0 * * * *", "Pacific/Apia", "2011-12-29T23:00-10:00", ["2011-12-29T23:00-10:00", "2011-12-31T00:00+14:00"]),
    # São Paulo changed at midnight.
    ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00-03:00",
     ["2018-11-03T00:00-03:00", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"]),
    ("@monthly", "America/Sao_Paulo", "2018-10-02T00:00-03:00", ["2018-11-01T00:00-03:00", "2018-12-01T00:00-02:00"]),
    ("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00-02:00", ["2018-02-17T23:30-03:00", "2018-02-18T23:30-03:00"]),
    # Havana and the Azores have two midnights in autumn.
    ("0 0 * * *", "America/Havana", "2024-11-02T12:00-04:00", ["2024-11-03T00:00-05:00", "2024-11-04T00:00-05:00"]),
    # Casablanca leaves summer time for Ramadan: two changes within five weeks.
    ("30 2 * * *", "Africa/Casablanca", "2024-03-09T12:00+01:00", ["2024-03-10T02:30+00:00", "2024-03-11T02:30+00:00"]),
    ("30 2 * * *", "Africa/Casablanca", "2024-04-13T12:00+00:00", ["2024-04-14T03:30+01:00", "2024-04-15T02:30+01:00"]),
    # Enderbury skipped 31 December 1994: what is made up runs into the new year.
    ("0 18 * * *", "Pacific/Enderbury", "1994-12-30T00:00-11:00", ["1994-12-30T18:00-11:00", "1995-01-01T18:00+13:00"]),
]  # fmt: skip


def ticks_from(ticks: CronTicks, start: datetime, count: int) -> list[datetime]:
    """The first `count` ticks at or after `start`."""
    found: list[datetime] = []
    while len(found) < count:
        tick = ticks.after(found[-1]) if found else ticks.at_or_after(start)
        assert tick is not None
        found.append(tick)
    return found


@pytest.mark.parametrize(("cron", "zone", "start", "expected"), CASES)
def test_forwards(cron: str, zone: str, start: str, expected: list[str]) -> None:
    found = ticks_from(CronTicks(cron, zone), datetime.fromisoformat(start), len(expected))
    assert [tick.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") for tick in found] == expected


@pytest.mark.parametrize(("cron", "zone", "start", "expected"), CASES)
def test_backwards_walks_the_same_ticks(cron: str, zone: str, start: str, expected: list[str]) -> None:
    ticks = CronTicks(cron, zone)
    wanted = [datetime.fromisoformat(text) for text in expected]
    back = [ticks.at_or_before(wanted[-1])]
    while len(back) < len(wanted):
        assert back[-1] is not None
        back.append(ticks.before(back[-1]))
    assert back[::-1] == wanted
    before = ticks.before(wanted[0])
    assert before is not None
    assert before < datetime.fromisoformat(start)


def test_fixed_offsets() -> None:
    tick = CronTicks("0 9 * * *", "+05:30").at_or_after(datetime.fromisoformat("2024-01-01T00:00+00:00"))
    assert tick == datetime.fromisoformat("2024-01-01T09:00+05:30")


def test_seconds_through_a_change() -> None:
    ticks = CronTicks("59 * * * * */30", "Europe/Berlin")
    found = ticks_from(ticks, datetime.fromisoformat("2024-10-27T02:59+02:00"), 3)
    assert found == [
        datetime.fromisoformat("2024-10-27T02:59+02:00"),
        datetime.fromisoformat("2024-10-27T02:59:30+02:00"),
        datetime.fromisoformat("2024-10-27T02:59+01:00"),
    ]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_leap_days_forwards_and_backwards(zone: str) -> None:
    ticks = CronTicks("0 12 29 2 *", zone)
    start = datetime.fromisoformat("2000-01-01T00:00+00:00")
    found = ticks_from(ticks, start, 27)
    years = [tick.astimezone(ZoneInfo(zone)).year for tick in found]
    assert years == [year for year in range(2000, 2112) if year % 4 == 0 and year != 2100]
    assert [ticks.before(tick) for tick in found[1:]] == found[:-1]


def test_nothing_beyond_the_calendar() -> None:
    ticks = CronTicks("@daily", "Europe/Berlin")
    last = datetime.max.replace(tzinfo=ZoneInfo("UTC"))
    assert ticks.after(last) is None
    assert ticks.at_or_before(last) is None
    assert ticks.before(datetime.min.replace(tzinfo=ZoneInfo("UTC")) + timedelta(days=1)) is None
