"""The metadata database in SQL: SQLite for one machine, PostgreSQL for everything else."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from tradewind.kernel.clock import Clock, SystemClock
from tradewind.kernel.doorbell import Doorbell, Listener, SocketDoorbell
from tradewind.wire.errors import BadInput

from .dialects.base import Dialect
from .transaction import SqlTransaction, transaction


class SqlStore:
    """A plug of `ports.store.Store`. The schema must be there: see `store.schema`.

    Parameters:
        url: SQLAlchemy's form, `sqlite:////path/file.db` or `postgresql://user@host:5432/name`.
        clock: the judge of leases instead of the database's own clock (PostgreSQL) or this machine's (SQLite).
        doorbell: between processes on SQLite; default a folder beside the file. PostgreSQL brings its own.
        pool_size: connections kept open at rest.
        pool_overflow_max: connections opened above that for a moment (PostgreSQL).
        connect_timeout_seconds: longest wait for a connection (PostgreSQL).
        busy_timeout_seconds: longest wait for another writer (SQLite).
        echo: log every statement.

    Raises:
        BadInput: the URL is of no database that we know, or names no file.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        doorbell: Doorbell | None = None,
        pool_size: int = 5,
        pool_overflow_max: int = 10,
        connect_timeout_seconds: float = 10.0,
        busy_timeout_seconds: float = 30.0,
        echo: bool = False,
    ) -> None:
        self._clock = clock
        self.dialect: Dialect
        scheme = url.partition(":")[0].partition("+")[0]
        if scheme == "sqlite":
            from .dialects.sqlite import SqliteDialect, path_of_url

            path = path_of_url(url)
            self._clock = clock or SystemClock()
            self.dialect = SqliteDialect(
                path,
                clock=self._clock,
                doorbell=doorbell or SocketDoorbell(Path(f"{path}-doorbell")),
                busy_timeout_seconds=busy_timeout_seconds,
                pool_size=pool_size,
                echo=echo,
            )
        elif scheme == "postgresql":
            from .dialects.postgresql import PostgresDialect

            self.dialect = PostgresDialect(
                url,
                pool_size=pool_size,
                pool_overflow_max=pool_overflow_max,
                connect_timeout_seconds=connect_timeout_seconds,
                echo=echo,
            )
        else:
            raise BadInput(f"database.url names the database {scheme!r}; write sqlite:////path or postgresql://…")

    def begin(self) -> AbstractContextManager[SqlTransaction]:
        """A transaction for reading and writing, as a context manager.

        Raises (when the block is entered, by its methods, or at its end):
            Unavailable: the database is locked, gone or full; nothing was done, unless the connection was lost during
                the commit itself, which nobody can tell: repeating is right, since every change is guarded.
        """
        return transaction(self.dialect.begin, self._clock)

    def read(self) -> AbstractContextManager[SqlTransaction]:
        """A snapshot for reading only. Raises as `begin`."""
        return transaction(self.dialect.read, self._clock)

    def listen(self, topics: Iterable[str]) -> Listener:
        return self.dialect.listen(topics)

    def close(self) -> None:
        self.dialect.close()
