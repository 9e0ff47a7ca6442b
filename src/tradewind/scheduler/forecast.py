"""When something will probably begin or end: from how long the same tasks took in the newest runs that succeeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tradewind.ports.rows import TaskRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.states import TERMINAL_STATES, DagRunState, TaskInstanceState

MEASURED_RUNS = 5


def mean_seconds(tx: Transaction, dag_id: str, task_ids: Sequence[str]) -> dict[str, float]:
    """Mean duration of each task, of those that have been seen to succeed."""
    took: dict[str, list[float]] = {}
    for run in tx.list_runs(dag_id=dag_id, states=(DagRunState.SUCCESS,), limit=MEASURED_RUNS):
        for row in tx.task_list(run.run_key, task_ids):
            if row.state is TaskInstanceState.SUCCESS and row.seconds is not None:
                took.setdefault(row.task_id, []).append(row.seconds)
    return {task_id: sum(each) / len(each) for task_id, each in took.items()}


def expected_start(
    document: DagDocument, rows: Sequence[TaskRow], means: Mapping[str, float], task_id: str, now: datetime
) -> datetime | None:
    """When everything before a task will have ended, if nothing fails or waits for slots; None: it cannot be told."""
    tasks = {task.task_id: task for task in document.tasks}
    by_task: dict[str, list[TaskRow]] = {}
    for row in rows:
        by_task.setdefault(row.task_id, []).append(row)
    known: dict[str, datetime | None] = {}

    def end_of(each: str) -> datetime | None:
        if each not in known:
            known[each] = None
            known[each] = _end(each)
        return known[each]

    def _end(each: str) -> datetime | None:
        instances = by_task.get(each, [])
        if instances and all(row.state in TERMINAL_STATES for row in instances):
            return now
        if each not in means:
            return None
        length = timedelta(seconds=means[each])
        running = [row.started_at for row in instances if row.state is TaskInstanceState.RUNNING and row.started_at]
        if running:
            return max(now, max(running) + length)
        begin = start_of(each)
        return None if begin is None else begin + length

    def start_of(each: str) -> datetime | None:
        latest = now
        for upstream in tasks[each].upstream:
            ended = end_of(upstream)
            if ended is None:
                return None
            latest = max(latest, ended)
        return latest

    return start_of(task_id) if task_id in tasks else None


def upstream_of(document: DagDocument, task_id: str) -> list[str]:
    """All tasks before one."""
    before = {task.task_id: task.upstream for task in document.tasks}
    found: set[str] = set()
    waiting = [task_id]
    while waiting:
        for upstream in before.get(waiting.pop(), ()):
            if upstream not in found:
                found.add(upstream)
                waiting.append(upstream)
    return sorted(found)
