"""Runs and their inbox."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint, text

from tradewind.ports import rows
from tradewind.store.dialects.types import ID, INSTANT, LINE, TEXT
from tradewind.wire.states import DagRunState

from .columns import columns_of
from .metadata import METADATA, one_of

dag_run = Table(
    "dag_run",
    METADATA,
    *columns_of(rows.RunRow, key=("run_key",)),
    CheckConstraint(one_of("state", DagRunState), name="state"),
    CheckConstraint("owner IS NULL OR state = 'running'", name="owner_runs"),
    CheckConstraint("epoch >= 0", name="epoch"),
    UniqueConstraint("dag_id", "run_id", name="uq_dag_run_id"),
)
_WITH_DATE = text("logical_date IS NOT NULL")
Index(
    "uq_dag_run_logical_date",
    dag_run.c.dag_id,
    dag_run.c.logical_date,
    unique=True,
    sqlite_where=_WITH_DATE,
    postgresql_where=_WITH_DATE,
)
_WITH_CLIENT_KEY = text("client_key IS NOT NULL")
Index(
    "uq_dag_run_client_key",
    dag_run.c.dag_id,
    dag_run.c.client_key,
    unique=True,
    sqlite_where=_WITH_CLIENT_KEY,
    postgresql_where=_WITH_CLIENT_KEY,
)
_WITH_KEY = text("partition_key IS NOT NULL")
Index(
    "ix_dag_run_partition",
    dag_run.c.dag_id,
    dag_run.c.partition_key,
    sqlite_where=_WITH_KEY,
    postgresql_where=_WITH_KEY,
)
Index("ix_dag_run_newest", dag_run.c.dag_id, dag_run.c.run_key)
Index("ix_dag_run_after", dag_run.c.dag_id, dag_run.c.run_after, dag_run.c.run_key)
# For lists over all DAGs, which people and programs read newest first.
Index("ix_dag_run_after_all", dag_run.c.run_after, dag_run.c.run_key)
_SCHEDULED = text("run_type = 'scheduled'")
Index(
    "ix_dag_run_scheduled",
    dag_run.c.dag_id,
    text("coalesce(logical_date, run_after)"),
    dag_run.c.run_key,
    sqlite_where=_SCHEDULED,
    postgresql_where=_SCHEDULED,
)

# Live runs: the cost of looking for work does not grow with the history.
_QUEUED = text("state = 'queued'")
Index(
    "ix_dag_run_queue",
    dag_run.c.dag_id,
    text("(CASE WHEN backfill_id IS NOT NULL THEN 2 WHEN run_type = 'backfill' THEN 1 ELSE 0 END)"),
    dag_run.c.run_after,
    dag_run.c.run_key,
    sqlite_where=_QUEUED,
    postgresql_where=_QUEUED,
)
_QUEUED_BACKFILL = text("state = 'queued' AND backfill_id IS NOT NULL")
Index(
    "ix_dag_run_queue_backfill",
    dag_run.c.backfill_id,
    dag_run.c.run_after,
    dag_run.c.run_key,
    sqlite_where=_QUEUED_BACKFILL,
    postgresql_where=_QUEUED_BACKFILL,
)
_OF_BACKFILL = text("backfill_id IS NOT NULL")
Index(
    "ix_dag_run_backfill",
    dag_run.c.backfill_id,
    dag_run.c.state,
    sqlite_where=_OF_BACKFILL,
    postgresql_where=_OF_BACKFILL,
)
Index("ix_dag_run_queue_next", dag_run.c.run_after, sqlite_where=_QUEUED, postgresql_where=_QUEUED)
_RUNNING = text("state = 'running'")
Index("ix_dag_run_version", dag_run.c.version_id)
_WITH_TREE = text("bundle_version IS NOT NULL")
Index("ix_dag_run_tree", dag_run.c.bundle_version, sqlite_where=_WITH_TREE, postgresql_where=_WITH_TREE)
Index("ix_dag_run_owner", dag_run.c.owner, sqlite_where=_RUNNING, postgresql_where=_RUNNING)
_LIVE = text("state IN ('queued', 'running')")
Index("ix_dag_run_live", dag_run.c.dag_id, sqlite_where=_LIVE, postgresql_where=_LIVE)

inbox = Table(
    "inbox",
    METADATA,
    Column("line", LINE, primary_key=True, autoincrement=True),
    Column("run_key", ID, nullable=False),
    Column("payload", TEXT, nullable=False),
    # Without it PostgreSQL, told to avoid whole tables, takes any other way for as good and walks through all runs.
    Index("ix_inbox_run", "run_key"),
    sqlite_autoincrement=True,
)

inbox_rejected = Table(
    "inbox_rejected",
    METADATA,
    Column("line", LINE, primary_key=True, autoincrement=True),
    Column("run_key", ID, nullable=False),
    Column("payload", TEXT, nullable=False),
    Column("error", TEXT, nullable=False),
    Column("at", INSTANT, nullable=False),
)
