"""What people decide about states: of task instances in one run or many, of whole runs.

`plan_mark` says which rows would change (the dry run), `mark` carries it out; both take the same `MarkWish`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tradewind.domain.relatives import related_tasks
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import TaskMove, Transaction
from tradewind.wire.errors import BadInput, Conflict
from tradewind.wire.inbox import InstanceReported, RunStopAsked
from tradewind.wire.states import CauseOfDeath, DagRunState, TaskInstanceState

from .clearing import FAILED, ClearedRun, ClearPlan, ClearWish, TaskRef, plan_clear
from .documents import Documents
from .notes import check_note
from .runs import clear_instances, require_run, stop_run, tell_following

S = TaskInstanceState
MARKS = {S.SUCCESS: "mark_success", S.FAILED: "mark_failed", S.SKIPPED: "mark_skipped"}
"""States that a person may set, and the legal change behind each."""
_SETTLED = frozenset({S.SUCCESS, S.SKIPPED, S.REMOVED})


class MarkWish(msgspec.Struct, frozen=True, kw_only=True):
    """Which instances get which state."""

    dag_id: str
    run_id: str
    state: TaskInstanceState
    tasks: tuple[TaskRef, ...] = ()
    groups: tuple[str, ...] = ()
    upstream: bool = False
    downstream: bool = False
    future: bool = False
    past: bool = False
    note: str | None = None
    """Written on every instance that changed."""


def plan_mark(tx: Transaction, documents: Documents, wish: MarkWish) -> ClearPlan:
    """The instances whose state would change, as they are now, by run, oldest run first.

    Raises:
        NotFound: DAG, run, task, group or index do not exist.
        BadInput: the state is none that a person may set; no task is named.
    """
    if wish.state not in MARKS:
        raise BadInput(f"a task can be marked {', '.join(MARKS)}, not {wish.state}")
    if not wish.tasks and not wish.groups:
        raise BadInput("say which tasks to mark; a whole run is marked with set_run_state")
    meant = plan_clear(
        tx,
        documents,
        ClearWish(
            dag_id=wish.dag_id,
            run_id=wish.run_id,
            tasks=wish.tasks,
            groups=wish.groups,
            upstream=wish.upstream,
            downstream=wish.downstream,
            future=wish.future,
            past=wish.past,
            with_setups=False,
            with_marked=False,
        ),
    )
    changing = (
        ClearedRun(each.run, tuple(row for row in each.rows if row.state is not wish.state)) for each in meant.runs
    )
    return ClearPlan(tuple(each for each in changing if each.rows))


def mark(
    tx: Transaction, documents: Documents, now: datetime, wish: MarkWish, *, reason: str | None = None
) -> ClearPlan:
    """Set the states; live attempts are stopped by the owner of their run. Returns what changed, as it was before.

    What failed after a task that is now marked as success or skipped runs again: a run that is over goes on with it.
    Raises as `plan_mark`.
    """
    check_note(wish.note)
    plan = plan_mark(tx, documents, wish)
    done: list[ClearedRun] = []
    for each in sorted(plan.runs, key=lambda one: one.run.run_key):
        run = tx.run_get(each.run.run_key, lock=True)
        if run is None:
            continue
        rows = mark_instances(tx, now, run, each.rows, wish.state, reason or f"marked {wish.state}")
        for row in rows if wish.note is not None else ():
            tx.task_set_note(row.ti_id, wish.note)
        if wish.state is not S.FAILED:
            _resume(tx, documents, now, run, rows)
        done.append(ClearedRun(run, tuple(rows)))
    done.sort(key=lambda one: (one.run.logical_date or one.run.run_after, one.run.run_key))
    return ClearPlan(tuple(done))


def mark_instances(
    tx: Transaction, now: datetime, run: RunRow, rows: Iterable[TaskRow], state: TaskInstanceState, reason: str
) -> list[TaskRow]:
    """Set the state of instances of one run whose row is locked; its owner hears of each. Those that changed, as they
    were before.
    """
    chosen = tx.task_get_many([row.ti_id for row in rows], lock=True)
    values: dict[str, Any] = {"ended_at": now}
    if state is S.FAILED:
        values["cause"] = CauseOfDeath.USER
    moved = set(tx.task_move(MARKS[state], [TaskMove(row.ti_id, reason, None, values) for row in chosen], now))
    changed = [row for row in chosen if row.ti_id in moved]
    if run.state is DagRunState.RUNNING:
        tx.inbox_put([(run.run_key, _told(row, state)) for row in changed])
    elif changed:
        tell_following(tx, run)
    if changed:
        tx.ring("changes")
    return changed


def set_run_state(tx: Transaction, now: datetime, dag_id: str, run_id: str, state: DagRunState, reason: str) -> RunRow:
    """Mark a run as success or failed, or queue it again. Returns the run as it was before.

    - success: what has not succeeded (or been skipped) is marked as success, and the run with it.
    - failed: what runs is stopped as failed, what waits is skipped.
    - queued: a run that is over is gone through again as it stands: what is undecided in it runs.

    A run that is in this state already stays as it is.

    Raises:
        NotFound: there is no such run.
        BadInput: the state is none that a person may set.
        Conflict: a running run cannot be queued.
    """
    run = require_run(tx, dag_id, run_id, lock=True)
    if run.state is state:
        return run
    match state:
        case DagRunState.SUCCESS:
            _succeed_run(tx, now, run, reason)
        case DagRunState.FAILED:
            _fail_run(tx, now, run, reason)
        case DagRunState.QUEUED:
            if run.state is DagRunState.RUNNING:
                raise Conflict(f"run {run_id!r} of DAG {dag_id!r} is running: clear it, or what of it is to run again")
            tx.run_move("requeue", run.run_key, reason=None, now=now)
            tell_following(tx, run)
            tx.ring("runs", "changes")
        case _:
            raise BadInput(f"a run can be set to success, failed or queued, not {state}")
    return run


def plan_run_state(tx: Transaction, dag_id: str, run_id: str, state: DagRunState) -> list[TaskRow]:
    """The instances that `set_run_state` would change, as they are now."""
    rows = tx.task_list(require_run(tx, dag_id, run_id).run_key)
    if state is DagRunState.SUCCESS:
        return [row for row in rows if row.state not in _SETTLED]
    if state is DagRunState.FAILED:
        return [row for row in rows if row.state not in _SETTLED and row.state not in FAILED]
    return []


def _succeed_run(tx: Transaction, now: datetime, run: RunRow, reason: str) -> None:
    rows = [row for row in tx.task_list(run.run_key) if row.state not in _SETTLED]
    mark_instances(tx, now, run, rows, S.SUCCESS, reason)
    if run.state is DagRunState.RUNNING:
        tx.inbox_put([(run.run_key, RunStopAsked(state=DagRunState.SUCCESS, reason=reason))])
    else:
        tx.run_move("mark_success", run.run_key, reason=reason, now=now)
        tell_following(tx, run)
        tx.ring("changes", "dags")


def _fail_run(tx: Transaction, now: datetime, run: RunRow, reason: str) -> None:
    if run.state is DagRunState.QUEUED:
        # Nobody owns it who would: what still waits in it is skipped here.
        mark_instances(tx, now, run, plan_run_state(tx, run.dag_id, run.run_id, DagRunState.FAILED), S.SKIPPED, reason)
    if run.state is not DagRunState.SUCCESS:
        stop_run(tx, now, run.dag_id, run.run_id, DagRunState.FAILED, reason)
        return
    tx.run_move("mark_failed", run.run_key, reason=reason, now=now)
    tell_following(tx, run)
    tx.ring("changes", "dags")


def _resume(tx: Transaction, documents: Documents, now: datetime, run: RunRow, marked: Sequence[TaskRow]) -> None:
    """Clear what failed below the marked tasks: it may run now."""
    document = documents.get(tx, run.version_id).document
    named = {row.task_id for row in marked} & {task.task_id for task in document.tasks}
    below = related_tasks(document, named, downstream=True) - named
    failed = [row for row in tx.task_list(run.run_key, below) if row.state in FAILED] if below else []
    if failed:
        clear_instances(tx, documents, now, run, failed)


def _told(row: TaskRow, state: TaskInstanceState) -> InstanceReported:
    return InstanceReported(
        ti_id=row.ti_id,
        task_id=row.task_id,
        map_path=row.map_path,
        state=state,
        try_number=row.try_number,
        cause=CauseOfDeath.USER if state is S.FAILED else None,
        cancel_token=row.attempt_token,
        length=row.xcom_length,  # a mark keeps what the task left
        skips=tuple(row.skips),
    )
