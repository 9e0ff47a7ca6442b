"""Tasks as the newest version of their DAG defines them, and the versions of a DAG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import Op, PublicTransaction, Where
from tradewind.server.auth.choke import WILDCARD, unknown_dag
from tradewind.wire.document import DagDocument, TaskDocument
from tradewind.wire.errors import NotFound

from .caller import Caller
from .dag_runs import require_dag
from .models.base import Whole
from .models.dag_versions import DAGVersionCollectionResponse, DagVersionResponse
from .models.tasks import TaskCollectionResponse, TaskResponse, TimeDelta
from .paging import Page, conditions, order, page_of, sorted_by
from .refusals import refusals
from .views_dags import params_answer, version_answer
from .views_runs import Names

router = APIRouter()


@router.get("/dags/{dag_id}/tasks", tags=["Task"], responses=refusals(400, 401, 403, 404, 422))
async def get_tasks(call: Caller, dag_id: str, order_by: str = "task_id") -> TaskCollectionResponse:
    call.may(Action.READ, Resource.TASK, dag_id)

    def ask(tx: PublicTransaction) -> TaskCollectionResponse:
        dag = tx.dag_get(dag_id)
        if dag is None:
            raise unknown_dag(dag_id)
        document = call.office.documents.get(tx, dag.version_id).document
        ordered = sorted_by(_answers(document), [order_by], _SORT)
        return TaskCollectionResponse(tasks=ordered, total_entries=len(ordered))

    return await call.read(ask)


@router.get("/dags/{dag_id}/tasks/{task_id}", tags=["Task"], responses=refusals(400, 401, 403, 404, 422))
async def get_task(call: Caller, dag_id: str, task_id: str) -> TaskResponse:
    tasks = (await get_tasks(call, dag_id)).tasks
    for task in tasks:
        if task.task_id == task_id:
            return task
    raise NotFound(f"DAG {dag_id!r} has no task {task_id!r}")


class VersionsQuery(Page):
    version_number: Whole | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None
    order_by: list[str] = ["id"]


@router.get("/dags/{dag_id}/dagVersions", tags=["DagVersion"], responses=refusals(400, 401, 403, 404, 422))
async def get_dag_versions(
    call: Caller, dag_id: str, query: Annotated[VersionsQuery, Query()]
) -> DAGVersionCollectionResponse:
    where = [*call.within(Resource.VERSION, dag_id), *conditions(query)]

    def ask(tx: PublicTransaction) -> DAGVersionCollectionResponse:
        if dag_id != WILDCARD:
            require_dag(tx, dag_id)
        found = page_of(tx, "versions", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        names = Names(tx, (head.dag_id for head in found.rows), ())
        answers = [version_answer(head, names.of(head.dag_id)) for head in found.rows]
        return DAGVersionCollectionResponse(dag_versions=answers, total_entries=found.total)

    return await call.read(ask)


@router.get("/dags/{dag_id}/dagVersions/{version_number}", tags=["DagVersion"], responses=refusals(401, 403, 404, 422))
async def get_dag_version(call: Caller, dag_id: str, version_number: Whole) -> DagVersionResponse:
    call.may(Action.READ, Resource.VERSION, dag_id)

    def ask(tx: PublicTransaction) -> DagVersionResponse:
        require_dag(tx, dag_id)
        where = [Where("dag_id", Op.IS, dag_id), Where("version_number", Op.IS, version_number)]
        found = page_of(tx, "versions", where, sort=(), limit=1)
        if not found.rows:
            raise NotFound(f"DAG {dag_id!r} has no version {version_number}")
        return version_answer(found.rows[0], Names(tx, (dag_id,), ()).of(dag_id))

    return await call.read(ask)


_SORT: Mapping[str, Callable[[TaskResponse], Any]] = {
    name: lambda task, name=name: getattr(task, name)  # type: ignore[misc]
    for name in (
        "task_id",
        "task_display_name",
        "owner",
        "start_date",
        "end_date",
        "trigger_rule",
        "depends_on_past",
        "wait_for_downstream",
        "retries",
        "queue",
        "pool",
        "pool_slots",
        "priority_weight",
        "weight_rule",
        "ui_color",
        "operator_name",
    )
}


def _answers(document: DagDocument) -> list[TaskResponse]:
    below: dict[str, list[str]] = {task.task_id: [] for task in document.tasks}
    for task in document.tasks:
        for upstream in task.upstream:
            below.setdefault(upstream, []).append(task.task_id)
    mapped_groups = {group.group_id for group in document.groups if group.mapping is not None}
    params = params_answer(document, "dag")
    return [_task(task, sorted(below[task.task_id]), mapped_groups, params) for task in document.tasks]


def _own_params(task: TaskDocument) -> dict[str, Any]:
    return {
        name: {"value": value, "schema": {}, "description": None, "source": "task"}
        for name, value in task.extra.get("params", {}).items()
    }


def _task(task: TaskDocument, below: list[str], mapped_groups: set[str], params: dict[str, Any]) -> TaskResponse:
    parents = (task.group_id or "").split(".")
    around = {".".join(parents[: depth + 1]) for depth in range(len(parents))}
    return TaskResponse(
        task_id=task.task_id,
        task_display_name=task.display_name or task.task_id,
        owner=task.owner,
        start_date=task.start_date,
        end_date=task.end_date,
        trigger_rule=task.trigger_rule,
        depends_on_past=task.depends_on_past,
        wait_for_downstream=task.wait_for_downstream,
        retries=task.retries,
        queue=task.queue,
        pool=task.pool,
        pool_slots=task.pool_slots,
        execution_timeout=_delta(task.execution_timeout_seconds),
        retry_delay=_delta(task.retry_delay_seconds),
        retry_exponential_backoff=task.retry_exponential_backoff,
        priority_weight=task.priority_weight,
        weight_rule=task.weight_rule,
        ui_color=task.ui_color,
        ui_fgcolor=task.ui_fgcolor,
        template_fields=list(task.template_fields),
        downstream_task_ids=below,
        doc_md=task.doc_md,
        operator_name=task.operator,
        params=params | _own_params(task),
        class_ref={"module_path": task.module, "class_name": task.operator},
        is_mapped=task.mapping is not None or not mapped_groups.isdisjoint(around),
        extra_links=sorted(task.links),
    )


def _delta(seconds: float | None) -> TimeDelta | None:
    if seconds is None:
        return None
    delta = timedelta(seconds=seconds)
    return TimeDelta(days=delta.days, seconds=delta.seconds, microseconds=delta.microseconds)
