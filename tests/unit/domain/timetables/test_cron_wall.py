"""Wall times against a search that tries every second, minute or day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.domain.timetables.cron_text import LAST, Cron, parse_cron
from tradewind.domain.timetables.cron_wall import CronWall
from tradewind.wire.errors import InvalidSchedule


def day_matches(cron: Cron, day: date) -> bool:
    """The rule of days as its page says it, one day at a time."""
    if day.month not in cron.months:
        return False
    weekday = (day.weekday() + 1) % 7
    is_last = day.day == monthrange(day.year, day.month)[1]
    by_date = day.day in cron.days or (is_last and LAST in cron.days)
    if cron.nth_weekdays:
        return any(
            weekday == wanted
            and ((day + timedelta(days=7)).month != day.month if which == LAST else which == (day.day + 6) // 7)
            for wanted, which in cron.nth_weekdays
        )
    by_weekday = weekday in cron.weekdays
    if cron.any_day or cron.any_weekday:
        return (cron.any_day or by_date) and (cron.any_weekday or by_weekday)
    return by_date or by_weekday


def matches(cron: Cron, wall: datetime) -> bool:
    """Whether a wall time is one of the cron's."""
    return (
        wall.second in cron.seconds
        and wall.minute in cron.minutes
        and wall.hour in cron.hours
        and day_matches(cron, wall.date())
    )


def pieces(low: int, high: int, *words: str) -> st.SearchStrategy[str]:
    """Texts of one field."""
    number = st.integers(low, high)
    piece = st.one_of(
        number.map(str),
        st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}"),
        st.tuples(number, st.integers(1, high)).map(lambda both: f"{both[0]}/{both[1]}"),
        st.integers(1, high).map(lambda step: f"*/{step}"),
    )
    listed = st.lists(piece, min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), listed, st.sampled_from(words)) if words else st.one_of(st.just("*"), listed)


crons = st.tuples(
    pieces(0, 59),
    pieces(0, 23),
    pieces(1, 28, "L", "?", "31", "29,30"),
    pieces(1, 12, "jan", "jun-aug", "nov-feb"),
    pieces(0, 6, "mon-fri", "sun", "?", "5#3", "L1", "fri#2,mon#1"),
).map(" ".join)
walls = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1))


@settings(max_examples=250, deadline=None)
@given(text=crons, wall=walls, forward=st.booleans())
def test_the_nearest_minute_is_found(text: str, wall: datetime, forward: bool) -> None:
    cron = parse_cron(text)
    try:
        asker = CronWall(cron)
    except InvalidSchedule:
        assert not any(day_matches(cron, date(2000, 1, 1) + timedelta(days=days)) for days in range(8 * 366))
        return
    found = asker.at_or_after(wall) if forward else asker.before(wall)
    assert found is not None
    assert matches(cron, found)
    assert found >= wall if forward else found < wall
    # Between lie only days that do not match, and on the two days at the ends only minutes that do not.
    low, high = (wall, found) if forward else (found + timedelta(minutes=1), wall)
    day = low.date() + timedelta(days=1)
    while day < high.date() and (day - low.date()).days < 500:
        assert not day_matches(cron, day)
        day += timedelta(days=1)
    minute = low.replace(second=0, microsecond=0)
    minute += timedelta(minutes=minute < low)
    while minute < high:
        assert not matches(cron, minute)
        minute += timedelta(minutes=1)
        if minute.date() > low.date() and minute.date() < high.date():
            minute = datetime.combine(high.date(), datetime.min.time())


@settings(max_examples=60, deadline=None)
@given(seconds=pieces(0, 59), wall=walls)
def test_seconds(seconds: str, wall: datetime) -> None:
    cron = parse_cron(f"*/7 3,4 * * * {seconds}")
    place = wall = wall.replace(microsecond=0, hour=3)
    expected: list[datetime] = []
    while len(expected) < 5:
        if matches(cron, place):
            expected.append(place)
        place += timedelta(seconds=1)
    answered: list[datetime] = []
    asker = CronWall(cron)
    while len(answered) < 5:
        found = asker.at_or_after(answered[-1] + timedelta(seconds=1) if answered else wall)
        assert found is not None
        answered.append(found)
    assert answered == expected
    assert [asker.before(found) for found in answered[1:]] == answered[:-1]


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("0 0 29 2 *", "2024-03-01", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 29 2 *", "2096-03-01", ["2104-02-29", "2108-02-29", "2112-02-29"]),
        ("0 0 L * *", "2024-01-15", ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("0 0 31 * *", "2024-01-31", ["2024-01-31", "2024-03-31", "2024-05-31"]),
        ("0 0 * * 5#3", "2024-01-01", ["2024-01-19", "2024-02-16", "2024-03-15"]),
        ("0 0 * * L5", "2024-01-01", ["2024-01-26", "2024-02-23", "2024-03-29"]),
        ("0 0 * * 1#5", "2024-01-01", ["2024-01-29", "2024-04-29", "2024-07-29"]),
        ("0 0 1,15 * 1", "2024-01-02", ["2024-01-08", "2024-01-15", "2024-01-22"]),
        ("0 0 1W * *", "2024-05-02", ["2024-06-03", "2024-07-01", "2024-08-01"]),
        ("0 0 15W * *", "2024-06-01", ["2024-06-14", "2024-07-15", "2024-08-15"]),
        ("0 0 31W * *", "2024-06-01", ["2024-06-28", "2024-07-31", "2024-08-30"]),
        ("0 0 1 */3 *", "2024-01-02", ["2024-04-01", "2024-07-01", "2024-10-01"]),
    ],
)
def test_days(text: str, start: str, expected: list[str]) -> None:
    asker = CronWall(parse_cron(text))
    place: datetime | None = datetime.fromisoformat(start)
    found = []
    for _ in expected:
        assert place is not None
        place = asker.at_or_after(place)
        assert place is not None
        found.append(f"{place:%Y-%m-%d}")
        place += timedelta(days=1)
    assert found == expected


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2-2 ?"])
def test_a_date_that_never_comes_is_refused(text: str) -> None:
    with pytest.raises(InvalidSchedule, match="would never run"):
        CronWall(parse_cron(text))


def test_the_rarest_cron_is_taken() -> None:
    """A fifth Monday in February needs a leap year that begins it on a Monday: every 28 years."""
    asker = CronWall(parse_cron("0 0 * 2 1#5"))
    assert asker.at_or_after(datetime(2024, 3, 1)) == datetime(2044, 2, 29)


def test_the_calendar_has_ends() -> None:
    asker = CronWall(parse_cron("@yearly"))
    assert asker.at_or_after(datetime(9999, 1, 2)) is None
    assert asker.at_or_after(datetime(9999, 12, 31, 23, 59, 59, 1)) is None
    assert asker.before(datetime(1, 1, 1)) is None
