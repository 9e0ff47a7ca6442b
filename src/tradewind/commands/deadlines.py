"""Deadlines of runs: noted when a run is made, judged when they are due.

Whoever makes a run calls `note_deadlines` in the same transaction; the service `maintenance.deadlines` calls
`judge_deadlines`. A missed one puts its callback into the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from tradewind.kernel.ids import uuid7
from tradewind.ports.deadline_rows import DeadlineRow, DeadlineState
from tradewind.ports.outbox_rows import OutboxKind, OutboxState
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.deadlines import DeadlineDocument, DeadlineReference
from tradewind.wire.document import DagDocument
from tradewind.wire.states import LIVE_RUN_STATES, TERMINAL_STATES, TaskInstanceState

from .documents import Documents
from .outbox import put_callback
from .task_callbacks import facts_of

ReadVariable = Callable[[str], str | None]
"""The value of a variable, None when there is none."""


def note_deadlines(tx: Transaction, document: DagDocument, run: RunRow, now: datetime) -> None:
    """Write the deadlines of a run that was just made, and of its tasks."""
    rows = [
        row
        for task_id, deadlines in _deadlines_of(document)
        for ordinal, deadline in enumerate(deadlines)
        if (row := _row(tx, run, task_id, ordinal, deadline, now)) is not None
    ]
    if rows:
        tx.deadline_put(rows)


def renew_deadlines(tx: Transaction, document: DagDocument, run: RunRow, now: datetime) -> None:
    """The run was over and is queued again: what counts from that counts from now."""
    rows = [
        row
        for task_id, deadlines in _deadlines_of(document)
        for ordinal, deadline in enumerate(deadlines)
        if deadline.reference is DeadlineReference.QUEUED_AT
        and (row := _row(tx, msgspec.structs.replace(run, queued_at=now), task_id, ordinal, deadline, now)) is not None
    ]
    if rows:
        tx.deadline_put(rows)


def has_deadlines(document: DagDocument) -> bool:
    """Whether there is anything to note or to settle."""
    return any(deadlines for _, deadlines in _deadlines_of(document))


def settle_ended_run(tx: Transaction, run_key: str, now: datetime) -> None:
    """The run ended in this transaction: its deadlines that are still to come are met."""
    met = [
        row.deadline_id
        for row in tx.deadline_list_of_run(run_key)
        if row.state is DeadlineState.PENDING and row.due_at is not None and row.due_at >= now and not row.task_id
    ]
    if met:
        tx.deadline_settle(met, DeadlineState.MET, now)


def judge_deadlines(
    tx: Transaction, documents: Documents, now: datetime, limit: int, read_variable: ReadVariable
) -> list[DeadlineRow]:
    """Read the variables of new deadlines, and settle those that are due; which were missed."""
    missed: list[DeadlineRow] = []
    for row in tx.deadline_claim(now, limit):
        if row.due_at is None:
            resolved = _resolve(tx, row, now, read_variable)
            if resolved is None or resolved.due_at is None or resolved.due_at > now:
                continue
            row = resolved
        run = tx.run_get(row.run_key)
        if run is None:
            tx.deadline_settle([row.deadline_id], DeadlineState.VOID, now, "its run is deleted")
        elif _is_met(tx, run, row):
            tx.deadline_settle([row.deadline_id], DeadlineState.MET, now)
        else:
            _miss(tx, documents, run, row, now)
            missed.append(row)
    return missed


def list_deadlines(
    tx: Transaction,
    *,
    dag_id: str | None = None,
    run_id: str | None = None,
    states: Sequence[DeadlineState] = (),
    limit: int = 100,
    offset: int = 0,
) -> list[tuple[DeadlineRow, OutboxState | None, str | None]]:
    """Deadlines, latest due first, each with the state and the error of its callback (None: it was not called)."""
    return tx.deadline_list(dag_id=dag_id, run_id=run_id, states=states, limit=limit, offset=offset)


def _deadlines_of(document: DagDocument) -> Iterator[tuple[str, tuple[DeadlineDocument, ...]]]:
    yield "", document.deadlines
    for task in document.tasks:
        if task.deadlines:
            yield task.task_id, task.deadlines


def _row(
    tx: Transaction, run: RunRow, task_id: str, ordinal: int, deadline: DeadlineDocument, now: datetime
) -> DeadlineRow | None:
    base = _base(tx, run, deadline, now)
    if base is None:
        return None
    seconds = deadline.interval_seconds
    return DeadlineRow(
        deadline_id=str(uuid7()),
        run_key=run.run_key,
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=task_id,
        ordinal=ordinal,
        name=deadline.name,
        reference=deadline.reference.value,
        base_at=base,
        interval_seconds=seconds,
        interval_variable=deadline.interval_variable,
        due_at=None if seconds is None else base + timedelta(seconds=seconds),
        path=deadline.path,
        kwargs=deadline.kwargs,
        executor=deadline.executor,
        created_at=now,
    )


def _base(tx: Transaction, run: RunRow, deadline: DeadlineDocument, now: datetime) -> datetime | None:
    """What the deadline counts from; None: there is no such instant, so no deadline."""
    match deadline.reference:
        case DeadlineReference.LOGICAL_DATE:
            return run.logical_date
        case DeadlineReference.QUEUED_AT:
            return run.queued_at or now
        case DeadlineReference.FIXED:
            return deadline.at
        case DeadlineReference.AVERAGE_RUNTIME:
            seconds, runs = tx.run_average_seconds(run.dag_id, deadline.runs_max)
            return now + timedelta(seconds=seconds) if runs >= deadline.runs_min else None


def _resolve(tx: Transaction, row: DeadlineRow, now: datetime, read_variable: ReadVariable) -> DeadlineRow | None:
    key = row.interval_variable or ""
    value = read_variable(key)
    try:
        seconds = float(value if value is not None else "")
    except ValueError:
        said = "does not exist" if value is None else "is no number of seconds"
        tx.deadline_settle([row.deadline_id], DeadlineState.VOID, now, f"variable {key!r} {said}")
        return None
    due = row.base_at + timedelta(seconds=seconds)
    tx.deadline_resolve(row.deadline_id, seconds, due)
    return msgspec.structs.replace(row, interval_seconds=seconds, due_at=due)


def _is_met(tx: Transaction, run: RunRow, row: DeadlineRow) -> bool:
    assert row.due_at is not None
    if not row.task_id:
        return run.state not in LIVE_RUN_STATES and run.ended_at is not None and run.ended_at <= row.due_at
    instances = tx.task_list(run.run_key, [row.task_id])
    done = (TaskInstanceState.SUCCESS, TaskInstanceState.SKIPPED)
    return bool(instances) and all(
        each.state in TERMINAL_STATES
        and (each.state in done or each.state is TaskInstanceState.REMOVED)
        and (each.ended_at is None or each.ended_at <= row.due_at)
        for each in instances
    )


def _miss(tx: Transaction, documents: Documents, run: RunRow, row: DeadlineRow, now: datetime) -> None:
    tx.deadline_settle([row.deadline_id], DeadlineState.MISSED, now)
    dag = documents.get(tx, run.version_id)
    context = {
        "run": msgspec.to_builtins(facts_of(run)),
        "run_state": run.state.value,
        "reason": "deadline_missed",
        "deadline": {
            "id": row.deadline_id,
            "deadline_time": row.due_at.isoformat() if row.due_at else None,
            "name": row.name,
            "task_id": row.task_id or None,
        },
    }
    put_callback(
        tx,
        f"deadline/{row.deadline_id}",
        OutboxKind.DEADLINE,
        row.path,
        row.kwargs,
        context,
        now=now,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id or None,
        bundle=dag.bundle,
        bundle_version=run.bundle_version or dag.bundle_version,
        file=dag.file,
    )
