"""Run-level retry: a run that failed by itself goes on once more, with its failed tasks and what follows them, or with
all of its tasks. In between it stays the owner's, with its run slot; its rows say when it goes on.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tradewind.domain.planner import events
from tradewind.domain.relatives import tasks_to_clear
from tradewind.domain.retry import run_retry_delay_seconds
from tradewind.kernel.log import get_logger
from tradewind.ports.run_retries import RunRetryRow
from tradewind.wire.document import RunRetry, RunRetryScope
from tradewind.wire.states import DagRunState, TaskInstanceState

from .owned import Key, OwnedRun

if TYPE_CHECKING:
    from .step import Step

S = TaskInstanceState
TIMER = "~retry"
"""Stands for a task instance in the timers of the owner."""
_FAILED = (S.FAILED, S.UPSTREAM_FAILED)
log = get_logger("scheduler")


def postpones_end(step: Step, run: OwnedRun, state: DagRunState, reason: str) -> bool:
    """Whether a run that failed by itself goes on, now or later."""
    retry = run.dag.document.retry
    if retry is None or state is not DagRunState.FAILED:
        return False
    row = _row(step, run)
    if row.due_at is None:
        if row.number >= retry.retries:
            return False
        number = row.number + 1
        due = step.now + timedelta(seconds=run_retry_delay_seconds(retry, number))
        row = replace(row, number=number, due_at=due, reason=reason)
        step.tx.run_retry_put(row)
        log.info(
            "run_retried", dag_id=run.row.dag_id, run_id=run.row.run_id, number=number, of=retry.retries, due_at=due
        )
    assert row.due_at is not None
    if row.due_at <= step.now:
        _go_on(step, run, retry, row)
    else:
        heapq.heappush(step.memory.timers, (row.due_at, run.run_key, TIMER))
    return True


def due(step: Step, run: OwnedRun) -> None:
    """The wait is over."""
    retry, row = run.dag.document.retry, _row(step, run)
    if retry is not None and run.plan.finished and row.due_at is not None and row.due_at <= step.now:
        _go_on(step, run, retry, row)


def remember_asked(step: Step, run: OwnedRun) -> None:
    """Somebody stopped the run and its teardowns go on; or it was cleared since."""
    row, asked = _row(step, run), run.plan.asked
    state, reason = asked if asked is not None else (None, None)
    if (row.asked, row.asked_reason) != (state, reason):
        step.tx.run_retry_put(replace(row, asked=state, asked_reason=reason))


def asked_before(step: Step, run_key: str, clear_number: int) -> tuple[DagRunState, str] | None:
    """What a former owner remembered."""
    row = step.tx.run_retry_get(run_key)
    if row is None or row.asked is None or row.clear_number != clear_number:
        return None
    return row.asked, row.asked_reason or ""


def _row(step: Step, run: OwnedRun) -> RunRetryRow:
    found = step.tx.run_retry_get(run.run_key)
    if found is None or found.clear_number != run.row.clear_number:
        return RunRetryRow(run_key=run.run_key, clear_number=run.row.clear_number)
    return found


def _go_on(step: Step, run: OwnedRun, retry: RunRetry, row: RunRetryRow) -> None:
    step.tx.run_retry_put(replace(row, due_at=None))
    keys = _keys(run, retry.scope)
    reason = f"the run is tried again ({row.number} of {retry.retries}): {row.reason}"
    for key in keys:
        instance = run.instances[key]
        task = run.dag.tasks.get(key[0])
        instance.max_tries = instance.try_number + (task.retries if task is not None else 0)
        instance.in_try = instance.is_scheduled = False
        instance.first_started_at = None
        instance.resume = None
        step.writes.take_back(instance.ti_id)  # what this very step decided about it
        step.writes.move("clear", instance.ti_id, reason, {"max_tries": instance.max_tries})
    step._look_back(run, [key for key in keys if step._is_gated(run, key)])
    step._apply(run, events.Cleared(tuple(keys)))


def _keys(run: OwnedRun, scope: RunRetryScope) -> list[Key]:
    """What runs again."""
    states = {key: run.plan.state(key) for key in run.instances}
    begun = [key for key, state in states.items() if state is not None and state is not S.REMOVED]
    if scope is RunRetryScope.ALL:
        return begun
    failed = {key for key in begun if states[key] in _FAILED}
    if run.dag.document.fail_fast:  # what the first failure kept from starting
        failed |= {key for key in begun if states[key] is S.SKIPPED and not run.instances[key].try_number}
    ids = {key[0] for key in failed}
    below = _below(run, ids)
    with_them = tasks_to_clear(run.dag.document, ids | below) - ids
    return [key for key in begun if key in failed or key[0] in with_them or key[0] in below]


def _below(run: OwnedRun, ids: Iterable[str]) -> set[str]:
    """Tasks somewhere after these."""
    after: dict[str, set[str]] = {}
    for task in run.dag.document.tasks:
        for upstream in task.upstream:
            after.setdefault(upstream, set()).add(task.task_id)
    found: set[str] = set()
    waiting = [below for task_id in ids for below in after.get(task_id, ())]
    while waiting:
        task_id = waiting.pop()
        if task_id not in found:
            found.add(task_id)
            waiting.extend(after.get(task_id, ()))
    return found
