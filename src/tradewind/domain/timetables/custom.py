"""A timetable of the author's own, as the control plane sees it: it cannot be asked here.

It is asked in a child that loads its DAG file; the answer is kept in the row of the DAG.
"""

from __future__ import annotations

from datetime import datetime

from tradewind.wire.schedule import CustomSchedule

from .base import DagRunInfo, Restriction


class CustomTimetable:
    """What is known of it without asking."""

    def __init__(self, schedule: CustomSchedule) -> None:
        self._schedule = schedule

    @property
    def summary(self) -> str:
        """As it says itself."""
        return self._schedule.summary

    @property
    def description(self) -> str:
        """As it says itself."""
        return self._schedule.description

    @property
    def active_runs_limit(self) -> int | None:
        """As it says itself."""
        return self._schedule.active_runs_limit

    @property
    def periodic(self) -> bool:
        """As it says itself."""
        return self._schedule.periodic

    @property
    def can_be_scheduled(self) -> bool:
        """As it says itself."""
        return self._schedule.can_be_scheduled

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:  # noqa: ARG002
        """Not known here."""
        return None

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """That instant: what the timetable would say is not known here."""
        return run_after, run_after
