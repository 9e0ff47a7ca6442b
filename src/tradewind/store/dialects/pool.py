"""A bounded stack of open connections. The last one given back is the first one handed out: its caches are warm."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from tradewind.wire.errors import Unavailable


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)


class ConnectionPool(Generic[C]):
    """Connections of one process, safe between threads.

    Parameters:
        connect: opens one.
        keep: how many stay open while nobody uses them.
        limit: how many may be open at once.
        timeout_seconds: longest wait for one when all are in use.
        name: of the database, for messages; holds no password.
        remedy: what helps when all are in use for too long.
    """

    def __init__(
        self,
        connect: Callable[[], C],
        *,
        keep: int,
        limit: int,
        timeout_seconds: float,
        name: str,
        remedy: str,
    ) -> None:
        self._connect = connect
        self._keep = keep
        self._timeout_seconds = timeout_seconds
        self._name = name
        self._remedy = remedy
        self._limit = limit
        self._start_empty()

    def _start_empty(self) -> None:
        self._lock = threading.Lock()
        self._free: list[C] = []
        self._places = threading.BoundedSemaphore(self._limit)
        self._generation = 0
        self._closed = False
        self._process = os.getpid()

    def take(self) -> C:
        """An open connection; the caller gives it back with `give` or `drop`.

        Raises:
            Unavailable: all are in use for too long, or a new one cannot be opened.
        """
        if self._process != os.getpid():
            # Forked: the connections belong to the parent; using or closing them here would end its conversations.
            self._abandoned = self._free
            self._start_empty()
        if not self._places.acquire(timeout=self._timeout_seconds):
            raise Unavailable(
                f"{self._name}: all {self._limit} connections of this process were busy for "
                f"{self._timeout_seconds:g} s; {self._remedy}"
            )
        try:
            with self._lock:
                if self._free:
                    return self._free.pop()
            return self._connect()
        except BaseException:
            self._places.release()
            raise

    def give(self, connection: C) -> None:
        """Give back a connection that is at rest."""
        with self._lock:
            keep = not self._closed and len(self._free) < self._keep
            if keep:
                self._free.append(connection)
        if not keep:
            connection.close()
        self._places.release()

    def drop(self, connection: C) -> None:
        """Give back a connection that is broken. The resting ones are dropped too: they went the same way, and each
        would otherwise cost one more failed transaction."""
        with self._lock:
            stale, self._free = [*self._free, connection], []
        self._places.release()
        for each in stale:
            each.close()

    def close(self) -> None:
        """Close the resting connections; those in use are closed when they are given back."""
        with self._lock:
            self._closed = True
            resting, self._free = self._free, []
        for connection in resting:
            connection.close()
