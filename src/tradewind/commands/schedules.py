"""When a DAG runs next by its own schedule: shared by publication, pause and unpause, and the scheduler."""

from __future__ import annotations

from datetime import datetime

from tradewind.domain.assets.partitions import date_in_schedule
from tradewind.domain.timetables import DagRunInfo, Restriction, timetable_for
from tradewind.domain.timetables.partitions import CronPartitionTimetable
from tradewind.ports.rows import DagRow, RunRow
from tradewind.ports.store import NextRun, Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.schedule import CustomSchedule, PartitionedAssetSchedule


def info_of_run(run: RunRow) -> DagRunInfo:
    """What a timetable needs to know of an earlier run."""
    logical = run.logical_date or run.run_after
    return DagRunInfo(
        run_after=run.run_after,
        logical_date=logical,
        data_interval_start=run.data_interval_start or logical,
        data_interval_end=run.data_interval_end or logical,
    )


def next_info(document: DagDocument, last: DagRunInfo | None, now: datetime) -> DagRunInfo | None:
    """The run after `last`, None when the schedule makes no more."""
    timetable = timetable_for(document.schedule)
    if not timetable.can_be_scheduled:
        return None
    restriction = Restriction(earliest=document.start_date, latest=document.end_date, catchup=document.catchup)
    return timetable.next_run(last, restriction, now)


def next_run(info: DagRunInfo | None) -> NextRun | None:
    """The same as the row of the DAG keeps it."""
    if info is None:
        return None
    return NextRun(
        run_after=info.run_after,
        logical_date=info.logical_date,
        interval_start=info.data_interval_start,
        interval_end=info.data_interval_end,
    )


def announced_run(dag: DagRow) -> DagRunInfo | None:
    """The next run as the row of the DAG keeps it."""
    if dag.next_run_after is None:
        return None
    logical = dag.next_logical_date or dag.next_run_after
    return DagRunInfo(
        run_after=dag.next_run_after,
        logical_date=logical,
        data_interval_start=dag.next_interval_start or logical,
        data_interval_end=dag.next_interval_end or logical,
    )


def with_partition(document: DagDocument, info: DagRunInfo | None) -> DagRunInfo | None:
    """The same run with the partition it is for, where the schedule knows partitions: the row of the DAG keeps only
    instants."""
    timetable = timetable_for(document.schedule)
    if info is None or info.partition_key is not None or not isinstance(timetable, CronPartitionTimetable):
        return info
    return timetable.with_partition(info)


def partition_date_of(document: DagDocument, key: str) -> datetime | None:
    """The date behind a partition key, as the schedule of the DAG writes its keys; None where they do not speak of
    time. Raises `BadInput` for a key that is not written so.
    """
    timetable = timetable_for(document.schedule)
    if isinstance(timetable, CronPartitionTimetable):
        return timetable.date_of(key)
    if isinstance(document.schedule, PartitionedAssetSchedule):
        return date_in_schedule(document.schedule, key)
    return None


def following_run(tx: Transaction, document: DagDocument, now: datetime) -> NextRun | None:
    """The next scheduled run of the DAG, from the newest one there is; None also when its own timetable has to be asked
    first, which is set going then."""
    if ask_own_timetable(tx, document, now):
        return None
    newest = tx.run_last_automated(document.dag_id)
    return next_run(next_info(document, info_of_run(newest) if newest else None, now))


def ask_own_timetable(tx: Transaction, document: DagDocument, now: datetime) -> bool:
    """Whether the DAG has a timetable of its author's own that makes runs: it is asked in a child, which takes a
    moment."""
    schedule = document.schedule
    if not isinstance(schedule, CustomSchedule) or not schedule.can_be_scheduled:
        return False
    tx.timetable_ask(document.dag_id, now)
    return True
