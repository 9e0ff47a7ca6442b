"""What people ask of runs: trigger, stop, clear."""

from __future__ import annotations

import difflib
import secrets as random_source
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tradewind.domain.timetables import timetable_for
from tradewind.ports.rows import DagRow, RunRow, TaskRow
from tradewind.ports.store import TaskMove, Transaction
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.ids import check_run_id
from tradewind.wire.inbox import ClearedInstance, InstancesCleared, PastChanged, RunRenewed, RunStopAsked
from tradewind.wire.partitions import KEY_LENGTH_MAX
from tradewind.wire.states import (
    EXECUTING_STATES,
    LIVE_RUN_STATES,
    DagRunState,
    DagRunTriggeredBy,
    DagRunType,
    TaskInstanceState,
)

from .deadlines import note_deadlines, renew_deadlines
from .documents import Documents, VersionedDag
from .params import check_conf
from .schedules import partition_date_of

_TO_BE_QUEUED = (
    None,
    TaskInstanceState.SCHEDULED,
    TaskInstanceState.UP_FOR_RETRY,
    TaskInstanceState.UP_FOR_RESCHEDULE,
    TaskInstanceState.DEFERRED,
    TaskInstanceState.AWAITING_INPUT,
)


def require_dag(tx: Transaction, dag_id: str, *, lock: bool = False) -> DagRow:
    """The DAG. Raises `NotFound` naming the nearest id, `Conflict` when its file no longer defines it."""
    row = tx.dag_get(dag_id, lock=lock)
    if row is None:
        near = difflib.get_close_matches(dag_id, [d.dag_id for d in tx.list_dags(limit=10_000)], 1)
        hint = f"; did you mean {near[0]!r}?" if near else "; `tradewind dags list` shows what there is"
        raise NotFound(f"DAG {dag_id!r} does not exist{hint}")
    return row


def require_run(tx: Transaction, dag_id: str, run_id: str, *, lock: bool = False) -> RunRow:
    """The run. Raises `NotFound`."""
    row = tx.run_find(dag_id, run_id, lock=lock)
    if row is None:
        raise NotFound(f"DAG {dag_id!r} has no run {run_id!r}; `tradewind runs list {dag_id}` shows its runs")
    return row


def generate_run_id(run_type: DagRunType, logical_date: datetime | None, run_after: datetime) -> str:
    """`<type>__<logical date>`, or with a random suffix where there is no logical date to make it unique."""
    if logical_date is not None:
        return f"{run_type}__{logical_date.isoformat()}"
    return f"{run_type}__{run_after.isoformat()}_{random_source.token_hex(4)}"


def trigger_run(
    tx: Transaction,
    documents: Documents,
    now: datetime,
    new_id: Callable[[], str],
    dag_id: str,
    *,
    run_id: str | None = None,
    logical_date: datetime | None = None,
    run_after: datetime | None = None,
    data_interval: tuple[datetime, datetime] | None = None,
    conf: object = None,
    note: str | None = None,
    partition_key: str | None = None,
    client_key: str | None = None,
    run_type: DagRunType = DagRunType.MANUAL,
    triggered_by: DagRunTriggeredBy = DagRunTriggeredBy.CLI,
    user: str | None = None,
) -> RunRow:
    """Create a queued run.

    A paused DAG takes it: pausing switches the schedule off, not the wish of a person. With a `client_key` the wish may
    be repeated, after an answer that was lost: the run that it made is returned then.

    Raises:
        NotFound: the DAG does not exist.
        Conflict: the DAG is stale; run id or logical date are used already; the client key was used with another conf.
        InvalidConf: see `check_conf`.
        BadInput: run id, partition key or client key cannot be one; naive date; interval that ends before it begins.
    """
    dag = require_dag(tx, dag_id)
    made = None if client_key is None else _made_before(tx, dag_id, client_key, conf)
    if made is not None:
        return made
    if data_interval is not None and data_interval[0] > data_interval[1]:
        raise BadInput(f"the data interval ends ({data_interval[1].isoformat()}) before it begins")
    check_partition_key(partition_key)
    if dag.is_stale:
        raise Conflict(f"DAG {dag_id!r} is no longer defined by {dag.file}: restore the file, then trigger again")
    if logical_date is not None and logical_date.tzinfo is None:
        raise BadInput(f"logical date {logical_date.isoformat()} has no time zone: add one, for example +00:00")
    versioned = documents.get(tx, dag.version_id)
    document = versioned.document
    if document.allowed_run_types is not None and run_type not in document.allowed_run_types:
        raise Conflict(
            f"DAG {dag_id!r} allows only runs of type {', '.join(document.allowed_run_types)}, not {run_type}"
        )
    values = check_conf(document, {} if conf is None else conf)
    due = run_after or logical_date or now
    interval: tuple[datetime | None, datetime | None] = data_interval or (None, None)
    if data_interval is None and logical_date is not None:
        interval = timetable_for(document.schedule).infer_manual_interval(due)
    row = RunRow(
        run_key=new_id(),
        dag_id=dag_id,
        run_id=check_run_id(run_id) if run_id is not None else generate_run_id(run_type, logical_date, due),
        version_id=dag.version_id,
        run_type=run_type,
        triggered_by=triggered_by,
        state=DagRunState.QUEUED,
        run_after=due,
        logical_date=logical_date,
        data_interval_start=interval[0],
        data_interval_end=interval[1],
        queued_at=now,
        conf=values,
        note=note,
        triggering_user_name=user,
        bundle_version=dag.bundle_version,
        partition_key=partition_key,
        partition_date=None if partition_key is None else partition_date_of(document, partition_key),
        client_key=client_key,
    )
    faster = insert_run(tx, row)
    if faster is not None:
        return faster
    note_deadlines(tx, document, row, now)
    return row


