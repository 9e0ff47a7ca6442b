"""The database on behalf of requests, in threads of their own: probes are answered while exchanges are busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

from tradewind.commands.audit import Actor, AuditedStore, Deed
from tradewind.ports.store import Store, Transaction
from tradewind.wire.errors import Unavailable

T = TypeVar("T")
_ACTING: ContextVar[tuple[Actor, Deed] | None] = ContextVar("acting", default=None)


def act_for(actor: Actor, deed: Deed) -> None:
    """From here on, what this request writes is in the audit log in the name of `actor`. The gate calls this."""
    _ACTING.set((actor, deed))


def acting_for() -> tuple[Actor, Deed] | None:
    """For whom this request writes."""
    return _ACTING.get()


class Database:
    """The store as handlers use it: blocking work goes to a few threads, with a bound on the waiting.

    Parameters:
        threads: how many transactions run at once.
        waiting_max: how many more may wait.
        seconds_max: how long a handler waits for an answer.
    """

    def __init__(self, store: Store, *, threads: int = 2, waiting_max: int = 64, seconds_max: float = 30.0) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="api-database")
        self._in_hand = 0
        self._in_hand_max = threads + waiting_max
        self._seconds_max = seconds_max

    async def read(self, ask: Callable[[Transaction], T], *, seconds_max: float | None = None) -> T:
        """What `ask` finds in a snapshot. Raises `Unavailable` when the database does not answer in time."""

        def work() -> T:
            with self._store.read() as tx:
                return ask(tx)

        return await self._run(work, seconds_max)

    async def write(self, act: Callable[[Transaction], T]) -> T:
        """What `act` answers, committed, with its lines in the audit log when a person asked for it.

        Raises `Unavailable` as `read` does; it may be carried out all the same.
        """
        acting = _ACTING.get()
        return await self._run(lambda: self.write_here(act, acting), None)

    def write_here(self, act: Callable[[Transaction], T], acting: tuple[Actor, Deed] | None) -> T:
        """As `write`, in the calling thread. `acting`: who asks (`acting_for`)."""
        with self.store_for(acting).begin() as tx:
            return act(tx)

    def store_for(self, acting: tuple[Actor, Deed] | None) -> Store:
        """The store as somebody writes to it, for work in a thread of the caller's own."""
        return self._store if acting is None else AuditedStore(self._store, *acting)

    def close(self) -> None:
        """Take no more work; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T], seconds_max: float | None) -> T:
        if self._in_hand >= self._in_hand_max:
            raise Unavailable(f"{self._in_hand} requests wait for the database already; try again")
        self._in_hand += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._done)
        limit = self._seconds_max if seconds_max is None else seconds_max
        try:
            async with asyncio.timeout(limit):
                return await asyncio.shield(future)
        except TimeoutError:
            raise Unavailable(f"the database did not answer within {limit:g} s; try again") from None

    def _done(self, future: asyncio.Future[T]) -> None:
        self._in_hand -= 1
        if not future.cancelled():
            future.exception()  # seen, also when whoever asked has gone
