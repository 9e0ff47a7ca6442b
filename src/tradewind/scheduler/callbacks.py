"""What is called when a run ends, as lines of the outbox: written in the transaction that ends it, delivered later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from tradewind.ports.outbox_rows import OutboxKind, OutboxRow
from tradewind.wire.ids import path_text
from tradewind.wire.states import DagRunState, TaskInstanceState

from .owned import Key, OwnedRun

_FAILED = frozenset({TaskInstanceState.FAILED, TaskInstanceState.UPSTREAM_FAILED})


def of_run(run: OwnedRun, state: DagRunState, reason: str, now: datetime, new_id: Callable[[], str]) -> list[OutboxRow]:
    """A line for each callback that the DAG has for this end. Another end, after a clear, has lines of its own."""
    document = run.dag.document
    succeeded = state is DagRunState.SUCCESS
    name = "on_success_callback" if succeeded else "on_failure_callback"
    count = document.on_success_callback_count if succeeded else document.on_failure_callback_count
    if not count:
        return []
    payload = {
        "callback": name,
        "bundle": run.dag.bundle,
        "bundle_version": run.row.bundle_version or run.dag.bundle_version,
        "file": run.dag.file,
        "context": {
            "run": msgspec.to_builtins(run.facts),
            "run_state": state.value,
            "reason": reason_word(state, reason),
            "reason_text": reason,
            **_witness(run),
        },
    }
    cause = f"{run.run_key}/{run.row.clear_number}/{run.row.epoch}/{name}"
    return [
        OutboxRow(
            id=new_id(),
            delivery_key=f"{cause}/{number}",
            kind=OutboxKind.DAG_CALLBACK,
            payload={**payload, "number": number},
            dag_id=run.row.dag_id,
            run_id=run.row.run_id,
            due_at=now,
            created_at=now,
        )
        for number in range(count)
    ]


def reason_word(state: DagRunState, reason: str) -> str:
    """The word that callbacks of Airflow get for the reason of an end."""
    if state is DagRunState.SUCCESS:
        return "success"
    if "(dagrun_timeout)" in reason:
        return "timed_out"
    return "all_tasks_deadlocked" if reason.startswith("deadlocked") else "task_failure"


def _witness(run: OwnedRun) -> dict[str, object]:
    """The instance the callback sees as `ti`: the first that failed, else the last one."""
    keys: list[Key] = list(run.instances)
    if not keys:
        return {}
    failed = [key for key in keys if run.plan.state(key) in _FAILED]
    key = failed[0] if failed else keys[-1]
    instance = run.instances[key]
    state = run.plan.state(key)
    return {
        "ti": {
            "ti_id": instance.ti_id,
            "task_id": key[0],
            "map_path": path_text(key[1]),
            "try_number": instance.try_number,
            "max_tries": instance.max_tries,
            "state": None if state is None else state.value,
        }
    }
