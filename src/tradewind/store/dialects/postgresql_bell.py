"""The doorbell on PostgreSQL: NOTIFY in the transaction, LISTEN on a connection of its own.

One channel per topic, so that nobody wakes for what he does not listen to. When the connection is lost, a thread opens
a new one and the listener then reports all its topics: it cannot know what rang meanwhile.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg import sql

from tradewind.kernel.doorbell.port import checked_listening
from tradewind.kernel.doorbell.waiting import DescriptorListener
from tradewind.wire.errors import Unavailable

log = logging.getLogger("tradewind.store")

_PREFIX = "tradewind_"
RING = f"SELECT pg_notify('{_PREFIX}' || channel, '') FROM unnest(%(channels)s::text[]) AS channel"  # noqa: S608 # a constant
"""Rings topics, given as an array, when the transaction commits."""

_RETRY_SECONDS_MIN = 0.1
_RETRY_SECONDS_MAX = 5.0


class PostgresListener(DescriptorListener):
    """Hears topics from now on.

    Parameters:
        connect: opens a connection in autocommit, or raises Unavailable.
        topics: what to hear.

    Raises:
        Unavailable: there is no connection now.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], topics: Iterable[str]) -> None:
        self._connect = connect
        self._topics = checked_listening(topics)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._connection: psycopg.Connection[Any] | None = self._open()
        self._fresh: psycopg.Connection[Any] | None = None
        """A new connection, made by the thread, not yet taken over by the owner of the listener."""
        self._handover = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        super().__init__(self._handover)
        self._watch(self._connection)

    def _watch(self, connection: psycopg.Connection[Any]) -> None:
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def _open(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        try:
            for topic in sorted(self._topics):
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(_PREFIX + topic)))
        except psycopg.OperationalError as error:
            connection.close()
            raise Unavailable(f"the database cannot be listened to: {error}; try again") from error
        return connection

    def _drain(self) -> frozenset[str]:
        if (renewed := self._take_over()) is not None:
            return renewed
        if self._connection is None:
            return frozenset()
        rung: set[str] = set()
        pgconn = self._connection.pgconn
        try:
            pgconn.consume_input()
        except psycopg.OperationalError as error:
            self._lose(error)  # what it still held does not matter: all topics will be reported
            return frozenset()
        while notice := pgconn.notifies():
            rung.add(notice.relname.decode().removeprefix(_PREFIX))
        return self._topics & rung

    def _lose(self, error: psycopg.OperationalError) -> None:
        log.warning("the doorbell's database connection was lost and will be opened again: %s", str(error).strip())
        lost, self._connection = self._connection, None
        assert lost is not None
        lost.close()  # if the driver has not closed it already; closing takes the descriptor out of the epoll
        threading.Thread(target=self._reconnect, name="tradewind-doorbell-reconnect", daemon=True).start()

    def _reconnect(self) -> None:
        wait_seconds = _RETRY_SECONDS_MIN
        while not self._closed.wait(wait_seconds):
            wait_seconds = min(wait_seconds * 2, _RETRY_SECONDS_MAX)
            try:
                connection = self._open()
            except Unavailable:
                continue
            with self._lock:
                if self._closed.is_set():
                    connection.close()
                else:
                    self._fresh = connection
                    os.eventfd_write(self._handover, 1)
            return

    def _take_over(self) -> frozenset[str] | None:
        with self._lock:
            if self._fresh is None:
                return None
            os.eventfd_read(self._handover)
            self._connection, self._fresh = self._fresh, None
        self._watch(self._connection)
        return self._topics

    def _release(self, *, in_owner: bool) -> None:
        self._closed.set()
        with self._lock:
            os.close(self._handover)
            connections = [each for each in (self._connection, self._fresh) if each is not None]
        if in_owner:  # closing in a forked child would end the parent's conversation
            for connection in connections:
                connection.close()
