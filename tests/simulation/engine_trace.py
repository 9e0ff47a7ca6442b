"""A seed for people to read: what was drawn, then every commit, and what is wrong where it was found."""

from __future__ import annotations

from tests.simulation.engine import World
from tests.simulation.engine_books import Commit, named

from tradewind.ports.rows import PoolRow, RunRow, TaskRow
from tradewind.wire.document import DagDocument

_GONE = PoolRow(name="?", slots=0)
_OPTIONS = ("depends_on_past", "wait_for_downstream", "is_empty", "max_active_tis_per_dag", "max_active_tis_per_dagrun")


def follow(seed: int) -> int:
    """Live through a seed and print it; 1 when something is wrong."""
    world = World(seed)
    print(world.story)
    for dag in world.dags:
        _print_dag(dag.document)
    enter = world.books.enter

    def told(commit: Commit) -> None:
        enter(commit)
        for line in _lines(commit):
            print(f"{commit.at:%H:%M:%S.%f} act {world.acts} {commit.who[-4:]:>6}  {line}")

    world.books.enter = told  # type: ignore[method-assign]
    world.on_wrong = lambda sentence: print(f"  !!!! {sentence}")
    return 1 if world.run() else 0


def _print_dag(document: DagDocument) -> None:
    print(
        f"{document.dag_id}: {document.schedule}, catchup={document.catchup},"
        f" max_active_runs={document.max_active_runs}, max_active_tasks={document.max_active_tasks},"
        f" fail_fast={document.fail_fast}, time-out={document.dagrun_timeout_seconds}"
    )
    for task in document.tasks:
        notes = [f"{name}={value}" for name in _OPTIONS if (value := getattr(task, name))]
        print(
            f"    {task.task_id} after {', '.join(task.upstream) or 'nothing'} ({task.trigger_rule}),"
            f" retries={task.retries}, {task.pool_slots} of {task.pool},"
            f" {task.mapping or ''} {task.group_id or ''} {' '.join(notes)}"
        )


def _lines(commit: Commit) -> list[str]:
    lines = [f"run  {row.dag_id} {row.run_id}: {_run(old)} -> {_run(row)}" for old, row in commit.runs if row]
    lines += [f"line {line.raw.decode()} taken" for line in commit.taken]
    lines += [f"task {named(row)} {row.ti_id[-4:]}: {_task(old)} -> {_task(row)}" for old, row in commit.tasks if row]
    lines += [f"pool {(new or old or _GONE).name}: {_pool(old)} -> {_pool(new)}" for old, new in commit.pools]
    return lines + [f"line {line.raw.decode()} put" for line in commit.put]


def _run(row: RunRow | None) -> str:
    return (
        "nothing" if row is None else f"{row.state} of {(row.owner or 'nobody')[-4:]} epoch {row.epoch} ({row.reason})"
    )


def _task(row: TaskRow | None) -> str:
    if row is None:
        return "nothing"
    slot = f" holds {row.pool_slots} of {row.pool}" if row.holds_slot else ""
    return f"{row.state} try {row.try_number} token {(row.attempt_token or '-')[-4:]}{slot} ({row.reason})"


def _pool(row: PoolRow | None) -> str:
    return "nothing" if row is None else f"{row.used} of {row.slots}"
