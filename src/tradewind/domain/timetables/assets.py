"""Timetables of DAGs that run on assets: events decide, the clock only where a time is given beside."""

from __future__ import annotations

from datetime import datetime

from tradewind.domain.assets.conditions import describe
from tradewind.wire.assets import AssetCondition

from .base import DagRunInfo, Restriction, Timetable


class AssetTimetable:
    """Runs on events; with `time` also by the clock."""

    periodic = False
    can_be_scheduled = True

    def __init__(self, condition: AssetCondition, time: Timetable | None = None, name: str = "Asset") -> None:
        self._condition = condition
        self._time = time
        self._name = name

    @property
    def summary(self) -> str:
        """ "Asset", or what the clock says besides."""
        return f"{self._name} or {self._time.summary}" if self._time is not None else self._name

    @property
    def description(self) -> str:
        """The condition."""
        text = f"On {describe(self._condition)}"
        return f"{text}, or {self._time.description}" if self._time is not None else text

    @property
    def active_runs_limit(self) -> int | None:
        """That of the time."""
        return self._time.active_runs_limit if self._time is not None else None

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The next run by the clock. See `Timetable.next_run`."""
        return self._time.next_run(after, restriction, now) if self._time is not None else None

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """That of the time, or the instant."""
        return self._time.infer_manual_interval(run_after) if self._time is not None else (run_after, run_after)
