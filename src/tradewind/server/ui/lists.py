"""Lists and pages around the grid: runs, instances, a DAG in detail, a task over time, what is searched for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from tradewind.domain.timetables.upcoming import upcoming
from tradewind.ports.ui_reads import UiTransaction
from tradewind.runtime.connection_types import ConnectionType
from tradewind.wire.errors import TradewindError

from .dags import line_of
from .documents import Shapes
from .grid import columns, dag_row
from .home import milliseconds

COUNT_MAX = 500
CALENDAR_DAYS = 400
CALENDAR_RUNS_MAX = 20_000
PLANNED_MAX = 400

Visible = frozenset[str] | None


def runs(tx: UiTransaction, query: Mapping[str, str], visible: Visible) -> dict[str, Any]:
    """Runs, newest first. `dag_id`, `state`, `type` (comma-separated), `q` (part of an id), `before`, `count`."""
    count = min(int(query.get("count", "100")), COUNT_MAX)
    states, types, text = _set(query, "state"), _set(query, "type"), query.get("q", "").lower()
    found: list[dict[str, Any]] = []
    before = query.get("before") or None
    looked, asked = 0, max(count, 200)
    while len(found) < count and looked < 20_000:
        page = tx.ui_runs(query.get("dag_id") or None, asked, before)
        looked += len(page)
        for run in page:
            fits = (not states or run.state in states) and (not types or run.run_type in types)
            named = not text or text in run.run_id.lower() or text in run.dag_id.lower() or text == (run.user or "")
            if fits and named and (visible is None or run.dag_id in visible):
                found.append(line_of(run))
        if len(page) < asked:
            before = None
            break
        before = page[-1].run_key
    more = len(found) > count or before is not None
    found = found[:count]
    return {"runs": found, "next": found[-1]["key"] if more and found else None}


def tasks(tx: UiTransaction, query: Mapping[str, str], visible: Visible) -> dict[str, Any]:
    """Instances, those of the newest runs first. `state` (comma-separated), `dag_id`, `task_id`, `before`, `count`."""
    count = min(int(query.get("count", "200")), COUNT_MAX)
    lines = tx.ui_task_list(
        sorted(_set(query, "state")),
        query.get("dag_id") or None,
        query.get("task_id") or None,
        count,
        query.get("before") or None,
    )
    shown = [line for line in lines if visible is None or line.dag_id in visible]
    told = columns(shown)
    return {
        "columns": [*told["columns"], "dag_id", "run_id"],
        "rows": [[*row, line.dag_id, line.run_id] for row, line in zip(told["rows"], shown, strict=True)],
        "next": lines[-1].run_key if len(lines) == count else None,
    }


def search(tx: UiTransaction, text: str, visible: Visible) -> dict[str, Any]:
    """DAGs whose name has all parts of the text, those that begin with it first; `*`: all, as pairs."""
    if text == "*":
        return {
            "dags": [(dag.dag_id, dag.display_name) for dag in tx.ui_dags() if visible is None or dag.dag_id in visible]
        }
    parts = text.lower().split()
    found = []
    for dag in tx.ui_dags():
        name = f"{dag.dag_id} {dag.display_name or ''}".lower()
        if all(part in name for part in parts) and (visible is None or dag.dag_id in visible):
            found.append((not (parts and name.startswith(parts[0])), dag.dag_id, dag))
    found.sort(key=lambda each: each[:2])
    return {
        "dags": [{"dag_id": dag.dag_id, "name": dag.display_name, "paused": dag.is_paused} for *_, dag in found[:30]]
    }


def dag(tx: UiTransaction, shapes: Shapes, dag_id: str) -> dict[str, Any]:
    """A DAG in detail: row, definition without its tasks, params, counts of its runs."""
    row = dag_row(tx, dag_id)
    shape = shapes.get(tx, row.version_id)
    document: dict[str, Any] = msgspec.to_builtins(shape.document)
    for long in ("tasks", "groups", "edge_labels"):
        document.pop(long, None)
    newest = tx.ui_newest_runs([dag_id], 50)
    errors = [each for each in tx.list_import_errors() if each.bundle == row.bundle and each.path == row.file]
    return {
        "dag_id": row.dag_id,
        "name": row.display_name,
        "description": row.description,
        "paused": row.is_paused,
        "pause_reason": row.pause_reason,
        "stale": row.is_stale,
        "schedule": "" if row.schedule_summary == "None" else row.schedule_summary,
        "timezone": row.timezone,
        "tags": row.tags,
        "owners": row.owners,
        "file": row.file,
        "bundle": row.bundle,
        "next": None if row.next_run_after is None else milliseconds(row.next_run_after),
        "parsed": None if row.parsed_at is None else milliseconds(row.parsed_at),
        "active": row.runs_active,
        "max_active_runs": row.max_active_runs,
        "version": row.version_id,
        "number": shape.number,
        "tasks": len(shape.order),
        "params": document.pop("params", {}),
        "document": document,
        "states": dict(Counter(run.state for run in newest)),
        "latest": line_of(newest[0]) if newest else None,
        "error": errors[0].message if errors else None,
    }


def history(tx: UiTransaction, shapes: Shapes, dag_id: str, task_id: str) -> dict[str, Any]:
    """A task over its newest runs, and what it is."""
    shape = shapes.get(tx, dag_row(tx, dag_id).version_id)
    lines = tx.ui_task_history(dag_id, task_id, 100)
    told = columns(lines)
    task = shape.tasks.get(task_id)
    return {
        "columns": [*told["columns"], "run_id"],
        "rows": [[*row, line.run_id] for row, line in zip(told["rows"], lines, strict=True)],
        "task": None if task is None else msgspec.to_builtins(task),
    }


def calendar(tx: UiTransaction, shapes: Shapes, dag_id: str) -> dict[str, Any]:
    """Runs as [when, state], newest first, and when those to come are due."""
    row = dag_row(tx, dag_id)
    now = tx.now()
    oldest = milliseconds(now - timedelta(days=CALENDAR_DAYS))
    found = [
        [run.logical_date or run.run_after, run.state, run.run_id]
        for run in tx.ui_runs(dag_id, CALENDAR_RUNS_MAX)
        if run.run_after >= oldest
    ]
    document = shapes.get(tx, row.version_id).document
    planned: list[int] = []
    if not row.is_paused:
        try:
            coming = upcoming(
                document.schedule, document.start_date, document.end_date, document.catchup, now, PLANNED_MAX
            )
            planned = [milliseconds(each.run_after) for each in coming if each.run_after < now + timedelta(days=62)]
        except (TradewindError, NotImplementedError, ValueError):
            planned = []  # a schedule that has no beat, or one that only its own code knows
    return {"runs": found, "planned": planned}


def import_errors(tx: UiTransaction) -> dict[str, Any]:
    """Files that could not be loaded, with their tracebacks."""
    return {
        "errors": [
            {
                "bundle": row.bundle,
                "path": row.path,
                "message": row.message,
                "traceback": row.traceback,
                "at": milliseconds(row.at),
            }
            for row in tx.list_import_errors()
        ]
    }


def components(tx: UiTransaction) -> dict[str, Any]:
    """Processes of ours, as they registered."""
    return {
        "now": milliseconds(tx.now()),
        "components": [
            {
                "kind": row.kind,
                "name": row.name,
                "hostname": row.hostname,
                "pid": row.pid,
                "started": milliseconds(row.started_at),
                "beat": milliseconds(row.heartbeat_at),
                "slots": row.slots,
                "executor": row.executor,
                "queues": row.queues,
            }
            for row in tx.component_list()
        ],
    }


def backfills(tx: UiTransaction, dag_id: str | None, visible: Visible) -> dict[str, Any]:
    """Backfills, newest first, each with its runs counted by state."""
    rows = [row for row in tx.backfill_list(dag_id=dag_id, limit=100) if visible is None or row.dag_id in visible]
    states = tx.backfill_count_states([row.backfill_id for row in rows])
    told = []
    for row in rows:
        counts = states.get(row.backfill_id, {})
        told.append(
            {
                "id": row.backfill_id,
                "dag_id": row.dag_id,
                "from_date": row.from_date,
                "to_date": row.to_date,
                "is_paused": row.is_paused,
                "reprocess_behavior": row.reprocess,
                "max_active_runs": row.max_active_runs,
                "created_at": row.created_at,
                "completed_at": row.completed_at,
                "cancelled_at": row.cancelled_at,
                "dag_run_state_counts": {str(state): count for state, count in counts.items()},
            }
        )
    return {"backfills": told, "total_entries": len(told)}


def form_of(kind: ConnectionType) -> dict[str, Any]:
    """The form of one type of connection."""
    return {
        "connection_type": kind.conn_type,
        "hook_name": kind.name,
        "hook_class_name": kind.hook,
        "default_conn_name": kind.default_conn_id,
        "standard_fields": {name: msgspec.to_builtins(each) for name, each in kind.fields.items()},
        "extra_fields": kind.extra_fields,
    }


def _set(query: Mapping[str, str], name: str) -> set[str]:
    return {each for each in query.get(name, "").split(",") if each}
