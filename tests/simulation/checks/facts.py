"""Naive statements of fact about why something does not run, from rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.engine_books import Books, known_of, slots_of
from tests.simulation.oracle import FAIL, GONE, READY, SKIP, WAIT, Key, Row

from tradewind.ports.rows import RunRow, TaskRow
from tradewind.wire.states import LIVE_RUN_STATES, TERMINAL_STATES, DagRunState, TaskInstanceState

if TYPE_CHECKING:
    from tests.simulation.engine import World
    from tests.simulation.engine_parts import Place

S = TaskInstanceState
_GOOD = (S.SUCCESS, S.SKIPPED, S.REMOVED)
_RESTING = (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE)


def lacking(world: World, run: RunRow, row: TaskRow) -> set[str]:
    """Limits that have no room for this instance now: pool, executor, run, runtask, limit."""
    books = world.books
    pool, document, task = books.pool(row.pool), books.document(run), books.oracle(run).tasks[row.task_id]
    found: set[str] = set()
    if pool is None or (pool.slots >= 0 and books.pool_slots[row.pool] + row.pool_slots > pool.slots):
        found.add("pool")
    if books.run_tasks[run.run_key] >= document.max_active_tasks:
        found.add("run")
    bound = task.max_active_tis_per_dagrun
    if bound is not None and books.run_task_tasks[run.run_key, task.task_id] >= bound:
        found.add("runtask")
    bound = task.max_active_tis_per_dag
    if bound is not None and books.dag_task_tasks[f"{run.dag_id}/{task.task_id}"] >= bound:
        found.add("limit")
    place = owner_of(world, run)
    if place is not None and place.executor.capacity() <= 0:
        found.add("executor")
    return found


def owner_of(world: World, run: RunRow) -> Place | None:
    """Where the owner of the run lives."""
    for place in world.places:
        if place.scheduler is not None and place.scheduler.memory.id == run.owner:
            return place
    return None


def run_before(books: Books, run: RunRow) -> RunRow | None:
    """The run before this one by logical date."""
    if run.logical_date is None:
        return None
    earlier = [
        other
        for other in books.runs()
        if other.dag_id == run.dag_id and other.logical_date is not None and other.logical_date < run.logical_date
    ]
    return max(earlier, key=lambda other: other.logical_date or other.run_after, default=None)


def bad_past(books: Books, run: RunRow, row: TaskRow) -> list[TaskRow | RunRow]:
    """What holds this instance back: instances of the run before this one, or that run itself, which has not begun."""
    task, before = books.oracle(run).tasks[row.task_id], run_before(books, run)
    if before is None or not (task.depends_on_past or task.wait_for_downstream):
        return []
    below = (
        {t.task_id for t in books.document(run).tasks if row.task_id in t.upstream}
        if task.wait_for_downstream
        else set()
    )
    olds = books.tasks(before.run_key)
    _, path = key_of(row)
    own = [
        old
        for old in olds
        if old.task_id == row.task_id and all(a == b for a, b in zip(key_of(old)[1], path, strict=False))
    ]
    if not olds and before.state in LIVE_RUN_STATES:
        return [before]
    return [old for old in (*own, *(old for old in olds if old.task_id in below)) if old.state not in _GOOD]


def verdict(books: Books, run: RunRow, row: TaskRow) -> str:
    """What the naive evaluator says about an instance that has not started, or rests and is due."""
    key, _ = known_of(row)
    oracle_world = books.world(run.run_key, run.run_after)
    oracle_world.rows[key] = Row(row.state if row.state in _RESTING else None)
    return books.oracle(run).verdict(oracle_world, key)


def why_open(world: World, run: RunRow) -> str | None:
    """A true reason why a live run may stay as it is until somebody does something. None: there is none, it must go
    on.
    """
    if run.state is DagRunState.QUEUED:
        return _why_queued(world, run)
    if world.books.news[run.run_key] or owner_of(world, run) is None:
        return None
    roots: set[str] = set()
    for row in world.books.tasks(run.run_key):
        if row.state in TERMINAL_STATES:
            continue
        reason = _why_rests(world, run, row)
        if reason is None:
            return None
        roots.add(reason)
    roots.discard("upstream")
    return ", ".join(sorted(roots)) or None


def _why_queued(world: World, run: RunRow) -> str | None:
    dag = world.books.data.dags.rows[run.dag_id]
    bound = dag.max_active_runs
    if run.backfill_id is not None:
        backfill = world.books.data.backfills.rows[run.backfill_id]
        bound = backfill.max_active_runs
        if backfill.is_paused and backfill.completed_at is None:
            return "paused"
    elif dag.is_paused and run.run_type == "scheduled":
        return "paused"
    others = [r for r in world.books.runs() if slots_of(r) == slots_of(run) and r.state is DagRunState.RUNNING]
    if len(others) >= bound and all(why_open(world, other) for other in others):
        return "run slots"
    return None


def _why_rests(world: World, run: RunRow, row: TaskRow) -> str | None:
    if row.state is S.SCHEDULED:
        return "/".join(sorted(lacking(world, run, row))) or None
    if row.state in _RESTING and (row.due_at is None or row.due_at > world.clock.now()):
        return None
    if row.state is not None and row.state not in _RESTING:
        return None
    thought = verdict(world.books, run, row)
    if thought == WAIT:
        return "upstream"
    if thought in (READY, SKIP, FAIL, GONE) and bad_past(world.books, run, row):
        return "past"
    return None


def unfinished(books: Books, run: RunRow, task_id: str) -> bool:
    """Whether some instance of the task has not come to its end."""
    return any(row.task_id == task_id and row.state not in TERMINAL_STATES for row in books.tasks(run.run_key))


def key_of(row: TaskRow) -> Key:
    return known_of(row)[0]
