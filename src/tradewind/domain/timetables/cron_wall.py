"""The wall times of a cron: a calendar without time zones. `zone_ticks` lays it over the offsets of a zone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta

from tradewind.wire.errors import InvalidSchedule

from .cron_text import LAST, Cron

_HORIZON_YEARS = 45
"""The rarest cron that can tick at all, a fifth weekday on 29 February, needs 40 years across 2100."""
_ANY_DAY = date(2000, 1, 1)
_FIRST_SECOND = datetime(MINYEAR, 1, 1)  # noqa: DTZ001 - wall times are naive
_LAST_SECOND = datetime(MAXYEAR, 12, 31, 23, 59, 59)  # noqa: DTZ001
_SECOND = timedelta(seconds=1)
_CACHED_MONTHS = 1024

Clock = tuple[int, int, int]
"""Hour, minute, second."""


class CronWall:
    """Answers which wall time comes next or before. Naive datetimes, whole seconds."""

    def __init__(self, cron: Cron) -> None:
        """Raises `InvalidSchedule` for a cron whose date never comes, such as 30 February."""
        self._cron = cron
        self._months: dict[tuple[int, int], tuple[int, ...]] = {}
        self._first: Clock = (cron.hours[0], cron.minutes[0], cron.seconds[0])
        self._last: Clock = (cron.hours[-1], cron.minutes[-1], cron.seconds[-1])
        if self._day_after(_ANY_DAY) is None:
            raise InvalidSchedule(
                f"cron {cron.text!r}, fields day of month, month and day of week: no date is ever like that, "
                "so it would never run"
            )

    def at_or_after(self, wall: datetime) -> datetime | None:
        """The first wall time not before `wall`; None when the calendar ends first."""
        if wall.microsecond:
            if wall >= _LAST_SECOND:
                return None
            wall = wall.replace(microsecond=0) + _SECOND
        start = wall.date()
        if wall.day in self._days(wall.year, wall.month):
            clock = self._clock_from((wall.hour, wall.minute, wall.second))
            if clock is not None:
                return datetime.combine(start, time(*clock))
        day = self._day_after(start)
        return None if day is None else datetime.combine(day, time(*self._first))

    def before(self, wall: datetime) -> datetime | None:
        """The last wall time before `wall`; None when the calendar begins first."""
        if wall.microsecond == 0:
            if wall <= _FIRST_SECOND:
                return None
            wall -= _SECOND
        start = wall.date()
        if wall.day in self._days(wall.year, wall.month):
            clock = self._clock_until((wall.hour, wall.minute, wall.second))
            if clock is not None:
                return datetime.combine(start, time(*clock))
        day = self._day_before(start)
        return None if day is None else datetime.combine(day, time(*self._last))

    def _clock_from(self, clock: Clock) -> Clock | None:
        """The first clock reading of a day not before `clock`."""
        cron = self._cron
        hour, minute, second = clock
        if hour in cron.hours:
            if minute in cron.minutes:
                place = bisect_left(cron.seconds, second)
                if place < len(cron.seconds):
                    return hour, minute, cron.seconds[place]
            place = bisect_right(cron.minutes, minute)
            if place < len(cron.minutes):
                return hour, cron.minutes[place], cron.seconds[0]
        place = bisect_right(cron.hours, hour)
        return (cron.hours[place], cron.minutes[0], cron.seconds[0]) if place < len(cron.hours) else None

    def _clock_until(self, clock: Clock) -> Clock | None:
        """The last clock reading of a day not after `clock`."""
        cron = self._cron
        hour, minute, second = clock
        if hour in cron.hours:
            if minute in cron.minutes:
                place = bisect_right(cron.seconds, second)
                if place:
                    return hour, minute, cron.seconds[place - 1]
            place = bisect_left(cron.minutes, minute)
            if place:
                return hour, cron.minutes[place - 1], cron.seconds[-1]
        place = bisect_left(cron.hours, hour)
        return (cron.hours[place - 1], cron.minutes[-1], cron.seconds[-1]) if place else None

    def _day_after(self, start: date) -> date | None:
        year, month, day = start.year, start.month, start.day
        while year <= min(start.year + _HORIZON_YEARS, MAXYEAR):
            days = self._days(year, month)
            place = bisect_right(days, day)
            if place < len(days):
                return date(year, month, days[place])
            year, month, day = (year, month + 1, 0) if month < 12 else (year + 1, 1, 0)
        return None

    def _day_before(self, start: date) -> date | None:
        year, month, day = start.year, start.month, start.day
        while year >= max(start.year - _HORIZON_YEARS, MINYEAR):
            days = self._days(year, month)
            place = bisect_left(days, day)
            if place:
                return date(year, month, days[place - 1])
            year, month, day = (year, month - 1, 32) if month > 1 else (year - 1, 12, 32)
        return None

    def _days(self, year: int, month: int) -> tuple[int, ...]:
        """The matching days of a month, ascending."""
        days = self._months.get((year, month))
        if days is None:
            if len(self._months) >= _CACHED_MONTHS:
                self._months.clear()
            days = self._months[year, month] = matching_days(self._cron, year, month)
        return days


def matching_days(cron: Cron, year: int, month: int) -> tuple[int, ...]:
    """The days of a month on which `cron` ticks."""
    if month not in cron.months:
        return ()
    first_weekday, length = monthrange(year, month)
    sunday_first = (first_weekday + 1) % 7  # calendar counts from Monday, cron from Sunday
    everyday = range(1, length + 1)
    by_date = {day for day in everyday if day in cron.days or (day == length and LAST in cron.days)}
    if cron.working_day is not None:
        by_date.add(_nearest_working_day(cron.working_day, sunday_first, length))
    by_weekday = {day for day in everyday if (sunday_first + day - 1) % 7 in cron.weekdays}
    by_weekday |= {day for day in everyday if _is_counted(cron, day, (sunday_first + day - 1) % 7, length)}
    if cron.any_day or cron.nth_weekdays:
        return tuple(sorted(by_weekday))
    if cron.any_weekday or cron.working_day is not None:
        return tuple(sorted(by_date))
    return tuple(sorted(by_date | by_weekday))


def _is_counted(cron: Cron, day: int, weekday: int, length: int) -> bool:
    """Whether this day is one of the n-th or last weekdays asked for."""
    return any(
        weekday == wanted and (day + 7 > length if which == LAST else (day - 1) // 7 + 1 == which)
        for wanted, which in cron.nth_weekdays
    )


def _nearest_working_day(day: int, sunday_first: int, length: int) -> int:
    """Monday to Friday nearest to `day`, without leaving the month."""
    day = min(day, length)
    weekday = (sunday_first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day
