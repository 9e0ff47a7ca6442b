"""Why is it (not) running? One true sentence, from the rows and the planner that decides over them."""

from __future__ import annotations

from datetime import timedelta

from tradewind.commands.documents import Documents
from tradewind.domain.planner import Graph, InstanceSnapshot, RunPlan
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import Transaction
from tradewind.scheduler.gates import gated_tasks, look_back
from tradewind.scheduler.limits import describe_pool, pool_room
from tradewind.scheduler.owned import OwnedRun
from tradewind.wire.ids import path_of
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState

S = TaskInstanceState
ALIVE_SECONDS = 10.0
"""A heartbeat older than that is none; the default of scheduler.lease_seconds and agent.lost_seconds."""
_NOT_STARTED = frozenset({None, S.SCHEDULED, S.QUEUED, S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE})


def why_task(tx: Transaction, run: RunRow, row: TaskRow) -> str:
    """The sentence about one task instance."""
    if run.state is DagRunState.QUEUED:
        return why_run_waits(tx, run)
    sentence = _own_reason(tx, run, row)
    if run.state is DagRunState.RUNNING and row.state in _NOT_STARTED:
        sentence += _nobody_works(tx, row)
    return sentence


def why_run_waits(tx: Transaction, run: RunRow) -> str:
    """The sentence about a run that has not started."""
    now = tx.now()
    dag = tx.dag_get(run.dag_id)
    if run.state is not DagRunState.QUEUED:
        return f"run {run.run_id!r} is {run.state}"
    head = f"run {run.run_id!r} is queued"
    if run.run_after > now:
        return f"{head}: it is due at {run.run_after.isoformat()}"
    if dag is not None and dag.is_paused and run.run_type is not DagRunType.MANUAL:
        return f"{head}: DAG {run.dag_id!r} is paused; `tradewind dags unpause {run.dag_id}` lets it start"
    if dag is not None and dag.runs_active >= dag.max_active_runs:
        return f"{head}: {dag.runs_active} runs of DAG {run.dag_id!r} are active, max_active_runs={dag.max_active_runs}"
    if not _alive(tx, "scheduler"):
        return f"{head}: no scheduler is running; start one with `tradewind standalone` or `tradewind scheduler`"
    return f"{head}: a scheduler will start it in a moment"


def _own_reason(tx: Transaction, run: RunRow, row: TaskRow) -> str:
    who = f"{row.task_id!r} [{row.map_path}]" if row.map_path else repr(row.task_id)
    if row.state in (S.SUCCESS, S.FAILED, S.SKIPPED, S.UPSTREAM_FAILED, S.REMOVED):
        return f"{who} is over: {row.state}" + (f", {row.reason}" if row.reason else "")
    if row.state is S.RUNNING:
        since = f" since {row.started_at.isoformat(timespec='seconds')}" if row.started_at else ""
        pid = f"pid {row.pid}, " if row.pid else ""
        return f"{who} is running{since} on {row.hostname or 'an agent'} ({pid}try {row.try_number})"
    if row.state is S.QUEUED:
        return f"{who} has its slots and is on its way to an agent (executor {row.executor!r})"
    if row.state is S.SCHEDULED and row.reason:
        return f"{who} is ready, but {_lacking(tx, row)}"
    said = str(_plan(tx, run).why((row.task_id, path_of(row.map_path))))
    if row.state in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE) and row.reason:
        return f"{said} ({row.reason})"
    return said


def _lacking(tx: Transaction, row: TaskRow) -> str:
    """The limit that holds it. What the row says was true when it was written; a pool may have changed since."""
    assert row.reason is not None
    pool = tx.pool_get(row.pool)
    if pool_room(pool) < row.pool_slots:
        return describe_pool(row.pool, pool, row.pool_slots)
    return "waits for its turn" if row.reason.startswith((f"pool {row.pool!r} ", "ready, ")) else row.reason


def _plan(tx: Transaction, run: RunRow) -> RunPlan:
    """The run as its owner sees it; what the plan would change is not carried out here."""
    versioned = Documents().get(tx, run.version_id)
    snapshots = [
        InstanceSnapshot(
            task_id=row.task_id,
            path=path_of(row.map_path),
            state=row.state,
            try_number=row.try_number,
            due_at=row.due_at,
            length=row.xcom_length,
            skips=row.skips,
        )
        for row in tx.task_list(run.run_key)
    ]
    plan, _ = RunPlan.load(Graph.of(versioned.document), snapshots)
    owned = OwnedRun(run, versioned, plan)
    gated = set(gated_tasks(owned))
    for gate in look_back(tx, owned, [key for key in list(plan.keys()) if key[0] in gated]):
        plan.apply(gate)
    return plan


def _nobody_works(tx: Transaction, row: TaskRow) -> str:
    if not _alive(tx, "scheduler"):
        return "; no scheduler is running"
    if row.state in (S.SCHEDULED, S.QUEUED) and not _alive(tx, "agent"):
        return "; no agent is running"
    return ""


def _alive(tx: Transaction, kind: str) -> bool:
    oldest = tx.now() - timedelta(seconds=ALIVE_SECONDS)
    return any(row.heartbeat_at >= oldest for row in tx.component_list(kind))
