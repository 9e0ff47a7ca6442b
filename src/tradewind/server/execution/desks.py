"""A few threads with a desk each: exchanges are answered side by side, and a slow database holds up no probe."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tradewind.wire.errors import Unavailable
from tradewind.wire.execution import Exchange, Reply, decode_exchange, encode_replies


class Desk(Protocol):
    """`commands.execution.ExecutionDesk`; for one thread at a time."""

    def exchange(self, exchange: Exchange) -> list[Reply]: ...


class DeskPool:
    """Answers exchanges.

    Parameters:
        make_desk: called once in each thread.
        threads: how many exchanges are worked on at once; each may hold a connection to the database.
        waiting_max: how many more may wait for a thread; further ones are told to come again.
    """

    def __init__(self, make_desk: Callable[[], Desk], threads: int, waiting_max: int = 256) -> None:
        self._make_desk = make_desk
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="execution-desk")
        self._in_hand_max = threads + waiting_max
        self._in_hand = 0

    async def answer(self, body: bytes) -> bytes:
        """The encoded replies to an encoded exchange. Called in the loop's thread.

        Raises:
            msgspec.DecodeError: the body is no exchange.
            Unavailable: the database, or every thread, is busy.
        """
        if self._in_hand >= self._in_hand_max:
            raise Unavailable(f"{self._in_hand} exchanges are under way already; send this one again")
        self._in_hand += 1
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._work, body)
        # Counted until the work ends, also when nobody waits for it any more.
        work.add_done_callback(self._done)
        return await asyncio.shield(work)

    def close(self) -> None:
        """Take no more; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, work: asyncio.Future[bytes]) -> None:
        self._in_hand -= 1
        if not work.cancelled():
            work.exception()  # seen, also when whoever asked has gone

    def _work(self, body: bytes) -> bytes:
        desk: Desk | None = getattr(self._local, "desk", None)
        if desk is None:
            desk = self._local.desk = self._make_desk()
        # All three in one go: a hop between threads costs as much as a small exchange.
        return encode_replies(desk.exchange(decode_exchange(body)))
