"""What people ask to run again: task instances of one run or many, or whole runs.

`plan_clear` says which rows are meant (the dry run), `clear` carries it out; both take the same `ClearWish`. The CLI,
the REST API and the UI go through here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from tradewind.domain.relatives import related_tasks, setup_company
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.states import TaskInstanceState

from .documents import Documents
from .markers import follow_markers
from .notes import check_note
from .runs import clear_instances, require_dag, require_run

FAILED = frozenset({TaskInstanceState.FAILED, TaskInstanceState.UPSTREAM_FAILED})
RUNNING = frozenset({TaskInstanceState.RUNNING, TaskInstanceState.DEFERRED, TaskInstanceState.AWAITING_INPUT})
TaskRef = tuple[str, str | None]
"""Task id and map index path ("3", "3.1"); None: all its instances."""


class ClearWish(msgspec.Struct, frozen=True, kw_only=True):
    """What to clear. Without `run_id`, all runs of the DAG between `start` and `end`."""

    dag_id: str
    run_id: str | None = None
    start: datetime | None = None
    """Runs with a logical date (run_after, where there is none) from here on, included."""
    end: datetime | None = None
    """To here, included."""
    tasks: tuple[TaskRef, ...] = ()
    """Empty: all tasks."""
    groups: tuple[str, ...] = ()
    """Ids of task groups: all tasks in them, on top of `tasks`."""
    upstream: bool = False
    """Also everything before the tasks."""
    downstream: bool = False
    """Also everything after them."""
    future: bool = False
    """Also in runs with a later logical date than the run's."""
    past: bool = False
    """Also in runs with an earlier one."""
    only_failed: bool = False
    """Of all these only what failed, or could not run because something before it failed."""
    only_running: bool = False
    """Of all these only what runs, is deferred or waits for a person."""
    only_new: bool = False
    """No instance at all: only tasks that the newest version has and the run has not. Needs `newest_version`."""
    newest_version: bool | None = None
    """What is cleared, and the run from now on, follows the newest version of the DAG. None: as the DAG itself says
    (`rerun_with_latest_version`)."""
    reset_runs: bool = True
    """Runs that are over are queued again; otherwise the cleared instances wait for that."""
    prevent_running: bool = False
    """Refuse when something of it runs just now."""
    with_marked: bool = True
    """Also tasks of other DAGs that an `ExternalTaskMarker` among it names, with everything after them."""
    with_setups: bool = True
    """Also the setups and teardowns around them."""
    note: str | None = None
    """Written on every cleared instance."""


class ClearedRun(msgspec.Struct, frozen=True):
    """What of one run is cleared."""

    run: RunRow
    rows: tuple[TaskRow, ...]
    """As they were before."""


class ClearPlan(msgspec.Struct, frozen=True):
    """The exact rows, by run, oldest run first."""

    runs: tuple[ClearedRun, ...]

    @property
    def rows(self) -> list[TaskRow]:
        """All instances."""
        return [row for cleared in self.runs for row in cleared.rows]


def plan_clear(tx: Transaction, documents: Documents, wish: ClearWish) -> ClearPlan:
    """What `clear` would clear now.

    Raises:
        NotFound: DAG, run, task, group or index do not exist.
        BadInput: the wish contradicts itself.
        Conflict: something of it runs and `prevent_running` is set.
    """
    _check(wish)
    dag = require_dag(tx, wish.dag_id)
    newest = documents.get(tx, dag.version_id).document
    wish = _said(wish, newest)
    found: list[ClearedRun] = []
    unknown: set[TaskRef] | None = None
    for run in _runs(tx, wish):
        document = newest if wish.newest_version else documents.get(tx, run.version_id).document
        present = tx.task_list(run.run_key)
        if wish.only_new:
            found.append(ClearedRun(run, ()))
            continue
        rows, missing = _rows(document, present, wish)
        unknown = missing if unknown is None else unknown & missing
        if rows:
            found.append(ClearedRun(run, tuple(rows)))
    _refuse_unknown(wish, unknown or set(), newest)
    plan = ClearPlan(tuple(found))
    if wish.with_marked:
        plan = _with_marked(tx, documents, plan)
    if wish.prevent_running:
        _refuse_running(plan)
    return plan


