"""Variables. Values behind names that speak of secrets are shown as stars."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from tradewind.commands import secrets as secret_commands
from tradewind.domain.masking import MASK, is_sensitive, masked_text
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.rows import VariableRow
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import BadInput, Conflict, InvalidValue, NotFound

from .bulk import carry_out
from .caller import Call, Caller
from .connections import authorise_bulk
from .models.bulk import BulkBody, BulkResponse
from .models.variables import VariableBody, VariableCollectionResponse, VariableResponse
from .negotiation import IfMatch, check_match, etag
from .paging import Page, conditions, order, page_of
from .refusals import refusals

router = APIRouter(tags=["Variable"])
_FIELDS = ("value", "description")


class VariablesQuery(Page):
    order_by: list[str] = ["id"]
    variable_key_pattern: str | None = None
    variable_key_prefix_pattern: str | None = None


@router.get("/variables", responses=refusals(400, 401, 403, 422))
async def get_variables(call: Caller, query: Annotated[VariablesQuery, Query()]) -> VariableCollectionResponse:
    call.may(Action.READ, Resource.VARIABLE)

    def ask(tx: PublicTransaction) -> VariableCollectionResponse:
        where = conditions(query, {"variable_key": "key"})
        found = page_of(tx, "variables", where, sort=order(query.order_by), limit=query.limit, offset=query.offset)
        answers = [_answer(call, row) for row in found.rows]
        return VariableCollectionResponse(variables=answers, total_entries=found.total)

    return await call.read(ask)


@router.post("/variables", status_code=201, responses=refusals(400, 401, 403, 409, 422))
async def post_variable(call: Caller, body: VariableBody) -> VariableResponse:
    call.may(Action.CREATE, Resource.VARIABLE)

    def act(tx: PublicTransaction) -> VariableResponse:
        if not body.key.isprintable():
            raise UnprocessableContent("the key of a variable must be printable")
        if tx.variable_get(body.key) is not None:
            raise Conflict(f"variable {body.key!r} exists already")
        return _answer(call, _put(call, tx, body.key, _text(body), body.description))

    return await call.write(act)


@router.patch("/variables", responses=refusals(401, 403, 422))
async def bulk_variables(call: Caller, body: BulkBody[VariableBody]) -> BulkResponse:
    authorise_bulk(call, body, Resource.VARIABLE)
    return await call.write(lambda tx: carry_out(_Variables(call, tx), body))


@router.get("/variables/{variable_key:path}", responses=refusals(401, 403, 404, 422))
async def get_variable(call: Caller, response: Response, variable_key: str) -> VariableResponse:
    call.may(Action.READ, Resource.VARIABLE)
    row = await call.read(lambda tx: _require(tx, variable_key))
    response.headers["ETag"] = _tag(row)
    return _answer(call, row)


@router.patch("/variables/{variable_key:path}", responses=refusals(400, 401, 403, 404, 412, 422))
async def patch_variable(
    call: Caller,
    response: Response,
    variable_key: str,
    body: VariableBody,
    update_mask: Annotated[list[str] | None, Query()] = None,
    if_match: IfMatch = None,
) -> VariableResponse:
    call.may(Action.EDIT, Resource.VARIABLE)
    if body.key != variable_key:
        raise BadInput(f"the path names variable {variable_key!r}, the body {body.key!r}")

    def act(tx: PublicTransaction) -> VariableRow:
        check_match(if_match, _tag(_require(tx, variable_key)))
        return _change(call, tx, body, update_mask)

    row = await call.write(act)
    response.headers["ETag"] = _tag(row)
    return _answer(call, row)


@router.delete("/variables/{variable_key:path}", status_code=204, responses=refusals(401, 403, 404, 412, 422))
async def delete_variable(call: Caller, variable_key: str, if_match: IfMatch = None) -> None:
    call.may(Action.DELETE, Resource.VARIABLE)

    def act(tx: PublicTransaction) -> None:
        check_match(if_match, _tag(_require(tx, variable_key)))
        secret_commands.delete_variable(tx, variable_key)

    await call.write(act)


class _Variables:
    """Variables in bulk."""

    noun = "variables"

    def __init__(self, call: Call, tx: PublicTransaction) -> None:
        self._call = call
        self._tx = tx

    def key(self, entity: VariableBody | str) -> str:
        return entity if isinstance(entity, str) else entity.key

    def exists(self, entity: VariableBody | str) -> bool:
        return self._tx.variable_get(self.key(entity)) is not None

    def create(self, entity: VariableBody, *, overwrite: bool) -> None:
        if overwrite:
            _change(self._call, self._tx, entity, None)
        else:
            _put(self._call, self._tx, entity.key, _text(entity), entity.description)

    def update(self, entity: VariableBody, mask: Sequence[str] | None) -> None:
        _change(self._call, self._tx, entity, mask)

    def delete(self, entity: VariableBody | str) -> None:
        secret_commands.delete_variable(self._tx, self.key(entity))


def _require(tx: PublicTransaction, key: str) -> VariableRow:
    row = tx.variable_get(key)
    if row is None:
        raise NotFound(f"variable {key!r} does not exist")
    return row


def _text(body: VariableBody) -> str:
    """Variables are texts; any other JSON value is kept as JSON."""
    if body.team_name is not None:
        raise UnprocessableContent("team_name: there are no teams here")
    value: Any = body.value
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _put(call: Call, tx: PublicTransaction, key: str, value: str, description: str | None) -> VariableRow:
    secret_commands.set_variable(tx, call.office.vault, key, value, description)
    return _require(tx, key)


def _change(call: Call, tx: PublicTransaction, body: VariableBody, mask: Sequence[str] | None) -> VariableRow:
    unknown = set(mask or ()) - {*_FIELDS, "key", "team_name"}
    if unknown:
        raise BadInput(f"update_mask names {', '.join(sorted(unknown))}; fields are {', '.join(_FIELDS)}")
    row = _require(tx, body.key)
    named = set(mask) if mask else body.model_fields_set
    value = _text(body)
    if "value" not in named or (value == MASK and is_sensitive(body.key)):
        value = secret_commands.require_variable(tx, call.office.vault, body.key)
    description = body.description if "description" in named else row.description
    return _put(call, tx, body.key, value, description)


def _answer(call: Call, row: VariableRow) -> VariableResponse:
    try:
        value: str | None = masked_text(call.office.vault.open(row.value), row.key)
    except InvalidValue:
        value = None  # no key of the ring opens it
    return VariableResponse(key=row.key, value=value, description=row.description, is_encrypted=True, team_name=None)


def _tag(row: VariableRow) -> str:
    return etag(row.value, row.description)