def _made_before(tx: Transaction, dag_id: str, client_key: str, conf: object) -> RunRow | None:
    if not client_key.strip() or len(client_key) > KEY_LENGTH_MAX:
        raise BadInput(f"a client key must have 1 to {KEY_LENGTH_MAX} characters, not {len(client_key)}")
    made = tx.run_find_by_client_key(dag_id, client_key)
    if made is not None and made.conf != ({} if conf is None else conf):
        raise Conflict(
            f"client key {client_key!r} has made run {made.run_id!r} of DAG {dag_id!r} with another conf: use a new key"
        )
    return made


def check_partition_key(key: str | None) -> None:
    """Raises `BadInput` for what cannot be a partition key."""
    if key is not None and (not key.strip() or len(key) > KEY_LENGTH_MAX):
        raise BadInput(f"a partition key must have 1 to {KEY_LENGTH_MAX} characters, not {len(key)}: {key[:40]!r}")


def insert_run(tx: Transaction, row: RunRow) -> RunRow | None:
    """Insert a queued run and ring. Somebody who asked with the same client key may have been faster: his run. Raises
    `Conflict` naming what is taken."""
    taken = tx.run_insert(row)
    if taken == "client_key" and row.client_key is not None:
        return _made_before(tx, row.dag_id, row.client_key, row.conf)
    if taken == "run_id":
        raise Conflict(f"DAG {row.dag_id!r} has a run {row.run_id!r} already: choose another run id")
    if taken is not None:
        shown = row.logical_date.isoformat() if row.logical_date else "none"
        raise Conflict(
            f"DAG {row.dag_id!r} has a run with logical date {shown} already: choose another date or clear that run"
        )
    tell_following(tx, row)
    tx.ring("runs", "changes")
    return None


def tell_following(tx: Transaction, run: RunRow) -> None:
    """The run after this one looks again at its past: this one is new, was cleared, or ended before it began."""
    if run.logical_date is None:
        return
    following = tx.run_following(run.dag_id, run.logical_date)
    if following is not None and following.state in LIVE_RUN_STATES:
        tx.inbox_put([(following.run_key, PastChanged(()))])


def stop_run(tx: Transaction, now: datetime, dag_id: str, run_id: str, state: DagRunState, reason: str) -> RunRow:
    """End an unfinished run as success or failed. A running one is ended by its owner, who hears of it at once.

    Raises `NotFound`, `Conflict`.
    """
    if state not in (DagRunState.SUCCESS, DagRunState.FAILED):
        raise BadInput(f"a run can be ended as success or failed, not {state}")
    run = require_run(tx, dag_id, run_id, lock=True)
    if run.state is DagRunState.RUNNING:
        tx.inbox_put([(run.run_key, RunStopAsked(state=state, reason=reason))])
    elif run.state is DagRunState.QUEUED:
        tx.run_move(
            "mark_success" if state is DagRunState.SUCCESS else "mark_failed", run.run_key, reason=reason, now=now
        )
        tell_following(tx, run)
        tx.ring("changes", "dags")
    else:
        raise Conflict(f"run {run_id!r} of DAG {dag_id!r} is over already: {run.state}")
    return run


