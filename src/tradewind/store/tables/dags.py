"""Files, DAGs and versions."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint, text

from tradewind.ports import rows

from .columns import columns_of
from .metadata import METADATA

dag_file = Table(
    "dag_file",
    METADATA,
    *columns_of(rows.FileRow, key=("bundle", "path"), nullable=("imported",)),
)

import_error = Table("import_error", METADATA, *columns_of(rows.ImportErrorRow, key=("bundle", "path")))

dag = Table(
    "dag",
    METADATA,
    *columns_of(rows.DagRow, key=("dag_id",), nullable=("access",)),
    CheckConstraint("runs_active >= 0", name="runs_active"),
    Index("ix_dag_file", "bundle", "file"),
)
Index(
    "ix_dag_due",
    dag.c.next_run_after,
    sqlite_where=text("NOT is_paused AND NOT is_stale AND next_run_after IS NOT NULL"),
    postgresql_where=text("NOT is_paused AND NOT is_stale AND next_run_after IS NOT NULL"),
)

dag_version = Table(
    "dag_version",
    METADATA,
    *columns_of(rows.VersionRow, key=("version_id",)),
    UniqueConstraint("dag_id", "number", name="uq_dag_version_number"),
    Index("ix_dag_version_tree", "bundle_version"),
)
