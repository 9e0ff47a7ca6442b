# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""SQLite in WAL mode: one machine, one writer at a time, readers never wait."""

from __future__ import annotations

import logging
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from tradewind.kernel.clock import Clock, SystemClock
from tradewind.kernel.doorbell import Doorbell, Listener
from tradewind.store.kinds import Kind
from tradewind.wire.errors import BadInput, Unavailable

from .base import Columns, Params
from .pool import ConnectionPool
from .values import clean_text, dict_of, json_text, names_of

log = logging.getLogger("tradewind.store")

VERSION_MIN = (3, 37, 0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEMPORARY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "another process writes too long: look for a stuck one or raise database.busy_timeout_seconds",
    sqlite3.SQLITE_LOCKED: "another connection of this process is writing for too long",
    sqlite3.SQLITE_FULL: "the disk is full (or the file reached its size limit); make room",
    sqlite3.SQLITE_IOERR: "the disk gave an error; look at the system log and the free space",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; see that its folder exists and this user may write there",
    sqlite3.SQLITE_PROTOCOL: "the lock of the file is contended; try again",
}  # fmt: skip
# The wait for another process's write lock begins this short: its transactions take about a millisecond.
_LOCK_WAIT_SECONDS_MIN = 0.0003
_LOCK_WAIT_SECONDS_MAX = 0.005
_READERS_MAX = 64
_steady = SystemClock()
_json = msgspec.json.Encoder().encode


