"""PostgreSQL through psycopg 3: how it says things, its connections, its clock."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import TextLoader

from tradewind.kernel.clock import SystemClock
from tradewind.kernel.doorbell import Listener
from tradewind.store.kinds import Kind
from tradewind.wire.errors import BadInput

from .arrays import array_literal
from .base import Columns
from .pool import ConnectionPool
from .postgresql_bell import PostgresListener
from .postgresql_session import TYPES, Connection, PostgresSession, Wire, translated
from .values import clean_text, dict_of, json_text, names_of

log = logging.getLogger("tradewind.store")

_PARAMETER = re.compile(r"(?<!:):([a-z_]\w*)")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z").match
_SETTINGS = (
    "SET TIME ZONE 'UTC';"
    # Every statement of ours has its index. Plans made while a table was small would otherwise scan it for ever
    # after, since a prepared statement keeps its plan; and the parameters never change which plan is right.
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    "SET plan_cache_mode = force_generic_plan;"
    "SET jit = off;"
    # A process that was frozen in the middle of a transaction must not hold its locks for ever.
    "SET idle_in_transaction_session_timeout = '60s'"
)
_STATEMENTS_KEPT = 1000
_CLOCK_TRUSTED_SECONDS = 1.0
_steady = SystemClock()
_BASE = datetime(1970, 1, 1, tzinfo=UTC)


class _UtcLoader(psycopg.adapt.Loader):
    """timestamptz → datetime with `datetime.UTC`, whatever zone database the machine has. The session's zone is UTC."""

    def load(self, data: Any) -> datetime:
        text = bytes(data).decode()
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise psycopg.DataError(f"the instant {text!r} cannot be held by Python's datetime") from None


def _uuid(value: str) -> str | None:
    """What is no UUID names nothing: NULL equals no key."""
    return value if _UUID(value) else None


