"""Schedules as authors write them: cron texts, presets, timedeltas, and timetable classes under their public names.

Each class only carries its schedule; when it runs next is decided in `domain.timetables`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tradewind.domain.timetables import PRESETS, parse_schedule, timetable_for
from tradewind.domain.timetables.cron_text import normal_text
from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import (
    ContinuousSchedule,
    CronIntervalSchedule,
    CronTriggerSchedule,
    Delta,
    DeltaIntervalSchedule,
    DeltaTriggerSchedule,
    NullSchedule,
    OnceSchedule,
    Schedule,
    delta_of,
    events_of,
)

from .dates import zone_name

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

    Length = timedelta | relativedelta


class Timetable:
    """A schedule with a name of its own. Subclass one of the classes here; timetables that compute are not available
    yet."""

    schedule: Schedule

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timetable) and self.schedule == other.schedule

    def __hash__(self) -> int:
        return hash(self.schedule)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.schedule!r})"


class NullTimetable(Timetable):
    """Never by itself."""

    def __init__(self) -> None:
        self.schedule = NullSchedule()


class OnceTimetable(Timetable):
    """Once, as soon as possible."""

    def __init__(self) -> None:
        self.schedule = OnceSchedule()


class ContinuousTimetable(Timetable):
    """The next run right after the last one ended."""

    def __init__(self) -> None:
        self.schedule = ContinuousSchedule()


class CronTriggerTimetable(Timetable):
    """A run at each tick of a cron.

    Parameters:
        cron: 5 or 6 fields, or a preset.
        timezone: name or zone object.
        interval: how far before the tick the data interval starts (timedelta or relativedelta).
        run_immediately: for a DAG without start date: whether the tick just missed runs at once (True, False, None,
        or a timedelta:
            if it was missed by no more than that).

    Raises:
        InvalidSchedule: the cron or the time zone is not valid.
    """

    def __init__(
        self,
        cron: str,
        *,
        timezone: Any,
        interval: Length = timedelta(0),
        run_immediately: bool | timedelta | None = False,
    ) -> None:
        self.schedule = _cron_trigger([cron], timezone, interval, run_immediately)


class MultipleCronTriggerTimetable(Timetable):
    """A run at each tick of any of several crons. Parameters as `CronTriggerTimetable`."""

    def __init__(
        self,
        *crons: str,
        timezone: Any,
        interval: Length = timedelta(0),
        run_immediately: bool | timedelta | None = False,
    ) -> None:
        self.schedule = _cron_trigger(crons, timezone, interval, run_immediately)


class CronDataIntervalTimetable(Timetable):
    """A run at the end of each interval between two ticks."""

    def __init__(self, cron: str, timezone: Any) -> None:
        self.schedule = _checked(CronIntervalSchedule(cron=normal_text(cron), timezone=zone_name(timezone)))


class DeltaTriggerTimetable(Timetable):
    """A run each `delta`, at the instant itself."""

    def __init__(self, delta: Length, *, interval: Length = timedelta(0)) -> None:
        self.schedule = _checked(DeltaTriggerSchedule(delta=delta_of(delta), interval=_back(interval)))


class DeltaDataIntervalTimetable(Timetable):
    """A run at the end of each interval of length `delta`."""

    def __init__(self, delta: Length) -> None:
        self.schedule = _checked(DeltaIntervalSchedule(delta=delta_of(delta)))


class EventsTimetable(Timetable):
    """A run at each of a list of instants.

    Parameters:
        event_dates: aware datetimes.
        restrict_to_events: a manual run takes the last event before it as its data interval.
        presorted: accepted; the order does not matter.
        description: for people.
    """

    def __init__(
        self,
        event_dates: Iterable[datetime],
        restrict_to_events: bool = False,
        presorted: bool = False,  # noqa: ARG002 # sorting what is sorted costs nothing  # sorting what is sorted costs nothing
        description: str | None = None,
    ) -> None:
        self.schedule = _checked(events_of(event_dates, restrict_to_events=restrict_to_events, description=description))


def schedule_of(value: Any, timezone: str) -> Schedule:
    """The wire form of what was given as `schedule=`.

    Parameters:
        value: None, cron text, preset, timedelta, relativedelta, timetable.
        timezone: of the DAG, for crons.

    Raises:
        InvalidSchedule: naming the value and what would be right.
        NotImplementedError: assets and timetables of one's own.
    """
    if value is None:
        return NullSchedule()
    if isinstance(value, str):
        return parse_schedule(value, timezone)
    if isinstance(value, Timetable):
        schedule = getattr(value, "schedule", None)
        if schedule is None:
            raise NotImplementedError(f"schedule {type(value).__name__}: timetables of one's own are not available yet")
        return value.schedule
    if isinstance(value, timedelta) or hasattr(value, "leapdays"):
        return _checked(DeltaTriggerSchedule(delta=delta_of(value)))
    if isinstance(value, Sequence | set | frozenset) or type(value).__name__.startswith(("Asset", "Dataset")):
        raise NotImplementedError(f"schedule {value!r}: scheduling on assets is not available yet")
    raise InvalidSchedule(
        f"schedule must be a cron text, a preset ({', '.join(sorted(PRESETS))}, @once, @continuous), a timedelta, a "
        "timetable "
        f"or None, not {value!r} of type {type(value).__name__}"
    )


def _cron_trigger(crons: Sequence[str], zone: Any, interval: Any, immediately: bool | timedelta | None) -> Schedule:
    for cron in crons:
        if not isinstance(cron, str):
            raise InvalidSchedule(f"a cron must be a text, not {cron!r}")
    seconds = immediately.total_seconds() if isinstance(immediately, timedelta) else immediately
    return _checked(
        CronTriggerSchedule(
            crons=tuple(normal_text(cron) for cron in crons),
            timezone=zone_name(zone),
            interval=_back(interval),
            run_immediately=seconds,
        )
    )


def _back(interval: Any) -> Delta | None:
    return delta_of(interval) if interval else None


def _checked(schedule: Schedule) -> Schedule:
    timetable_for(schedule)
    return schedule
