"""Creation of scheduled runs: exactly one per DAG and logical date, with any number of schedulers (locks, then unique
keys).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tradewind.commands.deadlines import note_deadlines
from tradewind.commands.documents import Documents
from tradewind.commands.runs import generate_run_id, tell_following
from tradewind.commands.schedules import (
    announced_run,
    ask_own_timetable,
    info_of_run,
    next_info,
    next_run,
    with_partition,
)
from tradewind.domain.timetables import DagRunInfo
from tradewind.kernel.log import get_logger
from tradewind.ports.rows import DagRow, RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

log = get_logger("scheduler")


def create_due_runs(tx: Transaction, documents: Documents, now: datetime, new_id: Callable[[], str], limit: int) -> int:
    """One run for each DAG that is due (those with more to catch up are still due afterwards); how many were made."""
    made = 0
    for dag in tx.dag_claim_due(now, limit):
        made += _create_for(tx, documents, now, new_id, dag)
    if made:
        tx.ring("runs", "changes")
    return made


def _create_for(tx: Transaction, documents: Documents, now: datetime, new_id: Callable[[], str], dag: DagRow) -> int:
    document = documents.get(tx, dag.version_id).document
    info = with_partition(document, _due_info(tx, document, dag, now))
    made = 0
    while info is not None and info.run_after <= now and not made:
        row = _row(dag, info, now, new_id())
        if tx.run_insert(row) is None:
            tell_following(tx, row)
            note_deadlines(tx, document, row, now)
            made = 1
        else:
            log.info("scheduled_run_exists", dag_id=dag.dag_id, logical_date=info.logical_date.isoformat())
        info = next_info(document, info, now)
    if info is None:
        ask_own_timetable(tx, document, now)
    tx.dag_set_next(dag.dag_id, next_run(info))
    return made


def _due_info(tx: Transaction, document: DagDocument, dag: DagRow, now: datetime) -> DagRunInfo | None:
    """What was announced, or without catch-up the latest of what was missed since.

    The announcement stands even when the timetable would say something else by now: a schedule without start date
    counts from the moment of asking.
    """
    announced = announced_run(dag)
    if announced is not None and document.catchup:
        return announced
    newest = tx.run_last_automated(dag.dag_id)
    latest = next_info(document, info_of_run(newest) if newest else None, now)
    if announced is None or (latest is not None and announced.run_after < latest.run_after <= now):
        return latest
    return announced


def _row(dag: DagRow, info: DagRunInfo, now: datetime, run_key: str) -> RunRow:
    by_partition = info.partition_key is not None
    return RunRow(
        run_key=run_key,
        dag_id=dag.dag_id,
        run_id=_run_id(info),
        version_id=dag.version_id,
        run_type=DagRunType.SCHEDULED,
        triggered_by=DagRunTriggeredBy.TIMETABLE,
        state=DagRunState.QUEUED,
        run_after=info.run_after,
        logical_date=None if by_partition else info.logical_date,
        data_interval_start=None if by_partition else info.data_interval_start,
        data_interval_end=None if by_partition else info.data_interval_end,
        partition_key=info.partition_key,
        partition_date=info.partition_date,
        queued_at=now,
        bundle_version=dag.bundle_version,
    )


def _run_id(info: DagRunInfo) -> str:
    """One name for one tick, also where there is no logical date to keep runs apart."""
    if info.partition_key is None:
        return generate_run_id(DagRunType.SCHEDULED, info.logical_date, info.run_after)
    return f"{DagRunType.SCHEDULED}__{info.run_after.isoformat()}"
