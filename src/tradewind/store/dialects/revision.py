"""Which schema a database has, without the weight of the migration tools: what every process asks when it starts."""

from __future__ import annotations

from tradewind.store.sql import SqlStore

from .base import Session
from .sqlite import SqliteDialect

_HAS_ONE = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'",
    "postgresql": "SELECT count(*) FROM pg_class WHERE oid = to_regclass('alembic_version')",
}


def found_revision(store: SqlStore) -> str | None:
    """The revision of the schema; None when there is none, or no database file. Nothing is made.

    Raises:
        Unavailable: the database cannot be reached.
    """
    kind = "postgresql"
    if isinstance(store.dialect, SqliteDialect):
        kind = "sqlite"
        if not store.dialect.path.is_file():
            return None
    session = store.dialect.read()
    try:
        return _revision(session, kind)
    finally:
        session.rollback()


def _revision(session: Session, kind: str) -> str | None:
    if not session.rows(_HAS_ONE[kind], {})[0][0]:
        return None
    found = session.rows("SELECT version_num FROM alembic_version", {})
    return str(found[0][0]) if found else None
