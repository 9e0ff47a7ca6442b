"""Task instances as people change them: state and note, many at once, clearing, deleting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from tradewind.commands.clearing import ClearWish, TaskRef, clear, plan_clear
from tradewind.commands.deletion import delete_instances
from tradewind.commands.marking import MarkWish, mark, plan_mark
from tradewind.commands.notes import set_task_note
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.reads_rows import TaskView
from tradewind.server.auth.choke import WILDCARD
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import BadInput, Conflict
from tradewind.wire.ids import map_index_of, map_path_of

from .bulk import carry_out
from .caller import Call, Caller
from .dag_runs import require_dag, require_run
from .models.base import Whole
from .models.bulk import BulkBody, BulkResponse
from .models.task_instances import (
    BulkTaskInstanceBody,
    ClearTaskInstancesBody,
    PatchTaskInstanceBody,
    TaskInstanceCollectionResponse,
)
from .refusals import refusals
from .task_instances import RUN, TASK, UNMAPPED, require_instance, tasks_of_group
from .views_runs import task_answers

router = APIRouter(tags=["Task Instance"])
last_router = APIRouter(tags=["Task Instance"])
Mask = Annotated[list[str] | None, Query()]


@router.post("/dags/{dag_id}/clearTaskInstances", responses=refusals(400, 401, 403, 404, 409, 422))
async def post_clear_task_instances(
    call: Caller, dag_id: str, body: ClearTaskInstancesBody
) -> TaskInstanceCollectionResponse:
    call.may(Action.READ if body.dry_run else Action.EDIT, Resource.TASK_INSTANCE, dag_id)
    wish = ClearWish(
        dag_id=dag_id,
        run_id=body.dag_run_id,
        start=body.start_date,
        end=body.end_date,
        tasks=_refs(body.task_ids),
        upstream=body.include_upstream,
        downstream=body.include_downstream,
        future=body.include_future,
        past=body.include_past,
        only_failed=body.only_failed,
        only_running=body.only_running,
        newest_version=body.run_on_latest_version,
        reset_runs=body.reset_dag_runs,
        prevent_running=body.prevent_running_task,
        note=body.note,
    )
    if body.task_ids is not None and not body.task_ids:
        raise UnprocessableContent("task_ids is empty: leave it out to clear all tasks")

    def act(tx: PublicTransaction) -> TaskInstanceCollectionResponse:
        require_dag(tx, dag_id)
        documents = call.office.documents
        plan = plan_clear(tx, documents, wish) if body.dry_run else clear(tx, documents, tx.now(), wish)
        ids = [row.ti_id for row in plan.rows]
        return _answer(call, tx, ids)

    return await (call.read(act) if body.dry_run else call.write(act))


@router.patch(RUN + "/taskGroupInstances/{group_id}", responses=refusals(400, 401, 403, 404, 409, 422))
async def patch_task_group_instances(
    call: Caller, dag_id: str, dag_run_id: str, group_id: str, body: PatchTaskInstanceBody, update_mask: Mask = None
) -> TaskInstanceCollectionResponse:
    call.may(Action.EDIT, Resource.TASK_INSTANCE, dag_id)

    def act(tx: PublicTransaction) -> TaskInstanceCollectionResponse:
        tasks = _group_tasks(call, tx, dag_id, dag_run_id, group_id)
        return _patch(call, tx, dag_id, dag_run_id, tuple((task, None) for task in tasks), body, update_mask)

    return await call.write(act)


@router.patch(RUN + "/taskGroupInstances/{group_id}/dry_run", responses=refusals(400, 401, 403, 404, 422))
async def patch_task_group_instances_dry_run(
    call: Caller, dag_id: str, dag_run_id: str, group_id: str, body: PatchTaskInstanceBody
) -> TaskInstanceCollectionResponse:
    call.may(Action.EDIT, Resource.TASK_INSTANCE, dag_id)

    def ask(tx: PublicTransaction) -> TaskInstanceCollectionResponse:
        tasks = _group_tasks(call, tx, dag_id, dag_run_id, group_id)
        return _preview(call, tx, dag_id, dag_run_id, tuple((task, None) for task in tasks), body)

    return await call.read(ask)


@router.patch(TASK + "/dry_run", responses=refusals(400, 401, 403, 404, 422))
async def patch_task_instance_dry_run(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    body: PatchTaskInstanceBody,
    map_index: Whole | None = None,
    update_mask: Mask = None,
) -> TaskInstanceCollectionResponse:
    return await _preview_one(call, dag_id, dag_run_id, task_id, map_index, body, update_mask)


@router.patch(TASK + "/{map_index}/dry_run", responses=refusals(400, 401, 403, 404, 422))
async def patch_task_instance_dry_run_by_map_index(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    map_index: Whole,
    body: PatchTaskInstanceBody,
    update_mask: Mask = None,
) -> TaskInstanceCollectionResponse:
    return await _preview_one(call, dag_id, dag_run_id, task_id, map_index, body, update_mask)


@router.patch(TASK, responses=refusals(400, 401, 403, 404, 409, 422))
async def patch_task_instance(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    body: PatchTaskInstanceBody,
    map_index: Whole | None = None,
    update_mask: Mask = None,
) -> TaskInstanceCollectionResponse:
    return await _patch_one(call, dag_id, dag_run_id, task_id, map_index, body, update_mask)


@last_router.patch(TASK + "/{map_index}", responses=refusals(400, 401, 403, 404, 409, 422))
async def patch_task_instance_by_map_index(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    map_index: Whole,
    body: PatchTaskInstanceBody,
    update_mask: Mask = None,
) -> TaskInstanceCollectionResponse:
    return await _patch_one(call, dag_id, dag_run_id, task_id, map_index, body, update_mask)


@router.delete(TASK, responses=refusals(401, 403, 404, 409, 422))
async def delete_task_instance(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole = UNMAPPED
) -> None:
    call.may(Action.DELETE, Resource.TASK_INSTANCE, dag_id)

    def act(tx: PublicTransaction) -> None:
        require_instance(tx, dag_id, dag_run_id, task_id, map_index)
        delete_instances(tx, dag_id, dag_run_id, task_id, map_path=map_path_of(map_index))

    await call.write(act)


@router.patch(RUN + "/taskInstances", responses=refusals(400, 401, 403, 404, 422))
async def bulk_task_instances(
    call: Caller, dag_id: str, dag_run_id: str, body: BulkBody[BulkTaskInstanceBody]
) -> BulkResponse:
    for action in {each.action for each in body.actions} or {"update"}:
        call.may(Action.DELETE if action == "delete" else Action.EDIT, Resource.TASK_INSTANCE, dag_id)
    return await call.write(lambda tx: carry_out(_Instances(call, tx, dag_id, dag_run_id), body))


class _Instances:
    """Task instances in bulk: they can be changed and deleted, not made."""

    noun = "task instances"

    def __init__(self, call: Call, tx: PublicTransaction, dag_id: str, run_id: str) -> None:
        self._call = call
        self._tx = tx
        self._dag_id = dag_id
        self._run_id = run_id

    def key(self, entity: BulkTaskInstanceBody | str) -> str:
        dag_id, run_id, task_id, path = self._place(entity)
        index = "" if path is None else f"[{map_index_of(path)}]"
        return f"{dag_id}.{run_id}.{task_id}{index}"

    def exists(self, entity: BulkTaskInstanceBody | str) -> bool:
        dag_id, run_id, task_id, path = self._place(entity)
        if not self._call.person.may(Action.READ, Resource.TASK_INSTANCE, dag_id):
            return False
        run = self._tx.run_find(dag_id, run_id)
        rows = self._tx.task_list(run.run_key, [task_id]) if run is not None else []
        return any(path is None or row.map_path == path for row in rows)

    def create(self, entity: BulkTaskInstanceBody, *, overwrite: bool) -> None:
        raise BadInput(f"task instances are made by their run, not in bulk: {self.key(entity)}, overwrite={overwrite}")

    def update(self, entity: BulkTaskInstanceBody, mask: Sequence[str] | None) -> None:
        dag_id, run_id, task_id, path = self._place(entity)
        self._call.may(Action.EDIT, Resource.TASK_INSTANCE, dag_id)
        _patch(self._call, self._tx, dag_id, run_id, ((task_id, path),), entity, mask)

    def delete(self, entity: BulkTaskInstanceBody | str) -> None:
        dag_id, run_id, task_id, path = self._place(entity)
        self._call.may(Action.DELETE, Resource.TASK_INSTANCE, dag_id)
        delete_instances(self._tx, dag_id, run_id, task_id, map_path=path)

    def _place(self, entity: BulkTaskInstanceBody | str) -> tuple[str, str, str, str | None]:
        if isinstance(entity, str):
            return self._named("DAG", self._dag_id, None), self._named("run", self._run_id, None), entity, None
        path = None if entity.map_index is None else map_path_of(entity.map_index)
        dag_id = self._named("DAG", self._dag_id, entity.dag_id)
        return dag_id, self._named("run", self._run_id, entity.dag_run_id), entity.task_id, path

    def _named(self, noun: str, in_path: str, given: str | None) -> str:
        if in_path == WILDCARD:
            if not given or given == WILDCARD:
                raise BadInput(f"with ~ in the path each task instance must name its {noun}")
            return given
        if given not in (None, in_path):
            raise BadInput(f"a task instance names {noun} {given!r}, the path names {in_path!r}")
        return in_path


def _refs(given: Sequence[str | list[Any]] | None) -> tuple[TaskRef, ...]:
    """Task ids, or pairs of task id and map index."""
    refs: list[TaskRef] = []
    for each in given or ():
        if isinstance(each, str):
            refs.append((each, None))
            continue
        task_id, index = each
        if not isinstance(task_id, str) or not isinstance(index, int) or isinstance(index, bool):
            raise UnprocessableContent("task_ids holds task ids, or pairs of a task id and a map index")
        refs.append((task_id, map_path_of(index)))
    return tuple(refs)


def _group_tasks(call: Call, tx: PublicTransaction, dag_id: str, run_id: str, group_id: str) -> list[str]:
    run = require_run(tx, dag_id, run_id)
    document = call.office.documents.get(tx, run.version_id).document
    there = {row.task_id for row in tx.task_list(run.run_key)}
    return [task_id for task_id in tasks_of_group(document, group_id) if task_id in there]


async def _patch_one(
    call: Call,
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: Whole | None,
    body: PatchTaskInstanceBody,
    mask: Sequence[str] | None,
) -> TaskInstanceCollectionResponse:
    call.may(Action.EDIT, Resource.TASK_INSTANCE, dag_id)
    return await call.write(
        lambda tx: _patch(call, tx, dag_id, run_id, _ref(tx, dag_id, run_id, task_id, map_index), body, mask)
    )


async def _preview_one(
    call: Call,
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: Whole | None,
    body: PatchTaskInstanceBody,
    mask: Sequence[str] | None,
) -> TaskInstanceCollectionResponse:
    call.may(Action.EDIT, Resource.TASK_INSTANCE, dag_id)
    _given(body, mask)
    return await call.read(
        lambda tx: _preview(call, tx, dag_id, run_id, _ref(tx, dag_id, run_id, task_id, map_index), body)
    )


def _ref(tx: PublicTransaction, dag_id: str, run_id: str, task_id: str, map_index: Whole | None) -> tuple[TaskRef, ...]:
    """The instance, all instances of the task without an index. Raises `NotFound`."""
    if map_index is not None:
        require_instance(tx, dag_id, run_id, task_id, map_index)
        return ((task_id, map_path_of(map_index)),)
    run = require_run(tx, dag_id, run_id)
    if not tx.task_list(run.run_key, [task_id]):
        require_instance(tx, dag_id, run_id, task_id, UNMAPPED)
    return ((task_id, None),)


def _given(body: PatchTaskInstanceBody | BulkTaskInstanceBody, mask: Sequence[str] | None) -> frozenset[str]:
    """Which fields are to be changed. Raises `BadInput`, `UnprocessableContent`."""
    known = {"new_state", "note", "include_upstream", "include_downstream", "include_future", "include_past"}
    if mask and not known.issuperset(mask):
        raise BadInput(
            f"update_mask names {', '.join(sorted(set(mask) - known))}; fields are {', '.join(sorted(known))}"
        )
    given = body.model_fields_set.intersection(mask) if mask else body.model_fields_set
    if "new_state" in given and body.new_state is None:
        raise UnprocessableContent("new_state must be success, failed or skipped")
    return frozenset(given)


def _patch(
    call: Call,
    tx: PublicTransaction,
    dag_id: str,
    run_id: str,
    refs: tuple[TaskRef, ...],
    body: PatchTaskInstanceBody | BulkTaskInstanceBody,
    mask: Sequence[str] | None,
) -> TaskInstanceCollectionResponse:
    """Note first, then state, so that whoever hears of the state reads the note."""
    given = _given(body, mask)
    ids = _ids(tx, dag_id, run_id, refs)
    if "note" in given:
        for task_id, path in refs:
            set_task_note(tx, dag_id, run_id, task_id, body.note, map_path=path)
    if "new_state" in given and body.new_state is not None:
        wish = _wish(dag_id, run_id, refs, body)
        plan = mark(tx, call.office.documents, tx.now(), wish, reason=f"marked by {call.person.username}")
        if not plan.rows:
            raise Conflict(f"everything that was named is {body.new_state} already")
        ids = [row.ti_id for row in plan.rows]
    return _answer(call, tx, ids)


def _preview(
    call: Call,
    tx: PublicTransaction,
    dag_id: str,
    run_id: str,
    refs: tuple[TaskRef, ...],
    body: PatchTaskInstanceBody,
) -> TaskInstanceCollectionResponse:
    if body.new_state is None:
        return _answer(call, tx, _ids(tx, dag_id, run_id, refs))
    plan = plan_mark(tx, call.office.documents, _wish(dag_id, run_id, refs, body))
    return _answer(call, tx, [row.ti_id for row in plan.rows])


def _wish(
    dag_id: str, run_id: str, refs: tuple[TaskRef, ...], body: PatchTaskInstanceBody | BulkTaskInstanceBody
) -> MarkWish:
    assert body.new_state is not None
    return MarkWish(
        dag_id=dag_id,
        run_id=run_id,
        state=body.new_state,
        tasks=refs,
        upstream=body.include_upstream,
        downstream=body.include_downstream,
        future=body.include_future,
        past=body.include_past,
    )


def _ids(tx: PublicTransaction, dag_id: str, run_id: str, refs: tuple[TaskRef, ...]) -> list[str]:
    run = require_run(tx, dag_id, run_id)
    rows = tx.task_list(run.run_key, [task_id for task_id, _ in refs])
    wanted = set(refs)
    return [row.ti_id for row in rows if (row.task_id, None) in wanted or (row.task_id, row.map_path) in wanted]


def _answer(call: Call, tx: PublicTransaction, ti_ids: Sequence[str]) -> TaskInstanceCollectionResponse:
    """The instances as they are now, in this order."""
    found = {row.ti_id: row for row in tx.task_get_many(ti_ids)}
    rows = [found[ti_id] for ti_id in ti_ids if ti_id in found]
    runs = tx.run_many({row.run_key for row in rows})
    views = [TaskView(row, runs[row.run_key].logical_date, runs[row.run_key].run_after) for row in rows]
    return TaskInstanceCollectionResponse(task_instances=task_answers(call.office, tx, views), total_entries=len(views))
