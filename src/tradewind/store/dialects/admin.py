"""Engines for schema work: one connection, one transaction, and one process at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tradewind.wire.errors import BadInput

from . import postgresql, postgresql_session, sqlite

_LOCK_NUMBER = 0x7472_6164_6577  # "tradew": the advisory lock of migrations
_BUSY_SECONDS = 60.0

# Set apart from the tables, because only one database has them: rows that change often keep room on their page for
# the next version, and queues are cleaned long before the usual share of dead rows is reached.
_STORAGE = (
    "ALTER TABLE task_instance SET (fillfactor = 80)",
    "ALTER TABLE dag_run SET (fillfactor = 80)",
    "ALTER TABLE dag SET (fillfactor = 70)",
    "ALTER TABLE pool SET (fillfactor = 50)",
    "ALTER TABLE task_limit SET (fillfactor = 50)",
    "ALTER TABLE component SET (fillfactor = 50)",
    "ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)",
)


@contextmanager
def schema_transaction(url: str) -> Iterator[Connection]:
    """A transaction for schema work that waits for other processes' schema work.

    Raises:
        BadInput: the URL is of no database that we know.
        Unavailable: the database is locked or cannot be reached.
    """
    engine, name, translated = _engine(url)
    try:
        with translated(name), _driver_errors(), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
            yield connection
    finally:
        engine.dispose()


def tune_storage(connection: Connection) -> None:
    """What is particular to one database and changes no meaning."""
    if connection.dialect.name == "postgresql":
        for statement in _STORAGE:
            connection.execute(text(statement))


def _engine(url: str) -> tuple[Engine, str, Any]:
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme == "sqlite":
        path = sqlite.path_of_url(url)
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _set_up_file)
        event.listen(engine, "begin", _begin_immediately)
        return engine, f"SQLite database {path}", sqlite.translated
    if scheme == "postgresql":
        dialect = postgresql.PostgresDialect(url, pool_size=0, pool_overflow_max=1, connect_timeout_seconds=10.0)
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(dialect.conninfo), poolclass=NullPool
        )
        return engine, dialect.name, postgresql_session.translated
    raise BadInput(f"database.url names the database {scheme!r}; write sqlite:////path or postgresql://…")


def _set_up_file(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    # Stays with the file: from the first moment on readers do not wait for the writer.
    connection.execute("PRAGMA journal_mode = WAL").fetchall()


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _driver_errors() -> Iterator[None]:
    """The driver's own error instead of SQLAlchemy's wrapping, so that one place translates both."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, Exception):
            raise error.orig from error
        raise
