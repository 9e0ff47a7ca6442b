"""Connections. Secrets are never shown: stars stand for them, and stars that come back mean "as it was"."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from msgspec.structs import replace

from tradewind.commands import secrets as secret_commands
from tradewind.domain.masking import MASK, masked, masked_text
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.rows import ConnectionRow
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import BadInput, Conflict, InvalidValue, NotFound
from tradewind.wire.execution import ConnectionFacts

from .bulk import carry_out
from .caller import Call, Caller
from .models.bulk import BulkBody, BulkResponse
from .models.connections import (
    ConnectionBody,
    ConnectionCollectionResponse,
    ConnectionResponse,
    ConnectionTestRequestBody,
)
from .negotiation import IfMatch, check_match, etag
from .paging import Page, conditions, order, page_of
from .refusals import refusals

router = APIRouter(tags=["Connection"])
_FIELDS = ("conn_type", "description", "host", "login", "schema", "port", "password", "extra")


class ConnectionsQuery(Page):
    order_by: list[str] = ["id"]
    connection_id_pattern: str | None = None
    connection_id_prefix_pattern: str | None = None


@router.get("/connections", responses=refusals(400, 401, 403, 404, 422))
async def get_connections(call: Caller, query: Annotated[ConnectionsQuery, Query()]) -> ConnectionCollectionResponse:
    call.may(Action.READ, Resource.CONNECTION)

    def ask(tx: PublicTransaction) -> ConnectionCollectionResponse:
        where = conditions(query)
        found = page_of(tx, "connections", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        answers = [_answer(call, row) for row in found.rows]
        return ConnectionCollectionResponse(connections=answers, total_entries=found.total)

    return await call.read(ask)


@router.post("/connections", status_code=201, responses=refusals(400, 401, 403, 409, 422))
async def post_connection(call: Caller, body: ConnectionBody) -> ConnectionResponse:
    call.may(Action.CREATE, Resource.CONNECTION)

    def act(tx: PublicTransaction) -> ConnectionResponse:
        if tx.connection_get(body.connection_id) is not None:
            raise Conflict(f"connection {body.connection_id!r} exists already")
        return _answer(call, _put(call, tx, facts_of(body)))

    return await call.write(act)


@router.patch("/connections", responses=refusals(401, 403, 422))
async def bulk_connections(call: Caller, body: BulkBody[ConnectionBody]) -> BulkResponse:
    authorise_bulk(call, body, Resource.CONNECTION)
    return await call.write(lambda tx: carry_out(_Connections(call, tx), body))


@router.post("/connections/defaults", status_code=204, responses=refusals(401, 403))
async def create_default_connections(call: Caller) -> None:
    call.may(Action.CREATE, Resource.CONNECTION)

    def act(tx: PublicTransaction) -> None:
        for facts in _DEFAULTS:
            if tx.connection_get(facts.conn_id) is None:
                secret_commands.set_connection(tx, call.office.vault, facts)

    await call.write(act)


@router.get("/connections/{connection_id}", responses=refusals(401, 403, 404, 422))
async def get_connection(call: Caller, response: Response, connection_id: str) -> ConnectionResponse:
    call.may(Action.READ, Resource.CONNECTION)
    row = await call.read(lambda tx: _require(tx, connection_id))
    response.headers["ETag"] = _tag(row)
    return _answer(call, row)


@router.patch("/connections/{connection_id}", responses=refusals(400, 401, 403, 404, 412, 422))
async def patch_connection(
    call: Caller,
    response: Response,
    connection_id: str,
    body: ConnectionBody,
    update_mask: Annotated[list[str] | None, Query()] = None,
    if_match: IfMatch = None,
) -> ConnectionResponse:
    call.may(Action.EDIT, Resource.CONNECTION)
    if body.connection_id != connection_id:
        raise BadInput(f"the path names connection {connection_id!r}, the body {body.connection_id!r}")

    def act(tx: PublicTransaction) -> ConnectionRow:
        check_match(if_match, _tag(_require(tx, connection_id)))
        return _change(call, tx, body, update_mask)

    row = await call.write(act)
    response.headers["ETag"] = _tag(row)
    return _answer(call, row)


@router.delete("/connections/{connection_id}", status_code=204, responses=refusals(401, 403, 404, 412, 422))
async def delete_connection(call: Caller, connection_id: str, if_match: IfMatch = None) -> None:
    call.may(Action.DELETE, Resource.CONNECTION)

    def act(tx: PublicTransaction) -> None:
        check_match(if_match, _tag(_require(tx, connection_id)))
        secret_commands.delete_connection(tx, connection_id)

    await call.write(act)


def authorise_bulk(call: Call, body: BulkBody[Any], resource: Resource) -> None:
    """Each action needs its own permission; overwriting what exists needs that of editing too."""
    needed = {"create": Action.CREATE, "update": Action.EDIT, "delete": Action.DELETE}
    for action in {each.action for each in body.actions} or {"update"}:
        call.may(needed[action], resource)
    if any(getattr(each, "action_on_existence", None) == "overwrite" for each in body.actions):
        call.may(Action.EDIT, resource)


class _Connections:
    """Connections in bulk."""

    noun = "connections"

    def __init__(self, call: Call, tx: PublicTransaction) -> None:
        self._call = call
        self._tx = tx

    def key(self, entity: ConnectionBody | str) -> str:
        return entity if isinstance(entity, str) else entity.connection_id

    def exists(self, entity: ConnectionBody | str) -> bool:
        return self._tx.connection_get(self.key(entity)) is not None

    def create(self, entity: ConnectionBody, *, overwrite: bool) -> None:
        if overwrite:
            _change(self._call, self._tx, entity, None)
        else:
            _put(self._call, self._tx, facts_of(entity))

    def update(self, entity: ConnectionBody, mask: Sequence[str] | None) -> None:
        _change(self._call, self._tx, entity, mask)

    def delete(self, entity: ConnectionBody | str) -> None:
        secret_commands.delete_connection(self._tx, self.key(entity))


def _require(tx: PublicTransaction, connection_id: str) -> ConnectionRow:
    row = tx.connection_get(connection_id)
    if row is None:
        raise NotFound(f"connection {connection_id!r} does not exist")
    return row


def facts_of(body: ConnectionBody | ConnectionTestRequestBody) -> ConnectionFacts:
    """What the body says. Raises `UnprocessableContent` for an extra that is no JSON object."""
    if body.extra:
        try:
            extra = json.loads(body.extra)
        except ValueError:
            extra = None
        if not isinstance(extra, dict):
            raise UnprocessableContent("extra must be a JSON object, written as a text")
    if body.team_name is not None:
        raise UnprocessableContent("team_name: there are no teams here")
    return ConnectionFacts(
        conn_id=body.connection_id,
        conn_type=body.conn_type,
        description=body.description,
        host=body.host,
        login=body.login,
        schema=body.schema_,
        port=body.port,
        password=body.password,
        extra=body.extra,
    )


def _put(call: Call, tx: PublicTransaction, facts: ConnectionFacts) -> ConnectionRow:
    secret_commands.set_connection(tx, call.office.vault, facts)
    return _require(tx, facts.conn_id)


def _change(call: Call, tx: PublicTransaction, body: ConnectionBody, mask: Sequence[str] | None) -> ConnectionRow:
    """The fields that were given and are in the mask; stars mean what was there."""
    given = {"schema" if name == "schema_" else name for name in body.model_fields_set}
    unknown = set(mask or ()) - {*_FIELDS, "connection_id", "team_name"}
    if unknown:
        raise BadInput(f"update_mask names {', '.join(sorted(unknown))}; fields are {', '.join(_FIELDS)}")
    wanted = facts_of(body)
    before = secret_commands.connection_facts(tx, call.office.vault, body.connection_id)
    named = set(mask) if mask else given
    changes = {name: getattr(wanted, name) for name in _FIELDS if name in named}
    if changes.get("password") == MASK:
        changes.pop("password")
    if changes.get("extra") and before.extra:
        changes["extra"] = _with_secrets(str(changes["extra"]), before.extra)
    return _put(call, tx, replace(before, **changes))


def _with_secrets(wanted: str, before: str) -> str:
    """An extra that was read with stars and sent back: the stars become what they stood for."""
    try:
        old, new = json.loads(before), json.loads(wanted)
    except ValueError:
        return wanted
    return json.dumps(_unmasked(new, old), ensure_ascii=False)


def _unmasked(new: Any, old: Any) -> Any:
    if new == MASK and old is not None:
        return old
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: _unmasked(each, old.get(key)) for key, each in new.items()}
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return [_unmasked(each, before) for each, before in zip(new, old, strict=True)]
    return new


def _answer(call: Call, row: ConnectionRow) -> ConnectionResponse:
    extra: str | None = None
    if row.extra is not None:
        try:
            extra = masked_text(call.office.vault.open(row.extra), "")
        except InvalidValue:
            extra = json.dumps(masked({"error": "no key of the ring opens it"}))
    return ConnectionResponse(
        connection_id=row.conn_id,
        conn_type=row.conn_type,
        description=row.description,
        host=row.host,
        login=row.login,
        schema_=row.schema,
        port=row.port,
        password=None if row.password is None else MASK,
        extra=extra,
        team_name=None,
    )


def _tag(row: ConnectionRow) -> str:
    """Sealing is different each time, so that a new password is another tag."""
    secret = (row.password or b"", row.extra or b"")
    return etag(row.conn_type, row.description, row.host, row.login, row.schema, row.port, secret)


_DEFAULTS = (
    ConnectionFacts(conn_id="fs_default", conn_type="fs", extra='{"path": "/"}'),
    ConnectionFacts(conn_id="http_default", conn_type="http", host="https://www.httpbin.org/"),
    ConnectionFacts(conn_id="postgres_default", conn_type="postgres", host="localhost", login="postgres", port=5432),
    ConnectionFacts(conn_id="redis_default", conn_type="redis", host="localhost", port=6379, extra='{"db": 0}'),
    ConnectionFacts(conn_id="smtp_default", conn_type="smtp", host="localhost", port=25),
    ConnectionFacts(conn_id="sqlite_default", conn_type="sqlite", host="sqlite_default.db"),
    ConnectionFacts(conn_id="ssh_default", conn_type="ssh", host="localhost"),
)
"""Connections of the types that the operators in the box use."""
