"""Gates of the past: `depends_on_past` and `wait_for_downstream` ask the run before this one."""

from __future__ import annotations

from tradewind.domain.planner.events import PastGate
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import TaskDocument
from tradewind.wire.ids import MapPath, path_of
from tradewind.wire.states import LIVE_RUN_STATES, TaskInstanceState

from .owned import Key, OwnedRun

_GOOD = (TaskInstanceState.SUCCESS, TaskInstanceState.SKIPPED, TaskInstanceState.REMOVED)
"""What was removed does not exist any more: nobody can make it succeed."""


def is_gated(task: TaskDocument) -> bool:
    """Whether instances of this task begin behind a gate."""
    return task.depends_on_past or task.wait_for_downstream


def gated_tasks(run: OwnedRun) -> list[str]:
    return [task.task_id for task in run.dag.document.tasks if is_gated(task)]


def look_back(tx: Transaction, run: OwnedRun, keys: list[Key]) -> list[PastGate]:
    """What the past says to these gated instances. Runs without logical date have no past."""
    if not keys:
        return []
    if run.row.logical_date is None:
        return [PastGate(key, True, "the run has no logical date, so no past") for key in keys]
    before = tx.run_previous(run.row.dag_id, run.row.logical_date)
    if before is None:
        return [PastGate(key, True, "there is no earlier run") for key in keys]
    below = _direct_downstream(run)
    wanted = {task_id for task_id, _ in keys}
    wanted |= {
        down for task_id in wanted if run.dag.tasks[task_id].wait_for_downstream for down in below.get(task_id, ())
    }
    rows = tx.task_list(before.run_key, wanted)
    by_task: dict[str, list[TaskRow]] = {}
    for row in rows:
        by_task.setdefault(row.task_id, []).append(row)
    if not rows and before.state in LIVE_RUN_STATES and not tx.task_list(before.run_key):
        return [PastGate(key, False, f"depends on its past: run {before.run_id!r} has not begun") for key in keys]
    return [_gate(key, run.dag.tasks[key[0]], before.run_id, by_task, below.get(key[0], ())) for key in keys]


def _gate(
    key: Key, task: TaskDocument, run_id: str, rows: dict[str, list[TaskRow]], below: tuple[str, ...]
) -> PastGate:
    own = [row for row in rows.get(key[0], ()) if _is_same_place(path_of(row.map_path), key[1])]
    for row in own:
        if row.state not in _GOOD:
            return PastGate(
                key, False, f"depends on its past: {key[0]!r} in run {run_id!r} is {row.state or 'without status'}"
            )
    if not own and not task.ignore_first_depends_on_past:
        reason = f"depends on its past: run {run_id!r} has no {key[0]!r}, and ignore_first_depends_on_past is False"
        return PastGate(key, False, reason)
    if task.wait_for_downstream:
        for task_id in below:
            for row in rows.get(task_id, ()):
                if row.state not in _GOOD:
                    return PastGate(
                        key,
                        False,
                        f"waits for the downstream of its past: {task_id!r} in run {run_id!r} is "
                        f"{row.state or 'without status'}",
                    )
    return PastGate(key, True, f"run {run_id!r} lets it pass")


def _is_same_place(before: MapPath, now: MapPath) -> bool:
    """The same indexes, as far as both have them: what has not expanded stands for all its indexes."""
    shared = min(len(before), len(now))
    return before[:shared] == now[:shared]


def _direct_downstream(run: OwnedRun) -> dict[str, tuple[str, ...]]:
    below: dict[str, list[str]] = {}
    for task in run.dag.document.tasks:
        for upstream in task.upstream:
            below.setdefault(upstream, []).append(task.task_id)
    return {task_id: tuple(ids) for task_id, ids in below.items()}
