"""DAGs: lists, one, pausing, deleting, favourites, tags, source, counts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import PlainTextResponse

from tradewind.commands.dags import pause_dag, unpause_dag
from tradewind.commands.deletion import delete_dag as remove_dag
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import Ask, Op, PublicTransaction, Where
from tradewind.ports.reads_rows import DagView
from tradewind.server.auth.choke import unknown_dag
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.states import DagRunState

from .caller import Call, Caller
from .models.base import Whole
from .models.dags import (
    DAGCollectionResponse,
    DAGDetailsResponse,
    DAGPatchBody,
    DAGResponse,
    DAGSourceResponse,
    DagStatsCollectionResponse,
    DagStatsResponse,
    DagStatsStateResponse,
    DAGTagCollectionResponse,
)
from .models.filters import DagRunEndRange, DagRunStartRange
from .negotiation import Accept, IfMatch, check_match, etag, wanted_type
from .paging import Page, conditions, matches, order, page_of, slice_of, sorted_by
from .refusals import refusals
from .views_dags import dag_answers, details_answer, shown_name, timetable_kind

router = APIRouter()
_DAGS_MAX = 100_000
_SORT = {"dag_run_start_date": "last_run_start_date", "state": "last_run_state", "start_date": "last_run_start_date"}


class DagsFilter(Page):
    """What both the list and the patch of many DAGs take."""

    tags: list[str] = []
    tags_match_mode: Literal["any", "all"] | None = None
    owners: list[str] = []
    dag_id_pattern: str | None = None
    dag_id_prefix_pattern: str | None = None
    exclude_stale: bool = True
    paused: bool | None = None


class DagsQuery(DagsFilter, DagRunStartRange, DagRunEndRange):
    dag_display_name_pattern: str | None = None
    dag_display_name_prefix_pattern: str | None = None
    has_import_errors: bool | None = None
    last_dag_run_state: DagRunState | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None
    has_asset_schedule: bool | None = None
    asset_dependency: str | None = None
    dag_run_state: list[str] = []
    order_by: list[str] = ["dag_id"]
    is_favorite: bool | None = None
    timetable_type: list[str] = []


class DagsPatchQuery(DagsFilter):
    update_mask: list[str] | None = None


@router.get("/dags", tags=["DAG"], responses=refusals(401, 403, 422))
async def get_dags(call: Caller, query: Annotated[DagsQuery, Query()]) -> DAGCollectionResponse:
    where = [*call.within(Resource.DAG, None), *_where(call, query)]
    where += conditions(
        query,
        {
            "last_dag_run_state": "last_run_state",
            "dag_run_state": "last_run_state",
            "bundle_name": "bundle",
            "dag_run_start_date": "last_run_start_date",
            "dag_run_end_date": "last_run_end_date",
        },
        skip=(*_SPECIAL, "is_favorite"),
    )

    def ask(tx: PublicTransaction) -> DAGCollectionResponse:
        if query.is_favorite is not None:
            op = Op.ANY if query.is_favorite else Op.NOT_ANY
            where.append(Where("dag_id", op, sorted(tx.favorite_list(call.person.username))))
        if query.asset_dependency:
            where.append(Where("dag_id", Op.ANY, tx.dags_consuming(query.asset_dependency)))
        if query.timetable_type:
            where.append(Where("dag_id", Op.ANY, _scheduled_by(call, tx, where, query.timetable_type)))
        found = page_of(tx, "dags", where, sort=order(query.order_by, _SORT), limit=query.limit, offset=query.offset)
        return DAGCollectionResponse(dags=dag_answers(call.office, tx, found.rows), total_entries=found.total)

    return await call.read(ask)


@router.patch("/dags", tags=["DAG"], responses=refusals(400, 401, 403, 404, 422))
async def patch_dags(
    call: Caller, query: Annotated[DagsPatchQuery, Query()], body: DAGPatchBody
) -> DAGCollectionResponse:
    _check_mask(query.update_mask)
    visible = call.person.visible_dags(Action.EDIT, Resource.DAG)
    call.may(Action.EDIT, Resource.DAG)
    where = [] if visible is None else [Where("dag_id", Op.ANY, sorted(visible))]
    where += [*_where(call, query), *conditions(query, skip=(*_SPECIAL, "update_mask"))]

    def act(tx: PublicTransaction) -> DAGCollectionResponse:
        found = page_of(tx, "dags", where, sort=(), limit=query.limit, offset=query.offset)
        for view in found.rows:
            _set_paused(call, tx, view.dag.dag_id, body.is_paused)
        views = [_view(tx, view.dag.dag_id) for view in found.rows]
        return DAGCollectionResponse(dags=dag_answers(call.office, tx, views), total_entries=found.total)

    return await call.write(act)


@router.get("/dags/{dag_id}", tags=["DAG"], responses=refusals(400, 401, 403, 404, 422))
async def get_dag(call: Caller, response: Response, dag_id: str) -> DAGResponse:
    call.may(Action.READ, Resource.DAG, dag_id)
    answer = await call.read(lambda tx: dag_answers(call.office, tx, [_view(tx, dag_id)])[0])
    response.headers["ETag"] = etag(answer.is_paused)
    return answer


@router.get("/dags/{dag_id}/details", tags=["DAG"], responses=refusals(400, 401, 403, 404, 422))
async def get_dag_details(call: Caller, dag_id: str) -> DAGDetailsResponse:
    call.may(Action.READ, Resource.DAG, dag_id)

    def ask(tx: PublicTransaction) -> DAGDetailsResponse:
        view = _view(tx, dag_id)
        document = call.office.documents.get(tx, view.dag.version_id).document
        favorite = dag_id in tx.favorite_list(call.person.username)
        return details_answer(call.office, tx, view, document, favorite=favorite)

    return await call.read(ask)


@router.patch("/dags/{dag_id}", tags=["DAG"], responses=refusals(400, 401, 403, 404, 422))
async def patch_dag(
    call: Caller,
    dag_id: str,
    body: DAGPatchBody,
    update_mask: Annotated[list[str] | None, Query()] = None,
    if_match: IfMatch = None,
) -> DAGResponse:
    call.may(Action.EDIT, Resource.DAG, dag_id)
    _check_mask(update_mask)

    def act(tx: PublicTransaction) -> DAGResponse:
        check_match(if_match, etag(_view(tx, dag_id).dag.is_paused))
        _set_paused(call, tx, dag_id, body.is_paused)
        return dag_answers(call.office, tx, [_view(tx, dag_id)])[0]

    return await call.write(act)


@router.delete("/dags/{dag_id}", status_code=204, tags=["DAG"], responses=refusals(400, 401, 403, 404, 409, 422))
async def delete_dag(call: Caller, dag_id: str) -> None:
    call.may(Action.DELETE, Resource.DAG, dag_id)
    await call.write(lambda tx: remove_dag(tx, dag_id))


@router.post("/dags/{dag_id}/favorite", tags=["DAG"], status_code=204, responses=refusals(401, 403, 404, 422))
async def favorite_dag(call: Caller, dag_id: str) -> None:
    call.may(Action.READ, Resource.DAG, dag_id)

    def act(tx: PublicTransaction) -> None:
        _view(tx, dag_id)
        tx.favorite_put(call.person.username, dag_id)

    await call.write(act)


@router.post("/dags/{dag_id}/unfavorite", tags=["DAG"], status_code=204, responses=refusals(401, 403, 404, 409, 422))
async def unfavorite_dag(call: Caller, dag_id: str) -> None:
    call.may(Action.READ, Resource.DAG, dag_id)

    def act(tx: PublicTransaction) -> None:
        _view(tx, dag_id)
        if not tx.favorite_delete(call.person.username, dag_id):
            raise Conflict(f"DAG {dag_id!r} is no favourite of {call.person.username!r}")

    await call.write(act)


class TagsQuery(Page):
    order_by: list[str] = ["name"]
    tag_name_pattern: str | None = None
    tag_name_prefix_pattern: str | None = None


@router.get("/dagTags", tags=["DAG"], responses=refusals(401, 403, 422))
async def get_dag_tags(call: Caller, query: Annotated[TagsQuery, Query()]) -> DAGTagCollectionResponse:
    call.may(Action.READ, Resource.DAG)
    visible = call.person.visible_dags()
    tags = await call.read(lambda tx: tx.dag_tags(None if visible is None else sorted(visible)))
    kept = [tag for tag in tags if matches(tag, query.tag_name_pattern, query.tag_name_prefix_pattern)]
    ordered = sorted_by(kept, query.order_by, {"name": lambda tag: tag})
    return DAGTagCollectionResponse(tags=slice_of(ordered, query), total_entries=len(kept))


@router.get(
    "/dagSources/{dag_id}",
    tags=["DagSource"],
    response_model=DAGSourceResponse,
    responses=refusals(400, 401, 403, 404, 406, 422)
    | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def get_dag_source(
    call: Caller, dag_id: str, version_number: Whole | None = None, accept: Accept = "*/*"
) -> DAGSourceResponse | Response:
    call.may(Action.READ, Resource.CODE, dag_id)

    def ask(tx: PublicTransaction) -> DAGSourceResponse:
        dag = _view(tx, dag_id).dag
        found = tx.version_source(dag_id, version_number)
        if found is None:
            raise NotFound(f"DAG {dag_id!r} has no version {version_number}")
        return DAGSourceResponse(
            content=found[1], dag_id=dag_id, version_number=found[0], dag_display_name=shown_name(dag)
        )

    answer = await call.read(ask)
    if wanted_type(accept, "application/json", "text/plain") == "text/plain":
        return PlainTextResponse(answer.content or "")
    return answer


@router.get("/dagStats", tags=["DagStats"], responses=refusals(400, 401, 403, 404, 422))
async def get_dag_stats(
    call: Caller, dag_ids: Annotated[list[str], Query(default_factory=list)]
) -> DagStatsCollectionResponse:
    call.may(Action.READ, Resource.RUN)
    visible = call.person.visible_dags(Action.READ, Resource.RUN)
    wanted = sorted(set(dag_ids) if visible is None else visible.intersection(dag_ids or visible))
    some = wanted if dag_ids or visible is not None else None
    rows = await call.read(lambda tx: tx.run_counts(some))
    names = {dag_id: name for dag_id, name, _, _ in rows}
    counts: dict[str, dict[str, int]] = {}
    for dag_id, _, state, count in rows:
        counts.setdefault(dag_id, {})[state] = count
    answers = [
        DagStatsResponse(
            dag_id=dag_id,
            dag_display_name=names[dag_id],
            stats=[DagStatsStateResponse(state=state, count=counts[dag_id].get(state, 0)) for state in DagRunState],
        )
        for dag_id in sorted(counts)
    ]
    return DagStatsCollectionResponse(dags=answers, total_entries=len(answers))


_SPECIAL = ("tags", "tags_match_mode", "owners", "exclude_stale", "paused", "asset_dependency", "timetable_type")


def _where(call: Call, query: DagsFilter) -> list[Where]:  # noqa: ARG001 # favourites will need it
    where = []
    if query.exclude_stale:
        where.append(Where("is_stale", Op.IS, False))
    if query.paused is not None:
        where.append(Where("is_paused", Op.IS, query.paused))
    if query.tags:
        where.append(Where("tags", Op.HAS_ALL if query.tags_match_mode == "all" else Op.HAS_ANY, query.tags))
    if query.owners:
        where.append(Where("owners", Op.LIKE, "|".join(map(_plain_text, query.owners))))
    return where


def _plain_text(owner: str) -> str:
    """A part of a name, in which nothing is a wildcard."""
    return owner.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _scheduled_by(call: Call, tx: PublicTransaction, where: list[Where], kinds: list[str]) -> list[str]:
    """DAGs whose timetable is of one of these kinds: that stands in their documents."""
    dags = [view.dag for view in tx.ask_list("dags", Ask(tuple(where), limit=_DAGS_MAX, count_max=0)).rows]
    call.office.facts.load(tx, (dag.version_id for dag in dags))
    wanted = {kind.rpartition(".")[2] for kind in kinds}
    return [dag.dag_id for dag in dags if timetable_kind(call.office.facts.dag(dag.version_id)) in wanted]


def _view(tx: PublicTransaction, dag_id: str) -> DagView:
    found = tx.ask_list("dags", Ask((Where("dag_id", Op.IS, dag_id),), limit=1, count_max=0))
    if not found.rows:
        raise unknown_dag(dag_id)
    view: DagView = found.rows[0]
    return view


def _set_paused(call: Call, tx: PublicTransaction, dag_id: str, paused: bool) -> None:
    if paused:
        pause_dag(tx, dag_id)
    else:
        unpause_dag(tx, call.office.documents, tx.now(), dag_id)


def _check_mask(update_mask: list[str] | None) -> None:
    if update_mask is not None and update_mask != ["is_paused"]:
        raise BadInput("only is_paused of a DAG can be changed: update_mask must be is_paused")
