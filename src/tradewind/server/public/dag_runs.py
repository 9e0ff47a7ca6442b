"""DAG runs: lists, one, triggering, changing, deleting, clearing, waiting for the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from starlette.responses import StreamingResponse

from tradewind.commands import runs as run_commands
from tradewind.commands.deletion import delete_run
from tradewind.commands.marking import set_run_state
from tradewind.commands.notes import set_run_note
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import Op, PublicTransaction, Where
from tradewind.ports.rows import RunRow
from tradewind.server.auth.choke import WILDCARD, unknown_dag
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import NotFound
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

from .caller import Call, Caller
from .models.base import Whole
from .models.dag_runs import (
    BulkDAGRunBody,
    DAGRunCollectionResponse,
    DAGRunPatchBody,
    DAGRunResponse,
    DAGRunsBatchBody,
    TriggerDAGRunPostBody,
)
from .models.filters import DurationRange, EndDateRange, LogicalDateRange, RunAfterRange, StartDateRange, UpdatedAtRange
from .negotiation import IfMatch, check_match, etag
from .paging import Page, conditions, cursors, order, page_of
from .refusals import refusals
from .views_runs import run_answer, run_answers
from .waiting import wait_for_run

router = APIRouter(tags=["DagRun"])
NDJSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}}
_SORT = {"dag_run_id": "run_id"}


class RunsQuery(Page, RunAfterRange, LogicalDateRange, StartDateRange, EndDateRange, DurationRange, UpdatedAtRange):
    partition_date_gte: date | None = None
    partition_date_lte: date | None = None
    cursor: str | None = None
    conf_contains: str = ""
    run_type: list[str] = []
    state: list[str] = []
    dag_version: list[Whole] = []
    bundle_version: str | None = None
    order_by: list[str] = ["id"]
    run_id_pattern: str | None = None
    run_id_prefix_pattern: str | None = None
    triggering_user_name_pattern: str | None = None
    triggering_user_name_prefix_pattern: str | None = None
    dag_id_pattern: str | None = None
    dag_id_prefix_pattern: str | None = None
    partition_key_pattern: str | None = None
    partition_key_prefix_pattern: str | None = None
    consuming_asset_pattern: str | None = None


@router.get("/dags/{dag_id}/dagRuns", responses=refusals(400, 401, 403, 404, 422))
async def get_dag_runs(call: Caller, dag_id: str, query: Annotated[RunsQuery, Query()]) -> DAGRunCollectionResponse:
    where = call.within(Resource.RUN, dag_id)
    where += conditions(query, skip=_SPECIAL)
    where += _states(query.state, query.run_type)
    if query.conf_contains:
        where.append(Where("conf", Op.LIKE, query.conf_contains))
    if query.partition_date_gte is not None:
        where.append(Where("partition_date", Op.AT_LEAST, _midnight(query.partition_date_gte)))
    if query.partition_date_lte is not None:
        where.append(Where("partition_date", Op.BELOW, _midnight(query.partition_date_lte + timedelta(days=1))))

    def ask(tx: PublicTransaction) -> DAGRunCollectionResponse:
        if dag_id != WILDCARD:
            require_dag(tx, dag_id)
        if query.consuming_asset_pattern:
            where.append(Where("dag_id", Op.ANY, tx.dags_consuming(query.consuming_asset_pattern)))
        found = page_of(
            tx,
            "runs",
            where,
            sort=order(query.order_by, _SORT),
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
        )
        return DAGRunCollectionResponse(dag_runs=run_answers(tx, found.rows), **cursors(found, query.cursor))

    return await call.read(ask)


@router.post("/dags/{dag_id}/dagRuns/list", responses=refusals(401, 403, 404, 422))
async def get_list_dag_runs_batch(
    call: Caller, dag_id: Literal["~"], body: DAGRunsBatchBody
) -> DAGRunCollectionResponse:
    where = call.within(Resource.RUN, dag_id)
    where += conditions(body, skip=("dag_ids", "states", "conf_contains"))
    if body.dag_ids is not None:
        where.append(Where("dag_id", Op.ANY, body.dag_ids))
    if body.states is not None:
        where.append(Where("state", Op.ANY, body.states))
    if body.conf_contains:
        where.append(Where("conf", Op.LIKE, body.conf_contains))
    sort = order([body.order_by] if body.order_by else ["id"], _SORT)

    def ask(tx: PublicTransaction) -> DAGRunCollectionResponse:
        found = page_of(tx, "runs", where, sort=sort, limit=body.page_limit, offset=body.page_offset)
        return DAGRunCollectionResponse(dag_runs=run_answers(tx, found.rows), total_entries=found.total)

    return await call.read(ask)


@router.post("/dags/{dag_id}/dagRuns", responses=refusals(400, 401, 403, 404, 409, 422))
async def trigger_dag_run(
    call: Caller,
    dag_id: str,
    body: TriggerDAGRunPostBody,
    idempotency_key: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> DAGRunResponse:
    call.may(Action.CREATE, Resource.RUN, dag_id)
    if (body.data_interval_start is None) != (body.data_interval_end is None):
        raise UnprocessableContent("give both ends of the data interval, data_interval_start and _end, or neither")

    def act(tx: PublicTransaction) -> DAGRunResponse:
        require_dag(tx, dag_id)
        return run_answer(tx, trigger(call, tx, dag_id, body, client_key=idempotency_key))

    return await call.write(act)


def trigger(call: Call, tx: PublicTransaction, dag_id: str, body: Any, **more: Any) -> RunRow:
    """The run that `body` (a trigger, or the materialisation of an asset) asks for."""
    interval = None
    if body.data_interval_start is not None and body.data_interval_end is not None:
        interval = (body.data_interval_start, body.data_interval_end)
    run_type = more.pop("run_type", DagRunType.MANUAL)
    client_key = more.pop("client_key", None)
    return run_commands.trigger_run(
        tx,
        call.office.documents,
        tx.now(),
        call.office.new_id,
        dag_id,
        run_id=body.dag_run_id,
        logical_date=body.logical_date,
        run_after=body.run_after,
        data_interval=interval,
        conf=body.conf,
        note=body.note,
        partition_key=body.partition_key,
        client_key=client_key,
        run_type=run_type,
        triggered_by=DagRunTriggeredBy.REST_API,
        user=call.person.username,
    )


@router.get("/dags/{dag_id}/dagRuns/{dag_run_id}", responses=refusals(401, 403, 404, 422))
async def get_dag_run(call: Caller, response: Response, dag_id: str, dag_run_id: str) -> DAGRunResponse:
    call.may(Action.READ, Resource.RUN, dag_id)

    def ask(tx: PublicTransaction) -> tuple[RunRow, DAGRunResponse]:
        row = require_run(tx, dag_id, dag_run_id)
        return row, run_answer(tx, row)

    row, answer = await call.read(ask)
    response.headers["ETag"] = _tag(row)
    return answer


@router.patch("/dags/{dag_id}/dagRuns/{dag_run_id}", responses=refusals(400, 401, 403, 404, 409, 412, 422))
async def patch_dag_run(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    body: DAGRunPatchBody,
    update_mask: Annotated[list[str] | None, Query()] = None,
    if_match: IfMatch = None,
) -> DAGRunResponse:
    call.may(Action.EDIT, Resource.RUN, dag_id)

    def act(tx: PublicTransaction) -> DAGRunResponse:
        row = require_run(tx, dag_id, dag_run_id, lock=True)
        check_match(if_match, _tag(row))
        change_run(call, tx, dag_id, dag_run_id, body, update_mask)
        return run_answer(tx, require_run(tx, dag_id, dag_run_id))

    return await call.write(act)


def change_run(
    call: Call,
    tx: PublicTransaction,
    dag_id: str,
    run_id: str,
    body: DAGRunPatchBody | BulkDAGRunBody,
    mask: Sequence[str] | None,
) -> None:
    """Note and state, as far as they were given and are in the mask."""
    given = body.model_fields_set if not mask else body.model_fields_set.intersection(mask)
    if "note" in given:
        set_run_note(tx, dag_id, run_id, body.note)
    if "state" in given and body.state is not None:
        reason = f"marked by {call.person.username}"
        set_run_state(tx, tx.now(), dag_id, run_id, DagRunState(body.state), reason)


@router.delete("/dags/{dag_id}/dagRuns/{dag_run_id}", status_code=204, responses=refusals(400, 401, 403, 404, 409, 422))
async def delete_dag_run(call: Caller, dag_id: str, dag_run_id: str) -> None:
    call.may(Action.DELETE, Resource.RUN, dag_id)

    def act(tx: PublicTransaction) -> None:
        require_run(tx, dag_id, dag_run_id)
        delete_run(tx, dag_id, dag_run_id)

    await call.write(act)


@router.get(
    "/dags/{dag_id}/dagRuns/{dag_run_id}/wait", tags=["experimental"], responses=refusals(401, 403, 404, 422) | NDJSON
)
async def wait_dag_run_until_finished(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    interval: Annotated[float, Query(gt=0.0)],
    result: Annotated[list[str] | None, Query()] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
) -> StreamingResponse:
    call.may(Action.READ, Resource.RUN, dag_id)
    tasks: Sequence[str] = result or ()
    if tasks:
        call.may(Action.READ, Resource.XCOM, dag_id)

    def ask(tx: PublicTransaction) -> Sequence[str]:
        run = require_run(tx, dag_id, dag_run_id)
        chosen = call.office.documents.get(tx, run.version_id).document.extra.get("result_task_id")
        if tasks or not isinstance(chosen, str) or not call.person.may(Action.READ, Resource.XCOM, dag_id):
            return tasks
        return (chosen,)

    tasks = await call.read(ask)
    lines = wait_for_run(call.office, dag_id, dag_run_id, interval, tasks)
    # Whoever asks for JSON alone (generated clients do) would take lines of it for one broken value: they get no type.
    only_json = accept.strip() == "application/json"
    return StreamingResponse(lines, media_type=None if only_json else "application/x-ndjson")


_SPECIAL = (
    "state",
    "run_type",
    "conf_contains",
    "partition_date_gte",
    "partition_date_lte",
    "consuming_asset_pattern",
)


def require_dag(tx: PublicTransaction, dag_id: str) -> None:
    """Raises `NotFound`, in the words of the choke point."""
    if not tx.dag_get_many([dag_id]):
        raise unknown_dag(dag_id)


def require_run(tx: PublicTransaction, dag_id: str, run_id: str, *, lock: bool = False) -> RunRow:
    """The run. Raises `NotFound`: of the DAG in the words of the choke point."""
    run = tx.run_find(dag_id, run_id, lock=lock)
    if run is None:
        require_dag(tx, dag_id)
        raise NotFound(f"DAG {dag_id!r} has no run {run_id!r}")
    return run


def _states(states: Sequence[str], run_types: Sequence[str]) -> list[Where]:
    where = []
    if states:
        where.append(Where("state", Op.ANY, [_member(DagRunState, each, "state") for each in states]))
    if run_types:
        where.append(Where("run_type", Op.ANY, [_member(DagRunType, each, "run_type") for each in run_types]))
    return where


def _member(kind: type[DagRunState] | type[DagRunType], value: str, name: str) -> str | None:
    if value == "none":
        return None
    try:
        return kind(value)
    except ValueError:
        raise UnprocessableContent(f"{name} {value!r} is none of {', '.join(kind)}") from None


def _tag(row: RunRow) -> str:
    return etag(row.state, row.note, row.clear_number)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
