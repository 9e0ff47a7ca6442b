"""Assets, their events, and how far each consumer has read."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, text

from tradewind.ports import asset_rows as rows
from tradewind.store.dialects.types import ID, INSTANT, LINE, TEXT

from .columns import columns_of
from .metadata import METADATA

asset = Table(
    "asset",
    METADATA,
    Column("asset_id", LINE, primary_key=True, autoincrement=True),
    *columns_of(rows.AssetRow, key=())[1:],
    UniqueConstraint("name", "uri", name="uq_asset_identity"),
    Index("ix_asset_uri", "uri"),
    sqlite_autoincrement=True,
)

asset_alias = Table(
    "asset_alias",
    METADATA,
    Column("alias_id", LINE, primary_key=True, autoincrement=True),
    *columns_of(rows.AliasRow, key=())[1:],
    UniqueConstraint("name", name="uq_asset_alias_name"),
    sqlite_autoincrement=True,
)

asset_alias_link = Table(
    "asset_alias_link",
    METADATA,
    Column("alias", TEXT, primary_key=True),
    Column("asset_id", BigInteger, primary_key=True, autoincrement=False),
)

asset_use = Table(
    "asset_use",
    METADATA,
    *columns_of(rows.AssetUseRow, key=("dag_id", "task_id", "role", "kind", "name", "uri")),
    CheckConstraint("role IN ('schedule', 'inlet', 'outlet')", name="role"),
    CheckConstraint("kind IN ('asset', 'alias', 'name', 'uri')", name="kind"),
    Index("ix_asset_use_name", "name"),
    Index("ix_asset_use_uri", "uri"),
)

asset_event = Table(
    "asset_event",
    METADATA,
    Column("event_id", LINE, primary_key=True, autoincrement=True),
    *columns_of(rows.AssetEventRow, key=(), nullable=("aliases",))[1:],
    Index("ix_asset_event_asset", "asset_id", "event_id"),
    Index("ix_asset_event_name", "name", "at"),
    Index("ix_asset_event_uri", "uri", "at"),
    Index("ix_asset_event_source", "source_dag_id", "source_run_id"),
    Index("ix_asset_event_at", "at"),
    sqlite_autoincrement=True,
)

asset_event_alias = Table(
    "asset_event_alias",
    METADATA,
    Column("alias", TEXT, primary_key=True),
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Index("ix_asset_event_alias_event", "event_id"),
)

asset_topic = Table(
    "asset_topic",
    METADATA,
    Column("topic", TEXT, primary_key=True),
    Column("head", BigInteger, nullable=False),
)

asset_log = Table(
    "asset_log",
    METADATA,
    Column("topic", TEXT, primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, nullable=False),
    Index("ix_asset_log_event", "event_id"),
)

asset_cursor = Table(
    "asset_cursor",
    METADATA,
    *columns_of(rows.AssetCursorRow, key=("dag_id", "topic")),
    Index("ix_asset_cursor_topic", "topic"),
)

asset_wake = Table(
    "asset_wake",
    METADATA,
    Column("line", LINE, primary_key=True, autoincrement=True),
    Column("dag_id", TEXT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Index("ix_asset_wake_due", "due_at"),
    Index("ix_asset_wake_dag", "dag_id"),
    sqlite_autoincrement=True,
)

asset_consumed = Table(
    "asset_consumed",
    METADATA,
    Column("dag_id", TEXT, nullable=False),
    Column("partition_key", TEXT, nullable=False),
    Column("event_id", BigInteger, nullable=False, autoincrement=False),
    Column("run_key", ID, nullable=False),
    PrimaryKeyConstraint("dag_id", "partition_key", "event_id"),
    Index("ix_asset_consumed_run", "run_key"),
    Index("ix_asset_consumed_event", "event_id"),
)

partition_share = Table(
    "partition_share",
    METADATA,
    *columns_of(rows.PartitionShareRow, key=("dag_id", "partition_key", "topic", "source_key", "event_id")),
)

timetable_question = Table(
    "timetable_question",
    METADATA,
    *columns_of(rows.TimetableQuestionRow, key=("dag_id",), nullable=("forecast",)),
)
_ASKED = text("asked_at IS NOT NULL")
Index(
    "ix_timetable_question_asked",
    timetable_question.c.asked_at,
    sqlite_where=_ASKED,
    postgresql_where=_ASKED,
)
