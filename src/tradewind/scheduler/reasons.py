"""Why is it (not) running? One true sentence with the thing that holds it and, where it can be told, until when; from
the rows and the planner that decides over them.

`explain_task`, `explain_run` and `explain_dag` answer people on the command line, over the API and on the screens.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from tradewind.commands.assets import pending_partitions
from tradewind.commands.documents import Documents, VersionedDag
from tradewind.domain.assets import decide
from tradewind.domain.bounds import absent_tasks, without
from tradewind.domain.planner import Graph, InstanceSnapshot, ReasonKind, RunPlan
from tradewind.domain.timetables import timetable_for
from tradewind.ports.rows import DagRow, RunRow, TaskRow
from tradewind.ports.store import Transaction
from tradewind.scheduler.forecast import expected_start, mean_seconds, upstream_of
from tradewind.scheduler.gates import gated_tasks, look_back
from tradewind.scheduler.limits import describe_pool, pool_room
from tradewind.scheduler.owned import OwnedRun
from tradewind.wire.errors import NotFound
from tradewind.wire.ids import path_of
from tradewind.wire.schedule import AssetSchedule, PartitionedAssetSchedule
from tradewind.wire.states import LIVE_RUN_STATES, TERMINAL_STATES, DagRunState, DagRunType, TaskInstanceState

S = TaskInstanceState
ALIVE_SECONDS = 10.0
"""A heartbeat older than that is none; the default of scheduler.lease_seconds and agent.lost_seconds."""
_NOT_STARTED = frozenset({None, S.SCHEDULED, S.QUEUED, S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE})
_NAMED_MAX = 3


class WhyKind(StrEnum):
    """What holds it."""

    OVER = "over"
    RUNNING = "running"
    QUEUED = "queued"
    """It has its slots and is on its way."""
    POOL = "pool"
    LIMIT = "limit"
    """max_active_tasks, max_active_tis_per_dag and the like, the executor's slots, the share of backfills."""
    UPSTREAM = "upstream"
    EXPANSION = "expansion"
    PAST = "past"
    """The run before this one."""
    RETRY = "retry"
    RESCHEDULE = "reschedule"
    TRIGGER = "trigger"
    PERSON = "person"
    RUN = "run"
    """Its run has not begun, or is over."""
    DUE = "due"
    """A time that is still to come."""
    MAX_ACTIVE_RUNS = "max_active_runs"
    PAUSED = "paused"
    BACKFILL = "backfill"
    NO_SCHEDULER = "no_scheduler"
    NO_AGENT = "no_agent"
    NO_TRIGGERER = "no_triggerer"
    SCHEDULE = "schedule"
    ASSETS = "assets"
    NO_SCHEDULE = "no_schedule"
    STALE = "stale"
    SOON = "soon"
    """Nothing holds it."""


