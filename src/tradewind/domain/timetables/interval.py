"""Timetables whose run comes at the end of the interval it is about, named by its start."""

from __future__ import annotations

from datetime import datetime

from .base import DagRunInfo, Restriction, last_end
from .deltas import Step
from .describe import describe_cron
from .ticks import CronTicks


class CronIntervalTimetable:
    """The intervals between two ticks of a cron. Without catchup the latest complete one is made up."""

    periodic = True
    can_be_scheduled = True
    active_runs_limit: int | None = None

    def __init__(self, ticks: CronTicks) -> None:
        self._ticks = ticks

    @property
    def summary(self) -> str:
        """The cron."""
        return self._ticks.cron.text

    @property
    def description(self) -> str:
        """What the cron says, in words."""
        return describe_cron(self._ticks.cron)

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The interval that begins where the last one ended. See `Timetable.next_run`; the end bounds its start."""
        start = self._earliest_start(restriction, now)
        if after is not None:
            # A changed cron need not tick where the last interval ended.
            start = _later(start, self._ticks.at_or_before(last_end(after)))
            if start is not None and start <= after.data_interval_start:
                start = self._ticks.after(after.data_interval_start)
        if start is None or restriction.ends_before(start):
            return None
        end = self._ticks.after(start)
        return None if end is None else DagRunInfo.interval(start, end)

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """The latest interval complete at that instant."""
        end = self._ticks.at_or_before(run_after)
        start = None if end is None else self._ticks.before(end)
        if end is None or start is None:
            return run_after, run_after
        return start, end

    def _earliest_start(self, restriction: Restriction, now: datetime) -> datetime | None:
        """The first start the restriction allows; None when it says nothing, or never."""
        start = None if restriction.earliest is None else self._ticks.at_or_after(restriction.earliest)
        if restriction.catchup or (restriction.earliest is not None and start is None):
            return start
        ended = self._ticks.at_or_before(now)
        return _later(start, None if ended is None else self._ticks.before(ended))


class DeltaIntervalTimetable:
    """Intervals of one length. Without catchup the latest complete one is made up.

    What is passed over keeps to a grid: steps of fixed length to the one from 1970, others to that of the start date.
    """

    periodic = True
    can_be_scheduled = True
    active_runs_limit: int | None = None

    def __init__(self, step: Step) -> None:
        self._step = step

    @property
    def summary(self) -> str:
        """The delta as Python writes it."""
        return self._step.text

    @property
    def description(self) -> str:
        """A sentence."""
        return f"Every {self._step.text}"

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The interval that begins where the last one ended. See `Timetable.next_run`; the end bounds its start."""
        earliest = restriction.earliest
        if not restriction.catchup:
            passed = self._step.back(self._step.on_grid(now, min(earliest or now, now)))
            earliest = passed if earliest is None else max(earliest, passed)
        start = earliest
        if after is not None:
            start = last_end(after) if earliest is None else max(last_end(after), earliest)
            if start <= after.data_interval_start:
                start = self._step.next(after.data_interval_start)
        if start is None or restriction.ends_before(start):
            return None
        end = self._step.next(start)
        return None if end is None else DagRunInfo.interval(start, end)

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """One step back from that instant."""
        return self._step.back(run_after), run_after


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two, or the one there is."""
    return max((instant for instant in (one, other) if instant is not None), default=None)
