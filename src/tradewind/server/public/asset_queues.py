"""Changes of assets that wait for DAGs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter

from tradewind.commands import assets as commands
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import PublicTransaction
from tradewind.wire.errors import NotFound

from .assets import AssetId, require_asset
from .caller import Caller
from .dag_runs import require_dag
from .models.assets import (
    QueuedEventCollectionResponse,
    QueuedEventResponse,
)
from .models.base import Instant
from .refusals import refusals
from .views_runs import Names

router = APIRouter(tags=["Asset"])


@router.get("/assets/{asset_id}/queuedEvents", responses=refusals(401, 403, 404, 422))
async def get_asset_queued_events(
    call: Caller, asset_id: AssetId, before: Instant | None = None
) -> QueuedEventCollectionResponse:
    call.may(Action.READ, Resource.ASSET)
    visible = call.person.visible_dags()

    def ask(tx: PublicTransaction) -> QueuedEventCollectionResponse:
        found = [
            (dag_id, asset_id, since)
            for asset in tx.asset_get_many([asset_id])
            for dag_id, since in commands.queued_of_asset(tx, asset)
            if visible is None or dag_id in visible
        ]
        return _queued(tx, found, before)

    return await call.read(ask)


@router.delete("/assets/{asset_id}/queuedEvents", status_code=204, responses=refusals(401, 403, 404, 422))
async def delete_asset_queued_events(call: Caller, asset_id: AssetId, before: Instant | None = None) -> None:
    call.may(Action.DELETE, Resource.ASSET)

    def act(tx: PublicTransaction) -> None:
        asset = require_asset(tx, asset_id)
        waiting = [since for _, since in commands.queued_of_asset(tx, asset) if before is None or since < before]
        if not waiting or not commands.drop_queued(tx, asset=asset):
            raise NotFound(f"nothing waits for asset {asset_id}")

    await call.write(act)


@router.get("/dags/{dag_id}/assets/queuedEvents", responses=refusals(401, 403, 404, 422))
async def get_dag_asset_queued_events(
    call: Caller, dag_id: str, before: Instant | None = None
) -> QueuedEventCollectionResponse:
    call.may(Action.READ, Resource.ASSET)
    call.may(Action.READ, Resource.DAG, dag_id)

    def ask(tx: PublicTransaction) -> QueuedEventCollectionResponse:
        # Of a DAG that there is not nothing waits either: Airflow answers so.
        waiting = commands.queued_of_dag(tx, dag_id) if tx.dag_get(dag_id) is not None else []
        return _queued(tx, [(dag_id, asset.asset_id, since) for asset, since in waiting], before)

    return await call.read(ask)


@router.delete("/dags/{dag_id}/assets/queuedEvents", status_code=204, responses=refusals(400, 401, 403, 404, 422))
async def delete_dag_asset_queued_events(call: Caller, dag_id: str, before: Instant | None = None) -> None:
    call.may(Action.DELETE, Resource.ASSET)
    call.may(Action.READ, Resource.DAG, dag_id)

    def act(tx: PublicTransaction) -> None:
        require_dag(tx, dag_id)
        waiting = [since for _, since in commands.queued_of_dag(tx, dag_id) if before is None or since < before]
        if not waiting or not commands.drop_queued(tx, dag_id=dag_id):
            raise NotFound(f"nothing waits for DAG {dag_id!r}")

    await call.write(act)


@router.get("/dags/{dag_id}/assets/{asset_id}/queuedEvents", responses=refusals(401, 403, 404, 422))
async def get_dag_asset_queued_event(
    call: Caller, dag_id: str, asset_id: AssetId, before: Instant | None = None
) -> QueuedEventResponse:
    call.may(Action.READ, Resource.ASSET)
    call.may(Action.READ, Resource.DAG, dag_id)

    def ask(tx: PublicTransaction) -> QueuedEventResponse:
        require_dag(tx, dag_id)
        require_asset(tx, asset_id)
        found = [
            (dag_id, asset.asset_id, since)
            for asset, since in commands.queued_of_dag(tx, dag_id)
            if asset.asset_id == asset_id
        ]
        queued = _queued(tx, found, before).queued_events
        if not queued:
            raise NotFound(f"no change of asset {asset_id} waits for DAG {dag_id!r}")
        return queued[0]

    return await call.read(ask)


@router.delete(
    "/dags/{dag_id}/assets/{asset_id}/queuedEvents", status_code=204, responses=refusals(400, 401, 403, 404, 422)
)
async def delete_dag_asset_queued_event(
    call: Caller, dag_id: str, asset_id: AssetId, before: Instant | None = None
) -> None:
    call.may(Action.DELETE, Resource.ASSET)
    call.may(Action.READ, Resource.DAG, dag_id)

    def act(tx: PublicTransaction) -> None:
        require_dag(tx, dag_id)
        asset = require_asset(tx, asset_id)
        waiting = [
            since
            for each, since in commands.queued_of_dag(tx, dag_id)
            if each.asset_id == asset_id and (before is None or since < before)
        ]
        if not waiting or not commands.drop_queued(tx, dag_id=dag_id, asset=asset):
            raise NotFound(f"no change of asset {asset_id} waits for DAG {dag_id!r}")

    await call.write(act)


def _queued(
    tx: PublicTransaction, found: Sequence[tuple[str, int, datetime]], before: datetime | None
) -> QueuedEventCollectionResponse:
    kept = [each for each in found if before is None or each[2] < before]
    names = Names(tx, {dag_id for dag_id, _, _ in kept}, ())
    answers = [
        QueuedEventResponse(dag_id=dag_id, asset_id=asset_id, created_at=since, dag_display_name=names.of(dag_id))
        for dag_id, asset_id, since in kept
    ]
    return QueuedEventCollectionResponse(queued_events=answers, total_entries=len(answers))