class Why(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer."""

    kind: WhyKind
    sentence: str
    blocking: tuple[str, ...] = ()
    """Names of what holds it: tasks, the pool, the run, assets, the executor."""
    expected_at: datetime | None = None
    """When it will probably go on."""


def why_task(tx: Transaction, run: RunRow, row: TaskRow) -> str:
    """The sentence about one task instance."""
    return explain_task(tx, run, row).sentence


def why_run_waits(tx: Transaction, run: RunRow) -> str:
    """The sentence about a run."""
    return explain_run(tx, run).sentence


def explain_task(tx: Transaction, run: RunRow, row: TaskRow) -> Why:
    """Why an instance is (not) running."""
    if run.state is DagRunState.QUEUED and row.state not in TERMINAL_STATES:
        return explain_run(tx, run)
    why = _own_reason(tx, run, row)
    if run.state is DagRunState.RUNNING and row.state in _NOT_STARTED:
        return _with_workers(tx, row, why)
    return why


# --- runs -----------------------------------------------------------------------------------------------------------


def explain_run(tx: Transaction, run: RunRow) -> Why:
    """Why a run is (not) running."""
    if run.state is not DagRunState.QUEUED:
        kind = WhyKind.RUNNING if run.state is DagRunState.RUNNING else WhyKind.OVER
        because = f": {run.reason}" if run.reason and kind is WhyKind.OVER else ""
        return Why(kind, f"run {run.run_id!r} is {run.state}{because}")
    now = tx.now()
    head = f"run {run.run_id!r} is queued"
    if run.run_after > now:
        return Why(WhyKind.DUE, f"{head}: it is due at {run.run_after.isoformat()}", (), run.run_after)
    held = _held_by_backfill(tx, run, head) if run.backfill_id is not None else _held_by_dag(tx, run, head)
    if held is not None:
        return held
    if not _alive(tx, "scheduler"):
        said = f"{head}: no scheduler is running; start one with `tradewind standalone` or `tradewind scheduler`"
        return Why(WhyKind.NO_SCHEDULER, said)
    return Why(WhyKind.SOON, f"{head}: a scheduler will start it in a moment", (), now)


def _held_by_dag(tx: Transaction, run: RunRow, head: str) -> Why | None:
    dag = tx.dag_get(run.dag_id)
    if dag is None:
        return None
    if dag.is_paused and run.run_type is DagRunType.SCHEDULED:
        said = f"{head}: DAG {run.dag_id!r} is paused; `tradewind dags unpause {run.dag_id}` lets it start"
        return Why(WhyKind.PAUSED, said, (run.dag_id,))
    if dag.runs_active < dag.max_active_runs:
        return None
    active, expected = _active_runs(tx, dag)
    said = f"{head}: {dag.runs_active} runs of DAG {run.dag_id!r} are active, max_active_runs={dag.max_active_runs}"
    return Why(WhyKind.MAX_ACTIVE_RUNS, said + _about(expected, "one of them should end"), active, expected)


def _held_by_backfill(tx: Transaction, run: RunRow, head: str) -> Why | None:
    backfill = tx.backfill_get(run.backfill_id) if run.backfill_id is not None else None
    if backfill is None:
        return None
    name = f"backfill {backfill.backfill_id}"
    if backfill.is_paused and backfill.completed_at is None:
        resume = f"`tradewind backfill unpause {backfill.backfill_id}` lets it go on"
        return Why(WhyKind.BACKFILL, f"{head}: {name} is paused; {resume}", (name,))
    if backfill.runs_active >= backfill.max_active_runs:
        said = f"{head}: {backfill.runs_active} runs of {name} are active, max_active_runs={backfill.max_active_runs}"
        return Why(WhyKind.BACKFILL, said, (name,))
    return None


def _active_runs(tx: Transaction, dag: DagRow) -> tuple[tuple[str, ...], datetime | None]:
    """Runs that hold the slots, and when the first should end by the length of earlier ones."""
    running = tx.list_runs(dag_id=dag.dag_id, states=(DagRunState.RUNNING,), limit=dag.max_active_runs)
    seconds, count = tx.run_average_seconds(dag.dag_id, 10)
    ends = [run.started_at + timedelta(seconds=seconds) for run in running if run.started_at and count]
    return tuple(run.run_id for run in running[:_NAMED_MAX]), min(ends, default=None)


# --- task instances -------------------------------------------------------------------------------------------------


def _own_reason(tx: Transaction, run: RunRow, row: TaskRow) -> Why:
    who = f"{row.task_id!r} [{row.map_path}]" if row.map_path else repr(row.task_id)
    if row.state in TERMINAL_STATES:
        return Why(WhyKind.OVER, f"{who} is over: {row.state}" + (f", {row.reason}" if row.reason else ""))
    if row.state is S.RUNNING:
        return _running(tx, row, who)
    if row.state is S.QUEUED:
        said = f"{who} has its slots and is on its way to an agent (executor {row.executor!r})"
        return Why(WhyKind.QUEUED, said, (row.executor,) if row.executor else ())
    if row.state is S.SCHEDULED and row.reason:
        return _lacking(tx, row, who)
    if row.state is S.DEFERRED:
        return _deferred(tx, row, who)
    if row.state is S.AWAITING_INPUT:
        return _asked(tx, row, who)
    return _planned(tx, run, row)


def _running(tx: Transaction, row: TaskRow, who: str) -> Why:
    since = f" since {row.started_at.isoformat(timespec='seconds')}" if row.started_at else ""
    pid = f"pid {row.pid}, " if row.pid else ""
    said = f"{who} is running{since} on {row.hostname or 'an agent'} ({pid}try {row.try_number})"
    mean = mean_seconds(tx, row.dag_id, [row.task_id]).get(row.task_id)
    expected = row.started_at + timedelta(seconds=mean) if row.started_at and mean is not None else None
    return Why(WhyKind.RUNNING, said, (), expected)


def _lacking(tx: Transaction, row: TaskRow, who: str) -> Why:
    """The limit that holds it. What the row says was true when it was written; a pool may have changed since."""
    assert row.reason is not None
    pool = tx.pool_get(row.pool)
    if pool_room(pool) < row.pool_slots:
        holders = [each for each in tx.list_running_tasks() if each.pool == row.pool]
        held = f", by {_names([each.task_id for each in holders])}" if holders and pool is not None else ""
        said = f"{who} is ready, but {describe_pool(row.pool, pool, row.pool_slots)}{held}"
        return Why(WhyKind.POOL, said, (row.pool,))
    if row.reason.startswith((f"pool {row.pool!r} ", "ready, ")):
        return Why(WhyKind.SOON, f"{who} is ready, but waits for its turn")
    return Why(WhyKind.LIMIT, f"{who} is ready, but {row.reason}")


def _deferred(tx: Transaction, row: TaskRow, who: str) -> Why:
    waiting = tx.trigger_list_waiting([row.ti_id]).get(row.ti_id)
    until = f" until {row.due_at.isoformat()} at most" if row.due_at else ""
    if waiting is None:
        return Why(WhyKind.TRIGGER, f"{who} waits for a trigger{until}", (), row.due_at)
    name = waiting.classpath.rpartition(".")[2]
    since = f" since {waiting.created_at.isoformat(timespec='seconds')}"
    said = f"{who} waits for trigger {name}{since}{until}"
    if waiting.triggerer is None and not _alive(tx, "triggerer"):
        return Why(WhyKind.NO_TRIGGERER, f"{said}, but no triggerer is running", (waiting.classpath,), row.due_at)
    return Why(WhyKind.TRIGGER, said, (waiting.classpath,), row.due_at)


def _asked(tx: Transaction, row: TaskRow, who: str) -> Why:
    asked = tx.hitl_get(row.ti_id)
    until = f" until {row.due_at.isoformat()}" if row.due_at else ""
    if asked is None:
        return Why(WhyKind.PERSON, f"{who} waits for a person's answer{until}", (), row.due_at)
    named = tuple(str(name) for name in asked.assigned_users.values())
    of = f" of {_names(named)}" if named else " of a person"
    return Why(WhyKind.PERSON, f"{who} waits for the answer{of} to {asked.subject!r}{until}", named, row.due_at)


_KINDS = {
    ReasonKind.DONE: WhyKind.OVER,
    ReasonKind.LIVE: WhyKind.RUNNING,
    ReasonKind.READY: WhyKind.SOON,
    ReasonKind.UPSTREAM: WhyKind.UPSTREAM,
    ReasonKind.EXPANSION: WhyKind.EXPANSION,
    ReasonKind.PAST: WhyKind.PAST,
    ReasonKind.RUN_OVER: WhyKind.RUN,
}


def _planned(tx: Transaction, run: RunRow, row: TaskRow) -> Why:
    """What the plan of the run says."""
    versioned = Documents().get(tx, run.version_id)
    rows = tx.task_list(run.run_key)
    try:
        reason = _plan(tx, run, versioned, rows).why((row.task_id, path_of(row.map_path)))
    except NotFound as error:  # a row of an older version
        return Why(WhyKind.OVER, str(error))
    said = str(reason)
    if row.state in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE):
        kind = WhyKind.RETRY if row.state is S.UP_FOR_RETRY else WhyKind.RESCHEDULE
        return Why(kind, f"{said} ({row.reason})" if row.reason else said, (), row.due_at)
    kind = _KINDS.get(reason.kind, WhyKind.SOON)
    if run.state is not DagRunState.RUNNING:
        return Why(WhyKind.RUN, said, (run.run_id,))
    expected = None
    if kind is WhyKind.UPSTREAM:
        means = mean_seconds(tx, run.dag_id, upstream_of(versioned.document, row.task_id))
        expected = expected_start(versioned.document, rows, means, row.task_id, tx.now())
    return Why(kind, said + _about(expected, "it should start"), reason.waiting_for, expected)


def _plan(tx: Transaction, run: RunRow, versioned: VersionedDag, rows: list[TaskRow]) -> RunPlan:
    """The run as its owner sees it; what the plan would change is not carried out here."""
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
        for row in rows
    ]
    present = without(versioned.document, absent_tasks(versioned.document, run.logical_date, run.run_type))
    plan, _ = RunPlan.load(Graph.of(present), snapshots)
    owned = OwnedRun(run, versioned, plan)
    gated = set(gated_tasks(owned))
    for gate in look_back(tx, owned, [key for key in list(plan.keys()) if key[0] in gated]):
        plan.apply(gate)
    return plan


def _with_workers(tx: Transaction, row: TaskRow, why: Why) -> Why:
    """Nothing goes on without a scheduler and an agent, whatever else holds it."""
    if not _alive(tx, "scheduler"):
        return Why(WhyKind.NO_SCHEDULER, f"{why.sentence}; no scheduler is running", why.blocking)
    if row.state in (S.SCHEDULED, S.QUEUED) and not _alive(tx, "agent"):
        return Why(WhyKind.NO_AGENT, f"{why.sentence}; no agent is running", why.blocking)
    return why


# --- DAGs -----------------------------------------------------------------------------------------------------------


def explain_dag(tx: Transaction, dag: DagRow) -> Why:
    """Why a DAG does (not) run by itself just now, and when it does next."""
    who = f"DAG {dag.dag_id!r}"
    if dag.is_stale:
        return Why(WhyKind.STALE, f"{who} does not run: {dag.file} does not define it any more", (dag.file,))
    note = _file_note(tx, dag)
    if dag.is_paused:
        because = f" ({dag.pause_reason})" if dag.pause_reason else ""
        said = f"{who} is paused{because}; `tradewind dags unpause {dag.dag_id}` switches its schedule on"
        return Why(WhyKind.PAUSED, said + note, (dag.dag_id,))
    why = _by_schedule(tx, dag, who)
    return msgspec.structs.replace(why, sentence=why.sentence + note)


def _by_schedule(tx: Transaction, dag: DagRow, who: str) -> Why:
    document = Documents().get(tx, dag.version_id).document
    schedule = document.schedule
    unfinished = tx.list_runs(
        dag_id=dag.dag_id,
        states=tuple(LIVE_RUN_STATES),
        run_types=(DagRunType.SCHEDULED,),
        limit=dag.max_active_runs,
    )
    if len(unfinished) >= dag.max_active_runs:
        active, expected = _active_runs(tx, dag)
        said = f"{who} makes no further run: {len(unfinished)} are not over, max_active_runs={dag.max_active_runs}"
        return Why(WhyKind.MAX_ACTIVE_RUNS, said + _about(expected, "one of them should end"), active, expected)
    by_assets = _by_assets(tx, dag, schedule, who) if isinstance(schedule, AssetSchedule) else None
    if dag.next_run_after is not None:
        return _by_time(tx, dag, who, by_assets)
    if by_assets is not None:
        return by_assets
    if isinstance(schedule, PartitionedAssetSchedule):
        return _by_partitions(tx, dag, who)
    asked = tx.timetable_get(dag.dag_id)
    if asked is not None and asked.asked_at is not None:
        own = f"{who} has a timetable of its own ({dag.schedule_summary})"
        return Why(WhyKind.SCHEDULE, f"{own}: the DAG processor is asking it what comes next")
    if timetable_for(schedule).can_be_scheduled:
        return Why(WhyKind.SCHEDULE, f"{who} has no further run: its schedule ({dag.schedule_summary}) has ended")
    return Why(WhyKind.NO_SCHEDULE, f"{who} has no schedule: it runs when it is triggered")


def _by_partitions(tx: Transaction, dag: DagRow, who: str) -> Why:
    found = pending_partitions(tx, Documents(), dag.dag_id)
    if not found:
        return Why(WhyKind.ASSETS, f"{who} runs for each partition of its assets that changes; none is being filled")
    first = found[0]
    missing = tuple(f"{name} {key}" for name, keys in first.missing.items() for key in keys[:_NAMED_MAX])
    said = f"{who} has {len(found)} partitions being filled; {first.partition_key!r} waits for {', '.join(missing)}"
    return Why(WhyKind.ASSETS, said, missing)


def _by_time(tx: Transaction, dag: DagRow, who: str, by_assets: Why | None) -> Why:
    assert dag.next_run_after is not None
    at, now = dag.next_run_after, tx.now()
    if not _alive(tx, "scheduler"):
        return Why(WhyKind.NO_SCHEDULER, f"{who} should run at {at.isoformat()}, but no scheduler is running", (), at)
    if at <= now:
        return Why(WhyKind.SOON, f"{who} is due since {at.isoformat()}: a scheduler makes its run in a moment", (), now)
    also = f"; besides, it {by_assets.sentence.removeprefix(who).strip()}" if by_assets is not None else ""
    said = f"{who} runs next at {at.isoformat()}, in {_length(at - now)}, by its schedule ({dag.schedule_summary})"
    return Why(WhyKind.SCHEDULE, said + also, by_assets.blocking if by_assets else (), at)


def _by_assets(tx: Transaction, dag: DagRow, schedule: AssetSchedule, who: str) -> Why:
    waiting = [each for each in tx.asset_waiting(dag.dag_id) if each.partition_key is None]
    verdict = decide(schedule, waiting, tx.now())
    if verdict.taking is not None:
        return Why(WhyKind.SOON, f"{who} has what it waits for: a scheduler makes its run in a moment", (), tx.now())
    return Why(WhyKind.ASSETS, f"{who} {verdict.reason}", (), verdict.again_at)


def _file_note(tx: Transaction, dag: DagRow) -> str:
    for error in tx.list_import_errors():
        if (error.bundle, error.path) == (dag.bundle, dag.file):
            return f"; {dag.file} cannot be loaded since {error.at.isoformat(timespec='seconds')}: {error.message}"
    return ""


# --- words ----------------------------------------------------------------------------------------------------------


def _about(at: datetime | None, what: str) -> str:
    return f"; {what} at about {at.isoformat(timespec='seconds')}" if at is not None else ""


def _names(names: list[str] | tuple[str, ...]) -> str:
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _NAMED_MAX} more" if len(distinct) > _NAMED_MAX else ""
    return ", ".join(repr(name) for name in distinct[:_NAMED_MAX]) + more


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


def _alive(tx: Transaction, kind: str) -> bool:
    oldest = tx.now() - timedelta(seconds=ALIVE_SECONDS)
    return any(row.heartbeat_at >= oldest for row in tx.component_list(kind))
