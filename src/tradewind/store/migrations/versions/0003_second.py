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


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


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


def _state_store() -> None:
    op.create_table(
        "state_store",
        sa.Column("scope", t.TEXT, nullable=False),
        sa.Column("place", t.TEXT, nullable=False),
        sa.Column("key", t.TEXT, nullable=False),
        sa.Column("value", t.TEXT, nullable=False),
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
    op.create_index("ix_state_store_run", "state_store", ["dag_id", "run_id"])
