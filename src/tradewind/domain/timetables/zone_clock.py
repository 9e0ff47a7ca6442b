"""Time zones by name, and the stretches of constant offset they are made of.

The standard library tells the offset at an instant, not when it changes. `ZoneClock` finds the changes once a year of
the calendar is asked for, and keeps them: a cron then costs no zone arithmetic at all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from tradewind.wire.errors import InvalidSchedule

_FIXED = re.compile(r"(?:utc|gmt)?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?", re.IGNORECASE)
_DAY = timedelta(days=1)
_PROBE = timedelta(days=4)
"""How often the offset is looked at in search of changes. No zone has gone and come back within so short a time."""
_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=1024)
def find_zone(name: str) -> tzinfo:
    """The zone of an IANA name or a fixed offset (`+05:30`). Raises `InvalidSchedule` naming the nearest known one."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    if fixed := _FIXED.fullmatch(name):
        offset = timedelta(hours=int(fixed["hours"]), minutes=int(fixed["minutes"] or 0))
        if offset >= _DAY:
            raise InvalidSchedule(f"time zone {name!r}: an offset must be less than 24 hours")
        return timezone(offset if fixed["sign"] == "+" else -offset)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # OSError: the name is a folder of the database
        raise InvalidSchedule(f"time zone {name!r} is not known{_nearest(name)}") from error


def _nearest(name: str) -> str:
    """A suggestion to put behind an unknown name."""
    known = {zone.lower(): zone for zone in available_timezones()}
    by_city: dict[str, str] = {}
    for zone in sorted(known.values(), key=lambda zone: (zone.startswith(("posix", "right", "Etc")), zone)):
        by_city.setdefault(zone.lower().rpartition("/")[2], zone)
    asked = name.strip().lower().replace(" ", "_")
    found = get_close_matches(asked, known, n=1, cutoff=0.7) or get_close_matches(
        asked.rpartition("/")[2], by_city, n=1, cutoff=0.6
    )
    if not found:
        return ": give an IANA name such as 'Europe/Berlin', or an offset such as '+02:00'"
    return f": did you mean {(known.get(found[0]) or by_city[found[0]])!r}?"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Instants [start, end) of one offset. Naive UTC. Where nothing changes for years, start and end are mere halts."""

    start: datetime
    end: datetime
    offset: timedelta
    before: timedelta
    """Offset before `start`; more than `offset`: wall times repeat, less: wall times are left out."""
    after: timedelta
    """Offset from `end` on."""


class ZoneClock:
    """The stretches of one zone. Instants are naive UTC, so that adding an offset gives a wall time."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._changes: dict[int, list[datetime]] = {}
        self._nearby: dict[int, tuple[list[datetime], list[Stretch]]] = {}

    def stretch(self, instant: datetime) -> Stretch:
        """The stretch that holds `instant`, which lies in the years 3 to 9997."""
        starts, stretches = self._nearby.get(instant.year) or self._around(instant.year)
        return stretches[bisect_right(starts, instant) - 1]

    def offset(self, instant: datetime) -> timedelta:
        """Wall time minus UTC at `instant`."""
        # The zone is attached first: fromutc() reads the naive value as UTC, without the cost of a second conversion.
        local = self._zone.fromutc(instant.replace(tzinfo=self._zone))
        return local.replace(tzinfo=None) - instant

    def _around(self, year: int) -> tuple[list[datetime], list[Stretch]]:
        """The stretches of the year and of its neighbours, and their starts."""
        # A halt must not hide a change just before it, whose left-out wall times are still being made up.
        earlier = self._of_year(year - 2)[-1:] or [_year_start(year - 1)]
        starts = [*earlier, *self._of_year(year - 1), *self._of_year(year), *self._of_year(year + 1)]
        stretches = [
            Stretch(start, end, self.offset(start), self.offset(start - _SECOND), self.offset(end))
            for start, end in pairwise([*starts, _year_start(year + 2)])
        ]
        self._nearby[year] = starts, stretches
        return starts, stretches

    def _of_year(self, year: int) -> list[datetime]:
        """The instants of a year (UTC) from which another offset holds, ascending."""
        if year in self._changes:
            return self._changes[year]
        changes: list[datetime] = []
        # The instant before the year is the first probe: a change at its very start belongs to it.
        probe, stop = _year_start(year) - _SECOND, _year_start(year + 1) - _SECOND
        offset = self.offset(probe)
        while probe < stop:
            following = min(probe + _PROBE, stop)
            if (reached := self.offset(following)) != offset:
                changes.append(self._first_instant(probe, following))
            probe, offset = following, reached
        self._changes[year] = changes
        return changes

    def _first_instant(self, low: datetime, high: datetime) -> datetime:
        """The first second in (low, high] whose offset differs from that at `low`."""
        offset = self.offset(low)
        while high - low > _SECOND:
            middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
            if self.offset(middle) == offset:
                low = middle
            else:
                high = middle
        return high


def _year_start(year: int) -> datetime:
    return datetime(year, 1, 1)  # noqa: DTZ001 - naive UTC is the unit of this file


@lru_cache(maxsize=1024)
def zone_clock(name: str) -> ZoneClock:
    """The clock of a zone, one per process, because its findings are worth keeping. Raises `InvalidSchedule`."""
    return ZoneClock(find_zone(name))
