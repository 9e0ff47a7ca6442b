"""Every change of offset of every zone, 2000 to 2040, against a search that knows only `zoneinfo`.

The oracle: a fixed-hour cron ticks at the later reading of each of its wall times; an every-hour cron ticks at each
real instant whose wall time matches.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.domain.timetables.cron_text import parse_cron
from tradewind.domain.timetables.ticks import CronTicks

from .test_cron_wall import day_matches, matches

FIRST, LAST = 2000, 2040
SEED = 20_240_331
DAY = timedelta(days=1)
AROUND = timedelta(hours=30)


def offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    found = instant.astimezone(zone).utcoffset()
    assert found is not None
    return found


def changes_of(zone: ZoneInfo) -> list[datetime]:
    """The first minutes of new offsets, found by looking twice a week."""
    found = []
    probe, stop = datetime(FIRST, 1, 1, tzinfo=UTC), datetime(LAST + 1, 1, 1, tzinfo=UTC)
    known = offset(zone, probe)
    while probe < stop:
        following = probe + timedelta(hours=84)
        after = offset(zone, following)
        if known != after:
            low, high = probe, following
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                low, high = (middle, high) if offset(zone, middle) == offset(zone, low) else (low, middle)
            found.append(high)
        probe, known = following, after
    return found


def by_content() -> dict[object, str]:
    """One name for each different file of the time zone database: links need no search of their own."""
    names: dict[object, str] = {}
    for name in sorted(available_timezones()):
        files = (Path(folder, name) for folder in TZPATH)
        content = next((file.read_bytes() for file in files if file.is_file()), name)  # or its package has it
        names.setdefault(content, name)
    return names


@cache
def all_changes() -> dict[str, list[datetime]]:
    """Zone → its changes; zones that are another name of one already here are left out."""
    distinct: dict[tuple[object, ...], str] = {}
    found: dict[str, list[datetime]] = {}
    for name in sorted(set(by_content().values())):
        zone = ZoneInfo(name)
        changes = changes_of(zone)
        key = (offset(zone, datetime(FIRST, 1, 1, tzinfo=UTC)), *((c, offset(zone, c)) for c in changes))
        if distinct.setdefault(key, name) == name:
            found[name] = changes
    return found


def later_reading(wall: datetime, zone: ZoneInfo) -> datetime:
    return max(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def fixed_hour_oracle(text: str, zone: ZoneInfo, low: datetime, high: datetime) -> list[datetime]:
    """The ticks in [low, high) of a cron for fixed hours, from its wall times."""
    cron = parse_cron(text)
    found: set[datetime] = set()
    day = low.date() - 3 * DAY
    while day <= high.date() + 3 * DAY:
        if day_matches(cron, day):
            walls = [datetime.combine(day, time(hour, minute)) for hour in cron.hours for minute in cron.minutes]
            found.update(later_reading(wall, zone) for wall in walls)
        day += DAY
    return sorted(tick for tick in found if low <= tick < high)


def every_hour_oracle(text: str, zone: ZoneInfo, low: datetime, high: datetime) -> list[datetime]:
    """The ticks in [low, high) of a cron for every hour, from the minutes that pass."""
    cron = parse_cron(text)
    instant = low.replace(second=0, microsecond=0)
    found = []
    while instant < high:
        if instant >= low and matches(cron, instant.astimezone(zone).replace(tzinfo=None)):
            found.append(instant)
        instant += timedelta(minutes=1)
    return found


def between(ticks: CronTicks, low: datetime, high: datetime) -> list[datetime]:
    """The ticks in [low, high), asked one after another."""
    found = []
    tick = ticks.at_or_after(low)
    while tick is not None and tick < high:
        found.append(tick)
        tick = ticks.after(tick)
    return found


def backwards(ticks: CronTicks, low: datetime, high: datetime) -> list[datetime]:
    """The same, asked from the end."""
    found = []
    tick = ticks.before(high)
    while tick is not None and tick >= low:
        found.append(tick)
        tick = ticks.before(tick)
    return found[::-1]


def test_daily_crons_through_every_change_of_every_zone() -> None:
    """A time of day in or near each gap and fold (seeded): once a day, never twice, never left out."""
    random = Random(SEED)
    seen = 0
    for name, changes in all_changes().items():
        zone = ZoneInfo(name)
        for change in changes:
            edge = (change - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None) + timedelta(minutes=1)
            place = edge + timedelta(minutes=random.choice((-60, -30, -1, 0, 1, 15, 30, 59, 60, 90)))
            text = f"{place.minute} {place.hour} * * *"
            low, high = change - AROUND, change + AROUND
            expected = fixed_hour_oracle(text, zone, low, high)
            ticks = CronTicks(text, name)
            assert between(ticks, low, high) == expected, (SEED, name, text, change)
            assert backwards(ticks, low, high) == expected, (SEED, name, text, change)
            # 60 hours around a change hold two or three days; a whole day left out of the calendar costs one.
            left_out = offset(zone, change) - offset(zone, change - timedelta(minutes=1))
            assert len(expected) >= (1 if left_out >= DAY else 2), (SEED, name, text, change)
            seen += 1
    assert seen > 5_000


def test_other_crons_through_sampled_changes_of_every_zone() -> None:
    """Several hours, steps of hours, weekdays, every half hour: one sampled change of each zone that has any."""
    random = Random(SEED + 1)
    fixed = ["0,30 2 * * *", "*/20 0-3 * * *", "0 */2 * * *", "15 1,3,5,23 * * *", "45 0 * * sun,mon", "0 0 1,L * *"]
    every = ["*/30 * * * *", "7 * * * *", "0 * * * sun"]
    for name, changes in all_changes().items():
        if not changes:
            continue
        change = random.choice(changes)
        zone, low, high = ZoneInfo(name), change - AROUND, change + AROUND
        text = random.choice(fixed)
        expected = fixed_hour_oracle(text, zone, low, high)
        assert between(CronTicks(text, name), low, high) == expected, (SEED, name, text, change)
        assert backwards(CronTicks(text, name), low, high) == expected, (SEED, name, text, change)
        text = random.choice(every)
        low, high = change - timedelta(hours=3), change + timedelta(hours=3)
        expected = every_hour_oracle(text, zone, low, high)
        assert between(CronTicks(text, name), low, high) == expected, (SEED, name, text, change)
        assert backwards(CronTicks(text, name), low, high) == expected, (SEED, name, text, change)


times = st.datetimes(datetime(FIRST, 1, 1), datetime(LAST, 12, 1)).map(lambda naive: naive.replace(tzinfo=UTC))
zones = st.sampled_from(sorted(available_timezones()))
texts = st.sampled_from(
    ["@daily", "@hourly", "@weekly", "@monthly", "30 2 * * *", "59 23 * * *", "*/7 1-3 * * *", "0 0 29 2 *",
     "0 12 L * *", "*/13 * * * *", "0 3 * * sun", "1 1 1 1 *", "30 0,12 * * 1-5", "0 9 * * 5#3", "* * * * * */17"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(zone=zones, text=texts, start=times)
def test_ticks_are_one_set_from_wherever_they_are_asked(zone: str, text: str, start: datetime) -> None:
    ticks = CronTicks(text, zone)
    found = [ticks.at_or_after(start)]
    for _ in range(6):
        assert found[-1] is not None
        found.append(ticks.after(found[-1]))
    known = [tick for tick in found if tick is not None]
    assert len(known) == 7
    assert all(one < other for one, other in pairwise(known))
    before = ticks.before(start)
    assert before is not None
    assert before < start
    assert ticks.after(before) == known[0]
    for one, other in pairwise(known):
        middle = one + (other - one) / 2
        assert ticks.before(other) == one
        assert ticks.at_or_before(middle) == one
        assert ticks.at_or_after(middle) == other
        assert ticks.at_or_after(one) == ticks.at_or_before(one) == one


@settings(max_examples=150, deadline=None)
@given(zone=zones, start=times, hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_a_daily_cron_ticks_once_on_every_day_there_is(zone: str, start: datetime, hour: int, minute: int) -> None:
    """Over a year: each date of the zone has its tick, at the wall time asked for unless that was left out."""
    ticks, place = CronTicks(f"{minute} {hour} * * *", zone), ZoneInfo(zone)
    wanted = time(hour, minute)
    days: list[date] = []
    for tick in between(ticks, start, start + 366 * DAY):
        local = tick.astimezone(place)
        asked = datetime.combine(local.date(), wanted)
        if local.replace(tzinfo=None, fold=0) != asked:
            left_out = later_reading(asked, place)
            day_before = later_reading(asked - DAY, place)
            assert tick in (left_out, day_before), (zone, tick)
            local = asked.replace(tzinfo=place) if tick == left_out else (asked - DAY).replace(tzinfo=place)
        days.append(local.date())
    assert len(set(days)) == len(days)
    for one, other in pairwise(days):
        # A day may be missing only where it was left out whole: then its tick is that of the next day.
        assert other - one == DAY or tick_of(one + DAY, wanted, place) == tick_of(one + 2 * DAY, wanted, place)


def tick_of(day: date, wanted: time, zone: ZoneInfo) -> datetime:
    return later_reading(datetime.combine(day, wanted), zone)
