"""Steps of time: a `Delta` of the wire as arithmetic on instants, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta, weekday

from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import Delta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROBES = tuple(datetime(year, month, day, tzinfo=UTC) for year in (2023, 2024) for month in (2, 12) for day in (1, 28))
_LONG_WALK = 20_000
"""Calendar steps taken one by one at most; before that the way is shortened by whole multiples."""


class Step:
    """A positive step. `next` and `back` stay in UTC."""

    def __init__(self, delta: Delta, what: str = "schedule") -> None:
        """Raises `InvalidSchedule` for a delta that does not lead forward."""
        self.amount = amount_of(delta)
        self._is_exact = not (delta.calendar and (delta.years or delta.months or delta.leapdays or _replaces(delta)))
        self._rough = _rough_length(delta)
        for probe in _PROBES:
            try:
                moves = probe + self.amount > probe
            except (OverflowError, ValueError):
                moves = False
            if not moves:
                raise InvalidSchedule(
                    f"{what} {self.text} does not lead forward from {probe:%Y-%m-%d}: it must be positive"
                )

    @property
    def text(self) -> str:
        """As Python writes it."""
        return str(self.amount)

    def next(self, instant: datetime) -> datetime | None:
        """One step on; None where the calendar ends."""
        try:
            return instant + self.amount
        except (OverflowError, ValueError):
            return None

    def back(self, instant: datetime) -> datetime:
        """One step back; the beginning of the calendar at most."""
        try:
            return instant - self.amount
        except (OverflowError, ValueError):
            return datetime.min.replace(tzinfo=UTC)

    def latest(self, anchor: datetime, until: datetime) -> datetime:
        """The last of anchor, anchor + 1 step, anchor + 2 steps … that is not after `until` (at or after `anchor`).

        Calendar steps are taken one after another, as the runs would be: 31 January, 28 February, 28 March.
        """
        if self._is_exact:
            return anchor + (until - anchor) // self._rough * self._rough
        if (until - anchor) // self._rough > _LONG_WALK:
            anchor = self._shortened(anchor, until)
        while (following := self.next(anchor)) is not None and anchor < following <= until:
            anchor = following
        return anchor

    def on_grid(self, until: datetime, anchor: datetime) -> datetime:
        """The last boundary not after `until`: steps of fixed length count from 1970, others from `anchor`."""
        return self.latest(_EPOCH if self._is_exact else anchor, until)

    def _shortened(self, anchor: datetime, until: datetime) -> datetime:
        """A place on the way that is near enough to walk from; tiny steps with replaced parts only."""
        first = self.next(anchor) or anchor
        return first + ((until - first) // self._rough - _LONG_WALK) * self._rough


class Backdate:
    """How far a data interval begins before its run."""

    def __init__(self, delta: Delta | None) -> None:
        """Raises `InvalidSchedule` for a delta that leads backwards."""
        self._amount = timedelta(0) if delta is None else amount_of(delta)
        for probe in _PROBES:
            if probe - self._amount > probe:
                raise InvalidSchedule(f"interval {self._amount} would start after the run: it must not be negative")

    def start(self, run_after: datetime) -> datetime:
        """Where the interval of a run begins."""
        try:
            return run_after - self._amount
        except (OverflowError, ValueError):
            return datetime.min.replace(tzinfo=UTC)


def amount_of(delta: Delta) -> timedelta | relativedelta:
    """The Python value a wire delta stands for."""
    if not delta.calendar:
        return timedelta(
            days=delta.days,
            hours=delta.hours,
            minutes=delta.minutes,
            seconds=delta.seconds,
            microseconds=delta.microseconds,
        )
    return relativedelta(
        years=delta.years,
        months=delta.months,
        days=delta.days,
        leapdays=delta.leapdays,
        hours=delta.hours,
        minutes=delta.minutes,
        seconds=delta.seconds,
        microseconds=delta.microseconds,
        year=delta.year,
        month=delta.month,
        day=delta.day,
        weekday=None if delta.weekday is None else weekday(*delta.weekday),
        hour=delta.hour,
        minute=delta.minute,
        second=delta.second,
        microsecond=delta.microsecond,
    )


def _replaces(delta: Delta) -> bool:
    """Whether the delta replaces parts of the date instead of only adding."""
    parts = (delta.year, delta.month, delta.day, delta.hour, delta.minute, delta.second, delta.microsecond)
    return delta.weekday is not None or any(part is not None for part in parts)


def _rough_length(delta: Delta) -> timedelta:
    """The length of a step: exact when it is fixed, about right for the calendar."""
    length = timedelta(
        days=delta.years * 365 + delta.months * 30 + delta.days,
        hours=delta.hours,
        minutes=delta.minutes,
        seconds=delta.seconds,
        microseconds=delta.microseconds,
    )
    return length if length > timedelta(0) else timedelta(days=1)
