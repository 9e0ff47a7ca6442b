"""What every part of a transaction stands on: the tables, the journal of what it wrote, and the bells to ring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tradewind.kernel.clock import Clock

from .data import Data
from .tables import Journal, undo


class Unit:
    """One transaction over `data`. The families (`dags`, `runs`, `tasks`, ...) are its mixins.

    Parameters:
        data: the tables it reads and writes.
        clock: judges leases.
        before_write: called with the name of each writing method before it writes.
        read_only: writing raises `RuntimeError`.
    """

    def __init__(
        self, data: Data, clock: Clock, *, before_write: Callable[[str], None] | None = None, read_only: bool = False
    ) -> None:
        self._data = data
        self._clock = clock
        self._before_write = before_write
        self._read_only = read_only
        self._journal: Journal = []
        self._open = True
        self.topics: set[str] = set()
        """Rung after the commit."""

    def now(self) -> datetime:
        return self._clock.now()

    def ring(self, *topics: str) -> None:
        self._write("ring")
        self.topics.update(topics)

    def finish(self) -> None:
        """Nothing may be asked of this transaction any more; what it wrote stays."""
        self._open = False

    def undo(self) -> None:
        """Take back everything this transaction wrote."""
        self._open = False
        self.topics.clear()
        undo(self._journal)

    def _write(self, method: str) -> Journal:
        """Called first by every writing method; the journal its writes are noted in."""
        if self._read_only:
            raise RuntimeError(f"{method}: this transaction is for reading only; open it with begin()")
        if not self._open:
            raise RuntimeError(f"{method}: this transaction is over; open another with begin()")
        if self._before_write is not None:
            self._before_write(method)
        return self._journal

    def _before(self, seconds: float) -> datetime:
        """The instant `seconds` ago: a heartbeat earlier than this is stale."""
        return self._clock.now() - timedelta(seconds=seconds)
