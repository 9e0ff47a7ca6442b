"""Assets: what there is, what changed, what waits; telling of changes; making an asset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from tradewind.commands import assets as commands
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.asset_rows import AliasRow, AssetEventRow, AssetRow, AssetUseRow
from tradewind.ports.reads import Op, PublicTransaction, Where
from tradewind.ports.rows import RunRow
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import NotFound
from tradewind.wire.states import DagRunTriggeredBy

from .caller import Call, Caller
from .dag_runs import require_run
from .models.assets import (
    AssetAliasCollectionResponse,
    AssetAliasResponse,
    AssetCollectionResponse,
    AssetEventCollectionResponse,
    AssetEventResponse,
    AssetResponse,
    AssetWatcherResponse,
    CreateAssetEventsBody,
    DagRunAssetReference,
    DagScheduleAssetReference,
    LastAssetEventResponse,
    MaterializeAssetBody,
    TaskInletAssetReference,
    TaskOutletAssetReference,
)
from .models.base import Whole
from .models.dag_runs import DAGRunResponse
from .models.filters import TimestampRange
from .numbers import number_of
from .paging import Page, conditions, order, page_of
from .refusals import refusals
from .views_runs import run_answer

router = APIRouter(tags=["Asset"])
run_router = APIRouter(tags=["DagRun"])
AssetId = Annotated[int, Path(ge=-(2**62), le=2**62)]
_EVENT_SORT = {"asset_id": "asset_id", "source_map_index": "source_map_index"}
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class AssetsQuery(Page):
    name_pattern: str | None = None
    name_prefix_pattern: str | None = None
    uri_pattern: str | None = None
    uri_prefix_pattern: str | None = None
    dag_ids: list[str] = []
    only_active: bool = True
    order_by: list[str] = ["id"]


@router.get("/assets", responses=refusals(400, 401, 403, 404, 422))
async def get_assets(call: Caller, query: Annotated[AssetsQuery, Query()]) -> AssetCollectionResponse:
    call.may(Action.READ, Resource.ASSET)
    where = conditions(query, skip=("dag_ids", "only_active"))
    if query.only_active:
        where.append(Where("is_active", Op.IS, True))
    # One value may name several DAGs, divided by commas.
    dag_ids = [part for each in query.dag_ids for part in each.split(",") if part]

    def ask(tx: PublicTransaction) -> AssetCollectionResponse:
        if dag_ids:
            where.append(Where("id", Op.ANY, _assets_of(tx, dag_ids)))
        found = page_of(tx, "assets", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        return AssetCollectionResponse(assets=_answers(call, tx, found.rows), total_entries=found.total)

    return await call.read(ask)


class AliasesQuery(Page):
    name_pattern: str | None = None
    name_prefix_pattern: str | None = None
    order_by: list[str] = ["id"]


@router.get("/assets/aliases", responses=refusals(400, 401, 403, 404, 422))
async def get_asset_aliases(call: Caller, query: Annotated[AliasesQuery, Query()]) -> AssetAliasCollectionResponse:
    call.may(Action.READ, Resource.ASSET_ALIAS)

    def ask(tx: PublicTransaction) -> AssetAliasCollectionResponse:
        where = conditions(query)
        found = page_of(tx, "aliases", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        return AssetAliasCollectionResponse(asset_aliases=list(map(_alias, found.rows)), total_entries=found.total)

    return await call.read(ask)


@router.get("/assets/aliases/{asset_alias_id}", response_model=None, responses=refusals(401, 403, 404, 422))
async def get_asset_alias(
    call: Caller, asset_alias_id: Annotated[int, Path(ge=-(2**62), le=2**62)]
) -> AssetAliasResponse:
    call.may(Action.READ, Resource.ASSET_ALIAS)

    def ask(tx: PublicTransaction) -> AssetAliasResponse:
        found = page_of(tx, "aliases", [Where("id", Op.IS, asset_alias_id)], sort=(), limit=1)
        if not found.rows:
            raise NotFound(f"there is no asset alias {asset_alias_id}")
        return _alias(found.rows[0])

    return await call.read(ask)


class EventsQuery(Page, TimestampRange):
    order_by: list[str] = ["timestamp"]
    asset_id: Whole | None = None
    source_dag_id: str | None = None
    source_task_id: str | None = None
    source_run_id: str | None = None
    source_map_index: Whole | None = None
    name_pattern: str | None = None
    name_prefix_pattern: str | None = None


@router.get("/assets/events", responses=refusals(400, 401, 403, 404, 422))
async def get_asset_events(call: Caller, query: Annotated[EventsQuery, Query()]) -> AssetEventCollectionResponse:
    call.may(Action.READ, Resource.ASSET)

    def ask(tx: PublicTransaction) -> AssetEventCollectionResponse:
        where = conditions(query)
        sort = order(query.order_by, _EVENT_SORT)
        found = page_of(tx, "asset_events", where, sort=sort, limit=query.limit, offset=query.offset)
        return AssetEventCollectionResponse(asset_events=_events(call, tx, found.rows), total_entries=found.total)

    return await call.read(ask)


@router.post("/assets/events", responses=refusals(400, 401, 403, 404, 422))
async def create_asset_event(call: Caller, body: CreateAssetEventsBody) -> AssetEventResponse:
    call.may(Action.CREATE, Resource.ASSET)
    if body.access_control is not None:
        raise UnprocessableContent("access_control: there are no teams here")

    def act(tx: PublicTransaction) -> AssetEventResponse:
        asset = require_asset(tx, body.asset_id)
        row = commands.create_asset_event(
            tx,
            tx.now(),
            asset,
            extra={**(body.extra or {}), "from_rest_api": True},
            partition_key=body.partition_key,
            user=call.person.username,
        )
        return _events(call, tx, [row])[0]

    return await call.write(act)


@router.post("/assets/{asset_id}/materialize", responses=refusals(400, 401, 403, 404, 409, 422))
async def materialize_asset(
    call: Caller, asset_id: AssetId, body: MaterializeAssetBody | None = None
) -> DAGRunResponse:
    call.may(Action.READ, Resource.ASSET)
    given = body or MaterializeAssetBody()
    if (given.data_interval_start is None) != (given.data_interval_end is None):
        raise UnprocessableContent("give both ends of the data interval, data_interval_start and _end, or neither")

    def act(tx: PublicTransaction) -> DAGRunResponse:
        asset = require_asset(tx, asset_id)
        for dag_id in commands.makers_of(tx, asset):
            call.may(Action.CREATE, Resource.RUN, dag_id)
        interval: Any = None
        if given.data_interval_start is not None and given.data_interval_end is not None:
            interval = (given.data_interval_start, given.data_interval_end)
        run = commands.materialize_asset(
            tx,
            call.office.documents,
            tx.now(),
            call.office.new_id,
            asset,
            triggered_by=DagRunTriggeredBy.REST_API,
            user=call.person.username,
            run_id=given.dag_run_id,
            logical_date=given.logical_date,
            run_after=given.run_after,
            data_interval=interval,
            conf=given.conf,
            note=given.note,
            partition_key=given.partition_key,
        )
        return run_answer(tx, run)

    return await call.write(act)


@router.get("/assets/{asset_id}", responses=refusals(401, 403, 404, 422))
async def get_asset(call: Caller, asset_id: AssetId) -> AssetResponse:
    call.may(Action.READ, Resource.ASSET)
    return await call.read(lambda tx: _answers(call, tx, [require_asset(tx, asset_id)])[0])


@run_router.get("/dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents", responses=refusals(401, 403, 404, 422))
async def get_upstream_asset_events(call: Caller, dag_id: str, dag_run_id: str) -> AssetEventCollectionResponse:
    call.may(Action.READ, Resource.RUN, dag_id)

    def ask(tx: PublicTransaction) -> AssetEventCollectionResponse:
        rows = tx.asset_consumed_by(require_run(tx, dag_id, dag_run_id).run_key)
        return AssetEventCollectionResponse(asset_events=_events(call, tx, rows), total_entries=len(rows))

    return await call.read(ask)


def require_asset(tx: PublicTransaction, asset_id: Whole) -> AssetRow:
    found = tx.asset_get_many([asset_id])
    if not found:
        raise NotFound(f"there is no asset {asset_id}")
    return found[0]


def _assets_of(tx: PublicTransaction, dag_ids: Sequence[str]) -> list[int]:
    """Assets that these DAGs speak of."""
    found: set[int] = set()
    for dag_id in dag_ids:
        for use in tx.asset_use_list(dag_id=dag_id):
            if use.kind != "alias":
                found |= {row.asset_id for row in tx.asset_find(name=use.name or None, uri=use.uri or None)}
    return sorted(found)


def _answers(call: Call, tx: PublicTransaction, rows: Sequence[AssetRow]) -> list[AssetResponse]:
    """Assets with who speaks of them, each kind of fact read once for all."""
    ids = [row.asset_id for row in rows]
    uses = tx.asset_uses([row.name for row in rows], [row.uri for row in rows])
    visible = call.person.visible_dags()
    if visible is not None:
        uses = [use for use in uses if use.dag_id in visible]
    newest = tx.asset_last_events(ids)
    links = tx.asset_links(asset_ids=ids)
    known = {alias.name: alias for alias in tx.asset_aliases_named(sorted({alias for alias, _ in links}))}
    aliases: dict[int, list[AliasRow]] = defaultdict(list)
    for name, asset_id in links:
        if name in known:
            aliases[asset_id].append(known[name])
    return [
        _asset(row, [use for use in uses if _speaks_of(use, row)], aliases[row.asset_id], newest.get(row.asset_id))
        for row in rows
    ]


def _speaks_of(use: AssetUseRow, row: AssetRow) -> bool:
    if use.kind == "asset":
        return (use.name, use.uri) == (row.name, row.uri)
    return (use.kind == "name" and use.name == row.name) or (use.kind == "uri" and use.uri == row.uri)


def _asset(
    row: AssetRow, uses: Sequence[AssetUseRow], aliases: Sequence[AliasRow], newest: tuple[int, datetime] | None
) -> AssetResponse:
    created = row.created_at or _LONG_AGO
    return AssetResponse(
        id=row.asset_id,
        name=row.name,
        uri=row.uri,
        group=row.group_name,
        extra=row.extra,
        created_at=created,
        updated_at=row.updated_at or created,
        scheduled_dags=[
            DagScheduleAssetReference(dag_id=use.dag_id, created_at=use.since, updated_at=use.since)
            for use in uses
            if use.role == "schedule"
        ],
        producing_tasks=[
            TaskOutletAssetReference(dag_id=use.dag_id, task_id=use.task_id, created_at=use.since, updated_at=use.since)
            for use in uses
            if use.role == "outlet"
        ],
        consuming_tasks=[
            TaskInletAssetReference(dag_id=use.dag_id, task_id=use.task_id, created_at=use.since, updated_at=use.since)
            for use in uses
            if use.role == "inlet"
        ],
        aliases=list(map(_alias, aliases)),
        watchers=[
            AssetWatcherResponse(name=name, trigger_id=number_of(row.name, row.uri, name), created_date=created)
            for name in row.watchers
        ],
        last_asset_event=LastAssetEventResponse(
            id=newest[0] if newest else None, timestamp=newest[1] if newest else None
        ),
    )


def _alias(row: AliasRow) -> AssetAliasResponse:
    return AssetAliasResponse(id=row.alias_id, name=row.name, group=row.group_name)


def _events(call: Call, tx: PublicTransaction, rows: Sequence[AssetEventRow]) -> list[AssetEventResponse]:
    assets = {row.asset_id: row for row in tx.asset_get_many({row.asset_id for row in rows})}
    taken = tx.asset_runs_of([row.event_id for row in rows])
    runs = tx.run_many({run_key for _, run_key in taken})
    visible = call.person.visible_dags(Action.READ, Resource.RUN)
    made: dict[int, list[RunRow]] = defaultdict(list)
    for event_id, run_key in taken:
        run = runs.get(run_key)
        if run is not None and (visible is None or run.dag_id in visible):
            made[event_id].append(run)
    return [
        AssetEventResponse(
            id=row.event_id,
            asset_id=row.asset_id,
            uri=row.uri,
            name=row.name,
            group=assets[row.asset_id].group_name if row.asset_id in assets else None,
            extra=row.extra,
            source_task_id=row.source_task_id,
            source_dag_id=row.source_dag_id,
            source_run_id=row.source_run_id,
            source_map_index=row.source_map_index,
            created_dagruns=[_run(run) for run in made[row.event_id]],
            timestamp=row.at,
            partition_key=row.partition_key,
        )
        for row in rows
    ]


def _run(run: RunRow) -> DagRunAssetReference:
    return DagRunAssetReference(
        run_id=run.run_id,
        dag_id=run.dag_id,
        logical_date=run.logical_date,
        # A run that waits has no start: the instant at which it may.
        start_date=run.started_at or run.run_after,
        end_date=run.ended_at,
        state=run.state,
        data_interval_start=run.data_interval_start,
        data_interval_end=run.data_interval_end,
        partition_key=run.partition_key,
        triggering=True,
    )
