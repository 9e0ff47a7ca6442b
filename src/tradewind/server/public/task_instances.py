"""Task instances as they are: lists, one, tries, what blocks one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import Op, PublicTransaction, Where
from tradewind.ports.reads_rows import TaskView
from tradewind.ports.rows import TaskRow
from tradewind.scheduler.reasons import why_task
from tradewind.server.auth.choke import WILDCARD
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.document import DagDocument
from tradewind.wire.errors import NotFound
from tradewind.wire.ids import map_path_of
from tradewind.wire.states import EXECUTING_STATES, TERMINAL_STATES, TaskInstanceState

from .caller import Call, Caller
from .dag_runs import require_dag, require_run
from .models.base import Whole
from .models.filters import DurationRange, EndDateRange, LogicalDateRange, RunAfterRange, StartDateRange, UpdatedAtRange
from .models.task_instances import (
    TaskDependencyCollectionResponse,
    TaskDependencyResponse,
    TaskInstanceCollectionResponse,
    TaskInstanceHistoryCollectionResponse,
    TaskInstanceHistoryResponse,
    TaskInstanceResponse,
    TaskInstancesBatchBody,
)
from .paging import Page, conditions, cursors, order, page_of
from .refusals import refusals
from .views_runs import attempt_answers, task_answers

router = APIRouter(tags=["Task Instance"])
RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
TASK = RUN + "/taskInstances/{task_id}"
_RENAME = {"pool_name": "pool", "queue_name": "queue", "operator_name": "operator", "task_display_name": "task_id"}
_SPECIAL = ("state", "map_index", "task_group_id")
UNMAPPED = -1
_INDEXED: dict[str, frozenset[TaskInstanceState | None]] = {
    "in_hand": frozenset((TaskInstanceState.QUEUED, TaskInstanceState.RUNNING)),
    "has_failed": frozenset((TaskInstanceState.FAILED, TaskInstanceState.UPSTREAM_FAILED)),
}
_READ = Action.READ


class MappedQuery(Page, RunAfterRange, LogicalDateRange, StartDateRange, EndDateRange, UpdatedAtRange, DurationRange):
    state: list[str] = []
    pool: list[str] = []
    pool_name_pattern: str | None = None
    pool_name_prefix_pattern: str | None = None
    queue: list[str] = []
    queue_name_pattern: str | None = None
    queue_name_prefix_pattern: str | None = None
    executor: list[str] = []
    version_number: list[Whole] = []
    try_number: list[Whole] = []
    operator: list[str] = []
    operator_name_pattern: str | None = None
    operator_name_prefix_pattern: str | None = None
    map_index: list[Whole] = []
    rendered_map_index_pattern: str | None = None
    rendered_map_index_prefix_pattern: str | None = None
    order_by: list[str] = ["map_index"]


class TasksQuery(MappedQuery):
    cursor: str | None = None
    task_id: str | None = None
    task_display_name_pattern: str | None = None
    task_display_name_prefix_pattern: str | None = None
    task_group_id: str | None = None
    dag_id_pattern: str | None = None
    dag_id_prefix_pattern: str | None = None
    run_id_pattern: str | None = None
    run_id_prefix_pattern: str | None = None


@router.get(RUN + "/taskInstances", responses=refusals(400, 401, 403, 404, 422))
async def get_task_instances(
    call: Caller, dag_id: str, dag_run_id: str, query: Annotated[TasksQuery, Query()]
) -> TaskInstanceCollectionResponse:
    where = call.within(Resource.TASK_INSTANCE, dag_id)
    where += conditions(query, _RENAME, _SPECIAL) + _more(query)

    def ask(tx: PublicTransaction) -> TaskInstanceCollectionResponse:
        where.extend(_of_run(tx, dag_id, dag_run_id))
        if query.task_group_id is not None:
            where.append(Where("task_id", Op.ANY, _tasks_of_group(call, tx, dag_id, query.task_group_id)))
        found = page_of(
            tx,
            "tasks",
            where,
            sort=order(_order_by(query, dag_id, dag_run_id)),
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
        )
        answers = task_answers(call.office, tx, found.rows)
        return TaskInstanceCollectionResponse(task_instances=answers, **cursors(found, query.cursor))

    return await call.read(ask)


@router.post(RUN + "/taskInstances/list", responses=refusals(401, 403, 404, 422))
async def get_task_instances_batch(
    call: Caller,
    dag_id: Literal["~"],
    dag_run_id: Literal["~"],  # noqa: ARG001 # part of the path
    body: TaskInstancesBatchBody,
) -> TaskInstanceCollectionResponse:
    where = call.within(Resource.TASK_INSTANCE, dag_id)
    where += conditions(body, skip=("dag_ids", "dag_run_ids", "task_ids", "state"))
    for field, given in (("dag_id", body.dag_ids), ("run_id", body.dag_run_ids), ("task_id", body.task_ids)):
        if given is not None:
            where.append(Where(field, Op.ANY, given))
    if body.state is not None:
        where += of_states(body.state)
    sort = order([body.order_by] if body.order_by else ["id"])

    def ask(tx: PublicTransaction) -> TaskInstanceCollectionResponse:
        found = page_of(tx, "tasks", where, sort=sort, limit=body.page_limit, offset=body.page_offset)
        answers = task_answers(call.office, tx, found.rows)
        return TaskInstanceCollectionResponse(task_instances=answers, total_entries=found.total)

    return await call.read(ask)


@router.get(TASK, responses=refusals(401, 403, 404, 422))
async def get_task_instance(call: Caller, dag_id: str, dag_run_id: str, task_id: str) -> TaskInstanceResponse:
    call.may(_READ, Resource.TASK_INSTANCE, dag_id)

    def ask(tx: PublicTransaction) -> TaskInstanceResponse:
        found = _instances(tx, dag_id, dag_run_id, task_id)
        mapped = next((view for view in found if view.task.map_path), None)
        if mapped is not None:
            raise NotFound(f"task {task_id!r} is mapped: add the map index of one of its instances to the path")
        return task_answers(call.office, tx, found[:1])[0]

    return await call.read(ask)


@router.get(TASK + "/listMapped", responses=refusals(400, 401, 403, 404, 422))
async def get_mapped_task_instances(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, query: Annotated[MappedQuery, Query()]
) -> TaskInstanceCollectionResponse:
    call.may(_READ, Resource.TASK_INSTANCE, dag_id)
    where = [Where("task_id", Op.IS, task_id), *conditions(query, _RENAME, _SPECIAL), *_more(query)]

    def ask(tx: PublicTransaction) -> TaskInstanceCollectionResponse:
        run = require_run(tx, dag_id, dag_run_id)
        there = tx.task_list(run.run_key, [task_id])
        document = call.office.documents.get(tx, run.version_id).document
        if not there and task_id not in {task.task_id for task in document.tasks}:
            raise NotFound(f"run {dag_run_id!r} of DAG {dag_id!r} has no task {task_id!r}")
        if there and not _is_mapped(document, task_id, there):
            raise NotFound(f"task {task_id!r} is not mapped")
        where.extend((Where("run_key", Op.IS, run.run_key), Where("map_index", Op.AT_LEAST, 0)))
        found = page_of(tx, "tasks", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        answers = task_answers(call.office, tx, found.rows)
        return TaskInstanceCollectionResponse(task_instances=answers, total_entries=found.total)

    return await call.read(ask)


@router.get(TASK + "/dependencies", responses=refusals(401, 403, 404, 422))
async def get_task_instance_dependencies(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole = UNMAPPED
) -> TaskDependencyCollectionResponse:
    return await _dependencies(call, dag_id, dag_run_id, task_id, map_index)


@router.get(TASK + "/{map_index}/dependencies", responses=refusals(401, 403, 404, 422))
async def get_task_instance_dependencies_by_map_index(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole
) -> TaskDependencyCollectionResponse:
    return await _dependencies(call, dag_id, dag_run_id, task_id, map_index)


@router.get(TASK + "/tries", responses=refusals(401, 403, 404, 422))
async def get_task_instance_tries(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole = UNMAPPED
) -> TaskInstanceHistoryCollectionResponse:
    return await _tries(call, dag_id, dag_run_id, task_id, map_index)


@router.get(TASK + "/{map_index}/tries", responses=refusals(401, 403, 404, 422))
async def get_mapped_task_instance_tries(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole
) -> TaskInstanceHistoryCollectionResponse:
    return await _tries(call, dag_id, dag_run_id, task_id, map_index)


@router.get(TASK + "/tries/{task_try_number}", responses=refusals(401, 403, 404, 422))
async def get_task_instance_try_details(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, task_try_number: Whole, map_index: Whole = UNMAPPED
) -> TaskInstanceHistoryResponse:
    return await _one_try(call, dag_id, dag_run_id, task_id, map_index, task_try_number)


@router.get(TASK + "/{map_index}/tries/{task_try_number}", responses=refusals(401, 403, 404, 422))
async def get_mapped_task_instance_try_details(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, task_try_number: Whole, map_index: Whole
) -> TaskInstanceHistoryResponse:
    return await _one_try(call, dag_id, dag_run_id, task_id, map_index, task_try_number)


last_router = APIRouter(tags=["Task Instance"])
"""Paths that end in an index, which others that end in a word must precede."""


@last_router.get(TASK + "/{map_index}", responses=refusals(401, 403, 404, 422))
async def get_mapped_task_instance(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole
) -> TaskInstanceResponse:
    call.may(_READ, Resource.TASK_INSTANCE, dag_id)
    return await call.read(
        lambda tx: task_answers(call.office, tx, [require_instance(tx, dag_id, dag_run_id, task_id, map_index)])[0]
    )


def require_instance(tx: PublicTransaction, dag_id: str, run_id: str, task_id: str, map_index: Whole) -> TaskView:
    """The instance. Raises `NotFound` naming what there is not."""
    path = map_path_of(map_index)
    for view in _instances(tx, dag_id, run_id, task_id):
        if view.task.map_path == path:
            return view
    index = f" with map index {map_index}" if map_index >= 0 else ""
    raise NotFound(f"run {run_id!r} of DAG {dag_id!r} has no instance of task {task_id!r}{index}")


def states_of(given: Sequence[str]) -> list[TaskInstanceState | None]:
    """States as parameters name them. Raises `UnprocessableContent`."""
    try:
        return [None if each in ("none", "no_status") else TaskInstanceState(each) for each in given]
    except ValueError:
        raise UnprocessableContent(f"a state is one of {', '.join(TaskInstanceState)}, no_status") from None


def _instances(tx: PublicTransaction, dag_id: str, run_id: str, task_id: str) -> list[TaskView]:
    run = require_run(tx, dag_id, run_id)
    rows = tx.task_list(run.run_key, [task_id])
    if not rows:
        raise NotFound(f"run {run_id!r} of DAG {dag_id!r} has no instance of task {task_id!r}")
    return [TaskView(row, run.logical_date, run.run_after) for row in rows]


def of_states(states: Sequence[TaskInstanceState | None]) -> list[Where]:
    """Instances in one of these states. Where a partial index has them all, its condition is said as well: over all
    runs the few that run, or failed, are found without a look at the others.
    """
    where = [Where("state", Op.ANY, list(states))]
    return where + [Where(field, Op.IS, True) for field, kept in _INDEXED.items() if kept.issuperset(states)]


def _more(query: MappedQuery) -> list[Where]:
    where = []
    if query.state:
        where += of_states(states_of(query.state))
    if query.map_index:
        where.append(Where("map_path", Op.ANY, [map_path_of(index) for index in query.map_index]))
    return where


def _order_by(query: TasksQuery, dag_id: str, run_id: str) -> list[str]:
    """As asked. Over all runs nobody means an order by index who asks for none: by key, which an index walks."""
    if WILDCARD in (dag_id, run_id) and "order_by" not in query.model_fields_set:
        return ["id"]
    return query.order_by


def _of_run(tx: PublicTransaction, dag_id: str, run_id: str) -> list[Where]:
    if dag_id != WILDCARD and run_id != WILDCARD:
        return [Where("run_key", Op.IS, require_run(tx, dag_id, run_id).run_key)]
    if dag_id != WILDCARD:
        require_dag(tx, dag_id)
    return [] if run_id == WILDCARD else [Where("run_id", Op.IS, run_id)]


def _tasks_of_group(call: Call, tx: PublicTransaction, dag_id: str, group_id: str) -> list[str]:
    """Tasks of the group, and of those inside it, in the newest version."""
    if dag_id == WILDCARD:
        return []
    dag = tx.dag_get(dag_id)
    assert dag is not None
    document = call.office.documents.get(tx, dag.version_id).document
    return tasks_of_group(document, group_id)


def tasks_of_group(document: DagDocument, group_id: str) -> list[str]:
    """Ids of the tasks of a group and of the groups inside it. Raises `NotFound`."""
    if group_id not in {group.group_id for group in document.groups}:
        raise NotFound(f"DAG {document.dag_id!r} has no task group {group_id!r}")
    inside = {group_id}
    while more := {group.group_id for group in document.groups if group.parent_id in inside} - inside:
        inside |= more
    return [task.task_id for task in document.tasks if task.group_id in inside]


def _is_mapped(document: DagDocument, task_id: str, rows: Sequence[TaskRow]) -> bool:
    if any(row.map_path for row in rows):
        return True
    parents = {group.group_id: group for group in document.groups}
    task = next((task for task in document.tasks if task.task_id == task_id), None)
    if task is None or task.mapping is not None:
        return task is not None
    group = parents.get(task.group_id or "")
    while group is not None:
        if group.mapping is not None:
            return True
        group = parents.get(group.parent_id or "")
    return False


async def _dependencies(
    call: Call, dag_id: str, run_id: str, task_id: str, map_index: Whole
) -> TaskDependencyCollectionResponse:
    call.may(_READ, Resource.TASK_INSTANCE, dag_id)

    def ask(tx: PublicTransaction) -> TaskDependencyCollectionResponse:
        row = require_instance(tx, dag_id, run_id, task_id, map_index).task
        if row.state in TERMINAL_STATES or row.state in EXECUTING_STATES:
            return TaskDependencyCollectionResponse(dependencies=[])
        sentence = why_task(tx, require_run(tx, dag_id, run_id), row)
        name = (row.state or "no_status").replace("_", " ").title()
        return TaskDependencyCollectionResponse(dependencies=[TaskDependencyResponse(name=name, reason=sentence)])

    return await call.read(ask)


async def _tries(
    call: Call, dag_id: str, run_id: str, task_id: str, map_index: Whole
) -> TaskInstanceHistoryCollectionResponse:
    call.may(_READ, Resource.TASK_INSTANCE, dag_id)

    def ask(tx: PublicTransaction) -> TaskInstanceHistoryCollectionResponse:
        row = require_instance(tx, dag_id, run_id, task_id, map_index).task
        answers = attempt_answers(call.office, tx, row, tx.attempt_list(row.ti_id))
        return TaskInstanceHistoryCollectionResponse(task_instances=answers, total_entries=len(answers))

    return await call.read(ask)


async def _one_try(
    call: Call, dag_id: str, run_id: str, task_id: str, map_index: Whole, number: int
) -> TaskInstanceHistoryResponse:
    tries = (await _tries(call, dag_id, run_id, task_id, map_index)).task_instances
    for each in tries:
        if each.try_number == number:
            return each
    raise NotFound(f"task {task_id!r} of run {run_id!r} had no try {number}")
