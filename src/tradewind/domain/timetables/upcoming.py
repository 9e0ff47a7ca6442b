"""What a schedule has in store: the list behind `dags next-execution`."""

from __future__ import annotations

from datetime import datetime

from tradewind.wire.schedule import ContinuousSchedule, Schedule

from .base import DagRunInfo, Restriction, in_utc
from .choose import timetable_for


def upcoming(
    schedule: Schedule,
    start: datetime | None,
    end: datetime | None,
    catchup: bool,
    from_instant: datetime,
    n: int,
    *,
    after: DagRunInfo | None = None,
) -> list[DagRunInfo]:
    """The next `n` runs due at or after `from_instant`, as seen at that instant; fewer when the schedule ends before.

    `start` and `end` bound the DAG. `after` is its last automated run: when it is given, what the DAG still owes since
    then comes first. A schedule without a beat shows its one run even when that is overdue; of `@continuous` only the
    first is known. Raises `InvalidSchedule`, and ValueError for instants without time zone.
    """
    timetable = timetable_for(schedule)
    now = in_utc(from_instant)
    bounds = Restriction(
        earliest=None if start is None else in_utc(start),
        latest=None if end is None else in_utc(end),
        catchup=catchup and after is not None,
    )
    owes = after is not None or not timetable.periodic
    following = Restriction(bounds.earliest, bounds.latest, catchup=True)
    runs: list[DagRunInfo] = []
    run = timetable.next_run(after, bounds, now)
    while run is not None and len(runs) < n:
        if owes or run.run_after >= now:
            runs.append(run)
        if isinstance(schedule, ContinuousSchedule):
            break
        run = timetable.next_run(run, following, now)
    return runs
