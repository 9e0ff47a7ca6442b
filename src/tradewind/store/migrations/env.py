"""Run by Alembic; the connection and its transaction belong to `store.schema`."""

from __future__ import annotations

from alembic import context

from tradewind.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
