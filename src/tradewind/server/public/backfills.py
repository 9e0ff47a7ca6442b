"""Backfills: runs over a stretch of the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from tradewind.commands import backfills as commands
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.backfill_rows import BackfillRow, Reprocess
from tradewind.ports.reads import Op, PublicTransaction, Where
from tradewind.wire.errors import NotFound

from .caller import Call, Caller
from .dag_runs import require_dag
from .models.backfills import (
    BackfillCollectionResponse,
    BackfillPostBody,
    BackfillResponse,
    DryRunBackfillCollectionResponse,
    DryRunBackfillResponse,
    ReprocessBehavior,
)
from .paging import Page, order, page_of
from .refusals import refusals
from .views_runs import Names

router = APIRouter(tags=["Backfill"])
BackfillId = Annotated[int, Path(ge=0)]


class BackfillsQuery(Page):
    dag_id: str
    order_by: list[str] = ["id"]


@router.get("/backfills", responses=refusals(400, 401, 403, 404, 422))
async def list_backfills(call: Caller, query: Annotated[BackfillsQuery, Query()]) -> BackfillCollectionResponse:
    call.may(Action.READ, Resource.BACKFILL, query.dag_id)

    def ask(tx: PublicTransaction) -> BackfillCollectionResponse:
        where = [Where("dag_id", Op.IS, query.dag_id)]
        found = page_of(tx, "backfills", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        return BackfillCollectionResponse(backfills=_answers(tx, found.rows), total_entries=found.total)

    return await call.read(ask)


@router.post("/backfills", responses=refusals(400, 401, 403, 404, 409, 422, 503))
async def create_backfill(call: Caller, body: BackfillPostBody) -> BackfillResponse:
    call.may(Action.CREATE, Resource.BACKFILL, body.dag_id)

    def act(tx: PublicTransaction) -> BackfillResponse:
        require_dag(tx, body.dag_id)
        office = call.office
        row = commands.create_backfill(
            tx, office.documents, tx.now(), office.new_id, _wish(body), user=call.person.username
        )
        return _answers(tx, [row])[0]

    return await call.write(act)


@router.post("/backfills/dry_run", responses=refusals(400, 401, 403, 404, 409, 422, 503))
async def create_backfill_dry_run(call: Caller, body: BackfillPostBody) -> DryRunBackfillCollectionResponse:
    call.may(Action.CREATE, Resource.BACKFILL, body.dag_id)

    def ask(tx: PublicTransaction) -> DryRunBackfillCollectionResponse:
        require_dag(tx, body.dag_id)
        plan = commands.plan_backfill(tx, call.office.documents, tx.now(), _wish(body))
        answers = [
            DryRunBackfillResponse(
                logical_date=None if each.info.partition_key is not None else each.info.logical_date,
                partition_key=each.info.partition_key,
                partition_date=each.info.partition_date,
            )
            for each in plan.dates
            if each.deed is not commands.Deed.SKIP
        ]
        return DryRunBackfillCollectionResponse(backfills=answers, total_entries=len(answers))

    return await call.read(ask)


@router.get("/backfills/{backfill_id}", responses=refusals(401, 403, 404, 422))
async def get_backfill(call: Caller, backfill_id: BackfillId) -> BackfillResponse:
    return await call.read(lambda tx: _answers(tx, [_require(call, tx, Action.READ, backfill_id)])[0])


@router.put("/backfills/{backfill_id}/pause", responses=refusals(401, 403, 404, 409, 422))
async def pause_backfill(call: Caller, backfill_id: BackfillId) -> BackfillResponse:
    return await _change(call, backfill_id, commands.pause_backfill)


@router.put("/backfills/{backfill_id}/unpause", responses=refusals(401, 403, 404, 409, 422))
async def unpause_backfill(call: Caller, backfill_id: BackfillId) -> BackfillResponse:
    return await _change(call, backfill_id, commands.unpause_backfill)


@router.put("/backfills/{backfill_id}/cancel", responses=refusals(401, 403, 404, 409, 422))
async def cancel_backfill(call: Caller, backfill_id: BackfillId) -> BackfillResponse:
    def cancel(tx: Any, now: datetime, number: int) -> BackfillRow:
        return commands.cancel_backfill(tx, now, number, user=call.person.username)

    return await _change(call, backfill_id, cancel)


async def _change(
    call: Call, backfill_id: int, command: Callable[[Any, datetime, int], BackfillRow]
) -> BackfillResponse:
    def act(tx: PublicTransaction) -> BackfillResponse:
        _require(call, tx, Action.EDIT, backfill_id)
        return _answers(tx, [command(tx, tx.now(), backfill_id)])[0]

    return await call.write(act)


def _require(call: Call, tx: PublicTransaction, action: Action, backfill_id: int) -> BackfillRow:
    """Raises `NotFound`: in the same words for one of a DAG that may not be seen."""
    row = tx.backfill_get(backfill_id) if backfill_id < 2**62 else None
    if row is None or not call.person.may(Action.READ, Resource.BACKFILL, row.dag_id):
        call.may(action, Resource.BACKFILL)
        raise NotFound(f"there is no backfill {backfill_id}")
    call.may(action, Resource.BACKFILL, row.dag_id)
    return row


def _wish(body: BackfillPostBody) -> commands.BackfillWish:
    return commands.BackfillWish(
        dag_id=body.dag_id,
        from_date=body.from_date,
        to_date=body.to_date,
        run_backwards=body.run_backwards,
        conf=body.dag_run_conf,
        reprocess=Reprocess(body.reprocess_behavior),
        max_active_runs=body.max_active_runs,
        newest_version=True if body.run_on_latest_version is None else body.run_on_latest_version,
    )


def _answers(tx: PublicTransaction, rows: Sequence[BackfillRow]) -> list[BackfillResponse]:
    names = Names(tx, {row.dag_id for row in rows}, ())
    return [
        BackfillResponse(
            id=row.backfill_id,
            dag_id=row.dag_id,
            from_date=row.from_date,
            to_date=row.to_date,
            dag_run_conf=row.dag_run_conf,
            is_paused=row.is_paused,
            reprocess_behavior=ReprocessBehavior(row.reprocess),
            max_active_runs=row.max_active_runs,
            created_at=row.created_at,
            completed_at=row.completed_at,
            updated_at=row.updated_at,
            dag_display_name=names.of(row.dag_id),
        )
        for row in rows
    ]