def clear(tx: Transaction, documents: Documents, now: datetime, wish: ClearWish) -> ClearPlan:
    """Let what is meant run again; runs that are over are queued again. Returns what was cleared, as it was before.

    Tries so far stay as history, retries are counted anew, live attempts are stopped by the owner of their run.
    Raises as `plan_clear`.
    """
    check_note(wish.note)
    plan = plan_clear(tx, documents, wish)
    wish = _said(wish, documents.get(tx, require_dag(tx, wish.dag_id).version_id).document)
    done: list[ClearedRun] = []
    for each in sorted(plan.runs, key=lambda cleared: cleared.run.run_key):
        run = tx.run_get(each.run.run_key, lock=True)
        if run is None:
            continue
        rows = clear_instances(
            tx,
            documents,
            now,
            run,
            each.rows,
            newest_version=bool(wish.newest_version),
            reset_run=wish.reset_runs,
            only_new=wish.only_new,
        )
        if wish.note is not None:
            for row in rows:
                tx.task_set_note(row.ti_id, wish.note)
        done.append(ClearedRun(run, tuple(rows)))
    done.sort(key=lambda cleared: (cleared.run.logical_date or cleared.run.run_after, cleared.run.run_key))
    return ClearPlan(tuple(done))


def clear_run(
    tx: Transaction,
    documents: Documents,
    now: datetime,
    dag_id: str,
    run_id: str,
    *,
    only_failed: bool = False,
    only_new: bool = False,
    newest_version: bool | None = None,
    dry_run: bool = False,
    note: str | None = None,
) -> ClearPlan:
    """Clear a whole run. `note` goes on the run. With `dry_run` nothing is changed. Raises as `plan_clear`."""
    check_note(note)
    wish = ClearWish(
        dag_id=dag_id,
        run_id=run_id,
        only_failed=only_failed,
        only_new=only_new,
        newest_version=True if only_new else newest_version,
    )
    if dry_run:
        return plan_clear(tx, documents, wish)
    plan = clear(tx, documents, now, wish)
    if note is not None:
        tx.run_set_note(require_run(tx, dag_id, run_id).run_key, note)
    return plan


def _with_marked(tx: Transaction, documents: Documents, plan: ClearPlan) -> ClearPlan:
    def choose(run: RunRow, task_id: str) -> list[TaskRow]:
        document = documents.get(tx, run.version_id).document
        wish = ClearWish(dag_id=run.dag_id, run_id=run.run_id, tasks=((task_id, None),), downstream=True)
        return _rows(document, tx.task_list(run.run_key), wish)[0]

    found = follow_markers(tx, documents, ((each.run, each.rows) for each in plan.runs), choose)
    if len(found) == len(plan.runs) and all(len(found[each.run.run_key][1]) == len(each.rows) for each in plan.runs):
        return plan
    every = [ClearedRun(run, tuple(rows.values())) for run, rows in found.values()]
    own = {each.run.run_key for each in plan.runs}
    return ClearPlan(tuple(each for each in every if each.rows or each.run.run_key in own))


def _said(wish: ClearWish, newest: DagDocument) -> ClearWish:
    """The wish with its version decided."""
    if wish.newest_version is not None:
        return wish
    return msgspec.structs.replace(wish, newest_version=bool(newest.rerun_with_latest_version))


