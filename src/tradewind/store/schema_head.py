"""The newest revision of the schema, apart from `schema`, which loads the tools of migrations."""

from __future__ import annotations

from .sql import SqlStore

HEAD = "0003"


def find_revision(store: SqlStore) -> str | None:
    """The revision that the database has, None for none. Raises `Unavailable`."""
    dialect = store.dialect
    session = dialect.read()
    try:
        there = session.rows(dialect.prepare(dialect.has_table), {"name": "alembic_version"})
        found = session.rows("SELECT version_num FROM alembic_version", {}) if there else []
    finally:
        session.rollback()
    return str(found[0][0]) if found else None
