"""A run names the tree of its bundle: files that only tasks read may change without a new version of the DAG."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tradewind.store.dialects import types as t

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # All may be NULL: programs of the schema before write rows without them, and their runs use the version's tree.
    op.add_column("dag", sa.Column("bundle_version", t.TEXT, nullable=True))
    op.add_column("dag", sa.Column("file_digest", t.TEXT, nullable=True))
    op.add_column("dag_run", sa.Column("bundle_version", t.TEXT, nullable=True))
    # DAGs of files that are whole: what the row of the file says is what they were published from.
    op.execute(
        """UPDATE dag SET file_digest = (SELECT f.digest FROM dag_file f
                                         WHERE f.bundle = dag.bundle AND f.path = dag.file)
           WHERE NOT EXISTS (SELECT 1 FROM import_error e WHERE e.bundle = dag.bundle AND e.path = dag.file)"""
    )
