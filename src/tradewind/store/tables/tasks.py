"""Task instances, their attempts and what they left."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint, text

from tradewind.ports import rows
from tradewind.store.dialects.types import DOCUMENT, ID
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

from .columns import columns_of
from .metadata import METADATA, one_of

task_instance = Table(
    "task_instance",
    METADATA,
    *columns_of(rows.TaskRow, key=("ti_id",), nullable=("skips", "version_id")),
    UniqueConstraint("run_key", "task_id", "map_path", name="uq_task_instance_place"),
    CheckConstraint(f"state IS NULL OR {one_of('state', TaskInstanceState)}", name="state"),
    CheckConstraint(f"cause IS NULL OR {one_of('cause', CauseOfDeath)}", name="cause"),
    CheckConstraint(
        "state IS NULL OR state NOT IN ('queued', 'running', 'deferred') OR attempt_token IS NOT NULL",
        name="live_has_token",
    ),
    CheckConstraint(
        "state IS NULL OR state NOT IN ('up_for_retry', 'up_for_reschedule') OR due_at IS NOT NULL",
        name="waiting_has_due",
    ),
    CheckConstraint("try_number >= 0", name="try_number"),
    CheckConstraint("pool_slots >= 0", name="pool_slots"),
)
_WITH_TOKEN = text("attempt_token IS NOT NULL")
Index(
    "uq_task_instance_token",
    task_instance.c.attempt_token,
    unique=True,
    sqlite_where=_WITH_TOKEN,
    postgresql_where=_WITH_TOKEN,
)
_IN_HAND = text("state IN ('queued', 'running')")
Index("ix_task_instance_agent", task_instance.c.agent, sqlite_where=_IN_HAND, postgresql_where=_IN_HAND)
_FAILED = text("state IN ('failed', 'upstream_failed')")
Index("ix_task_instance_failed", task_instance.c.ti_id, sqlite_where=_FAILED, postgresql_where=_FAILED)
_HOLDING = text("holds_slot")
Index("ix_task_instance_slots", task_instance.c.pool, sqlite_where=_HOLDING, postgresql_where=_HOLDING)
_FAILURES = text("state = 'failed'")
Index("ix_task_instance_failures", task_instance.c.ended_at, sqlite_where=_FAILURES, postgresql_where=_FAILURES)

task_attempt = Table(
    "task_attempt", METADATA, *columns_of(rows.AttemptRow, key=("ti_id", "try_number"), nullable=("version_id",))
)

xcom = Table(
    "xcom",
    METADATA,
    *columns_of(rows.XComRow, key=("ti_id", "key")),
    Index("ix_xcom_place", "run_key", "task_id", "key"),
)

rendered_fields = Table(
    "rendered_fields",
    METADATA,
    Column("ti_id", ID, primary_key=True),
    Column("fields", DOCUMENT, nullable=False),
)
