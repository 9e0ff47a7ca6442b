"""Every list that programs may ask, by name. See `listing` for how one is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradewind.ports.reads_rows import DagView, QuestionView, TaskView, VersionHead, XComView
from tradewind.store import codec
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind

from .api_views import beside, plain, record, two
from .listing import Field, Listing

_I, _T, _N, _F = Kind.INSTANT, Kind.TEXT, Kind.INTEGER, Kind.FLAG
_NEWEST = "(SELECT {} FROM dag_run n WHERE n.dag_id = d.dag_id ORDER BY n.run_key DESC LIMIT 1)"
_ON_ASSETS = "EXISTS (SELECT 1 FROM asset_use u WHERE u.dag_id = d.dag_id AND u.role = 'schedule')"
_BROKEN = "EXISTS (SELECT 1 FROM import_error e WHERE e.bundle = d.bundle AND e.path = d.file)"


def _run_seconds(d: Dialect) -> str:
    return d.seconds_between("r.started_at", "r.ended_at")


def _task_seconds(d: Dialect) -> str:
    return f"coalesce(t.duration_seconds, {d.seconds_between('t.started_at', 't.ended_at')})"


def _first_index(alias: str) -> Any:
    def text(d: Dialect) -> str:
        return f"(CASE WHEN {alias}.map_path = '' THEN -1 ELSE {d.leading_number(f'{alias}.map_path')} END)"

    return text


_RUN_DATES = {
    "logical_date": Field("r.logical_date", _I, nullable=True, join="run"),
    "run_after": Field("r.run_after", _I, join="run"),
    "data_interval_start": Field("r.data_interval_start", _I, nullable=True, join="run"),
    "data_interval_end": Field("r.data_interval_end", _I, nullable=True, join="run"),
}

DAGS: Listing[DagView] = Listing(
    name="dags",
    source="dag d",
    select=f"{codec.DAG.select('d')}, f.parse_seconds, {_BROKEN}",
    read=beside(codec.DAG, DagView, Kind.FLOAT, _F),
    key="dag_id",
    joins={"file": "LEFT JOIN dag_file f ON f.bundle = d.bundle AND f.path = d.file"},
    shown=("file",),
    fields={
        "dag_id": Field("d.dag_id"),
        "dag_display_name": Field("coalesce(d.display_name, d.dag_id)"),
        "is_paused": Field("d.is_paused", _F),
        "is_stale": Field("d.is_stale", _F),
        "tags": Field("d.tags", Kind.NAMES),
        "owners": Field("CAST(d.owners AS TEXT)"),
        "bundle": Field("d.bundle"),
        "bundle_version": Field("d.bundle_version", nullable=True),
        "has_import_errors": Field(_BROKEN, _F),
        "has_asset_schedule": Field(_ON_ASSETS, _F),
        "next_dagrun": Field("d.next_run_after", _I, nullable=True),
        "last_run_state": Field(_NEWEST.format("n.state"), nullable=True),
        "last_run_start_date": Field(_NEWEST.format("n.started_at"), _I, nullable=True),
        "last_run_end_date": Field(_NEWEST.format("n.ended_at"), _I, nullable=True),
    },
)

RUNS: Listing[Any] = Listing(
    name="runs",
    source="dag_run r",
    select=codec.RUN.select("r"),
    read=plain(codec.RUN),
    key="id",
    joins={"version": "LEFT JOIN dag_version v ON v.version_id = r.version_id"},
    fields={
        "id": Field("r.run_key", Kind.ID),
        "dag_id": Field("r.dag_id"),
        "run_id": Field("r.run_id"),
        "dag_run_id": Field("r.run_id"),
        "state": Field("r.state"),
        "run_type": Field("r.run_type"),
        "logical_date": Field("r.logical_date", _I, nullable=True),
        "run_after": Field("r.run_after", _I),
        "queued_at": Field("r.queued_at", _I, nullable=True),
        "start_date": Field("r.started_at", _I, nullable=True),
        "end_date": Field("r.ended_at", _I, nullable=True),
        "updated_at": Field("coalesce(r.ended_at, r.started_at, r.queued_at, r.run_after)", _I),
        "duration": Field(_run_seconds, Kind.FLOAT, nullable=True),
        "conf": Field("CAST(r.conf AS TEXT)", nullable=True),
        "bundle_version": Field("coalesce(r.bundle_version, v.bundle_version)", nullable=True, join="version"),
        "dag_version": Field("v.number", _N, nullable=True, join="version"),
        "triggering_user_name": Field("r.triggering_user_name", nullable=True),
        "partition_key": Field("r.partition_key", nullable=True),
        "partition_date": Field("r.partition_date", _I, nullable=True),
    },
)

TASKS: Listing[TaskView] = Listing(
    name="task instances",
    source="task_instance t",
    select=f"{codec.TASK.select('t')}, r.logical_date, r.run_after",
    read=beside(codec.TASK, TaskView, _I, _I),
    key="id",
    joins={
        "run": "JOIN dag_run r ON r.run_key = t.run_key",
        "version": "LEFT JOIN dag_version v ON v.version_id = t.version_id",
    },
    shown=("run",),
    fields=_RUN_DATES
    | {
        "id": Field("t.ti_id", Kind.ID),
        "run_key": Field("t.run_key", Kind.ID),
        "dag_id": Field("t.dag_id"),
        "run_id": Field("t.run_id"),
        "task_id": Field("t.task_id"),
        "map_index": Field(_first_index("t"), _N),
        "map_path": Field("t.map_path"),
        "state": Field("t.state", nullable=True),
        "in_hand": Field("t.state IN ('queued', 'running')", _F, plain=True),
        "has_failed": Field("t.state IN ('failed', 'upstream_failed')", _F, plain=True),
        "pool": Field("t.pool"),
        "queue": Field("t.queue"),
        "executor": Field("t.executor", nullable=True),
        "operator": Field("t.operator"),
        "try_number": Field("t.try_number", _N),
        "version_number": Field("v.number", _N, nullable=True, join="version"),
        "rendered_map_index": Field("t.map_index_label", nullable=True),
        "start_date": Field("t.started_at", _I, nullable=True),
        "end_date": Field("t.ended_at", _I, nullable=True),
        "updated_at": Field("t.updated_at", _I, nullable=True),
        "duration": Field(_task_seconds, Kind.FLOAT, nullable=True),
    },
)

XCOMS: Listing[XComView] = Listing(
    name="XCom entries",
    source="xcom x",
    select=f"{codec.XCOM.select('x')}, r.logical_date, r.run_after",
    read=beside(codec.XCOM, XComView, _I, _I),
    key="place",
    joins={"run": "JOIN dag_run r ON r.run_key = x.run_key"},
    shown=("run",),
    fields=_RUN_DATES
    | {
        "place": Field("x.ti_id", Kind.ID),
        "key": Field("x.key"),
        "dag_id": Field("x.dag_id"),
        "run_id": Field("x.run_id"),
        "task_id": Field("x.task_id"),
        "map_index": Field(_first_index("x"), _N),
        "map_path": Field("x.map_path"),
        "timestamp": Field("x.at", _I, nullable=True),
    },
)

_HEAD = ("version_id", "dag_id", "number", "bundle", "bundle_version", "file", "created_at")
VERSIONS: Listing[VersionHead] = Listing(
    name="DAG versions",
    source="dag_version v",
    select=", ".join(f"v.{column}" for column in _HEAD),
    read=record(VersionHead, *(codec.VERSION.kinds[column] for column in _HEAD)),
    key="id",
    fields={
        "id": Field("v.version_id", Kind.ID),
        "dag_id": Field("v.dag_id"),
        "version_number": Field("v.number", _N),
        "bundle_name": Field("v.bundle"),
        "bundle_version": Field("v.bundle_version"),
    },
)

CONNECTIONS: Listing[Any] = Listing(
    name="connections",
    source="connection c",
    select=codec.CONNECTION.select("c"),
    read=plain(codec.CONNECTION),
    key="connection_id",
    fields={
        "connection_id": Field("c.conn_id"),
        "conn_id": Field("c.conn_id"),
        "id": Field("c.conn_id"),
        "conn_type": Field("c.conn_type"),
        "description": Field("c.description", nullable=True),
        "host": Field("c.host", nullable=True),
        "port": Field("c.port", _N, nullable=True),
    },
)

VARIABLES: Listing[Any] = Listing(
    name="variables",
    source="variable v",
    select=codec.VARIABLE.select("v"),
    read=plain(codec.VARIABLE),
    key="key",
    fields={
        "key": Field("v.key"),
        "id": Field("v.key"),
        "_val": Field("v.key"),
        "description": Field("v.description", nullable=True),
    },
)

POOLS: Listing[Any] = Listing(
    name="pools",
    source="pool p",
    select=codec.POOL.select("p"),
    read=plain(codec.POOL),
    key="name",
    fields={"name": Field("p.name"), "pool": Field("p.name"), "id": Field("p.name")},
)

IMPORT_ERRORS: Listing[Any] = Listing(
    name="import errors",
    source="import_error e",
    select=codec.IMPORT_ERROR.select("e"),
    read=plain(codec.IMPORT_ERROR),
    key="place",
    fields={
        "place": Field("e.bundle || ':' || e.path"),
        "timestamp": Field("e.at", _I),
        "filename": Field("e.path"),
        "bundle_name": Field("e.bundle"),
        "stacktrace": Field("e.traceback"),
    },
)

EVENTS: Listing[Any] = Listing(
    name="the audit log",
    source="audit_log a",
    select=codec.AUDIT.select("a"),
    read=plain(codec.AUDIT),
    key="id",
    fields={
        "id": Field("a.event_id", _N),
        "at": Field("a.at", _I),
        "event": Field("a.event"),
        "actor": Field("a.actor"),
        "dag_id": Field("a.dag_id", nullable=True),
        "run_id": Field("a.run_id", nullable=True),
        "task_id": Field("a.task_id", nullable=True),
        "map_index": Field(_first_index("a"), _N, nullable=True),
        "try_number": Field("a.try_number", _N, nullable=True),
        "logical_date": Field("a.at", _I),
        "extra": Field("CAST(a.details AS TEXT)", nullable=True),
    },
)

_CREATED = {
    "created_at": Field("a.created_at", _I, nullable=True),
    "updated_at": Field("a.updated_at", _I, nullable=True),
}
ASSETS: Listing[Any] = Listing(
    name="assets",
    source="asset a",
    select=codec.ASSET.select("a"),
    read=plain(codec.ASSET),
    key="id",
    fields={
        "id": Field("a.asset_id", _N),
        "name": Field("a.name"),
        "uri": Field("a.uri"),
        "group": Field("a.group_name"),
        "is_active": Field("a.is_active", _F),
    }
    | _CREATED,
)

ALIASES: Listing[Any] = Listing(
    name="asset aliases",
    source="asset_alias a",
    select=codec.ASSET_ALIAS.select("a"),
    read=plain(codec.ASSET_ALIAS),
    key="id",
    fields={"id": Field("a.alias_id", _N), "name": Field("a.name"), "group": Field("a.group_name")},
)

ASSET_EVENTS: Listing[Any] = Listing(
    name="asset events",
    source="asset_event e",
    select=codec.ASSET_EVENT.select("e"),
    read=plain(codec.ASSET_EVENT),
    key="id",
    fields={
        "id": Field("e.event_id", _N),
        "asset_id": Field("e.asset_id", _N),
        "name": Field("e.name"),
        "timestamp": Field("e.at", _I),
        "source_dag_id": Field("e.source_dag_id", nullable=True),
        "source_run_id": Field("e.source_run_id", nullable=True),
        "source_task_id": Field("e.source_task_id", nullable=True),
        "source_map_index": Field("e.source_map_index", _N),
    },
)

QUESTIONS: Listing[QuestionView] = Listing(
    name="questions to people",
    source="hitl_detail h",
    select=f"{codec.HITL.select('h')}, {codec.TASK.select('t')}, r.logical_date, r.run_after",
    read=two(codec.HITL, codec.TASK, QuestionView, _I, _I),
    key="token",
    joins={
        "task": "JOIN task_instance t ON t.ti_id = h.ti_id",
        "run": "JOIN dag_run r ON r.run_key = h.run_key",
    },
    shown=("task", "run"),
    fields={
        "token": Field("h.token"),
        "ti_id": Field("h.ti_id", Kind.ID),
        "dag_id": Field("h.dag_id"),
        "run_id": Field("h.run_id"),
        "task_id": Field("h.task_id"),
        "map_index": Field(_first_index("h"), _N),
        "map_path": Field("h.map_path"),
        "try_number": Field("h.try_number", _N),
        "is_newest": Field("(h.try_number = t.try_number)", _F, join="task"),
        "state": Field("t.state", nullable=True, join="task"),
        "subject": Field("h.subject"),
        "body": Field("h.body", nullable=True),
        "created_at": Field("h.created_at", _I),
        "responded_at": Field("h.responded_at", _I, nullable=True),
        "response_received": Field("(h.responded_at IS NOT NULL)", _F),
        "responded_by_user_id": Field("h.responded_by", nullable=True),
        "responded_by_user_name": Field("h.responded_by_name", nullable=True),
        "run_after": Field("r.run_after", _I, join="run"),
        "rendered_map_index": Field("t.map_index_label", nullable=True, join="task"),
        "task_instance_operator": Field("t.operator", join="task"),
        "task_instance_state": Field("t.state", nullable=True, join="task"),
    },
)

BACKFILLS: Listing[Any] = Listing(
    name="backfills",
    source="backfill b",
    select=codec.BACKFILL.select("b"),
    read=plain(codec.BACKFILL),
    key="id",
    fields={"id": Field("b.backfill_id", _N), "dag_id": Field("b.dag_id")},
)

LISTS: Mapping[str, Listing[Any]] = {
    "dags": DAGS,
    "runs": RUNS,
    "tasks": TASKS,
    "xcoms": XCOMS,
    "versions": VERSIONS,
    "connections": CONNECTIONS,
    "variables": VARIABLES,
    "pools": POOLS,
    "import_errors": IMPORT_ERRORS,
    "events": EVENTS,
    "assets": ASSETS,
    "aliases": ALIASES,
    "asset_events": ASSET_EVENTS,
    "questions": QUESTIONS,
    "backfills": BACKFILLS,
}
