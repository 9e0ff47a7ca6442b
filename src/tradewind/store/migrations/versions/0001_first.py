"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from tradewind.store.dialects import types as t

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "component",
        sa.Column("kind", t.TEXT, nullable=False),
        sa.Column("id", t.TEXT, nullable=False),
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("hostname", t.TEXT, nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("started_at", t.INSTANT, nullable=False),
        sa.Column("heartbeat_at", t.INSTANT, nullable=False),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.Column("executor", t.TEXT, nullable=False),
        sa.Column("queues", t.DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_component")),
    )
    op.create_table(
        "connection",
        sa.Column("conn_id", t.TEXT, nullable=False),
        sa.Column("conn_type", t.TEXT, nullable=False),
        sa.Column("description", t.TEXT, nullable=True),
        sa.Column("host", t.TEXT, nullable=True),
        sa.Column("schema", t.TEXT, nullable=True),
        sa.Column("login", t.TEXT, nullable=True),
        sa.Column("password", sa.LargeBinary(), nullable=True),
        sa.Column("port", sa.BigInteger(), nullable=True),
        sa.Column("extra", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("conn_id", name=op.f("pk_connection")),
    )
    op.create_table(
        "dag",
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("bundle", t.TEXT, nullable=False),
        sa.Column("file", t.TEXT, nullable=False),
        sa.Column("version_id", t.ID, nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        sa.Column("description", t.TEXT, nullable=True),
        sa.Column("display_name", t.TEXT, nullable=True),
        sa.Column("schedule_summary", t.TEXT, nullable=False),
        sa.Column("timezone", t.TEXT, nullable=False),
        sa.Column("tags", t.DOCUMENT, nullable=False),
        sa.Column("owners", t.DOCUMENT, nullable=False),
        sa.Column("max_active_runs", sa.BigInteger(), nullable=False),
        sa.Column("max_consecutive_failed_dag_runs", sa.BigInteger(), nullable=False),
        sa.Column("runs_active", sa.BigInteger(), nullable=False),
        sa.Column("next_run_after", t.INSTANT, nullable=True),
        sa.Column("next_logical_date", t.INSTANT, nullable=True),
        sa.Column("next_interval_start", t.INSTANT, nullable=True),
        sa.Column("next_interval_end", t.INSTANT, nullable=True),
        sa.Column("parsed_at", t.INSTANT, nullable=True),
        sa.Column("pause_reason", t.TEXT, nullable=True),
        sa.CheckConstraint("runs_active >= 0", name=op.f("ck_dag_runs_active")),
        sa.PrimaryKeyConstraint("dag_id", name=op.f("pk_dag")),
    )
    op.create_index(
        "ix_dag_due",
        "dag",
        ["next_run_after"],
        **_where("NOT is_paused AND NOT is_stale AND next_run_after IS NOT NULL"),
    )
    op.create_index("ix_dag_file", "dag", ["bundle", "file"], unique=False)
    op.create_table(
        "dag_file",
        sa.Column("bundle", t.TEXT, nullable=False),
        sa.Column("path", t.TEXT, nullable=False),
        sa.Column("digest", t.TEXT, nullable=False),
        sa.Column("bundle_version", t.TEXT, nullable=False),
        sa.Column("parsed_at", t.INSTANT, nullable=True),
        sa.Column("parse_seconds", sa.Float(), nullable=True),
        sa.Column("dag_count", sa.BigInteger(), nullable=False),
        sa.Column("imported", t.DOCUMENT, nullable=True),
        sa.Column("processor", t.TEXT, nullable=True),
        sa.Column("leased_until", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("bundle", "path", name=op.f("pk_dag_file")),
    )
    op.create_table(
        "dag_run",
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("run_id", t.TEXT, nullable=False),
        sa.Column("version_id", t.ID, nullable=False),
        sa.Column("run_type", t.TEXT, nullable=False),
        sa.Column("triggered_by", t.TEXT, nullable=False),
        sa.Column("state", t.TEXT, nullable=False),
        sa.Column("run_after", t.INSTANT, nullable=False),
        sa.Column("logical_date", t.INSTANT, nullable=True),
        sa.Column("data_interval_start", t.INSTANT, nullable=True),
        sa.Column("data_interval_end", t.INSTANT, nullable=True),
        sa.Column("queued_at", t.INSTANT, nullable=True),
        sa.Column("started_at", t.INSTANT, nullable=True),
        sa.Column("ended_at", t.INSTANT, nullable=True),
        sa.Column("conf", t.DOCUMENT, nullable=False),
        sa.Column("owner", t.TEXT, nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("clear_number", sa.BigInteger(), nullable=False),
        sa.Column("note", t.TEXT, nullable=True),
        sa.Column("reason", t.TEXT, nullable=True),
        sa.Column("triggering_user_name", t.TEXT, nullable=True),
        sa.CheckConstraint("owner IS NULL OR state = 'running'", name=op.f("ck_dag_run_owner_runs")),
        sa.CheckConstraint("state IN ('queued', 'running', 'success', 'failed')", name=op.f("ck_dag_run_state")),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_dag_run_epoch")),
        sa.PrimaryKeyConstraint("run_key", name=op.f("pk_dag_run")),
        sa.UniqueConstraint("dag_id", "run_id", name="uq_dag_run_id"),
    )
    op.create_index("ix_dag_run_after", "dag_run", ["dag_id", "run_after", "run_key"], unique=False)
    op.create_index(
        "ix_dag_run_scheduled",
        "dag_run",
        ["dag_id", sa.text("coalesce(logical_date, run_after)"), "run_key"],
        **_where("run_type = 'scheduled'"),
    )
    op.create_index("ix_dag_run_live", "dag_run", ["dag_id"], **_where("state IN ('queued', 'running')"))
    op.create_index("ix_dag_run_newest", "dag_run", ["dag_id", "run_key"], unique=False)
    op.create_index("ix_dag_run_owner", "dag_run", ["owner"], **_where("state = 'running'"))
    op.create_index(
        "ix_dag_run_queue",
        "dag_run",
        ["dag_id", sa.text("(CASE WHEN run_type = 'backfill' THEN 1 ELSE 0 END)"), "run_after", "run_key"],
        **_where("state = 'queued'"),
    )
    op.create_index("ix_dag_run_queue_next", "dag_run", ["run_after"], **_where("state = 'queued'"))
    op.create_index(
        "uq_dag_run_logical_date",
        "dag_run",
        ["dag_id", "logical_date"],
        unique=True,
        **_where("logical_date IS NOT NULL"),
    )
    op.create_table(
        "dag_version",
        sa.Column("version_id", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", t.TEXT, nullable=False),
        sa.Column("bundle", t.TEXT, nullable=False),
        sa.Column("bundle_version", t.TEXT, nullable=False),
        sa.Column("file", t.TEXT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("source", t.TEXT, nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_dag_version")),
        sa.UniqueConstraint("dag_id", "number", name="uq_dag_version_number"),
    )
    op.create_table(
        "import_error",
        sa.Column("bundle", t.TEXT, nullable=False),
        sa.Column("path", t.TEXT, nullable=False),
        sa.Column("message", t.TEXT, nullable=False),
        sa.Column("traceback", t.TEXT, nullable=False),
        sa.Column("at", t.INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("bundle", "path", name=op.f("pk_import_error")),
    )
    op.create_table(
        "inbox",
        sa.Column("line", t.LINE, autoincrement=True, nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("payload", t.TEXT, nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_inbox")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "inbox_rejected",
        sa.Column("line", t.LINE, autoincrement=True, nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("payload", t.TEXT, nullable=False),
        sa.Column("error", t.TEXT, nullable=False),
        sa.Column("at", t.INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_inbox_rejected")),
    )
    op.create_table(
        "pool",
        sa.Column("name", t.TEXT, nullable=False),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.Column("description", t.TEXT, nullable=False),
        sa.Column("include_deferred", sa.Boolean(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slots >= -1", name=op.f("ck_pool_slots")),
        sa.CheckConstraint("used >= 0", name=op.f("ck_pool_used")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pool")),
    )
    op.create_table(
        "rendered_fields",
        sa.Column("ti_id", t.ID, nullable=False),
        sa.Column("fields", t.DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("ti_id", name=op.f("pk_rendered_fields")),
    )
    op.create_table(
        "task_attempt",
        sa.Column("ti_id", t.ID, nullable=False),
        sa.Column("try_number", sa.BigInteger(), nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("task_id", t.TEXT, nullable=False),
        sa.Column("map_path", t.TEXT, nullable=False),
        sa.Column("state", t.TEXT, nullable=True),
        sa.Column("reason", t.TEXT, nullable=True),
        sa.Column("cause", t.TEXT, nullable=True),
        sa.Column("queued_at", t.INSTANT, nullable=True),
        sa.Column("started_at", t.INSTANT, nullable=True),
        sa.Column("ended_at", t.INSTANT, nullable=True),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("hostname", t.TEXT, nullable=True),
        sa.Column("agent", t.TEXT, nullable=True),
        sa.Column("pid", sa.BigInteger(), nullable=True),
        sa.Column("version_id", t.ID, nullable=True),
        sa.PrimaryKeyConstraint("ti_id", "try_number", name=op.f("pk_task_attempt")),
    )
    op.create_table(
        "task_instance",
        sa.Column("ti_id", t.ID, nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("run_id", t.TEXT, nullable=False),
        sa.Column("task_id", t.TEXT, nullable=False),
        sa.Column("map_path", t.TEXT, nullable=False),
        sa.Column("state", t.TEXT, nullable=True),
        sa.Column("reason", t.TEXT, nullable=True),
        sa.Column("try_number", sa.BigInteger(), nullable=False),
        sa.Column("max_tries", sa.BigInteger(), nullable=False),
        sa.Column("infrastructure_tries", sa.BigInteger(), nullable=False),
        sa.Column("attempt_token", t.TEXT, nullable=True),
        sa.Column("holds_slot", sa.Boolean(), nullable=False),
        sa.Column("pool", t.TEXT, nullable=False),
        sa.Column("pool_slots", sa.BigInteger(), nullable=False),
        sa.Column("queue", t.TEXT, nullable=False),
        sa.Column("executor", t.TEXT, nullable=True),
        sa.Column("priority_weight", sa.BigInteger(), nullable=False),
        sa.Column("operator", t.TEXT, nullable=False),
        sa.Column("due_at", t.INSTANT, nullable=True),
        sa.Column("scheduled_at", t.INSTANT, nullable=True),
        sa.Column("queued_at", t.INSTANT, nullable=True),
        sa.Column("started_at", t.INSTANT, nullable=True),
        sa.Column("first_started_at", t.INSTANT, nullable=True),
        sa.Column("ended_at", t.INSTANT, nullable=True),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("hostname", t.TEXT, nullable=True),
        sa.Column("agent", t.TEXT, nullable=True),
        sa.Column("pid", sa.BigInteger(), nullable=True),
        sa.Column("cause", t.TEXT, nullable=True),
        sa.Column("skips", t.DOCUMENT, nullable=True),
        sa.Column("xcom_length", sa.BigInteger(), nullable=True),
        sa.Column("map_index_label", t.TEXT, nullable=True),
        sa.Column("note", t.TEXT, nullable=True),
        sa.Column("version_id", t.ID, nullable=True),
        sa.Column("updated_at", t.INSTANT, nullable=True),
        sa.CheckConstraint(
            "cause IS NULL OR cause IN ('exception', 'fail_now', 'exit_code', 'signal', 'killed', "
            "'out_of_memory', 'timeout', 'lost', 'launch', 'user')",
            name=op.f("ck_task_instance_cause"),
        ),
        sa.CheckConstraint(
            "state IS NULL OR state IN ('removed', 'scheduled', 'queued', 'running', 'success', "
            "'restarting', 'failed', 'up_for_retry', 'up_for_reschedule', 'upstream_failed', 'skipped', "
            "'deferred', 'awaiting_input')",
            name=op.f("ck_task_instance_state"),
        ),
        sa.CheckConstraint(
            "state IS NULL OR state NOT IN ('queued', 'running', 'deferred') OR attempt_token IS NOT NULL",
            name=op.f("ck_task_instance_live_has_token"),
        ),
        sa.CheckConstraint(
            "state IS NULL OR state NOT IN ('up_for_retry', 'up_for_reschedule') OR due_at IS NOT NULL",
            name=op.f("ck_task_instance_waiting_has_due"),
        ),
        sa.CheckConstraint("pool_slots >= 0", name=op.f("ck_task_instance_pool_slots")),
        sa.CheckConstraint("try_number >= 0", name=op.f("ck_task_instance_try_number")),
        sa.PrimaryKeyConstraint("ti_id", name=op.f("pk_task_instance")),
        sa.UniqueConstraint("run_key", "task_id", "map_path", name="uq_task_instance_place"),
    )
    op.create_index("ix_task_instance_agent", "task_instance", ["agent"], **_where("state IN ('queued', 'running')"))
    op.create_index("ix_task_instance_slots", "task_instance", ["pool"], **_where("holds_slot"))
    op.create_index(
        "uq_task_instance_token", "task_instance", ["attempt_token"], unique=True, **_where("attempt_token IS NOT NULL")
    )
    op.create_table(
        "task_limit",
        sa.Column("limit_key", t.TEXT, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_task_limit_used")),
        sa.PrimaryKeyConstraint("limit_key", name=op.f("pk_task_limit")),
    )
    op.create_table(
        "user_account",
        sa.Column("username", t.TEXT, nullable=False),
        sa.Column("password_hash", t.TEXT, nullable=False),
        sa.Column("roles", t.DOCUMENT, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", t.INSTANT, nullable=True),
        sa.Column("email", t.TEXT, nullable=True),
        sa.Column("first_name", t.TEXT, nullable=True),
        sa.Column("last_name", t.TEXT, nullable=True),
        sa.Column("origin", t.TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("last_login_at", t.INSTANT, nullable=True),
        sa.Column("subject", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_user_account")),
    )
    op.create_table(
        "variable",
        sa.Column("key", t.TEXT, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("description", t.TEXT, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_variable")),
    )
    op.create_table(
        "xcom",
        sa.Column("ti_id", t.ID, nullable=False),
        sa.Column("run_key", t.ID, nullable=False),
        sa.Column("dag_id", t.TEXT, nullable=False),
        sa.Column("run_id", t.TEXT, nullable=False),
        sa.Column("task_id", t.TEXT, nullable=False),
        sa.Column("map_path", t.TEXT, nullable=False),
        sa.Column("key", t.TEXT, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("url", t.TEXT, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", t.TEXT, nullable=True),
        sa.Column("length", sa.BigInteger(), nullable=True),
        sa.Column("at", t.INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("ti_id", "key", name=op.f("pk_xcom")),
    )
    op.create_index("ix_xcom_place", "xcom", ["run_key", "task_id", "key"], unique=False)
