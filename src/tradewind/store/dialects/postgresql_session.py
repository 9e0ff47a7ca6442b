"""A transaction on PostgreSQL.

A round trip costs more than most of our statements, so connections stay in pipeline mode: what gives nothing back is
sent together with the next statement that does, or with the commit. BEGIN travels the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from tradewind.kernel.clock import SystemClock
from tradewind.store.kinds import Kind
from tradewind.wire.errors import Unavailable

from .arrays import array_literal
from .base import Columns, Params
from .postgresql_bell import RING

if TYPE_CHECKING:
    from .postgresql import PostgresDialect

log = logging.getLogger("tradewind.store")

clock = SystemClock()
_PLANS_TRUSTED_SECONDS = 15.0

Connection = psycopg.Connection[tuple[Any, ...]]

TYPES: dict[Kind, str] = {
    Kind.ID: "uuid",
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.FLOAT: "float8",
    Kind.FLAG: "boolean",
    Kind.INSTANT: "timestamptz",
    Kind.JSON: "json",
    Kind.NAMES: "json",
    Kind.BYTES: "bytea",
}
_REMEDIES = {
    "08": "see that the server runs and can be reached",
    "28": "see the user, the password and pg_hba.conf",
    "3D": "create the database first",
    "40": "two transactions were in each other's way; try again",
    "53": "the server is out of disk, memory or connections; make room",
    "55": "somebody holds a lock for too long; try again",
    "57": "the server is shutting down, starting or was told to stop this; try again",
}


class Wire:
    """A connection in pipeline mode, with the cursors that its transactions use one after another.

    Parameters:
        connection: open, in autocommit; owned from now on.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.asking = connection.cursor()
        """For statements whose result is wanted."""
        self.asking_next = connection.cursor()
        """For a second one that is sent before the first has answered."""
        self.telling = connection.cursor()
        """For statements that give nothing; their errors appear where the pipeline is next read."""
        self.planned_at = clock.monotonic()
        """Since when the plans of its prepared statements may be in use."""
        self._mode: AbstractContextManager[psycopg.Pipeline] | None = None
        self._pipeline: psycopg.Pipeline | None = None

    def pipeline(self) -> psycopg.Pipeline:
        """The pipeline, entered if it was left."""
        if self._pipeline is None:
            self._mode = self.connection.pipeline()
            self._pipeline = self._mode.__enter__()
        return self._pipeline

    def settle(self) -> None:
        """Leave the pipeline after an error, so that the connection can be spoken to again."""
        mode, self._mode, self._pipeline = self._mode, None, None
        if mode is not None:
            try:
                mode.__exit__(None, None, None)
            except psycopg.Error:
                pass  # echoes of the error that brought us here: the statements behind it were not run

    @property
    def closed(self) -> bool:
        return self.connection.closed

    def close(self) -> None:
        self.settle()
        self.connection.close()


class PostgresSession:
    """See `dialects.base.Session`."""

    def __init__(self, dialect: PostgresDialect, wire: Wire, begin: str) -> None:
        self.dialect = dialect
        self._wire = wire
        self._begin = begin
        self._open = False
        self._now: datetime | None = None

    def now(self) -> datetime:
        if self._now is None:
            self._now = self.dialect.server_now()
        if self._now is None:
            self._now = self.rows("SELECT clock_timestamp()", {})[0][0]
            self.dialect.server_said(self._now)
        return self._now

    def rows(self, sql: str, params: Params) -> list[tuple[Any, ...]]:
        with translated(self.dialect.name):
            self._ensure_begun()
            self._log(sql)
            return self._wire.asking.execute(sql, params).fetchall()

    def rows_in_turn(
        self, first: tuple[str, Params], second: tuple[str, Params]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        with translated(self.dialect.name):
            self._ensure_begun()
            self._log(first[0])
            asked = self._wire.asking.execute(*first)
            self._log(second[0])
            asked_next = self._wire.asking_next.execute(*second)
            return asked.fetchall(), asked_next.fetchall()

    def write(self, sql: str, params: Params) -> None:
        with translated(self.dialect.name):
            self._ensure_begun()
            self._log(sql)
            self._wire.telling.execute(sql, params)

    def insert(self, table: str, columns: Columns, rows: Sequence[Sequence[Any]], tail: str = "") -> None:
        arrays = {name: array_literal(kind, [row[i] for row in rows]) for i, (name, kind) in enumerate(columns)}
        self.write(_insert_text(table, tuple(columns), tail), arrays)

    def commit(self, topics: frozenset[str]) -> None:
        try:
            if topics:
                self.write(RING, {"channels": self.dialect.array(Kind.TEXT, sorted(topics))})
            if self._open:
                self._commit()
        except BaseException:
            self.rollback()
            raise
        self.dialect.pool.give(self._wire)

    def rollback(self) -> None:
        wire = self._wire
        try:
            if self._open:
                wire.settle()
                if not wire.closed:
                    wire.connection.execute("ROLLBACK")
        except psycopg.Error as error:
            log.warning("%s: rolling back failed, the connection is closed instead: %s", self.dialect.name, error)
            self.dialect.pool.drop(wire)
            return
        if wire.closed:
            self.dialect.pool.drop(wire)
        else:
            self.dialect.pool.give(wire)

    def _ensure_begun(self) -> None:
        """BEGIN goes with the first statement, so that a transaction that did nothing costs nothing."""
        if not self._open:
            self._open = True
            self._wire.pipeline()
            self._wire.telling.execute(self._begin)
            if clock.monotonic() - self._wire.planned_at >= _PLANS_TRUSTED_SECONDS:
                # A plan is kept as long as its statement, though the tables grow; the server notices only when it
                # analyzes them, which on a young database is too late.
                self._wire.telling.execute("DISCARD PLANS")
                self._wire.planned_at = clock.monotonic()

    def _commit(self) -> None:
        with translated(self.dialect.name):
            done = self._wire.asking.execute("COMMIT")
            self._wire.pipeline().sync()
        if done.statusmessage != "COMMIT":
            raise AssertionError(
                "a statement of this transaction failed and its error was swallowed: nothing was committed"
            )

    def _log(self, sql: str) -> None:
        if self.dialect.echo:
            log.info(sql)


_insert_texts: dict[tuple[str, Columns, str], str] = {}


def _insert_text(table: str, columns: tuple[tuple[str, Kind], ...], tail: str) -> str:
    key = (table, columns, tail)
    if key not in _insert_texts:
        names = ", ".join(name for name, _ in columns)
        arrays = ", ".join(f"%({name})s::{TYPES[kind]}[]" for name, kind in columns)
        _insert_texts[key] = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) {tail}"  # noqa: S608 # names of ours
    return _insert_texts[key]


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Temporary trouble becomes `Unavailable`; all else is a bug or a refused row and goes through."""
    try:
        yield
    except psycopg.errors.PipelineAborted:
        raise  # an earlier statement failed and its error was swallowed; no repetition cures that
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        state = error.sqlstate or "08000"
        remedy = _REMEDIES.get(state[:2], "try again")
        raise Unavailable(f"{name}: {str(error).strip()}; {remedy}") from error