class PostgresDialect:
    """A database on a PostgreSQL server.

    Parameters:
        url: `postgresql://…` or `postgresql+psycopg://…`; what follows `?` are libpq's parameters.
        pool_size: connections kept open at rest.
        pool_overflow_max: connections opened above that for a moment.
        connect_timeout_seconds: longest wait for a new connection, or for one in use.
        echo: log every statement.
    """

    encoders: ClassVar[dict[Kind, Callable[[Any], Any]]] = {
        Kind.ID: _uuid,
        Kind.TEXT: clean_text,
        Kind.JSON: json_text,
        Kind.NAMES: json_text,
    }
    decoders: ClassVar[dict[Kind, Callable[[Any], Any]]] = {Kind.JSON: dict_of, Kind.NAMES: names_of}
    judge = "coalesce(:judged_at::timestamptz, now())"

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        pool_overflow_max: int,
        connect_timeout_seconds: float,
        echo: bool = False,
    ) -> None:
        self.conninfo = conninfo_of_url(url)
        self.connect_timeout_seconds = connect_timeout_seconds
        self.echo = echo
        parts = conninfo_to_dict(self.conninfo)
        place = f"{parts.get('host', 'local socket')}:{parts.get('port', 5432)}"
        self.name = f"PostgreSQL database {parts.get('dbname', '')} at {place}"
        self.pool: ConnectionPool[Wire] = ConnectionPool(
            lambda: Wire(self.connect()),
            keep=pool_size,
            limit=pool_size + pool_overflow_max,
            timeout_seconds=connect_timeout_seconds,
            name=self.name,
            remedy="raise database.pool_size or database.pool_overflow_max",
        )
        self._ahead: timedelta | None = None
        self._ahead_until = 0.0
        self._ahead_lock = threading.Lock()

    # --- fragments ---

    def prepare(self, sql: str) -> str:
        return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))

    def any(self, expression: str, param: str, kind: Kind) -> str:
        return f"{expression} = ANY(:{param}::{TYPES[kind]}[])"

    def array(self, kind: Kind, values: Iterable[Any]) -> str:
        encoder = self.encoders.get(kind)
        return array_literal(kind, values if encoder is None else [v if v is None else encoder(v) for v in values])

    def relation(self, alias: str, columns: Columns) -> str:
        arrays = ", ".join(f":{alias}_{name}::{TYPES[kind]}[]" for name, kind in columns)
        return f"unnest({arrays}) AS {alias}({', '.join(name for name, _ in columns)})"

    def relation_params(self, alias: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        return {
            f"{alias}_{name}": self.array(kind, [row[place] for row in rows])
            for place, (name, kind) in enumerate(columns)
        }

    def json_column(self, expression: str) -> str:
        return f"{expression}::json"

    def seconds_before(self, instant: str, seconds: str) -> str:
        return f"({instant} - make_interval(secs => {seconds}::float8))"

    def holds_name(self, column: str, param: str) -> str:
        return f"{column}::jsonb ?& :{param}::text[]"

    def folded(self, expression: str) -> str:
        return f"lower({expression})"

    nulls_are_greatest = True

    def leading_number(self, expression: str) -> str:
        return f"CAST(split_part({expression}, '.', 1) AS bigint)"

    def seconds_between(self, start: str, end: str) -> str:
        return f"CAST(extract(epoch FROM ({end} - {start})) AS float8)"

    has_table = "SELECT 1 WHERE to_regclass(:name) IS NOT NULL"

    def lock(self, alias: str, *, skip: bool = False) -> str:
        # NO KEY: these rows are changed, never re-keyed; others may still refer to them.
        return f"FOR NO KEY UPDATE OF {alias}{' SKIP LOCKED' if skip else ''}"

    # --- connections ---

    def connect(self) -> Connection:
        """A new connection in autocommit; transactions are opened by statements.

        Raises:
            Unavailable: there is none to be had now.
        """
        with translated(self.name):
            connection = psycopg.connect(
                self.conninfo,
                autocommit=True,
                prepare_threshold=0,
                connect_timeout=max(1, round(self.connect_timeout_seconds)),
                client_encoding="UTF8",
                application_name="tradewind",
                # A server that vanished without a word is noticed within half a minute.
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
                tcp_user_timeout=20_000,
            )
            connection.execute(_SETTINGS, prepare=False)
        connection.prepared_max = _STATEMENTS_KEPT
        for name in ("uuid", "json"):
            connection.adapters.register_loader(name, TextLoader)
        connection.adapters.register_loader("timestamptz", _UtcLoader)
        return connection

    def begin(self) -> PostgresSession:
        return PostgresSession(self, self.pool.take(), "BEGIN")

    def read(self) -> PostgresSession:
        return PostgresSession(self, self.pool.take(), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def listen(self, topics: Iterable[str]) -> Listener:
        return PostgresListener(self.connect, topics)

    def close(self) -> None:
        self.pool.close()

    # --- the server's clock ---

    def server_now(self) -> datetime | None:
        """The server's time, if it was asked within the last second; else it must be asked."""
        with self._ahead_lock:
            steady = _steady.monotonic()
            if self._ahead is None or steady >= self._ahead_until:
                return None
            return _BASE + self._ahead + timedelta(seconds=steady)

    def server_said(self, now: datetime) -> None:
        """The server's time just came in."""
        with self._ahead_lock:
            steady = _steady.monotonic()
            self._ahead = now - _BASE - timedelta(seconds=steady)
            self._ahead_until = steady + _CLOCK_TRUSTED_SECONDS


def conninfo_of_url(url: str) -> str:
    """libpq's form of a SQLAlchemy URL.

    Raises:
        BadInput: libpq does not understand it.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgresql+psycopg"}:
        raise BadInput("database.url must begin with postgresql:// or postgresql+psycopg://")
    conninfo = f"postgresql://{rest}"
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        raise BadInput(
            f"database.url is not a PostgreSQL URL: {error}; write postgresql://user@host:5432/name"
        ) from None
    return conninfo
