"""Pools and how full they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from tradewind.commands import pools as pool_commands
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.rows import PoolRow
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.states import TaskInstanceState

from .bulk import carry_out
from .caller import Call, Caller
from .connections import authorise_bulk
from .models.bulk import BulkBody, BulkResponse
from .models.pools import PoolBody, PoolCollectionResponse, PoolPatchBody, PoolResponse
from .negotiation import IfMatch, check_match, etag
from .paging import Page, conditions, order, page_of
from .refusals import refusals

router = APIRouter(tags=["Pool"])
_FIELDS = ("slots", "description", "include_deferred")
_DEFAULT_FIELDS = frozenset({"slots", "include_deferred"})
S = TaskInstanceState


class PoolsQuery(Page):
    order_by: list[str] = ["id"]
    pool_name_pattern: str | None = None
    pool_name_prefix_pattern: str | None = None


@router.get("/pools", responses=refusals(400, 401, 403, 422))
async def get_pools(call: Caller, query: Annotated[PoolsQuery, Query()]) -> PoolCollectionResponse:
    call.may(Action.READ, Resource.POOL)

    def ask(tx: PublicTransaction) -> PoolCollectionResponse:
        where = conditions(query, {"pool_name": "name"})
        found = page_of(tx, "pools", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        states = tx.pool_states()
        answers = [_answer(row, states.get(row.name, {})) for row in found.rows]
        return PoolCollectionResponse(pools=answers, total_entries=found.total)

    return await call.read(ask)


@router.post("/pools", status_code=201, responses=refusals(400, 401, 403, 409, 422))
async def post_pool(call: Caller, body: PoolBody) -> PoolResponse:
    call.may(Action.CREATE, Resource.POOL)

    def act(tx: PublicTransaction) -> PoolResponse:
        if tx.pool_get(body.name) is not None:
            raise Conflict(f"pool {body.name!r} exists already")
        return _answer(_put(tx, body), {})

    return await call.write(act)


@router.patch("/pools", responses=refusals(401, 403, 422))
async def bulk_pools(call: Caller, body: BulkBody[PoolBody]) -> BulkResponse:
    authorise_bulk(call, body, Resource.POOL)
    return await call.write(lambda tx: carry_out(_Pools(call, tx), body))


@router.get("/pools/{pool_name:path}", responses=refusals(401, 403, 404, 422))
async def get_pool(call: Caller, response: Response, pool_name: str) -> PoolResponse:
    call.may(Action.READ, Resource.POOL)

    def ask(tx: PublicTransaction) -> tuple[PoolRow, PoolResponse]:
        row = _require(tx, pool_name)
        return row, _answer(row, tx.pool_states().get(row.name, {}))

    row, answer = await call.read(ask)
    response.headers["ETag"] = _tag(row)
    return answer


@router.patch("/pools/{pool_name:path}", responses=refusals(400, 401, 403, 404, 412, 422))
async def patch_pool(
    call: Caller,
    response: Response,
    pool_name: str,
    body: PoolPatchBody,
    update_mask: Annotated[list[str] | None, Query()] = None,
    if_match: IfMatch = None,
) -> PoolResponse:
    call.may(Action.EDIT, Resource.POOL)

    def act(tx: PublicTransaction) -> tuple[PoolRow, PoolResponse]:
        before = _require(tx, pool_name)
        check_match(if_match, _tag(before))
        row = _change(tx, before, body, update_mask)
        return row, _answer(row, tx.pool_states().get(row.name, {}))

    row, answer = await call.write(act)
    response.headers["ETag"] = _tag(row)
    return answer


@router.delete("/pools/{pool_name:path}", status_code=204, responses=refusals(400, 401, 403, 404, 409, 412, 422))
async def delete_pool(call: Caller, pool_name: str, if_match: IfMatch = None) -> None:
    call.may(Action.DELETE, Resource.POOL)

    def act(tx: PublicTransaction) -> None:
        if pool_name == pool_commands.DEFAULT_POOL:
            raise BadInput("the default pool cannot be deleted: tasks that name no pool run in it")
        check_match(if_match, _tag(_require(tx, pool_name)))
        pool_commands.delete_pool(tx, pool_name)

    await call.write(act)


class _Pools:
    """Pools in bulk."""

    noun = "pools"

    def __init__(self, call: Call, tx: PublicTransaction) -> None:
        self._call = call
        self._tx = tx

    def key(self, entity: PoolBody | str) -> str:
        return entity if isinstance(entity, str) else entity.name

    def exists(self, entity: PoolBody | str) -> bool:
        return self._tx.pool_get(self.key(entity)) is not None

    def create(self, entity: PoolBody, *, overwrite: bool) -> None:  # noqa: ARG002 # putting does both
        _put(self._tx, entity)

    def update(self, entity: PoolBody, mask: Sequence[str] | None) -> None:
        given = entity.model_dump(include=entity.model_fields_set - {"name", "team_name"})
        _change(self._tx, _require(self._tx, entity.name), PoolPatchBody(**given), mask)

    def delete(self, entity: PoolBody | str) -> None:
        pool_commands.delete_pool(self._tx, self.key(entity))


def _require(tx: PublicTransaction, name: str) -> PoolRow:
    row = tx.pool_get(name)
    if row is None:
        raise NotFound(f"pool {name!r} does not exist")
    return row


def _put(tx: PublicTransaction, body: PoolBody) -> PoolRow:
    if body.team_name is not None:
        raise UnprocessableContent("team_name: there are no teams here")
    return pool_commands.set_pool(
        tx, body.name, body.slots, body.description or "", include_deferred=body.include_deferred
    )


def _change(tx: PublicTransaction, row: PoolRow, body: PoolPatchBody, mask: Sequence[str] | None) -> PoolRow:
    given = body.model_fields_set.intersection(mask) if mask else set(body.model_fields_set)
    unknown = set(mask or ()) - {*_FIELDS, "pool", "name", "team_name"}
    if unknown:
        raise BadInput(f"update_mask names {', '.join(sorted(unknown))}; fields are {', '.join(_FIELDS)}")
    if "pool" in given and body.pool not in (None, row.name):
        raise BadInput(f"a pool cannot be renamed: the path names {row.name!r}, the body {body.pool!r}")
    changed = given.intersection(_FIELDS)
    if row.name == pool_commands.DEFAULT_POOL and not changed <= _DEFAULT_FIELDS:
        raise BadInput("only slots and include_deferred of the default pool can be changed")
    return pool_commands.set_pool(
        tx,
        row.name,
        body.slots if "slots" in given and body.slots is not None else row.slots,
        (body.description or "") if "description" in given else row.description,
        include_deferred=body.include_deferred
        if "include_deferred" in given and body.include_deferred is not None
        else row.include_deferred,
    )


def _answer(row: PoolRow, states: Mapping[str, int]) -> PoolResponse:
    running, queued = states.get(S.RUNNING, 0), states.get(S.QUEUED, 0)
    deferred = states.get(S.DEFERRED, 0)
    occupied = running + queued + (deferred if row.include_deferred else 0)
    return PoolResponse(
        name=row.name,
        slots=row.slots,
        description=row.description or None,
        include_deferred=row.include_deferred,
        occupied_slots=occupied,
        running_slots=running,
        queued_slots=queued,
        scheduled_slots=states.get(S.SCHEDULED, 0),
        deferred_slots=deferred,
        # Unlimited is shown as what Airflow shows of infinity: as many as anybody asks for.
        open_slots=row.slots - occupied if row.slots >= 0 else -1,
        team_name=None,
    )


def _tag(row: PoolRow) -> str:
    return etag(row.slots, row.description, row.include_deferred)
