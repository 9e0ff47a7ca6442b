"""Trying connections, in processes of their own: the code of hooks is foreign and may hang. No server runs it."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Header
from msgspec.structs import replace

from tradewind.commands.secrets import connection_facts, set_connection
from tradewind.domain.masking import MASK
from tradewind.domain.permissions import Action, Resource
from tradewind.kernel.log import get_logger
from tradewind.ports.connection_tests import ConnectionTestRow, TestState
from tradewind.ports.reads import PublicTransaction
from tradewind.runtime.agent_settings import task_environment
from tradewind.runtime.connection_check import Verdict, check_connection
from tradewind.server.problems import TooManyRequests, UnprocessableContent
from tradewind.wire.errors import Conflict, NotFound
from tradewind.wire.execution import ConnectionFacts

from .caller import Call, Caller
from .connections import facts_of
from .models.connections import (
    AsyncConnectionTestResponse,
    ConnectionBody,
    ConnectionTestQueuedResponse,
    ConnectionTestRequestBody,
    ConnectionTestResponse,
)
from .refusals import refusals

router = APIRouter(tags=["Connection"])
_SECONDS_MAX = 30.0
_AT_ONCE_MAX = 2
_KEPT = timedelta(days=1)
_at_once = asyncio.Semaphore(_AT_ONCE_MAX)
_waiting = 0
_WAITING_MAX = 20
_log = get_logger("api")


@router.post("/connections/test", responses=refusals(400, 401, 403, 422))
async def test_connection(call: Caller, body: ConnectionBody) -> ConnectionTestResponse:
    call.may(Action.CREATE, Resource.CONNECTION)
    wanted = facts_of(body)
    facts = await call.read(lambda tx: _with_stored(call, tx, wanted))
    verdict = await _try(call, facts)
    return ConnectionTestResponse(status=verdict.ok, message=verdict.message)


@router.post("/connections/enqueue-test", status_code=202, responses=refusals(400, 401, 403, 409, 422))
async def enqueue_connection_test(
    call: Caller, body: ConnectionTestRequestBody, background: BackgroundTasks
) -> ConnectionTestQueuedResponse:
    call.may(Action.CREATE, Resource.CONNECTION)
    if body.commit_on_success:
        call.may(Action.EDIT, Resource.CONNECTION)
    if body.executor is not None or body.queue is not None:
        raise UnprocessableContent("executor and queue: tests run in a process beside the server, not on a worker")
    wanted = facts_of(body)

    def act(tx: PublicTransaction) -> tuple[ConnectionTestRow, ConnectionFacts]:
        now = tx.now()
        tx.connection_test_prune(now - _KEPT)
        if tx.connection_test_active(body.connection_id, now - timedelta(seconds=4 * _SECONDS_MAX)):
            raise Conflict(f"connection {body.connection_id!r} is being tested already")
        row = ConnectionTestRow(token=secrets.token_urlsafe(24), conn_id=body.connection_id, created_at=now)
        tx.connection_test_put(row)
        return row, _with_stored(call, tx, wanted)

    row, facts = await call.write(act)
    background.add_task(_carry_out, call, row, facts, keep=body.commit_on_success)
    return ConnectionTestQueuedResponse(token=row.token, connection_id=row.conn_id, state=row.state)


@router.get("/connections/enqueue-test", responses=refusals(401, 403, 404, 422))
async def get_connection_test(
    call: Caller, airflow_connection_test_token: Annotated[str, Header()]
) -> AsyncConnectionTestResponse:
    call.may(Action.CREATE, Resource.CONNECTION)
    row = await call.read(lambda tx: tx.connection_test_get(airflow_connection_test_token))
    if row is None:
        raise NotFound("there is no test of a connection with this token; tokens are forgotten after a day")
    return AsyncConnectionTestResponse(
        token=row.token,
        connection_id=row.conn_id,
        state=row.state,
        result_message=row.message,
        created_at=row.created_at,
    )


def _with_stored(call: Call, tx: PublicTransaction, wanted: ConnectionFacts) -> ConnectionFacts:
    """Stars stand for what is stored: a form that was opened and not filled in anew."""
    if wanted.password != MASK or tx.connection_get(wanted.conn_id) is None:
        return wanted
    return replace(wanted, password=connection_facts(tx, call.office.vault, wanted.conn_id).password)


async def _try(call: Call, facts: ConnectionFacts) -> Verdict:
    """Raises `TooManyRequests` when too many wait."""
    global _waiting  # of the loop's thread alone
    if _waiting >= _WAITING_MAX:
        raise TooManyRequests("too many connections are being tested just now; try again", _SECONDS_MAX)
    _waiting += 1
    try:
        async with _at_once:
            environment = task_environment(call.office.settings.home, os.environ)
            return await asyncio.to_thread(check_connection, facts, _SECONDS_MAX, environment)
    finally:
        _waiting -= 1


async def _carry_out(call: Call, row: ConnectionTestRow, facts: ConnectionFacts, *, keep: bool) -> None:
    """Test, note the result, and keep the connection when that was wanted and it works."""
    try:
        await call.write(lambda tx: tx.connection_test_put(replace(row, state=TestState.RUNNING)))
        verdict = await _try(call, facts)
    except Exception as error:  # the boundary of this task: whoever asks again reads what happened
        _log.error("connection_test_failed", error=error, connection=row.conn_id)
        verdict = Verdict(False, "the test could not be carried out; the server's log says why")

    def act(tx: PublicTransaction) -> None:
        state = TestState.SUCCESS if verdict.ok else TestState.FAILED
        tx.connection_test_put(replace(row, state=state, message=verdict.message, ended_at=tx.now()))
        if keep and verdict.ok:
            set_connection(tx, call.office.vault, facts)

    await call.write(act)
