"""Deadlines of runs and tasks."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint, text

from tradewind.ports import deadline_rows as rows

from .columns import columns_of
from .metadata import METADATA, one_of

deadline = Table(
    "deadline",
    METADATA,
    *columns_of(rows.DeadlineRow, key=("deadline_id",)),
    CheckConstraint(one_of("state", rows.DeadlineState), name="state"),
    UniqueConstraint("run_key", "task_id", "ordinal", name="uq_deadline_place"),
)
_PENDING = text("state = 'pending'")
Index("ix_deadline_due", deadline.c.due_at, sqlite_where=_PENDING, postgresql_where=_PENDING)
Index("ix_deadline_dag", deadline.c.dag_id, deadline.c.due_at)
