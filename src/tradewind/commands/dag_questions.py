"""What tasks and triggers ask and wish about other DAGs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.execution import DagFacts, GetDag, GetStates, Run, States, TriggerRun
from tradewind.wire.states import DagRunTriggeredBy, DagRunType

from .clearing import clear_run
from .documents import Documents
from .runs import require_dag, trigger_run


def dag_facts(tx: Transaction, documents: Documents, ask: GetDag) -> DagFacts:
    """Whether a DAG is there, and what it has."""
    row = tx.dag_get(ask.dag_id)
    if row is None:
        return DagFacts(exists=False)
    document = documents.get(tx, row.version_id).document
    return DagFacts(
        exists=not row.is_stale,
        is_paused=row.is_paused,
        task_ids=tuple(task.task_id for task in document.tasks),
        group_ids=tuple(group.group_id for group in document.groups),
    )


def states(tx: Transaction, documents: Documents, ask: GetStates) -> States:
    """States of task instances by run. Runs and tasks that are not there are left out."""
    runs = [run for run_id in ask.run_ids if (run := tx.run_find(ask.dag_id, run_id)) is not None]
    for date in ask.logical_dates:
        runs += [run for run in tx.run_list_window(ask.dag_id, date, date) if run.logical_date == date]
    return States({run.run_id: _states_of(tx, documents, run, ask) for run in runs})


def _states_of(tx: Transaction, documents: Documents, run: RunRow, ask: GetStates) -> dict[str, str | None]:
    wanted = ask.task_ids
    if ask.group_id is not None:
        wanted = _tasks_of_group(documents.get(tx, run.version_id).document, ask.group_id)
    return {
        f"{row.task_id}[{row.map_path}]" if row.map_path else row.task_id: row.state
        for row in tx.task_list(run.run_key, wanted)
    }


def _tasks_of_group(document: DagDocument, group_id: str) -> tuple[str, ...]:
    prefix = f"{group_id}."
    return tuple(
        task.task_id for task in document.tasks if task.group_id == group_id or (task.group_id or "").startswith(prefix)
    )


def trigger(tx: Transaction, documents: Documents, now: datetime, new_id: Callable[[], str], wish: TriggerRun) -> Run:
    """Make a run of another DAG; with `reset`, one of the same id or date that is there is cleared instead.

    Raises as `trigger_run`.
    """
    if wish.reset:
        require_dag(tx, wish.dag_id)
        found = _same(tx, wish)
        if found is not None:
            clear_run(tx, documents, now, found.dag_id, found.run_id)
            return Run(run_id=found.run_id, run_type=found.run_type, state="queued", logical_date=found.logical_date)
    made = trigger_run(
        tx,
        documents,
        now,
        new_id,
        wish.dag_id,
        run_id=wish.run_id,
        logical_date=wish.logical_date,
        run_after=wish.run_after,
        conf=wish.conf,
        note=wish.note,
        run_type=DagRunType.OPERATOR_TRIGGERED,
        triggered_by=DagRunTriggeredBy.OPERATOR,
    )
    return Run(run_id=made.run_id, run_type=made.run_type, state=made.state, logical_date=made.logical_date)


def _same(tx: Transaction, wish: TriggerRun) -> RunRow | None:
    if wish.run_id is not None and (run := tx.run_find(wish.dag_id, wish.run_id)) is not None:
        return run
    if wish.logical_date is None:
        return None
    window = tx.run_list_window(wish.dag_id, wish.logical_date, wish.logical_date)
    return next((run for run in window if run.logical_date == wish.logical_date), None)
