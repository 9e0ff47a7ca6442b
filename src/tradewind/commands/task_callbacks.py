"""Callbacks of tasks whose own process could not make them: its machine was lost, it was killed, it never began."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from tradewind.ports.outbox_rows import OutboxKind, OutboxRow
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.wire.execution import Outcome
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import RunFacts

from .documents import VersionedDag


def made_no_calls(outcome: Outcome) -> bool:
    """Whether the attempt ended without its process having said how: then nobody has called back yet. A process that
    did say so measured itself."""
    return outcome.duration_seconds is None and outcome.cause is not CauseOfDeath.USER


def facts_of(run: RunRow) -> RunFacts:
    """What tasks and callbacks may know of a run."""
    return RunFacts(
        run_key=run.run_key,
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_type=run.run_type,
        run_after=run.run_after,
        logical_date=run.logical_date,
        data_interval_start=run.data_interval_start,
        data_interval_end=run.data_interval_end,
        start_date=run.started_at,
        conf=run.conf,
        clear_number=run.clear_number,
        triggering_user_name=run.triggering_user_name,
        partition_key=run.partition_key,
        partition_date=run.partition_date,
    )


def of_lost_attempt(
    row: TaskRow,
    run: RunRow,
    dag: VersionedDag,
    reason: str,
    now: datetime,
    new_id: Callable[[], str],
    *,
    retried: bool,
) -> OutboxRow:
    """The line of the outbox for the callbacks of an attempt that ended so.

    Parameters:
        retried: the task is tried again (on_retry_callback), or not (on_failure_callback).
    """
    state = TaskInstanceState.UP_FOR_RETRY if retried else TaskInstanceState.FAILED
    return of_ended_attempt(row, run, dag, state, reason, now, new_id)


_CALLBACKS = {
    TaskInstanceState.UP_FOR_RETRY: "on_retry_callback",
    TaskInstanceState.FAILED: "on_failure_callback",
    TaskInstanceState.SUCCESS: "on_success_callback",
    TaskInstanceState.SKIPPED: "on_skipped_callback",
}


def of_ended_attempt(
    row: TaskRow,
    run: RunRow,
    dag: VersionedDag,
    state: TaskInstanceState,
    reason: str,
    now: datetime,
    new_id: Callable[[], str],
) -> OutboxRow:
    """The line of the outbox for the callbacks of an attempt that ended in this state without a process."""
    name = _CALLBACKS[state]
    payload: dict[str, Any] = {
        "callback": name,
        "bundle": dag.bundle,
        "bundle_version": run.bundle_version or dag.bundle_version,
        "file": dag.file,
        "context": {
            "run": msgspec.to_builtins(facts_of(run)),
            "reason": reason,
            "ti": {
                "ti_id": row.ti_id,
                "task_id": row.task_id,
                "map_path": row.map_path,
                "try_number": row.try_number,
                "max_tries": row.max_tries,
                "state": str(state),
            },
        },
    }
    if state in (TaskInstanceState.UP_FOR_RETRY, TaskInstanceState.FAILED):
        payload["context"]["exception"] = reason
    return OutboxRow(
        id=new_id(),
        delivery_key=f"{row.ti_id}/{row.attempt_token}/{name}",
        kind=OutboxKind.TASK_CALLBACK,
        payload=payload,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        due_at=now,
        created_at=now,
    )