def clear_instances(
    tx: Transaction,
    documents: Documents,
    now: datetime,
    run: RunRow,
    rows: Iterable[TaskRow],
    *,
    newest_version: bool = False,
    reset_run: bool = True,
    only_new: bool = False,
) -> list[TaskRow]:
    """Let these task instances of one run run again; a finished run is queued again. Returns what was cleared.

    Their tries so far stay as history and the retries they are entitled to are counted anew. A live attempt is stopped
    by the owner.

    Parameters:
        newest_version: the run follows the newest version of its DAG from now on; tasks that are new in it come too.
        reset_run: a finished run is queued again; otherwise it stays as it is, with its cleared instances.
        only_new: the run is gone through again though nothing was cleared: for tasks that are new in the version.
    """
    run = tx.run_get(run.run_key, lock=True) or run  # its owner may be about to finish it: one of us goes first
    # As they are now: who asks may have looked a while ago, and the owner must be told of the attempt that lives.
    chosen = tx.task_get_many([row.ti_id for row in rows], lock=True)
    newest = require_dag(tx, run.dag_id) if newest_version else None
    dag = documents.get(tx, newest.version_id if newest is not None else run.version_id)
    moves = [TaskMove(row.ti_id, "cleared", None, {"max_tries": _tries_after_clear(dag, row)}) for row in chosen]
    moved = set(tx.task_move("clear", moves, now))
    cleared = [row for row in chosen if row.ti_id in moved]
    if not cleared and not only_new:
        return []
    if newest is not None:
        # Whatever is still to be queued is queued by the newest version.
        others = [row for row in tx.task_list(run.run_key) if row.state in _TO_BE_QUEUED and row.ti_id not in moved]
        tx.task_renew([_renewed(dag, row) for row in (*cleared, *others) if row.task_id in dag.tasks])
        _follow(tx, run, newest)
    if run.state is DagRunState.RUNNING and cleared:
        lines = tuple(
            ClearedInstance(
                row.ti_id, row.task_id, row.map_path, row.attempt_token if row.state in EXECUTING_STATES else None
            )
            for row in cleared
        )
        tx.inbox_put([(run.run_key, InstancesCleared(lines))])
    elif run.state not in LIVE_RUN_STATES and reset_run:
        tx.run_move("requeue", run.run_key, reason=None, now=now)
        renew_deadlines(tx, dag.document, run, now)
        tell_following(tx, run)
        tx.ring("runs")
    tx.ring("changes")
    return cleared


def _follow(tx: Transaction, run: RunRow, dag: DagRow) -> None:
    if (run.version_id, run.bundle_version) == (dag.version_id, dag.bundle_version):
        return
    tx.run_set_version(run.run_key, dag.version_id, dag.bundle_version)
    if run.state is DagRunState.RUNNING:
        tx.inbox_put([(run.run_key, RunRenewed())])


def _renewed(dag: VersionedDag, row: TaskRow) -> TaskRow:
    """The instance as a new one of this version would be."""
    task = dag.tasks[row.task_id]
    return replace(
        row,
        version_id=dag.version_id,
        pool=task.pool,
        pool_slots=task.pool_slots,
        queue=task.queue,
        executor=task.executor,
        priority_weight=task.effective_weight,
        operator=task.operator,
    )


def _tries_after_clear(dag: VersionedDag, row: TaskRow) -> int:
    task = dag.tasks.get(row.task_id)
    return row.try_number + (task.retries if task is not None else 0)


def run_summary(row: RunRow) -> dict[str, Any]:
    """What people are shown of a run, by name."""
    return {
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "state": row.state.value,
        "run_type": row.run_type.value,
        "logical_date": row.logical_date,
        "run_after": row.run_after,
        "start_date": row.started_at,
        "end_date": row.ended_at,
    }
