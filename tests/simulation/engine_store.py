"""The store of the simulation: the one in memory, with a bell that needs no operating system and a witness of every
commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from tradewind.kernel.clock import Clock
from tradewind.ports.store import Transaction
from tradewind.store.memory import MemoryStore
from tradewind.store.memory.data import Data

Change = tuple[str, Any, Any, Any]
"""(table, key, the row before, the row after); None: there was or is none."""


class Bell:
    """`kernel.doorbell.Doorbell` without descriptors."""

    def __init__(self) -> None:
        self.ears: list[Ear] = []

    def ring(self, topics: Iterable[str]) -> None:
        rung = set(topics)
        for ear in self.ears:
            ear.rung |= rung & ear.topics

    def listen(self, topics: Iterable[str]) -> Ear:
        ear = Ear(self, set(topics))
        self.ears.append(ear)
        return ear


class Ear:
    """A listener that only ever looks: time does not pass inside it."""

    def __init__(self, bell: Bell, topics: set[str]) -> None:
        self.topics = topics
        self.rung: set[str] = set()
        self._bell = bell

    def wait(self, timeout_seconds: float | None) -> frozenset[str]:
        rung, self.rung = frozenset(self.rung), set()
        return rung

    def fileno(self) -> int:
        raise NotImplementedError("nobody selects on a simulated listener")

    def interrupt(self) -> None: ...

    def close(self) -> None:
        if self in self._bell.ears:
            self._bell.ears.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WatchedStore(MemoryStore):
    """Tells `on_commit` what each transaction changed, right when it is durable and before anybody else acts."""

    def __init__(self, clock: Clock, bell: Bell, default_pool_slots: int) -> None:
        super().__init__(clock, doorbell=bell, default_pool_slots=default_pool_slots)
        self.on_commit: Callable[[list[Change]], None] | None = None

    @property
    def data(self) -> Data:
        """The tables as committed."""
        return self._data

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        unit: Any = None
        try:
            with super().begin() as unit:
                yield unit
        finally:
            # A transaction that was undone has an empty journal; one whose process died after the commit has not.
            if unit is not None and unit._journal and self.on_commit is not None:
                self.on_commit(_changes(unit._journal))


def _changes(journal: list[tuple[Any, Any, Any]]) -> list[Change]:
    first: dict[tuple[str, Any], tuple[Any, Any]] = {}
    for table, key, old in journal:
        first.setdefault((table.name, key), (table, old))
    return [(name, key, old, table.rows.get(key)) for (name, key), (table, old) in first.items()]
