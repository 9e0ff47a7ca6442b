"""Timetables that run at the tick itself: crons, deltas, lists of events.

Without catchup at most the latest missed tick is run. The answer depends on ticks only, never on the very moment of
asking, so that two schedulers that ask a moment apart name the same run.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from .base import DagRunInfo, Restriction, last_end
from .deltas import Backdate, Step
from .describe import describe_cron
from .jitter import Jitter
from .ticks import CronTicks

_LEAST_GRACE = timedelta(minutes=5)
"""A tick missed by no more than this is run when a DAG is seen for the first time."""


class CronTriggerTimetable:
    """A run at each tick of any of the crons, at most one an instant."""

    periodic = True
    can_be_scheduled = True
    active_runs_limit: int | None = None

    def __init__(
        self,
        ticks: Sequence[CronTicks],
        interval: Backdate,
        run_immediately: bool | float | None = None,
        jitter: Jitter | None = None,
    ) -> None:
        self._jitter = jitter
        self._ticks = tuple(ticks)
        self._interval = interval
        self._runs_immediately = run_immediately is True
        self._grace = None if isinstance(run_immediately, bool | None) else timedelta(seconds=run_immediately)

    @property
    def summary(self) -> str:
        """The crons."""
        return ", ".join(ticks.cron.text for ticks in self._ticks)

    @property
    def description(self) -> str:
        """What the crons say, in words."""
        return ", ".join(describe_cron(ticks.cron) for ticks in self._ticks)

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The tick after the last one; without catchup not before the latest missed one. See `Timetable.next_run`."""
        candidates = [tick for ticks in self._ticks if (tick := self._next_tick(ticks, after, restriction, now))]
        missed = [tick for tick in candidates if tick <= now]
        if missed and not restriction.catchup:
            tick = max(missed)
        elif candidates:
            tick = min(candidates)
        else:
            return None
        return None if restriction.ends_before(tick) else self._run_at(tick)

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """As for a tick at that instant."""
        return self._interval.start(run_after), run_after

    def _next_tick(
        self, ticks: CronTicks, after: DagRunInfo | None, restriction: Restriction, now: datetime
    ) -> datetime | None:
        """The next tick of one cron."""
        if after is not None:
            tick = ticks.after(last_end(after))
        elif restriction.earliest is None:
            tick = self._first_tick(ticks, now)
        else:
            tick = ticks.at_or_after(restriction.earliest)
        if tick is None:
            return None
        if restriction.earliest is not None and tick < restriction.earliest:
            tick = ticks.at_or_after(restriction.earliest)
        if tick is not None and tick < now and not restriction.catchup:
            tick = max(tick, ticks.at_or_before(now) or tick)
        return tick

    def _first_tick(self, ticks: CronTicks, now: datetime) -> datetime | None:
        """Where a DAG without start date begins: with the tick just missed, or the coming one."""
        missed, coming = ticks.at_or_before(now), ticks.at_or_after(now)
        if missed is None or coming is None or self._runs_immediately:
            return missed or coming
        grace = max((coming - missed) / 10, _LEAST_GRACE) if self._grace is None else self._grace
        return missed if now - missed <= grace else coming

    def _run_at(self, tick: datetime) -> DagRunInfo:
        run = DagRunInfo.interval(self._interval.start(tick), tick)
        return run if self._jitter is None else replace(run, run_after=self._jitter.shifted(tick))


class DeltaTriggerTimetable:
    """A run each step, counted from the start date, or from the first run where there is none.

    Without catchup missed steps are passed over but the beat is kept: the run made up for is the latest of the beat
    (Airflow runs at the moment of asking and shifts the beat there).
    """

    periodic = True
    can_be_scheduled = True
    active_runs_limit: int | None = None

    def __init__(self, step: Step, interval: Backdate) -> None:
        self._step = step
        self._interval = interval

    @property
    def summary(self) -> str:
        """The delta as Python writes it."""
        return self._step.text

    @property
    def description(self) -> str:
        """A sentence."""
        return f"Every {self._step.text}"

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """One step after the last run; without catchup not before the latest missed one. See `Timetable.next_run`."""
        following = restriction.earliest or now
        if after is not None:
            stepped = self._step.next(last_end(after))
            if stepped is None:
                return None
            following = stepped if restriction.earliest is None else max(stepped, restriction.earliest)
        if following < now and not restriction.catchup:
            following = self._step.latest(following, now)
        if restriction.ends_before(following):
            return None
        return DagRunInfo.interval(self._interval.start(following), following)

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """As for a step at that instant."""
        return self._interval.start(run_after), run_after


class EventsTimetable:
    """A run at each listed instant.

    Without catchup a DAG that never ran begins with what is to come (an event of the last five minutes counts as that);
    later the latest missed event is made up, as with crons. Airflow drops what it missed.
    """

    periodic = True
    can_be_scheduled = True
    active_runs_limit: int | None = None

    def __init__(
        self, instants: Sequence[datetime], restrict_to_events: bool = False, description: str | None = None
    ) -> None:
        self._instants = sorted(set(instants))
        self._restrict_to_events = restrict_to_events
        self._named = description

    @property
    def summary(self) -> str:
        """The given name, or the number of events."""
        return self._named if self._named is not None else f"{len(self._instants)} events"

    @property
    def description(self) -> str:
        """The given name, or number and span."""
        if self._named is not None:
            return self._named
        if not self._instants:
            return "No events"
        return f"{self.summary} between {self._instants[0].isoformat()} and {self._instants[-1].isoformat()}"

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The event after the last one. See `Timetable.next_run`."""
        place = bisect_right(self._instants, last_end(after)) if after is not None else 0
        if restriction.earliest is not None:
            place = max(place, bisect_left(self._instants, restriction.earliest))
        if not restriction.catchup:
            if after is None:
                place = max(place, bisect_left(self._instants, now - _LEAST_GRACE))
            place = max(place, bisect_right(self._instants, now) - 1)
        if place >= len(self._instants) or restriction.ends_before(self._instants[place]):
            return None
        return DagRunInfo.exact(self._instants[place])

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """That instant, or the last event before it (the first event when there is none) when restricted to events."""
        if not self._restrict_to_events or not self._instants:
            return run_after, run_after
        event = self._instants[max(bisect_right(self._instants, run_after) - 1, 0)]
        return event, event
