"""What happened and what is wrong: the audit log, import errors, warnings about DAGs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from tradewind.commands.asset_publication import asset_cycles
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.people_rows import AuditRow
from tradewind.ports.reads import Ask, Op, PublicTransaction, Where
from tradewind.ports.rows import DagRow, ImportErrorRow
from tradewind.wire.errors import NotFound
from tradewind.wire.ids import map_index_of

from .caller import Call, Caller
from .models.base import Instant, Whole
from .models.events import (
    DAGWarningCollectionResponse,
    DAGWarningResponse,
    DagWarningType,
    EventLogCollectionResponse,
    EventLogResponse,
    ImportErrorCollectionResponse,
    ImportErrorResponse,
)
from .numbers import number_of
from .paging import Page, conditions, matches, order, page_of, slice_of, sorted_by
from .refusals import refusals
from .views_dags import shown_name
from .views_runs import Names

router = APIRouter()
_RENAME = {"when": "at", "event_log_id": "id", "owner": "actor"}
_HIDDEN_TRACE = "some DAGs of this file are closed to you, so its traceback is not shown"
_DAGS_MAX = 100_000


class EventsQuery(Page):
    order_by: list[str] = ["id"]
    dag_id: str | None = None
    task_id: str | None = None
    run_id: str | None = None
    map_index: Whole | None = None
    try_number: Whole | None = None
    owner: str | None = None
    event: str | None = None
    excluded_events: list[str] | None = None
    included_events: list[str] | None = None
    before: Instant | None = None
    after: Instant | None = None
    dag_id_pattern: str | None = None
    task_id_pattern: str | None = None
    run_id_pattern: str | None = None
    owner_pattern: str | None = None
    event_pattern: str | None = None
    dag_id_prefix_pattern: str | None = None
    task_id_prefix_pattern: str | None = None
    run_id_prefix_pattern: str | None = None
    owner_prefix_pattern: str | None = None
    event_prefix_pattern: str | None = None


@router.get("/eventLogs", tags=["Event Log"], responses=refusals(400, 401, 403, 422))
async def get_event_logs(call: Caller, query: Annotated[EventsQuery, Query()]) -> EventLogCollectionResponse:
    call.may(Action.READ, Resource.AUDIT_LOG)
    where = conditions(query, _RENAME, skip=("excluded_events", "included_events", "before", "after"))
    if query.included_events:
        where.append(Where("event", Op.ANY, query.included_events))
    if query.excluded_events:
        where.append(Where("event", Op.NOT_ANY, query.excluded_events))
    if query.before is not None:
        where.append(Where("at", Op.BELOW, query.before))
    if query.after is not None:
        where.append(Where("at", Op.ABOVE, query.after))

    def ask(tx: PublicTransaction) -> EventLogCollectionResponse:
        sort = order(query.order_by, _RENAME)
        found = page_of(tx, "events", where, sort=sort, limit=query.limit, offset=query.offset)
        return EventLogCollectionResponse(event_logs=_events(tx, found.rows), total_entries=found.total)

    return await call.read(ask)


@router.get("/eventLogs/{event_log_id}", tags=["Event Log"], responses=refusals(401, 403, 404, 422))
async def get_event_log(call: Caller, event_log_id: Whole) -> EventLogResponse:
    call.may(Action.READ, Resource.AUDIT_LOG)

    def ask(tx: PublicTransaction) -> EventLogResponse:
        rows = tx.ask_list("events", Ask((Where("id", Op.IS, event_log_id),), limit=1, count_max=0)).rows
        if not rows:
            raise NotFound(f"there is no event {event_log_id}")
        return _events(tx, rows)[0]

    return await call.read(ask)


class ErrorsQuery(Page):
    order_by: list[str] = ["id"]
    filename_pattern: str | None = None
    filename_prefix_pattern: str | None = None
    filename: str | None = None
    bundle_name: str | None = None


@router.get("/importErrors", tags=["Import Error"], responses=refusals(400, 401, 403, 422))
async def get_import_errors(call: Caller, query: Annotated[ErrorsQuery, Query()]) -> ImportErrorCollectionResponse:
    call.may(Action.READ, Resource.IMPORT_ERROR)

    def ask(tx: PublicTransaction) -> ImportErrorCollectionResponse:
        kept = [
            _error(row, hidden=hidden)
            for row, hidden in _visible(call, tx, tx.list_import_errors())
            if query.filename in (None, row.path)
            and query.bundle_name in (None, row.bundle)
            and matches(row.path, query.filename_pattern, query.filename_prefix_pattern)
        ]
        ordered = sorted_by(
            kept,
            query.order_by,
            {
                "id": lambda error: error.import_error_id,
                "import_error_id": lambda error: error.import_error_id,
                "timestamp": lambda error: error.timestamp,
                "filename": lambda error: error.filename,
                "bundle_name": lambda error: error.bundle_name,
                "stacktrace": lambda error: error.stack_trace,
            },
        )
        return ImportErrorCollectionResponse(import_errors=slice_of(ordered, query), total_entries=len(kept))

    return await call.read(ask)


@router.get("/importErrors/{import_error_id}", tags=["Import Error"], responses=refusals(401, 403, 404, 422))
async def get_import_error(call: Caller, import_error_id: Whole) -> ImportErrorResponse:
    call.may(Action.READ, Resource.IMPORT_ERROR)

    def ask(tx: PublicTransaction) -> ImportErrorResponse:
        for row, hidden in _visible(call, tx, tx.list_import_errors()):
            if number_of(row.bundle, row.path) == import_error_id:
                return _error(row, hidden=hidden)
        raise NotFound(f"there is no import error {import_error_id}")

    return await call.read(ask)


class WarningsQuery(Page):
    dag_id: str | None = None
    warning_type: DagWarningType | None = None
    order_by: list[str] = ["dag_id"]


@router.get("/dagWarnings", tags=["DagWarning"], responses=refusals(400, 401, 403, 404, 422))
async def list_dag_warnings(call: Caller, query: Annotated[WarningsQuery, Query()]) -> DAGWarningCollectionResponse:
    where = call.within(Resource.WARNING, query.dag_id)
    where.append(Where("is_stale", Op.IS, False))

    def ask(tx: PublicTransaction) -> DAGWarningCollectionResponse:
        dags = [view.dag for view in tx.ask_list("dags", Ask(tuple(where), limit=_DAGS_MAX, count_max=0)).rows]
        found = [each for each in _warnings(call, tx, dags) if query.warning_type in (None, each.warning_type)]
        ordered = sorted_by(
            found,
            query.order_by,
            {
                "dag_id": lambda warning: warning.dag_id,
                "warning_type": lambda warning: warning.warning_type,
                "message": lambda warning: warning.message,
                "timestamp": lambda warning: warning.timestamp,
            },
        )
        return DAGWarningCollectionResponse(dag_warnings=slice_of(ordered, query), total_entries=len(found))

    return await call.read(ask)


def _events(tx: PublicTransaction, rows: list[AuditRow]) -> list[EventLogResponse]:
    names = Names(tx, {row.dag_id for row in rows if row.dag_id is not None}, ())
    return [_event(row, names) for row in rows]


def _event(row: AuditRow, names: Names) -> EventLogResponse:
    more = {
        "thing": row.thing,
        "before": row.before,
        "after": row.after,
        "means": row.means,
        "address": row.address,
        **row.details,
    }
    said = {name: value for name, value in more.items() if value}
    return EventLogResponse(
        event_log_id=row.event_id,
        when=row.at,
        dag_id=row.dag_id,
        task_id=row.task_id,
        run_id=row.run_id,
        map_index=_map_index(row.map_path),
        try_number=row.try_number,
        event=row.event,
        logical_date=None,
        owner=row.actor,
        extra=json.dumps(said, ensure_ascii=False, default=str) if said else None,
        dag_display_name=names.of(row.dag_id) if row.dag_id is not None else None,
        task_display_name=row.task_id,
    )


def _map_index(path: str | None) -> int | None:
    if path is None:
        return None
    try:
        return map_index_of(path)
    except ValueError:  # as somebody asked for it, not as it is
        return None


def _visible(call: Call, tx: PublicTransaction, rows: Iterable[ImportErrorRow]) -> list[tuple[ImportErrorRow, bool]]:
    """Errors of files of which this person may see a DAG; with the traceback only if he may see all of them."""
    visible = call.person.visible_dags()
    if visible is None:
        return [(row, False) for row in rows]
    found = []
    for row in rows:
        dags = {dag.dag_id for dag in tx.dag_list_of_file(row.bundle, row.path)}
        if not dags or dags & visible:
            found.append((row, not dags <= visible))
    return found


def _error(row: ImportErrorRow, *, hidden: bool) -> ImportErrorResponse:
    return ImportErrorResponse(
        import_error_id=number_of(row.bundle, row.path),
        timestamp=row.at,
        filename=row.path,
        bundle_name=row.bundle,
        stack_trace=_HIDDEN_TRACE if hidden else row.traceback or row.message,
    )


def _warnings(call: Call, tx: PublicTransaction, dags: list[DagRow]) -> Iterable[DAGWarningResponse]:
    """What the compiler said, and pools that do not exist."""
    call.office.facts.load(tx, (dag.version_id for dag in dags))
    pools = {pool.name for pool in tx.pool_list()}
    now = tx.now()
    for dag in dags:
        facts = call.office.facts.dag(dag.version_id)
        for text in facts.warnings:
            yield _warning(dag, DagWarningType.RUNTIME_VARYING_VALUE, text, now)
        missing = sorted({task.pool for task in facts.tasks} - pools)
        if missing:
            text = f"DAG {dag.dag_id!r} has tasks in pools that do not exist: {', '.join(missing)}"
            yield _warning(dag, DagWarningType.NON_EXISTENT_POOL, text, now)
    known = {dag.dag_id: dag for dag in dags}
    for dag_id, text in (*tx.asset_conflicts(sorted(known)), *sorted(asset_cycles(tx).items())):
        if dag_id in known:
            yield _warning(known[dag_id], DagWarningType.ASSET_CONFLICT, text, now)


def _warning(dag: DagRow, kind: DagWarningType, message: str, now: datetime) -> DAGWarningResponse:
    return DAGWarningResponse(
        dag_id=dag.dag_id,
        warning_type=kind,
        message=message,
        timestamp=dag.parsed_at or now,
        dag_display_name=shown_name(dag),
    )
