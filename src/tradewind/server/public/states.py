"""What tasks and assets remember between attempts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field

from tradewind.commands.assets import require_asset
from tradewind.commands.task_questions import RETENTION, check_state
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.asset_rows import AssetRow
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.rows import TaskRow
from tradewind.ports.state_store_rows import StateRow, StateScope, task_place
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import NotFound, TradewindError
from tradewind.wire.ids import map_index_of

from .caller import Caller
from .dag_runs import require_run
from .models.base import Whole
from .models.states import (
    AssetStateStoreBody,
    AssetStateStoreCollectionResponse,
    AssetStateStoreLastUpdatedBy,
    AssetStateStoreResponse,
    AssetStateStoreWriterKind,
    TaskStateStoreBody,
    TaskStateStoreCollectionResponse,
    TaskStateStorePatchBody,
    TaskStateStoreResponse,
)
from .paging import Page, slice_of
from .refusals import refusals
from .task_instances import TASK, UNMAPPED, require_instance

router = APIRouter()
MapIndex = Annotated[int, Field(ge=-1)]
AssetId = Annotated[int, Path(ge=-(2**62), le=2**62)]
TASK_STATE = TASK + "/state-store"
ASSET_STATE = "/assets/{asset_id}/state-store"
_TASK_TAG, _ASSET_TAG = "Task State Store", "Asset State Store"


class TaskStatesQuery(Page):
    map_index: MapIndex = UNMAPPED


@router.get(TASK_STATE, tags=[_TASK_TAG], responses=refusals(401, 403, 404, 422))
async def list_task_state_store(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, query: Annotated[TaskStatesQuery, Query()]
) -> TaskStateStoreCollectionResponse:
    call.may(Action.READ, Resource.STATE_STORE, dag_id)

    def ask(tx: PublicTransaction) -> TaskStateStoreCollectionResponse:
        row = require_instance(tx, dag_id, dag_run_id, task_id, query.map_index).task
        found = tx.state_list(StateScope.TASK, _place(row), tx.now())
        answers = [_task_answer(each) for each in slice_of(found, query)]
        return TaskStateStoreCollectionResponse(task_state_store=answers, total_entries=len(found))

    return await call.read(ask)


@router.delete(TASK_STATE, tags=[_TASK_TAG], status_code=204, responses=refusals(401, 403, 404, 422))
async def clear_task_state_store(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    all_map_indices: bool = False,
    map_index: MapIndex = UNMAPPED,
) -> None:
    call.may(Action.DELETE, Resource.STATE_STORE, dag_id)

    def act(tx: PublicTransaction) -> None:
        if all_map_indices:
            run = require_run(tx, dag_id, dag_run_id)
            rows: Sequence[TaskRow] = tx.task_list(run.run_key, [task_id])
            if not rows:
                raise NotFound(f"run {dag_run_id!r} of DAG {dag_id!r} has no task {task_id!r}")
        else:
            rows = [require_instance(tx, dag_id, dag_run_id, task_id, map_index).task]
        for row in rows:
            tx.state_clear(StateScope.TASK, _place(row))

    await call.write(act)


@router.get(TASK_STATE + "/{key:path}", tags=[_TASK_TAG], responses=refusals(401, 403, 404, 422))
async def get_task_state_store(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, key: str, map_index: MapIndex = UNMAPPED
) -> TaskStateStoreResponse:
    call.may(Action.READ, Resource.STATE_STORE, dag_id)

    def ask(tx: PublicTransaction) -> TaskStateStoreResponse:
        row = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task
        return _task_answer(_require(tx, StateScope.TASK, _place(row), key))

    return await call.read(ask)


@router.put(TASK_STATE + "/{key:path}", tags=[_TASK_TAG], status_code=204, responses=refusals(401, 403, 404, 422))
async def set_task_state_store(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    key: str,
    body: TaskStateStoreBody,
    map_index: MapIndex = UNMAPPED,
) -> None:
    call.may(Action.EDIT, Resource.STATE_STORE, dag_id)
    value = _text(key, body.value)

    def act(tx: PublicTransaction) -> None:
        row = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task
        now = tx.now()
        expires = body.expires_at
        until = expires if isinstance(expires, datetime) or expires is None else now + RETENTION
        tx.state_put(_task_row(row, key, value, now, until))

    await call.write(act)


@router.patch(TASK_STATE + "/{key:path}", tags=[_TASK_TAG], responses=refusals(401, 403, 404, 422))
async def patch_task_state_store(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    key: str,
    body: TaskStateStorePatchBody,
    map_index: MapIndex = UNMAPPED,
) -> None:
    call.may(Action.EDIT, Resource.STATE_STORE, dag_id)
    value = _text(key, body.value)

    def act(tx: PublicTransaction) -> None:
        row = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task
        found = _require(tx, StateScope.TASK, _place(row), key)
        tx.state_put(_task_row(row, key, value, tx.now(), found.expires_at))

    await call.write(act)


@router.delete(TASK_STATE + "/{key:path}", tags=[_TASK_TAG], status_code=204, responses=refusals(401, 403, 404, 422))
async def delete_task_state_store(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, key: str, map_index: MapIndex = UNMAPPED
) -> None:
    call.may(Action.DELETE, Resource.STATE_STORE, dag_id)

    def act(tx: PublicTransaction) -> None:
        row = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task
        tx.state_delete(StateScope.TASK, _place(row), key)

    await call.write(act)


@router.get(ASSET_STATE, tags=[_ASSET_TAG], responses=refusals(401, 403, 404, 422))
async def list_asset_state_store(
    call: Caller, asset_id: AssetId, query: Annotated[Page, Query()]
) -> AssetStateStoreCollectionResponse:
    call.may(Action.READ, Resource.ASSET)

    def ask(tx: PublicTransaction) -> AssetStateStoreCollectionResponse:
        found = tx.state_list(StateScope.ASSET, _asset_place(tx, asset_id), tx.now())
        answers = [_asset_answer(each) for each in slice_of(found, query)]
        return AssetStateStoreCollectionResponse(asset_state_store=answers, total_entries=len(found))

    return await call.read(ask)


@router.delete(ASSET_STATE, tags=[_ASSET_TAG], status_code=204, responses=refusals(401, 403, 404, 422))
async def clear_asset_state_store(call: Caller, asset_id: AssetId) -> None:
    call.may(Action.DELETE, Resource.ASSET)

    def act(tx: PublicTransaction) -> None:
        tx.state_clear(StateScope.ASSET, _asset_place(tx, asset_id))

    await call.write(act)


@router.get(ASSET_STATE + "/{key:path}", tags=[_ASSET_TAG], responses=refusals(401, 403, 404, 422))
async def get_asset_state_store(call: Caller, asset_id: AssetId, key: str) -> AssetStateStoreResponse:
    call.may(Action.READ, Resource.ASSET)
    return await call.read(lambda tx: _asset_answer(_require(tx, StateScope.ASSET, _asset_place(tx, asset_id), key)))


@router.put(ASSET_STATE + "/{key:path}", tags=[_ASSET_TAG], status_code=204, responses=refusals(401, 403, 404, 422))
async def set_asset_state_store(call: Caller, asset_id: AssetId, key: str, body: AssetStateStoreBody) -> None:
    call.may(Action.EDIT, Resource.ASSET)
    value = _text(key, body.value)

    def act(tx: PublicTransaction) -> None:
        place = _asset_place(tx, asset_id)
        tx.state_put(StateRow(scope=StateScope.ASSET, place=place, key=key, value=value, updated_at=tx.now()))

    await call.write(act)


@router.delete(ASSET_STATE + "/{key:path}", tags=[_ASSET_TAG], status_code=204, responses=refusals(401, 403, 404, 422))
async def delete_asset_state_store(call: Caller, asset_id: AssetId, key: str) -> None:
    call.may(Action.DELETE, Resource.ASSET)

    def act(tx: PublicTransaction) -> None:
        tx.state_delete(StateScope.ASSET, _asset_place(tx, asset_id), key)

    await call.write(act)


def _place(row: TaskRow) -> str:
    return task_place(row.dag_id, row.run_id, row.task_id, row.map_path)


def _asset_place(tx: PublicTransaction, asset_id: Whole) -> str:
    asset: AssetRow = require_asset(tx, asset_id=asset_id)
    return asset.name or asset.uri


def _text(key: str, value: Any) -> str:
    """The value as it is kept. Raises `UnprocessableContent`."""
    if value is None:
        raise UnprocessableContent("a state cannot be null: delete the key instead")
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        check_state(key, text)
    except (ValueError, TradewindError) as error:
        raise UnprocessableContent(str(error)) from None
    return text


def _require(tx: PublicTransaction, scope: StateScope, place: str, key: str) -> StateRow:
    row = tx.state_get(scope, place, key, tx.now())
    if row is None:
        raise NotFound(f"there is no state {key!r} here")
    return row


def _task_row(row: TaskRow, key: str, value: str, now: datetime, expires_at: datetime | None) -> StateRow:
    return StateRow(
        scope=StateScope.TASK,
        place=_place(row),
        key=key,
        value=value,
        ti_id=row.ti_id,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_path=row.map_path,
        updated_at=now,
        expires_at=expires_at,
    )


def _task_answer(row: StateRow) -> TaskStateStoreResponse:
    return TaskStateStoreResponse(
        key=row.key, value=json.loads(row.value), updated_at=row.updated_at, expires_at=row.expires_at
    )


def _asset_answer(row: StateRow) -> AssetStateStoreResponse:
    by_task = row.dag_id is not None
    return AssetStateStoreResponse(
        key=row.key,
        value=json.loads(row.value),
        updated_at=row.updated_at,
        last_updated_by=AssetStateStoreLastUpdatedBy(
            kind=AssetStateStoreWriterKind.TASK if by_task else AssetStateStoreWriterKind.API,
            dag_id=row.dag_id,
            run_id=row.run_id,
            task_id=row.task_id,
            map_index=None if row.map_path is None else map_index_of(row.map_path),
        ),
    )
