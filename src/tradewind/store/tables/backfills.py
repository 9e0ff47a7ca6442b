"""Backfills and their dates."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, text

from tradewind.ports import backfill_rows as rows
from tradewind.store.dialects.types import LINE

from .columns import columns_of
from .metadata import METADATA, one_of

_backfill_id, *_others = columns_of(rows.BackfillRow, key=("backfill_id",))
backfill = Table(
    "backfill",
    METADATA,
    Column("backfill_id", LINE, primary_key=True, autoincrement=True),
    *_others,
    CheckConstraint(one_of("reprocess", rows.Reprocess), name="reprocess"),
    CheckConstraint("max_active_runs > 0", name="max_active_runs"),
    CheckConstraint("runs_active >= 0", name="runs_active"),
    sqlite_autoincrement=True,
)
Index("ix_backfill_dag", backfill.c.dag_id, backfill.c.backfill_id)
_ACTIVE = text("completed_at IS NULL")
# One at a time for each DAG: whoever makes another meanwhile is refused.
Index("uq_backfill_active", backfill.c.dag_id, unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)

backfill_run = Table("backfill_run", METADATA, *columns_of(rows.BackfillRunRow, key=("backfill_id", "ordinal")))
