"""What authoring, scheduling and people need beside the first schema; a function per subject."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from tradewind.store.dialects import types as t

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Everything may be NULL or has a default: programs of the schema before go on writing their rows."""
    _outbox()
    _state_store()
    _people()
    _waits()
    _api_lists()
    _backfills()
    _deadlines()
    _trees()
    _archive()
    _assets()
    _connection_tests()
    _failures()


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _failures() -> None:
    # What failed last, whatever else is in the history: the first thing that the first screen shows.
    op.create_index("ix_task_instance_failures", "task_instance", ["ended_at"], **_where("state = 'failed'"))


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", t.TEXT, nullable=False),
        sa.Column("delivery_key", t.TEXT, nullable=False),
        sa.Column("kind", t.TEXT, nullable=False),
        sa.Column("state", t.TEXT, nullable=False),
        sa.Column("payload", t.DOCUMENT, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=True),
        sa.Column("run_id", t.TEXT, nullable=True),
        sa.Column("task_id", t.TEXT, nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("due_at", t.INSTANT, nullable=False),
        sa.Column("lease_owner", t.TEXT, nullable=True),
        sa.Column("leased_until", t.INSTANT, nullable=True),
        sa.Column("error", t.TEXT, nullable=True),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("ended_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name=op.f("ck_outbox_state")),
        sa.UniqueConstraint("delivery_key", name=op.f("uq_outbox_delivery_key")),
    )
    op.create_index("ix_outbox_due", "outbox", ["due_at", "id"], **_where("state = 'pending'"))
    op.create_index("ix_outbox_ended", "outbox", ["ended_at"], **_where("state = 'delivered'"))


def _waits() -> None:
    op.create_table(
        "trigger_row",
        sa.Column("token", t.TEXT, nullable=False),
        sa.Column("ti_id", t.ID, nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("run_id", t.TEXT, nullable=False),
        sa.Column("task_id", t.TEXT, nullable=False),
        sa.Column("map_path", t.TEXT, nullable=False),
        sa.Column("try_number", sa.BigInteger(), nullable=False),
        sa.Column("version_id", t.ID, nullable=True),
        sa.Column("state", t.TEXT, nullable=False),
        sa.Column("classpath", t.TEXT, nullable=False),
        sa.Column("kwargs", t.TEXT, nullable=False),
        sa.Column("method", t.TEXT, nullable=False),
        sa.Column("next_kwargs", t.TEXT, nullable=False),
        sa.Column("queue", t.TEXT, nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("due_at", t.INSTANT, nullable=True),
        sa.Column("triggerer", t.TEXT, nullable=True),
        sa.Column("event", t.TEXT, nullable=True),
        sa.Column("failure", t.TEXT, nullable=True),
        sa.Column("error", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_trigger_row")),
        sa.CheckConstraint("state IN ('waiting', 'fired', 'cancelled')", name=op.f("ck_trigger_row_state")),
    )
    op.create_index("ix_trigger_row_ti_id", "trigger_row", ["ti_id"])
    free = "state = 'waiting' AND triggerer IS NULL AND classpath <> ''"
    op.create_index("ix_trigger_row_free", "trigger_row", ["created_at"], **_where(free))
    hosted = "state <> 'fired' AND triggerer IS NOT NULL"
    op.create_index("ix_trigger_row_hosted", "trigger_row", ["triggerer"], **_where(hosted))
    op.create_table(
        "run_retry",
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("clear_number", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("due_at", t.INSTANT, nullable=True),
        sa.Column("reason", t.TEXT, nullable=True),
        sa.Column("asked", t.TEXT, nullable=True),
        sa.Column("asked_reason", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("run_key", name=op.f("pk_run_retry")),
    )
    op.create_table(
        "hitl_detail",
        sa.Column("token", t.TEXT, nullable=False),
        sa.Column("ti_id", t.ID, nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("run_id", t.TEXT, nullable=False),
        sa.Column("task_id", t.TEXT, nullable=False),
        sa.Column("map_path", t.TEXT, nullable=False),
        sa.Column("try_number", sa.BigInteger(), nullable=False),
        sa.Column("subject", t.TEXT, nullable=False),
        sa.Column("options", t.DOCUMENT, nullable=True),
        sa.Column("body", t.TEXT, nullable=True),
        sa.Column("has_defaults", sa.Boolean(), nullable=False),
        sa.Column("defaults", t.DOCUMENT, nullable=True),
        sa.Column("multiple", sa.Boolean(), nullable=False),
        sa.Column("params", t.DOCUMENT, nullable=False),
        sa.Column("assigned_users", t.DOCUMENT, nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("due_at", t.INSTANT, nullable=True),
        sa.Column("responded_at", t.INSTANT, nullable=True),
        sa.Column("responded_by", t.TEXT, nullable=True),
        sa.Column("responded_by_name", t.TEXT, nullable=True),
        sa.Column("chosen_options", t.DOCUMENT, nullable=True),
        sa.Column("params_input", t.DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_hitl_detail")),
    )
    op.create_index("ix_hitl_detail_ti_id", "hitl_detail", ["ti_id"])
    op.create_index("ix_hitl_detail_open", "hitl_detail", ["created_at"], **_where("responded_at IS NULL"))


def _state_store() -> None:
    op.create_table(
        "state_store",
        sa.Column("scope", t.TEXT, nullable=False),
        sa.Column("place", t.TEXT, nullable=False),
        sa.Column("key", t.TEXT, nullable=False),
        sa.Column("value", t.TEXT, nullable=False),
        sa.Column("ti_id", t.ID, nullable=True),
        sa.Column("dag_id", t.TEXT, nullable=True),
        sa.Column("run_id", t.TEXT, nullable=True),
        sa.Column("task_id", t.TEXT, nullable=True),
        sa.Column("map_path", t.TEXT, nullable=True),
        sa.Column("updated_at", t.INSTANT, nullable=False),
        sa.Column("expires_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("scope", "place", "key", name=op.f("pk_state_store")),
        sa.CheckConstraint("scope IN ('task', 'asset')", name=op.f("ck_state_store_scope")),
    )
    op.create_index("ix_state_store_expires", "state_store", ["expires_at"], **_where("expires_at IS NOT NULL"))
    op.create_index("ix_state_store_instance", "state_store", ["ti_id"], **_where("ti_id IS NOT NULL"))


def _people() -> None:
    op.add_column("dag", sa.Column("access", t.DOCUMENT, nullable=True))
    op.create_table(
        "role",
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("description", t.TEXT, nullable=True),
        sa.Column("grants", t.DOCUMENT, nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_role")),
    )
    op.create_table(
        "api_token",
        sa.Column("token_id", t.TEXT, nullable=False),
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("username", t.TEXT, nullable=False),
        sa.Column("secret_hash", t.TEXT, nullable=False),
        sa.Column("scopes", t.DOCUMENT, nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("expires_at", t.INSTANT, nullable=True),
        sa.Column("revoked_at", t.INSTANT, nullable=True),
        sa.Column("last_used_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
    )
    op.create_index("ix_api_token_user", "api_token", ["username"])
    op.create_table(
        "web_session",
        sa.Column("session_id", t.TEXT, nullable=False),
        sa.Column("username", t.TEXT, nullable=False),
        sa.Column("mark", t.TEXT, nullable=False),
        sa.Column("means", t.TEXT, nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("seen_at", t.INSTANT, nullable=False),
        sa.Column("expires_at", t.INSTANT, nullable=False),
        sa.Column("address", t.TEXT, nullable=True),
        sa.Column("user_agent", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_web_session")),
    )
    op.create_index("ix_web_session_user", "web_session", ["username"])
    op.create_index("ix_web_session_end", "web_session", ["expires_at"])
    op.create_table(
        "audit_log",
        sa.Column("event_id", t.LINE, autoincrement=True, nullable=False),
        sa.Column("at", t.INSTANT, nullable=False),
        sa.Column("event", t.TEXT, nullable=False),
        sa.Column("actor", t.TEXT, nullable=False),
        sa.Column("means", t.TEXT, nullable=False),
        sa.Column("token_id", t.TEXT, nullable=True),
        sa.Column("address", t.TEXT, nullable=True),
        sa.Column("dag_id", t.TEXT, nullable=True),
        sa.Column("run_id", t.TEXT, nullable=True),
        sa.Column("task_id", t.TEXT, nullable=True),
        sa.Column("map_path", t.TEXT, nullable=True),
        sa.Column("try_number", sa.BigInteger(), nullable=True),
        sa.Column("thing", t.TEXT, nullable=True),
        sa.Column("before", t.DOCUMENT, nullable=False),
        sa.Column("after", t.DOCUMENT, nullable=False),
        sa.Column("details", t.DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.create_index("ix_audit_log_dag", "audit_log", ["dag_id", "event_id"])
    op.create_index("ix_audit_log_actor", "audit_log", ["actor", "event_id"])


def _api_lists() -> None:
    # Lists over all DAGs, newest first.
    op.create_index("ix_dag_run_after_all", "dag_run", ["run_after", "run_key"])
    op.create_index(
        "ix_task_instance_failed", "task_instance", ["ti_id"], **_where("state IN ('failed', 'upstream_failed')")
    )
    op.create_table(
        "dag_favorite",
        sa.Column("username", t.TEXT, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.PrimaryKeyConstraint("username", "dag_id", name=op.f("pk_dag_favorite")),
    )


def _backfills() -> None:
    op.add_column("dag_run", sa.Column("backfill_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "backfill",
        sa.Column("backfill_id", t.LINE, autoincrement=True, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("from_date", t.INSTANT, nullable=False),
        sa.Column("to_date", t.INSTANT, nullable=False),
        sa.Column("dag_run_conf", t.DOCUMENT, nullable=False),
        sa.Column("reprocess", t.TEXT, nullable=False),
        sa.Column("max_active_runs", sa.BigInteger(), nullable=False),
        sa.Column("run_backwards", sa.Boolean(), nullable=False),
        sa.Column("newest_version", sa.Boolean(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("runs_active", sa.BigInteger(), nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("updated_at", t.INSTANT, nullable=False),
        sa.Column("completed_at", t.INSTANT, nullable=True),
        sa.Column("cancelled_at", t.INSTANT, nullable=True),
        sa.Column("triggering_user_name", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("backfill_id", name=op.f("pk_backfill")),
        sa.CheckConstraint("reprocess IN ('none', 'failed', 'completed')", name=op.f("ck_backfill_reprocess")),
        sa.CheckConstraint("max_active_runs > 0", name=op.f("ck_backfill_max_active_runs")),
        sa.CheckConstraint("runs_active >= 0", name=op.f("ck_backfill_runs_active")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backfill_dag", "backfill", ["dag_id", "backfill_id"])
    op.create_index("uq_backfill_active", "backfill", ["dag_id"], unique=True, **_where("completed_at IS NULL"))
    op.create_table(
        "backfill_run",
        sa.Column("backfill_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("logical_date", t.INSTANT, nullable=True),
        sa.Column("partition_key", t.TEXT, nullable=True),
        sa.Column("run_key", t.ID, nullable=True),
        sa.Column("reason", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("backfill_id", "ordinal", name=op.f("pk_backfill_run")),
    )
    queued = "state = 'queued' AND backfill_id IS NOT NULL"
    op.create_index("ix_dag_run_queue_backfill", "dag_run", ["backfill_id", "run_after", "run_key"], **_where(queued))
    op.create_index("ix_dag_run_backfill", "dag_run", ["backfill_id", "state"], **_where("backfill_id IS NOT NULL"))
    # Runs of backfills wait in a queue of their own: the one of the DAG is read without a look at them.
    kinds = "(CASE WHEN backfill_id IS NOT NULL THEN 2 WHEN run_type = 'backfill' THEN 1 ELSE 0 END)"
    op.drop_index("ix_dag_run_queue", "dag_run")
    op.create_index(
        "ix_dag_run_queue",
        "dag_run",
        ["dag_id", sa.text(kinds), "run_after", "run_key"],
        **_where("state = 'queued'"),
    )


def _assets() -> None:
    op.add_column("dag_run", sa.Column("partition_key", t.TEXT, nullable=True))
    op.add_column("dag_run", sa.Column("partition_date", t.INSTANT, nullable=True))
    op.add_column("dag_run", sa.Column("client_key", t.TEXT, nullable=True))
    op.create_index(
        "uq_dag_run_client_key", "dag_run", ["dag_id", "client_key"], unique=True, **_where("client_key IS NOT NULL")
    )
    op.create_index(
        "ix_dag_run_partition", "dag_run", ["dag_id", "partition_key"], **_where("partition_key IS NOT NULL")
    )
    op.create_table(
        "asset",
        sa.Column("asset_id", t.LINE, autoincrement=True, nullable=False),
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("uri", t.TEXT, nullable=False),
        sa.Column("group_name", t.TEXT, nullable=False),
        sa.Column("extra", t.DOCUMENT, nullable=False),
        sa.Column("watchers", t.DOCUMENT, nullable=False),
        sa.Column("access", t.DOCUMENT, nullable=False),
        sa.Column("expected_every_seconds", sa.Float(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("conflict", t.TEXT, nullable=True),
        sa.Column("late_since", t.INSTANT, nullable=True),
        sa.Column("created_at", t.INSTANT, nullable=True),
        sa.Column("updated_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_asset")),
        sa.UniqueConstraint("name", "uri", name=op.f("uq_asset_identity")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_asset_uri", "asset", ["uri"])
    op.create_table(
        "asset_alias",
        sa.Column("alias_id", t.LINE, autoincrement=True, nullable=False),
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("group_name", t.TEXT, nullable=False),
        sa.PrimaryKeyConstraint("alias_id", name=op.f("pk_asset_alias")),
        sa.UniqueConstraint("name", name=op.f("uq_asset_alias_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "asset_alias_link",
        sa.Column("alias", t.TEXT, nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alias", "asset_id", name=op.f("pk_asset_alias_link")),
    )
    op.create_table(
        "asset_use",
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("task_id", t.TEXT, nullable=False),
        sa.Column("role", t.TEXT, nullable=False),
        sa.Column("kind", t.TEXT, nullable=False),
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("uri", t.TEXT, nullable=False),
        sa.Column("since", t.INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("dag_id", "task_id", "role", "kind", "name", "uri", name=op.f("pk_asset_use")),
        sa.CheckConstraint("kind IN ('asset', 'alias', 'name', 'uri')", name=op.f("ck_asset_use_kind")),
        sa.CheckConstraint("role IN ('schedule', 'inlet', 'outlet')", name=op.f("ck_asset_use_role")),
    )
    op.create_index("ix_asset_use_name", "asset_use", ["name"])
    op.create_index("ix_asset_use_uri", "asset_use", ["uri"])
    op.create_table(
        "asset_event",
        sa.Column("event_id", t.LINE, autoincrement=True, nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("uri", t.TEXT, nullable=False),
        sa.Column("at", t.INSTANT, nullable=False),
        sa.Column("extra", t.DOCUMENT, nullable=False),
        sa.Column("source_dag_id", t.TEXT, nullable=True),
        sa.Column("source_run_id", t.TEXT, nullable=True),
        sa.Column("source_task_id", t.TEXT, nullable=True),
        sa.Column("source_map_index", sa.BigInteger(), nullable=False),
        sa.Column("aliases", t.DOCUMENT, nullable=True),
        sa.Column("partition_key", t.TEXT, nullable=True),
        sa.Column("created_by", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_asset_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_asset_event_asset", "asset_event", ["asset_id", "event_id"])
    op.create_index("ix_asset_event_at", "asset_event", ["at"])
    op.create_index("ix_asset_event_name", "asset_event", ["name", "at"])
    op.create_index("ix_asset_event_source", "asset_event", ["source_dag_id", "source_run_id"])
    op.create_index("ix_asset_event_uri", "asset_event", ["uri", "at"])
    op.create_table(
        "asset_event_alias",
        sa.Column("alias", t.TEXT, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alias", "event_id", name=op.f("pk_asset_event_alias")),
    )
    op.create_table(
        "asset_topic",
        sa.Column("topic", t.TEXT, nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_asset_topic")),
    )
    op.create_table(
        "asset_log",
        sa.Column("topic", t.TEXT, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "place", name=op.f("pk_asset_log")),
    )
    op.create_table(
        "asset_cursor",
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("topic", t.TEXT, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=True),
        sa.Column("skip_from", sa.BigInteger(), nullable=True),
        sa.Column("skip_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("dag_id", "topic", name=op.f("pk_asset_cursor")),
    )
    op.create_index("ix_asset_cursor_topic", "asset_cursor", ["topic"])
    op.create_table(
        "asset_wake",
        sa.Column("line", t.LINE, autoincrement=True, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("due_at", t.INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_asset_wake")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_asset_wake_dag", "asset_wake", ["dag_id"])
    op.create_index("ix_asset_wake_due", "asset_wake", ["due_at"])
    op.create_table(
        "asset_consumed",
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("partition_key", t.TEXT, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.PrimaryKeyConstraint("dag_id", "partition_key", "event_id", name=op.f("pk_asset_consumed")),
    )
    op.create_index("ix_asset_consumed_event", "asset_consumed", ["event_id"])
    op.create_index("ix_asset_consumed_run", "asset_consumed", ["run_key"])
    op.create_table(
        "partition_share",
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("partition_key", t.TEXT, nullable=False),
        sa.Column("topic", t.TEXT, nullable=False),
        sa.Column("source_key", t.TEXT, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("at", t.INSTANT, nullable=False),
        sa.PrimaryKeyConstraint(
            "dag_id", "partition_key", "topic", "source_key", "event_id", name=op.f("pk_partition_share")
        ),
    )
    op.create_index("ix_asset_log_event", "asset_log", ["event_id"])
    op.create_index("ix_asset_event_alias_event", "asset_event_alias", ["event_id"])
    op.create_table(
        "timetable_question",
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("asked_at", t.INSTANT, nullable=True),
        sa.Column("leased_by", t.TEXT, nullable=True),
        sa.Column("leased_until", t.INSTANT, nullable=True),
        sa.Column("forecast", t.DOCUMENT, nullable=True),
        sa.Column("answered_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("dag_id", name=op.f("pk_timetable_question")),
    )
    asked = "asked_at IS NOT NULL"
    op.create_index("ix_timetable_question_asked", "timetable_question", ["asked_at"], **_where(asked))


def _deadlines() -> None:
    op.create_table(
        "deadline",
        sa.Column("deadline_id", t.TEXT, nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("run_id", t.TEXT, nullable=False),
        sa.Column("task_id", t.TEXT, nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("name", t.TEXT, nullable=True),
        sa.Column("reference", t.TEXT, nullable=False),
        sa.Column("base_at", t.INSTANT, nullable=False),
        sa.Column("interval_seconds", sa.Float(), nullable=True),
        sa.Column("interval_variable", t.TEXT, nullable=True),
        sa.Column("due_at", t.INSTANT, nullable=True),
        sa.Column("state", t.TEXT, nullable=False),
        sa.Column("reason", t.TEXT, nullable=True),
        sa.Column("path", t.TEXT, nullable=False),
        sa.Column("kwargs", t.DOCUMENT, nullable=False),
        sa.Column("executor", t.TEXT, nullable=True),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("settled_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("deadline_id", name=op.f("pk_deadline")),
        sa.CheckConstraint("state IN ('pending', 'met', 'missed', 'void')", name=op.f("ck_deadline_state")),
        sa.UniqueConstraint("run_key", "task_id", "ordinal", name="uq_deadline_place"),
    )
    op.create_index("ix_deadline_due", "deadline", ["due_at"], **_where("state = 'pending'"))
    op.create_index("ix_deadline_dag", "deadline", ["dag_id", "due_at"])


def _trees() -> None:
    op.create_index("ix_inbox_run", "inbox", ["run_key"])
    op.create_index("ix_dag_run_tree", "dag_run", ["bundle_version"], **_where("bundle_version IS NOT NULL"))
    op.create_index("ix_dag_version_tree", "dag_version", ["bundle_version"])


def _connection_tests() -> None:
    op.create_table(
        "connection_test",
        sa.Column("token", t.TEXT, nullable=False),
        sa.Column("conn_id", t.TEXT, nullable=False),
        sa.Column("state", t.TEXT, nullable=False),
        sa.Column("message", t.TEXT, nullable=True),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.Column("ended_at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_connection_test")),
    )
    op.create_index("ix_connection_test_created", "connection_test", ["created_at"])


def _archive() -> None:
    op.create_index("ix_dag_run_version", "dag_run", ["version_id"])
    op.create_table(
        "archive",
        sa.Column("line", t.LINE, autoincrement=True, nullable=False),
        sa.Column("archived_at", t.INSTANT, nullable=False),
        sa.Column("source", t.TEXT, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=True),
        sa.Column("payload", t.DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_archive")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_archive_source", "archive", ["source", "line"])