def microseconds(value: datetime) -> int:
    """An instant as stored: microseconds since 1970 in UTC, which sort and subtract as numbers."""
    return (value - _EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


class SqliteDialect:
    """A database file.

    Parameters:
        path: the file; made by the migration.
        clock: the judge.
        doorbell: between the processes of this machine.
        busy_timeout_seconds: longest wait for another writer.
        pool_size: connections kept open at rest, of readers and of writers each.
        echo: log every statement.

    Raises:
        BadInput: this Python brings a SQLite that is too old.
    """

    encoders: ClassVar[dict[Kind, Callable[[Any], Any]]] = {
        Kind.TEXT: clean_text,
        Kind.INSTANT: microseconds,
        Kind.JSON: json_text,
        Kind.NAMES: json_text,
    }
    decoders: ClassVar[dict[Kind, Callable[[Any], Any]]] = {
        Kind.FLAG: bool,
        Kind.INSTANT: instant_of,
        Kind.JSON: dict_of,
        Kind.NAMES: names_of,
    }
    judge = ":judged_at"

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        doorbell: Doorbell,
        busy_timeout_seconds: float,
        pool_size: int,
        echo: bool = False,
    ) -> None:
        if sqlite3.sqlite_version_info < VERSION_MIN:
            raise BadInput(
                f"SQLite {sqlite3.sqlite_version} is too old; Tradewind needs {'.'.join(map(str, VERSION_MIN))} "
                "or newer: use a newer Python build, or PostgreSQL"
            )
        self.path = path
        self.clock = clock
        self.doorbell = doorbell
        self.busy_timeout_seconds = busy_timeout_seconds
        self.echo = echo
        # Threads of one process queue here for the write lock: handed on at once, where the file's lock must be asked
        # for again and again.
        self.writers: ConnectionPool[sqlite3.Connection] = ConnectionPool(
            self._connect_writer,
            keep=1,
            limit=1,
            timeout_seconds=busy_timeout_seconds,
            name=self.name,
            remedy="another thread writes too long, or this one is inside a transaction already",
        )
        self.readers: ConnectionPool[sqlite3.Connection] = ConnectionPool(
            self._connect_reader,
            keep=pool_size,
            limit=_READERS_MAX,
            timeout_seconds=busy_timeout_seconds,
            name=self.name,
            remedy="readers hold their snapshots too long",
        )

    @property
    def name(self) -> str:
        return f"SQLite database {self.path}"

    # --- fragments ---

    def prepare(self, sql: str) -> str:
        return sql

    def any(self, expression: str, param: str, kind: Kind) -> str:  # noqa: ARG002 # values here carry their types
        return f"{expression} IN (SELECT value FROM json_each(:{param}))"

    def array(self, kind: Kind, values: Iterable[Any]) -> str:
        encoder = self.encoders.get(kind)
        return _json(list(values) if encoder is None else [v if v is None else encoder(v) for v in values]).decode()

    def relation(self, alias: str, columns: Columns) -> str:
        parts = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, (name, _) in enumerate(columns))
        return f"(SELECT {parts} FROM json_each(:{alias})) AS {alias}"

    def relation_params(self, alias: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        encoders = [self.encoders.get(kind) for _, kind in columns]
        encoded = [
            [v if v is None or encoder is None else encoder(v) for v, encoder in zip(row, encoders, strict=True)]
            for row in rows
        ]
        return {alias: _json(encoded).decode()}

    def json_column(self, expression: str) -> str:
        return expression

    def seconds_before(self, instant: str, seconds: str) -> str:
        return f"({instant} - CAST({seconds} * 1000000 AS INTEGER))"

    def holds_name(self, column: str, param: str) -> str:
        return (
            f"NOT EXISTS (SELECT 1 FROM json_each(:{param}) wanted "
            f"WHERE wanted.value NOT IN (SELECT value FROM json_each({column})))"
        )

    def folded(self, expression: str) -> str:
        return f"casefold({expression})"

    nulls_are_greatest = False

    def leading_number(self, expression: str) -> str:
        return f"CAST({expression} AS INTEGER)"

    def seconds_between(self, start: str, end: str) -> str:
        return f"(({end} - {start}) / 1000000.0)"

    has_table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name"

    def lock(self, alias: str, *, skip: bool = False) -> str:  # noqa: ARG002
        return ""  # the transaction holds the whole file

    # --- connections ---

    def _connect(self) -> sqlite3.Connection:
        with translated(self.name):
            connection = sqlite3.connect(
                self.path,
                timeout=self.busy_timeout_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
            )
            # Every commit reaches the disk: what was acknowledged survives a power cut, not only a crash of ours.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.create_function("casefold", 1, _casefold, deterministic=True)
            if self.echo:
                connection.set_trace_callback(log.info)
        return connection

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        with translated(self.name):
            # Stays with the file; the migration has set it, unless the file was made by other hands.
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        return connection

    def _connect_reader(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def begin(self) -> SqliteSession:
        connection = self.writers.take()
        try:
            self._take_write_lock(connection)
        except BaseException:
            self.writers.drop(connection)
            raise
        return SqliteSession(self, connection, self.writers)

    def read(self) -> SqliteSession:
        connection = self.readers.take()
        try:
            with translated(self.name):
                connection.execute("BEGIN DEFERRED")
        except BaseException:
            self.readers.drop(connection)
            raise
        return SqliteSession(self, connection, self.readers)

    def _take_write_lock(self, connection: sqlite3.Connection) -> None:
        """BEGIN IMMEDIATE. SQLite's own waiting grows to 100 ms a step; a hop between two tasks has not that much."""
        deadline = _steady.monotonic() + self.busy_timeout_seconds
        wait_seconds = _LOCK_WAIT_SECONDS_MIN
        with translated(self.name):
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                while True:
                    try:
                        connection.execute("BEGIN IMMEDIATE")
                        return
                    except sqlite3.OperationalError as error:
                        if primary_code(error) != sqlite3.SQLITE_BUSY or _steady.monotonic() >= deadline:
                            raise
                    time.sleep(wait_seconds * random.uniform(0.5, 1.5))
                    wait_seconds = min(wait_seconds * 1.5, _LOCK_WAIT_SECONDS_MAX)
            finally:
                connection.execute(f"PRAGMA busy_timeout = {int(self.busy_timeout_seconds * 1000)}")

    def listen(self, topics: Iterable[str]) -> Listener:
        return self.doorbell.listen(topics)

    def close(self) -> None:
        self.writers.close()
        self.readers.close()


class SqliteSession:
    """See `dialects.base.Session`. Statements run at once: there is no way to travel."""

    def __init__(
        self, dialect: SqliteDialect, connection: sqlite3.Connection, pool: ConnectionPool[sqlite3.Connection]
    ) -> None:
        self.dialect = dialect
        self._connection = connection
        self._pool = pool

    def now(self) -> datetime:
        return self.dialect.clock.now()

    def rows(self, sql: str, params: Params) -> list[tuple[Any, ...]]:
        with translated(self.dialect.name):
            return self._connection.execute(sql, params).fetchall()

    def rows_in_turn(
        self, first: tuple[str, Params], second: tuple[str, Params]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        return self.rows(*first), self.rows(*second)

    def write(self, sql: str, params: Params) -> None:
        with translated(self.dialect.name):
            self._connection.execute(sql, params)

    def insert(self, table: str, columns: Columns, rows: Sequence[Sequence[Any]], tail: str = "") -> None:
        with translated(self.dialect.name):
            self._connection.executemany(_insert_text(table, tuple(name for name, _ in columns), tail), rows)

    def commit(self, topics: frozenset[str]) -> None:
        try:
            with translated(self.dialect.name):
                self._connection.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self._pool.give(self._connection)
        self.dialect.doorbell.ring(topics)

    def rollback(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            log.warning("%s: rolling back failed, the connection is closed instead: %s", self.dialect.name, error)
            self._pool.drop(self._connection)
        else:
            self._pool.give(self._connection)


_insert_texts: dict[tuple[str, tuple[str, ...], str], str] = {}


def _insert_text(table: str, names: tuple[str, ...], tail: str) -> str:
    key = (table, names, tail)
    if key not in _insert_texts:
        places = ", ".join("?" * len(names))
        _insert_texts[key] = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}) {tail}"
    return _insert_texts[key]


def _casefold(value: str | None) -> str | None:
    return None if value is None else value.casefold()


def primary_code(error: sqlite3.Error) -> int:
    """The primary result code; what the extended ones add is of no interest here."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Temporary trouble becomes `Unavailable`; all else is a bug or a refused row and goes through."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = primary_code(error)
        if code in _TEMPORARY:
            raise Unavailable(f"{name}: {error}; {_REMEDIES[code]}") from error
        raise


_URL = re.compile(r"sqlite(?:\+pysqlite)?:///(?P<path>[^?]+)(?:\?.*)?\Z")


def path_of_url(url: str) -> Path:
    """The file of a SQLAlchemy URL.

    Raises:
        BadInput: the URL names no file; every process must see the same database.
    """
    found = _URL.match(url)
    if found is None or found["path"].startswith(":memory:"):
        raise BadInput(f"database.url {url!r} names no file; write sqlite:////absolute/path.db (four slashes)")
    return Path(found["path"])
