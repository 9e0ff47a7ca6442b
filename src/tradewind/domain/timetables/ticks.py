"""The instants of a cron in a time zone.

The rule of daylight saving (Airflow's, made exact):

- A cron for fixed hours ticks once for each of its wall times. A wall time left out by a change ticks later by what
  was left out (02:30 at 03:30); a wall time that comes twice ticks the second time.
- A cron for every hour follows the wall clock: what is left out does not tick, what comes twice ticks twice.

So the ticks are a set of instants, and asking forwards or backwards, from anywhere, walks the same set.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .cron_text import Cron, parse_cron
from .cron_wall import CronWall
from .zone_clock import Stretch, zone_clock

_MICROSECOND = timedelta(microseconds=1)
_LARGEST_OFFSET = timedelta(hours=24)
"""No zone is further from UTC; a wall time is never further from the instants it may tick at."""
_EARLIEST = datetime(4, 1, 1)  # noqa: DTZ001 - naive UTC; beyond these the calendar has no room for neighbour years
_LATEST = datetime(9997, 1, 1)  # noqa: DTZ001


class CronTicks:
    """The ticks of one cron in one zone, ascending, without doubles. Instants in and out are aware, out in UTC."""

    def __init__(self, cron: str, timezone: str) -> None:
        """Raises `InvalidSchedule` for a cron or time zone that cannot be read."""
        self.cron: Cron = parse_cron(cron)
        self._wall = CronWall(self.cron)
        self._clock = zone_clock(timezone)
        self._follows_clock = self.cron.every_hour

    def after(self, instant: datetime) -> datetime | None:
        """The first tick later than `instant`; None when there is none in this calendar."""
        return None if instant.year >= _LATEST.year else self.at_or_after(instant + _MICROSECOND)

    def at_or_after(self, instant: datetime) -> datetime | None:
        """The first tick not earlier than `instant`."""
        place = instant.astimezone(UTC).replace(tzinfo=None)
        while _EARLIEST <= place <= _LATEST:
            stretch = self._clock.stretch(place)
            tick = self._first_in(stretch, place)
            if tick is not None:
                return tick.replace(tzinfo=UTC)
            # Long rests (29 February) are crossed in one step: no tick comes before the next wall time does.
            wall = self._wall.at_or_after(stretch.end - _LARGEST_OFFSET)
            if wall is None:
                return None
            place = max(stretch.end, wall - _LARGEST_OFFSET)
        return None

    def before(self, instant: datetime) -> datetime | None:
        """The last tick earlier than `instant`; None when there is none in this calendar."""
        bound = instant.astimezone(UTC).replace(tzinfo=None)
        while _EARLIEST <= bound <= _LATEST:
            stretch = self._clock.stretch(bound - _MICROSECOND)
            tick = self._last_in(stretch, bound)
            if tick is not None:
                return tick.replace(tzinfo=UTC)
            wall = self._wall.before(stretch.start + _LARGEST_OFFSET)
            if wall is None:
                return None
            bound = min(stretch.start, wall + 2 * _LARGEST_OFFSET)
        return None

    def at_or_before(self, instant: datetime) -> datetime | None:
        """The last tick not later than `instant`."""
        return None if instant.year >= _LATEST.year else self.before(instant + _MICROSECOND)

    def _first_in(self, stretch: Stretch, place: datetime) -> datetime | None:
        """The first tick of a stretch not before `place`, which lies in it."""
        ticks: list[datetime] = []
        wall = self._wall.at_or_after(place + stretch.offset)
        if wall is not None and wall < self._wall_end(stretch):
            ticks.append(wall - stretch.offset)
        if self._makes_up(stretch):
            wall = self._wall.at_or_after(place + stretch.before)
            if wall is not None and wall < stretch.start + stretch.offset:
                ticks.append(wall - stretch.before)
        return min(ticks, default=None)

    def _last_in(self, stretch: Stretch, bound: datetime) -> datetime | None:
        """The last tick of a stretch before `bound`, which lies in it or is its end."""
        ticks: list[datetime] = []
        wall = self._wall.before(min(bound + stretch.offset, self._wall_end(stretch)))
        if wall is not None and wall >= stretch.start + stretch.offset:
            ticks.append(wall - stretch.offset)
        if self._makes_up(stretch):
            wall = self._wall.before(min(bound + stretch.before, stretch.start + stretch.offset))
            if wall is not None and wall >= stretch.start + stretch.before:
                ticks.append(wall - stretch.before)
        return max(ticks, default=None)

    def _makes_up(self, stretch: Stretch) -> bool:
        """Whether the stretch begins with ticks of wall times that its beginning left out."""
        return stretch.offset > stretch.before and not self._follows_clock

    def _wall_end(self, stretch: Stretch) -> datetime:
        """The wall time at which the ticks of a stretch end: what will come again waits for the second time."""
        offset = stretch.offset if self._follows_clock else min(stretch.offset, stretch.after)
        return stretch.end + offset