def choose_rows(
    document: DagDocument, present: Sequence[TaskRow], wish: ClearWish
) -> tuple[list[TaskRow], set[TaskRef]]:
    """The instances of one run that are meant, without the setups and teardowns around them and before the filters by
    state; and the references that the run does not have.
    """
    if not wish.tasks and not wish.groups:
        return list(present), set()
    wanted = {*wish.tasks, *((task_id, None) for task_id in _tasks_of_groups(document, wish.groups))}
    named = {task_id for task_id, _ in wanted}
    known = named & {task.task_id for task in document.tasks}
    along = related_tasks(document, known, upstream=wish.upstream, downstream=wish.downstream) - named
    rows = [
        row
        for row in present
        if row.task_id in along or (row.task_id, None) in wanted or (row.task_id, row.map_path) in wanted
    ]
    there = {(row.task_id, row.map_path) for row in present} | {(row.task_id, None) for row in present}
    return rows, {each for each in wish.tasks if each not in there}


def _check(wish: ClearWish) -> None:
    if (wish.future or wish.past) and wish.run_id is None:
        raise BadInput("future and past count from a run: name it")
    if wish.run_id is not None and (wish.start is not None or wish.end is not None):
        raise BadInput("give a run or a window of dates, not both")
    if wish.start is not None and wish.end is not None and wish.start > wish.end:
        raise BadInput(f"the window ends ({wish.end.isoformat()}) before it begins ({wish.start.isoformat()})")
    if wish.only_failed and wish.only_running:
        raise BadInput("only what failed and only what runs exclude each other")
    if wish.only_new and (not wish.newest_version or wish.tasks or wish.groups or wish.only_failed):
        raise BadInput("only what is new is asked for whole runs, on the newest version")


def _runs(tx: Transaction, wish: ClearWish) -> list[RunRow]:
    if wish.run_id is None:
        return tx.run_list_window(wish.dag_id, wish.start, wish.end)
    run = require_run(tx, wish.dag_id, wish.run_id)
    at = run.logical_date or run.run_after
    if not wish.future and not wish.past:
        return [run]
    window = tx.run_list_window(wish.dag_id, None if wish.past else at, None if wish.future else at)
    # Others of the very same instant are neither its past nor its future.
    return [each for each in window if each.run_key == run.run_key or (each.logical_date or each.run_after) != at]


def _rows(document: DagDocument, present: Sequence[TaskRow], wish: ClearWish) -> tuple[list[TaskRow], set[TaskRef]]:
    meant, missing = choose_rows(document, present, wish)
    if wish.only_failed:
        meant = [row for row in meant if row.state in FAILED]
    if wish.only_running:
        meant = [row for row in meant if row.state in RUNNING]
    if not wish.with_setups:
        return meant, missing
    chosen = {row.task_id for row in meant}
    known = chosen & {task.task_id for task in document.tasks}
    along = setup_company(document, known) - chosen
    return [*meant, *(row for row in present if row.task_id in along)], missing


def _tasks_of_groups(document: DagDocument, groups: Collection[str]) -> set[str]:
    return {
        task.task_id
        for task in document.tasks
        if task.group_id is not None
        and any(task.group_id == group or task.group_id.startswith(f"{group}.") for group in groups)
    }


def _refuse_unknown(wish: ClearWish, unknown: set[TaskRef], newest: DagDocument) -> None:
    """A task that no run has and the DAG does not know is a slip of the pen."""
    known = {task.task_id for task in newest.tasks}
    for task_id, path in sorted(unknown, key=str):
        if path is not None:
            raise NotFound(f"task {task_id!r} of DAG {wish.dag_id!r} has no index {path} in what was chosen")
        if task_id not in known or wish.run_id is not None:
            there = ", ".join(sorted(known)) or "none"
            raise NotFound(f"DAG {wish.dag_id!r} has no task {task_id!r}; it has {there}")
    groups = {group.group_id for group in newest.groups}
    for group in wish.groups:
        if group not in groups:
            raise NotFound(
                f"DAG {wish.dag_id!r} has no task group {group!r}; it has {', '.join(sorted(groups)) or 'none'}"
            )


def _refuse_running(plan: ClearPlan) -> None:
    live = [row for row in plan.rows if row.state in RUNNING]
    if live:
        names = ", ".join(sorted({repr(row.task_id) for row in live})[:10])
        raise Conflict(f"{names} {'is' if len(live) == 1 else 'are'} running: wait, or clear without prevent_running")
