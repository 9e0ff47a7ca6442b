"""What the memory holds: one table per family, with the unique keys, checks and indexes of the database's schema."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tradewind.ports.asset_rows import (
    AliasRow,
    AssetCursorRow,
    AssetEventRow,
    AssetRow,
    AssetUseRow,
    PartitionShareRow,
    TimetableQuestionRow,
)
from tradewind.ports.backfill_rows import BackfillRow, BackfillRunRow
from tradewind.ports.deadline_rows import DeadlineRow
from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.outbox_rows import OutboxRow
from tradewind.ports.people_rows import ApiTokenRow, AuditRow, RoleRow, SessionRow
from tradewind.ports.retention import ArchivedRow
from tradewind.ports.rows import (
    AttemptRow,
    ComponentRow,
    ConnectionRow,
    DagRow,
    FileRow,
    ImportErrorRow,
    PoolRow,
    RunRow,
    TaskRow,
    UserRow,
    VariableRow,
    VersionRow,
    XComRow,
)
from tradewind.ports.run_retries import RunRetryRow
from tradewind.ports.state_store_rows import StateRow
from tradewind.ports.trigger_rows import TriggerRow
from tradewind.wire.states import LIVE_RUN_STATES, DagRunState, DagRunType, TaskInstanceState

from .asset_words import Consumed, ShareKey, UseKey, Wake
from .tables import BrokenRule, Index, Table, Unique

_LIVE = frozenset({TaskInstanceState.QUEUED, TaskInstanceState.RUNNING, TaskInstanceState.DEFERRED})
_WAITING = frozenset({TaskInstanceState.UP_FOR_RETRY, TaskInstanceState.UP_FOR_RESCHEDULE})
UNOWNED = ""
"""Stands for "running, but nobody's" in the index by owner, where None means "not indexed"."""


class InboxLine(msgspec.Struct, frozen=True):
    """An event as written; `number` rises with each and gives the order."""

    number: int
    run_key: str
    raw: bytes


class LimitRow(msgspec.Struct, frozen=True):
    """How many instances of the task ("dag_id/task_id") hold a slot, over all runs."""

    key: str
    used: int


class Data:
    """All tables. Rows are frozen; the tables change only through a transaction."""

    __slots__ = (
        "asset_aliases",
        "asset_consumed",
        "asset_cursors",
        "asset_events",
        "asset_log",
        "asset_topics",
        "asset_uses",
        "asset_wakes",
        "assets",
        "partition_shares",
        "timetable_questions",
        "api_tokens",
        "archive",
        "attempts",
        "backfill_runs",
        "backfills",
        "deadlines",
        "audit",
        "components",
        "connections",
        "dags",
        "errors",
        "files",
        "inbox",
        "limits",
        "outbox",
        "pools",
        "questions",
        "rejected",
        "rendered",
        "roles",
        "run_retries",
        "runs",
        "sessions",
        "states",
        "tasks",
        "triggers",
        "users",
        "variables",
        "versions",
        "xcoms",
    )

    def __init__(self) -> None:
        self.files: Table[tuple[str, str], FileRow] = Table("dag_file")
        self.errors: Table[tuple[str, str], ImportErrorRow] = Table("import_error")
        self.dags: Table[str, DagRow] = Table(
            "dag", check=_check_dag, indexes={"file": Index(lambda row: (row.bundle, row.file))}
        )
        self.versions: Table[str, VersionRow] = Table(
            "dag_version",
            uniques={"number": Unique("(dag_id, number)", lambda row: (row.dag_id, row.number))},
            indexes={"dag": Index(lambda row: row.dag_id)},
        )
        self.runs: Table[str, RunRow] = Table(
            "dag_run",
            check=_check_run,
            uniques={
                "run_id": Unique("(dag_id, run_id)", lambda row: (row.dag_id, row.run_id)),
                "client_key": Unique(
                    "(dag_id, client_key)",
                    lambda row: None if row.client_key is None else (row.dag_id, row.client_key),
                ),
                "logical_date": Unique(
                    "(dag_id, logical_date)",
                    lambda row: None if row.logical_date is None else (row.dag_id, row.logical_date),
                ),
            },
            indexes={
                "dag": Index(lambda row: row.dag_id),
                "owner": Index(_run_owner),
                "queued": Index(lambda row: True if row.state is DagRunState.QUEUED else None),
                "live_scheduled": Index(_run_live_scheduled),
                "backfill": Index(lambda row: row.backfill_id),
            },
        )
        self.backfills: Table[int, BackfillRow] = Table(
            "backfill",
            check=_check_backfill,
            uniques={"active": Unique("dag_id", lambda row: row.dag_id if row.completed_at is None else None)},
        )
        self.archive: Table[int, ArchivedRow] = Table("archive")
        self.deadlines: Table[str, DeadlineRow] = Table(
            "deadline",
            uniques={"place": Unique("run_key, task_id, ordinal", lambda row: (row.run_key, row.task_id, row.ordinal))},
            indexes={"run": Index(lambda row: row.run_key)},
        )
        self.backfill_runs: Table[tuple[int, int], BackfillRunRow] = Table(
            "backfill_run", indexes={"backfill": Index(lambda row: row.backfill_id)}
        )
        self.tasks: Table[str, TaskRow] = Table(
            "task_instance",
            check=_check_task,
            uniques={
                "place": Unique("(run_key, task_id, map_path)", lambda row: (row.run_key, row.task_id, row.map_path)),
                "token": Unique("attempt_token", lambda row: row.attempt_token),
            },
            indexes={"run": Index(lambda row: row.run_key), "agent": Index(_task_agent)},
        )
        self.attempts: Table[tuple[str, int], AttemptRow] = Table(
            "task_attempt", indexes={"instance": Index(lambda row: row.ti_id)}
        )
        self.rendered: Table[str, bytes] = Table("rendered_fields")
        self.xcoms: Table[tuple[str, str], XComRow] = Table(
            "xcom",
            indexes={"instance": Index(lambda row: row.ti_id), "task": Index(lambda row: (row.run_key, row.task_id))},
        )
        self.inbox: Table[int, InboxLine] = Table("inbox", indexes={"run": Index(lambda row: row.run_key)})
        self.rejected: Table[int, InboxLine] = Table("inbox_rejected")
        self.pools: Table[str, PoolRow] = Table("pool", check=_check_pool)
        self.limits: Table[str, LimitRow] = Table("task_limit", check=_check_limit)
        self.components: Table[tuple[str, str], ComponentRow] = Table(
            "component", indexes={"name": Index(lambda row: (row.kind, row.name))}
        )
        self.run_retries: Table[str, RunRetryRow] = Table("run_retry")
        self.triggers: Table[str, TriggerRow] = Table("trigger_row", indexes={"instance": Index(lambda row: row.ti_id)})
        self.questions: Table[str, HitlRow] = Table("hitl_detail", indexes={"instance": Index(lambda row: row.ti_id)})
        self.connections: Table[str, ConnectionRow] = Table("connection")
        self.variables: Table[str, VariableRow] = Table("variable")
        self.assets: Table[int, AssetRow] = Table(
            "asset", uniques={"identity": Unique("(name, uri)", lambda row: (row.name, row.uri))}
        )
        self.asset_aliases: Table[str, AliasRow] = Table("asset_alias")
        self.asset_uses: Table[UseKey, AssetUseRow] = Table("asset_use", indexes={"dag": Index(lambda row: row.dag_id)})
        self.asset_events: Table[int, AssetEventRow] = Table(
            "asset_event", indexes={"asset": Index(lambda row: row.asset_id)}
        )
        self.asset_topics: Table[str, int] = Table("asset_topic")
        self.asset_log: Table[tuple[str, int], int] = Table("asset_log")
        self.asset_cursors: Table[tuple[str, str], AssetCursorRow] = Table(
            "asset_cursor",
            indexes={"dag": Index(lambda row: row.dag_id), "topic": Index(lambda row: row.topic)},
        )
        self.asset_wakes: Table[int, Wake] = Table("asset_wake")
        self.asset_consumed: Table[tuple[str, str, int], Consumed] = Table(
            "asset_consumed", indexes={"run": Index(lambda row: row.run_key)}
        )
        self.timetable_questions: Table[str, TimetableQuestionRow] = Table("timetable_question")
        self.partition_shares: Table[ShareKey, PartitionShareRow] = Table(
            "partition_share", indexes={"dag": Index(lambda row: row.dag_id)}
        )
        self.users: Table[str, UserRow] = Table("user")
        self.roles: Table[str, RoleRow] = Table("role")
        self.api_tokens: Table[str, ApiTokenRow] = Table("api_token")
        self.sessions: Table[str, SessionRow] = Table("web_session")
        self.audit: Table[int, AuditRow] = Table("audit_log")
        self.outbox: Table[str, OutboxRow] = Table(
            "outbox", uniques={"delivery_key": Unique("delivery_key", lambda row: row.delivery_key)}
        )
        self.states: Table[tuple[str, str, str], StateRow] = Table(
            "state_store",
            indexes={"place": Index(lambda row: (row.scope, row.place)), "instance": Index(lambda row: row.ti_id)},
        )

    def copy(self) -> Data:
        """Tables of their own with the same rows."""
        twin = Data.__new__(Data)
        for name in Data.__slots__:
            table: Table[Any, Any] = getattr(self, name)
            setattr(twin, name, table.copy())
        return twin


def effective_date(run: RunRow) -> datetime:
    """What orders the runs of a DAG: the logical date, run_after where there is none."""
    return run.logical_date or run.run_after


def _run_owner(row: RunRow) -> str | None:
    return (row.owner or UNOWNED) if row.state is DagRunState.RUNNING else None


def _run_live_scheduled(row: RunRow) -> str | None:
    return row.dag_id if row.run_type is DagRunType.SCHEDULED and row.state in LIVE_RUN_STATES else None


def _task_agent(row: TaskRow) -> str | None:
    return row.agent if row.state in (TaskInstanceState.QUEUED, TaskInstanceState.RUNNING) else None


def _check_dag(row: DagRow) -> None:
    if row.runs_active < 0:
        raise BrokenRule(f"dag: runs_active of {row.dag_id!r} would become {row.runs_active}")


def _check_backfill(row: BackfillRow) -> None:
    if row.runs_active < 0 or row.max_active_runs < 1:
        bound = f"{row.runs_active} active runs of {row.max_active_runs}"
        raise BrokenRule(f"backfill: {row.backfill_id} would have {bound}")


def _check_run(row: RunRow) -> None:
    if row.owner is not None and row.state is not DagRunState.RUNNING:
        raise BrokenRule(
            f"dag_run: {row.run_key} is {row.state} and owned by {row.owner!r}; only running runs are owned"
        )


def _check_task(row: TaskRow) -> None:
    if row.attempt_token is None and row.state in _LIVE:
        raise BrokenRule(f"task_instance: {row.ti_id} would be {row.state} without an attempt token")
    if row.due_at is None and row.state in _WAITING:
        raise BrokenRule(f"task_instance: {row.ti_id} would be {row.state} without a time at which it is due")
    if row.try_number < 0:
        raise BrokenRule(f"task_instance: try_number of {row.ti_id} would become {row.try_number}")


def _check_pool(row: PoolRow) -> None:
    if row.slots < -1:
        raise BrokenRule(f"pool: {row.name!r} cannot have {row.slots} slots; -1 is unlimited")
    if row.used < 0:
        raise BrokenRule(f"pool: used slots of {row.name!r} would become {row.used}")


def _check_limit(row: LimitRow) -> None:
    if row.used < 0:
        raise BrokenRule(f"task_limit: {row.key!r} would become {row.used}")
