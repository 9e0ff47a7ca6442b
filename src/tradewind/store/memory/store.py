"""The store in memory: opens transactions, one at a time, and commits or undoes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tradewind.kernel.clock import Clock
from tradewind.kernel.doorbell import Doorbell, Listener, LocalDoorbell
from tradewind.ports.rows import PoolRow
from tradewind.ports.store import Transaction

from .assets import TimetablePart
from .backfills import BackfillPart
from .components import ComponentPart
from .dags import DagPart
from .data import Data
from .deadlines import DeadlinePart
from .limits import LimitPart
from .outbox import OutboxPart
from .people import PeoplePart
from .reads import ReadPart
from .retention import RetentionPart
from .runs import RunPart
from .secrets import SecretPart
from .state_store import StateStorePart
from .tasks import TaskPart
from .values import ValuePart
from .waits import WaitPart


class MemoryTransaction(
    DagPart,
    TimetablePart,
    RunPart,
    TaskPart,
    ValuePart,
    LimitPart,
    ComponentPart,
    SecretPart,
    WaitPart,
    OutboxPart,
    StateStorePart,
    PeoplePart,
    BackfillPart,
    DeadlinePart,
    RetentionPart,
    ReadPart,
):
    """`ports.store.Transaction`."""


class MemoryStore:
    """`ports.store.Store` without a database, for simulation and tests. Everything is gone with the object.

    Transactions are serial: a second `begin` of the same thread raises, one of another thread waits. A `read` sees what
    was committed when it was opened, whatever is written meanwhile.

    Parameters:
        clock: the judge of leases and heartbeats.
        doorbell: rung after commits; default one of its own.
        default_pool_slots: slots of `default_pool`, which exists from the start as in a new database.
        before_write: called before each writing method of a transaction with the name of the method. When it raises,
            the writing method does, and the transaction is undone as its block is left.
        before_commit: called at the end of the block; when it raises, the transaction is undone.
        after_commit: called when everything is durable and before the doorbell rings; when it raises, the bells are
            lost and the writes stay, as with a process that dies at that moment.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        doorbell: Doorbell | None = None,
        default_pool_slots: int = 128,
        before_write: Callable[[str], None] | None = None,
        before_commit: Callable[[], None] | None = None,
        after_commit: Callable[[], None] | None = None,
    ) -> None:
        self.before_write = before_write
        self.before_commit = before_commit
        self.after_commit = after_commit
        self._clock = clock
        self._doorbell: Doorbell = doorbell or LocalDoorbell()
        self._data = Data()
        self._data.pools.put([], "default_pool", _default_pool(default_pool_slots))
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._readers = 0
        self._counting = threading.Lock()

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        self._take_turn()
        try:
            # Open readers go on with the tables they have; the writer continues on a copy, which becomes the store's.
            data = self._data.copy() if self._readers else self._data
            unit = MemoryTransaction(data, self._clock, before_write=self.before_write)
            try:
                yield unit
                if self.before_commit is not None:
                    self.before_commit()
            except BaseException:
                unit.undo()
                raise
            unit.finish()
            self._data = data
        finally:
            self._give_turn()
        if self.after_commit is not None:
            self.after_commit()
        if unit.topics:
            self._doorbell.ring(unit.topics)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        self._take_turn()
        try:
            data = self._data
            with self._counting:
                self._readers += 1
        finally:
            self._give_turn()
        try:
            yield MemoryTransaction(data, self._clock, read_only=True)
        finally:
            with self._counting:
                self._readers -= 1

    def listen(self, topics: Iterable[str]) -> Listener:
        return self._doorbell.listen(topics)

    def close(self) -> None:
        """Nothing to free: listeners belong to who asked for them."""

    def _take_turn(self) -> None:
        if self._holder == threading.get_ident():
            raise RuntimeError("this thread has a transaction of this store open; end its block before opening another")
        self._turn.acquire()
        self._holder = threading.get_ident()

    def _give_turn(self) -> None:
        self._holder = None
        self._turn.release()


def _default_pool(slots: int) -> PoolRow:
    return PoolRow(name="default_pool", slots=slots, description="Default pool")
