"""Timetables of authors' own: what they are asked, and what becomes of their answers.

They are code of a DAG file or plug-in, so they are asked in a child (`runtime/timetable_child`), outside any
transaction, by the service beside the DAG processor. One that raises, hangs or answers nonsense pauses its DAG with the
reason; others do not notice.
"""

from __future__ import annotations

from datetime import datetime

from tradewind.domain.timetables import DagRunInfo
from tradewind.kernel.log import get_logger
from tradewind.ports.rows import DagRow
from tradewind.ports.store import NextRun, Transaction
from tradewind.wire.schedule import CustomSchedule
from tradewind.wire.timetables import RunWish, TimetableAnswer, TimetableQuestion

from .dags import pause_dag
from .documents import Documents
from .schedules import info_of_run

log = get_logger("timetables")
FORECAST = 10
"""So many runs ahead are kept for people."""


def claim_questions(
    tx: Transaction, documents: Documents, owner: str, lease_seconds: float, limit: int
) -> list[tuple[DagRow, TimetableQuestion]]:
    """What is to be asked now, leased by `owner`. DAGs that are gone or have another schedule by now are left out."""
    found = []
    for dag_id in tx.timetable_claim(owner, lease_seconds, limit):
        dag = tx.dag_get(dag_id)
        document = documents.get(tx, dag.version_id).document if dag is not None and not dag.is_stale else None
        if dag is None or document is None or not isinstance(document.schedule, CustomSchedule):
            tx.timetable_forget(dag_id)
            continue
        newest = tx.run_last_automated(dag_id)
        question = TimetableQuestion(
            dag_id=dag_id,
            file=dag.file,
            last=_wish_of(info_of_run(newest)) if newest is not None else None,
            earliest=document.start_date,
            latest=document.end_date,
            catchup=document.catchup,
            count=FORECAST,
        )
        found.append((dag, question))
    return found


def take_answer(
    tx: Transaction, dag: DagRow, question: TimetableQuestion, answer: TimetableAnswer, owner: str, now: datetime
) -> bool:
    """Announce the next run, or pause the DAG; False when the answer came too late to mean anything."""
    current = tx.dag_get(dag.dag_id, lock=True)
    if current is None or current.version_id != dag.version_id:
        return False
    shown = [wish.run_after.isoformat() for wish in answer.runs]
    if not tx.timetable_answer(dag.dag_id, owner, shown, now):
        return False
    problem = answer.problem or _nonsense(question, answer)
    if problem is not None:
        tx.dag_set_next(dag.dag_id, None)
        pause_dag(tx, dag.dag_id, f"paused by itself: its timetable {problem}")
        log.warning("timetable_failed", dag_id=dag.dag_id, reason=problem)
        return True
    tx.dag_set_next(dag.dag_id, _next_run(answer.runs[0]) if answer.runs else None)
    tx.ring("dags", "changes")
    return True


def _nonsense(question: TimetableQuestion, answer: TimetableAnswer) -> str | None:
    """What no timetable may say: a run that does not come after the last one would be made again and again."""
    if not answer.runs or question.last is None:
        return None
    first = answer.runs[0]
    if first.run_after <= question.last.run_after:
        return (
            f"names a run after {first.run_after.isoformat()}, which is not later than that of the last run "
            f"({question.last.run_after.isoformat()})"
        )
    return None


def _next_run(wish: RunWish) -> NextRun:
    return NextRun(
        run_after=wish.run_after,
        logical_date=wish.logical_date,
        interval_start=wish.data_interval_start,
        interval_end=wish.data_interval_end,
    )


def _wish_of(info: DagRunInfo) -> RunWish:
    return RunWish(
        run_after=info.run_after,
        logical_date=info.logical_date,
        data_interval_start=info.data_interval_start,
        data_interval_end=info.data_interval_end,
    )
