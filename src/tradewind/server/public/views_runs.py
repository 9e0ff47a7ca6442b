"""Rows of runs and task instances as the answers show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tradewind.ports.reads import PublicTransaction
from tradewind.ports.reads_rows import TaskView, VersionHead
from tradewind.ports.rows import AttemptRow, DagRow, RunRow, TaskRow
from tradewind.ports.trigger_rows import TriggerRow
from tradewind.wire.ids import map_index_of
from tradewind.wire.states import TaskInstanceState

from .models.dag_runs import DAGRunResponse
from .models.dag_versions import DagVersionResponse
from .models.task_instances import TaskInstanceHistoryResponse, TaskInstanceResponse, TriggerResponse
from .numbers import number_of
from .office import Office
from .views_dags import shown_name, version_answer


class Names:
    """DAGs and versions that several rows of a page refer to, each read once."""

    def __init__(self, tx: PublicTransaction, dag_ids: Iterable[str], version_ids: Iterable[str]) -> None:
        self.dags: dict[str, DagRow] = tx.dag_get_many(sorted(set(dag_ids)))
        self.heads: dict[str, VersionHead] = tx.version_heads({each for each in version_ids if each})

    def of(self, dag_id: str) -> str:
        row = self.dags.get(dag_id)
        return shown_name(row) if row is not None else dag_id

    def version(self, version_id: str | None) -> DagVersionResponse | None:
        head = self.heads.get(version_id or "")
        return version_answer(head, self.of(head.dag_id)) if head is not None else None


def run_answers(tx: PublicTransaction, rows: Sequence[RunRow]) -> list[DAGRunResponse]:
    names = Names(tx, (row.dag_id for row in rows), (row.version_id for row in rows))
    return [_run(row, names) for row in rows]


def run_answer(tx: PublicTransaction, row: RunRow) -> DAGRunResponse:
    return run_answers(tx, [row])[0]


def _run(row: RunRow, names: Names) -> DAGRunResponse:
    version = names.version(row.version_id)
    over = row.started_at is not None and row.ended_at is not None
    return DAGRunResponse(
        dag_run_id=row.run_id,
        dag_id=row.dag_id,
        logical_date=row.logical_date,
        queued_at=row.queued_at,
        start_date=row.started_at,
        end_date=row.ended_at,
        duration=(row.ended_at - row.started_at).total_seconds() if over and row.ended_at and row.started_at else None,
        data_interval_start=row.data_interval_start,
        data_interval_end=row.data_interval_end,
        run_after=row.run_after,
        last_scheduling_decision=None,
        run_type=row.run_type,
        state=row.state,
        triggered_by=row.triggered_by,
        triggering_user_name=row.triggering_user_name,
        conf=row.conf,
        note=row.note,
        dag_versions=[version] if version is not None else [],
        bundle_version=row.bundle_version or (version.bundle_version if version is not None else None),
        dag_display_name=names.of(row.dag_id),
        partition_key=row.partition_key,
        partition_date=row.partition_date,
    )


def task_answers(office: Office, tx: PublicTransaction, views: Sequence[TaskView]) -> list[TaskInstanceResponse]:
    tasks = [view.task for view in views]
    office.facts.load(tx, (row.version_id for row in tasks))
    names = Names(tx, (row.dag_id for row in tasks), (row.version_id for row in tasks))
    rendered = tx.rendered_many([row.ti_id for row in tasks])
    deferred = [row.ti_id for row in tasks if row.state is TaskInstanceState.DEFERRED]
    waits = tx.trigger_list_waiting(deferred) if deferred else {}
    return [
        TaskInstanceResponse(
            **_task(office, view.task, names),
            id=view.task.ti_id,
            logical_date=view.logical_date,
            run_after=view.run_after,
            note=view.task.note,
            rendered_map_index=view.task.map_index_label,
            rendered_fields=rendered.get(view.task.ti_id, {}),
            trigger=_trigger(waits.get(view.task.ti_id)),
            triggerer_job=None,
        )
        for view in views
    ]


def attempt_answers(
    office: Office, tx: PublicTransaction, row: TaskRow, attempts: Sequence[AttemptRow]
) -> list[TaskInstanceHistoryResponse]:
    """The tries of an instance, oldest first; the current one last."""
    office.facts.load(tx, (row.version_id, *(attempt.version_id for attempt in attempts)))
    names = Names(tx, (row.dag_id,), (row.version_id, *(attempt.version_id for attempt in attempts)))
    found = [TaskInstanceHistoryResponse(**_attempt(office, row, attempt, names)) for attempt in attempts]
    # An instance that was cleared and not yet queued again has no current try.
    if not attempts or attempts[-1].try_number != row.try_number:
        found.append(TaskInstanceHistoryResponse(**_task(office, row, names)))
    return found


def _task(office: Office, row: TaskRow, names: Names) -> dict[str, Any]:
    facts = office.facts.task(row.version_id, row.task_id)
    return {
        "task_id": row.task_id,
        "dag_id": row.dag_id,
        "dag_run_id": row.run_id,
        "map_index": map_index_of(row.map_path),
        "start_date": row.started_at,
        "end_date": row.ended_at,
        "duration": row.seconds,
        "state": row.state,
        "try_number": row.try_number,
        "max_tries": row.max_tries,
        "task_display_name": (facts.display_name if facts is not None else None) or row.task_id,
        "dag_display_name": names.of(row.dag_id),
        "hostname": row.hostname,
        "unixname": None,
        "pool": row.pool,
        "pool_slots": row.pool_slots,
        "queue": row.queue,
        "priority_weight": row.priority_weight,
        "operator": row.operator or None,
        "operator_name": row.operator or None,
        "queued_when": row.queued_at,
        "scheduled_when": row.scheduled_at,
        "pid": row.pid,
        "executor": row.executor,
        "executor_config": str(facts.executor_config if facts is not None else {}),
        "dag_version": names.version(row.version_id),
    }


def _attempt(office: Office, row: TaskRow, attempt: AttemptRow, names: Names) -> dict[str, Any]:
    return _task(office, row, names) | {
        "start_date": attempt.started_at,
        "end_date": attempt.ended_at,
        "duration": attempt.duration_seconds,
        "state": attempt.state,
        "try_number": attempt.try_number,
        "hostname": attempt.hostname,
        "queued_when": attempt.queued_at,
        "scheduled_when": None,
        "pid": attempt.pid,
        "dag_version": names.version(attempt.version_id),
    }


def _trigger(row: TriggerRow | None) -> TriggerResponse | None:
    if row is None or not row.classpath:
        return None
    return TriggerResponse(
        id=number_of(row.token),
        classpath=row.classpath,
        kwargs=row.kwargs,
        created_date=row.created_at,
        queue=row.queue,
        triggerer_id=None if row.triggerer is None else number_of(row.triggerer),
    )
