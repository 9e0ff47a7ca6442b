"""Which limits an instance draws on, and how much room they have.

Keys: `pool:NAME` and `limit:DAG/TASK` are counters in the database, shared by all schedulers; `run:KEY` and
`runtask:KEY/TASK` are counted by the run's only owner in memory; `executor:NAME` is the capacity of this scheduler's
executor, and `backfill:NAME` the share of it that runs of backfills may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tradewind.domain.admission import UNLIMITED, Draw
from tradewind.ports.executor import Executor
from tradewind.ports.rows import PoolRow
from tradewind.wire.document import TaskDocument

from .owned import OwnedRun

SHARED = ("pool:", "limit:")
BACKFILL_SHARE = 0.75
"""Of the slots of an executor, how much all backfills together may hold: the rest is free for what is due now."""


def draws_of(run: OwnedRun, task: TaskDocument, executor: str) -> tuple[Draw, ...]:
    """All limits of one instance with their costs, in a fixed order (equal tuples share one queue)."""
    draws: list[Draw] = [(f"executor:{executor}", 1), (f"run:{run.run_key}", 1)]
    if run.row.backfill_id is not None:
        draws.append((f"backfill:{executor}", 1))
    if task.max_active_tis_per_dagrun is not None:
        draws.append((f"runtask:{run.run_key}/{task.task_id}", 1))
    if task.max_active_tis_per_dag is not None:
        draws.append((f"limit:{run.row.dag_id}/{task.task_id}", 1))
    draws.append((f"pool:{task.pool}", task.pool_slots))
    return tuple(draws)


def limit_bounds(run: OwnedRun) -> dict[str, int]:
    """Bounds of the cross-run counters that tasks of this run draw on."""
    return {
        f"limit:{run.row.dag_id}/{task.task_id}": task.max_active_tis_per_dag
        for task in run.dag.document.tasks
        if task.max_active_tis_per_dag is not None
    }


def shared_deltas(draws: Iterable[Draw], sign: int, into: dict[str, int]) -> None:
    """Add the costs of shared limits to `into`."""
    for key, cost in draws:
        if key.startswith(SHARED):
            into[key] = into.get(key, 0) + sign * cost


def local_room(key: str, runs: Mapping[str, OwnedRun], executors: Mapping[str, Executor]) -> int:
    """Room of a limit that this scheduler knows alone."""
    kind, _, name = key.partition(":")
    if kind == "executor":
        executor = executors.get(name)
        return executor.capacity() if executor is not None else 0
    if kind == "backfill":
        executor = executors.get(name)
        return _backfill_room(executor.capacity(), runs.values()) if executor is not None else 0
    if kind == "run":
        run = runs.get(name)
        return run.dag.document.max_active_tasks - run.active if run is not None else 0
    run_key, _, task_id = name.partition("/")
    run = runs.get(run_key)
    if run is None:
        return 0
    bound = run.dag.tasks[task_id].max_active_tis_per_dagrun
    return UNLIMITED if bound is None else bound - run.task_active.get(task_id, 0)


def _backfill_room(free: int, runs: Iterable[OwnedRun]) -> int:
    """What backfills may take beyond what they hold; at least one slot in all, or they would never end."""
    held = filling = 0
    for run in runs:
        held += run.active
        if run.row.backfill_id is not None:
            filling += run.active
    return max(1, int((free + held) * BACKFILL_SHARE)) - filling


def pool_room(pool: PoolRow | None) -> int:
    """Free slots of a pool; one that does not exist has none."""
    if pool is None:
        return 0
    return UNLIMITED if pool.slots < 0 else pool.slots - pool.used


def pool_is_sound(pool: PoolRow | None) -> bool:
    """It is known, and was not made smaller than what is used of it."""
    return pool is not None and (pool.slots < 0 or pool.used <= pool.slots)


def describe_pool(name: str, pool: PoolRow | None, cost: int) -> str:
    """Why what needs `cost` slots of this pool does not get them."""
    if pool is None:
        return f"pool {name!r} does not exist: create it with `tradewind pools set {name} SLOTS`"
    needs = f", it needs {cost}" if cost > 1 else ""
    said = f"pool {name!r} is full ({pool.used} of {pool.slots} slots used{needs})"
    if cost > pool.slots:
        remedy = f"`tradewind pools set {name} SLOTS` with {cost} or more"
        return f"{said}; it has too few in all: {remedy}" + (", or a lower pool_slots" if cost > 1 else "")
    return said


def describe_limit(key: str, run: OwnedRun, task: TaskDocument, pools: Mapping[str, PoolRow]) -> str:
    """Why an instance of `task` waits, for people. `pools` are as they are now, with what this step gave and took."""
    kind, _, name = key.partition(":")
    match kind:
        case "pool":
            return describe_pool(name, pools.get(name), task.pool_slots)
        case "executor":
            return f"executor {name!r} has no free slot (core.parallelism)"
        case "backfill":
            return f"backfills hold their share of executor {name!r} ({BACKFILL_SHARE:.0%} of its slots)"
        case "run":
            return f"the run has max_active_tasks={run.dag.document.max_active_tasks} tasks active"
        case "runtask":
            task = run.dag.tasks[name.partition("/")[2]]
            bound = task.max_active_tis_per_dagrun
            return f"max_active_tis_per_dagrun={bound} instances of {task.task_id!r} are active in this run"
        case _:
            task = run.dag.tasks[name.partition("/")[2]]
            bound = task.max_active_tis_per_dag
            return f"max_active_tis_per_dag={bound} instances of {task.task_id!r} are active over all runs"
