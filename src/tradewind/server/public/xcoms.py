"""Values that tasks left for others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import Ask, Op, PublicTransaction, Where
from tradewind.ports.reads_rows import XComView
from tradewind.server.auth.choke import WILDCARD
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.ids import map_index_of, map_path_of

from .caller import Call, Caller
from .dag_runs import require_run
from .models.base import Whole
from .models.filters import LogicalDateRange, RunAfterRange
from .models.xcoms import (
    XComCollectionResponse,
    XComCreateBody,
    XComResponse,
    XComResponseNative,
    XComResponseString,
    XComUpdateBody,
)
from .paging import Page, conditions, order, page_of
from .refusals import refusals
from .task_instances import TASK, UNMAPPED, require_instance
from .values import entry_of, value_of
from .views_runs import Names

router = APIRouter(tags=["XCom"])
MapIndex = Annotated[int, Field(ge=-1)]


class XComsQuery(Page, LogicalDateRange, RunAfterRange):
    xcom_key: str | None = None
    map_index: MapIndex | None = None
    xcom_key_pattern: str | None = None
    xcom_key_prefix_pattern: str | None = None
    dag_display_name_pattern: str | None = None
    dag_display_name_prefix_pattern: str | None = None
    run_id_pattern: str | None = None
    run_id_prefix_pattern: str | None = None
    task_id_pattern: str | None = None
    task_id_prefix_pattern: str | None = None
    map_index_filter: Whole | None = None
    order_by: list[str] = ["dag_id", "task_id", "run_id", "map_index", "key"]


@router.get(TASK + "/xcomEntries", responses=refusals(400, 401, 403, 404, 422))
async def get_xcom_entries(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, query: Annotated[XComsQuery, Query()]
) -> XComCollectionResponse:
    where = call.within(Resource.XCOM, dag_id)
    where += conditions(query, {"xcom_key": "key"}, skip=("map_index", "map_index_filter"))
    where += [
        Where(field, Op.IS, given)
        for field, given in (("run_id", dag_run_id), ("task_id", task_id))
        if given != WILDCARD
    ]
    where += [
        Where("map_path", Op.IS, map_path_of(index))
        for index in (query.map_index, query.map_index_filter)
        if index is not None
    ]

    def ask(tx: PublicTransaction) -> XComCollectionResponse:
        if WILDCARD not in (dag_id, dag_run_id):
            require_run(tx, dag_id, dag_run_id)
        found = page_of(tx, "xcoms", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        answers = [XComResponse(**each) for each in _fields(call, tx, found.rows)]
        return XComCollectionResponse(xcom_entries=answers, total_entries=found.total)

    return await call.read(ask)


@router.post(TASK + "/xcomEntries", status_code=201, responses=refusals(400, 401, 403, 404, 409, 422))
async def create_xcom_entry(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, body: XComCreateBody
) -> XComResponseNative:
    call.may(Action.CREATE, Resource.XCOM, dag_id)

    def act(tx: PublicTransaction) -> XComResponseNative:
        task = require_instance(tx, dag_id, dag_run_id, task_id, body.map_index).task
        if _find(tx, task.ti_id, body.key) is not None:
            raise Conflict(f"task {task_id!r} of run {dag_run_id!r} has an XCom with key {body.key!r} already")
        entry = entry_of(call.office.settings, body.key, body.value, f"{dag_id}/{dag_run_id}/{task_id}")
        tx.xcom_put(task, [entry], tx.now())
        return _native(call, tx, task.ti_id, body.key)

    return await call.write(act)


ENTRY = TASK + "/xcomEntries/{xcom_key:path}"


@router.get(
    ENTRY,
    response_model=XComResponseNative | XComResponseString,
    responses=refusals(400, 401, 403, 404, 422),
)
async def get_xcom_entry(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    xcom_key: str,
    map_index: MapIndex = UNMAPPED,
    deserialize: bool = False,
    stringify: bool = False,
) -> XComResponseNative | XComResponseString:
    call.may(Action.READ, Resource.XCOM, dag_id)
    if deserialize:
        raise BadInput("values are shown as plain JSON: the server loads no classes of authors, so not deserialized")

    def ask(tx: PublicTransaction) -> XComResponseNative | XComResponseString:
        ti_id = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task.ti_id
        if _find(tx, ti_id, xcom_key) is None:
            raise NotFound(f"task {task_id!r} of run {dag_run_id!r} has no XCom with key {xcom_key!r}")
        native = _native(call, tx, ti_id, xcom_key)
        if not stringify:
            return native
        value = native.value
        text = value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)
        return XComResponseString(**(native.model_dump() | {"value": text}))

    return await call.read(ask)


@router.patch(ENTRY, responses=refusals(400, 401, 403, 404, 422))
async def update_xcom_entry(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, xcom_key: str, body: XComUpdateBody
) -> XComResponseNative:
    call.may(Action.EDIT, Resource.XCOM, dag_id)

    def act(tx: PublicTransaction) -> XComResponseNative:
        task = require_instance(tx, dag_id, dag_run_id, task_id, body.map_index).task
        if _find(tx, task.ti_id, xcom_key) is None:
            raise NotFound(f"task {task_id!r} of run {dag_run_id!r} has no XCom with key {xcom_key!r}")
        entry = entry_of(call.office.settings, xcom_key, body.value, f"{dag_id}/{dag_run_id}/{task_id}")
        tx.xcom_put(task, [entry], tx.now())
        return _native(call, tx, task.ti_id, xcom_key)

    return await call.write(act)


@router.delete(ENTRY, status_code=204, responses=refusals(400, 401, 403, 404, 422))
async def delete_xcom_entry(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, xcom_key: str, map_index: MapIndex = UNMAPPED
) -> None:
    call.may(Action.DELETE, Resource.XCOM, dag_id)

    def act(tx: PublicTransaction) -> None:
        ti_id = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task.ti_id
        if _find(tx, ti_id, xcom_key) is None:
            raise NotFound(f"task {task_id!r} of run {dag_run_id!r} has no XCom with key {xcom_key!r}")
        tx.xcom_delete(ti_id, xcom_key)

    await call.write(act)


def _find(tx: PublicTransaction, ti_id: str, key: str) -> XComView | None:
    where = (Where("place", Op.IS, ti_id), Where("key", Op.IS, key))
    rows = tx.ask_list("xcoms", Ask(where, limit=1, count_max=0)).rows
    return rows[0] if rows else None


def _native(call: Call, tx: PublicTransaction, ti_id: str, key: str) -> XComResponseNative:
    view = _find(tx, ti_id, key)
    assert view is not None
    (fields,) = _fields(call, tx, [view])
    return XComResponseNative(**fields, value=value_of(call.office.settings, view.xcom))


def _fields(call: Call, tx: PublicTransaction, views: Sequence[XComView]) -> list[dict[str, Any]]:
    """What all forms of an entry share."""
    runs = tx.run_many({view.xcom.run_key for view in views})
    versions = {key: run.version_id for key, run in runs.items()}
    call.office.facts.load(tx, versions.values())
    names = Names(tx, (view.xcom.dag_id for view in views), ())
    found = []
    for view in views:
        row = view.xcom
        facts = call.office.facts.task(versions.get(row.run_key, ""), row.task_id)
        found.append(
            {
                "key": row.key,
                "timestamp": row.at or view.run_after,
                "logical_date": view.logical_date,
                "map_index": map_index_of(row.map_path),
                "task_id": row.task_id,
                "dag_id": row.dag_id,
                "run_id": row.run_id,
                "dag_display_name": names.of(row.dag_id),
                "task_display_name": (facts.display_name if facts is not None else None) or row.task_id,
                "run_after": view.run_after,
            }
        )
    return found
