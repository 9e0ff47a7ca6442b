"""Timetables without a beat: never, once, continuously."""

from __future__ import annotations

from datetime import datetime, timedelta

from .base import DagRunInfo, Restriction, last_end


class _Unperiodic:
    """What the three share: a manual run is about the instant it is asked for."""

    periodic = False
    can_be_scheduled = True
    active_runs_limit: int | None = None

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """That instant."""
        return run_after, run_after


class NullTimetable(_Unperiodic):
    """Never by itself."""

    can_be_scheduled = False
    summary = "None"
    description = "Never, external triggers only"

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:  # noqa: ARG002
        """Nothing."""
        return None


class OnceTimetable(_Unperiodic):
    """One run, at the start date or now."""

    summary = "@once"
    description = "Once, as soon as possible"

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The one run, until there was one. With a start date it is the same whenever one asks, catchup or not."""
        at = restriction.earliest or now
        if after is not None or restriction.ends_before(at):
            return None
        return DagRunInfo.exact(at)


class ContinuousTimetable(_Unperiodic):
    """Run after run. Ask when the previous one has ended: the next is due at once.

    Its interval goes from the end of the previous one to now.
    """

    active_runs_limit: int | None = 1
    summary = "@continuous"
    description = "As frequently as possible, but only one run at a time."

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """A run now, or at a start date that is still to come. See `Timetable.next_run`."""
        start = restriction.earliest or now
        if after is not None:
            start = max(last_end(after), restriction.earliest or last_end(after))
        end = max(start, now)
        if after is not None and end <= after.run_after:
            end = after.run_after + timedelta(microseconds=1)  # the clock went back: still a later run than the last
        if restriction.ends_before(end):
            return None
        # A first run without start date has an interval of no length: the second one begins where that was named.
        logical_date = end if after is not None and start <= after.logical_date else start
        return DagRunInfo(end, logical_date, start, end)
