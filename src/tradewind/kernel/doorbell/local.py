"""A doorbell between the threads of one process: tests, simulation, `dag.test()`."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable

from tradewind.kernel.doorbell.port import checked_listening, checked_topics
from tradewind.kernel.doorbell.waiting import DescriptorListener


class LocalDoorbell:
    """Rings the listeners made by the same object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[_LocalListener] = []

    def ring(self, topics: Iterable[str]) -> None:
        rung = checked_topics(topics)
        with self._lock:
            for listener in self._listeners:
                listener.hear(rung)

    def listen(self, topics: Iterable[str]) -> _LocalListener:
        listener = _LocalListener(self, checked_listening(topics))
        with self._lock:
            self._listeners.append(listener)
        return listener

    def forget(self, listener: _LocalListener) -> None:
        """Called by a listener that closes."""
        with self._lock:
            self._listeners.remove(listener)


class _LocalListener(DescriptorListener):
    def __init__(self, bell: LocalDoorbell, topics: frozenset[str]) -> None:
        self._bell = bell
        self._topics = topics
        self._lock = threading.Lock()
        self._rung: set[str] = set()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        super().__init__(self._event)

    def hear(self, rung: frozenset[str]) -> None:
        """Called by the bell, from any thread."""
        mine = rung & self._topics
        if not mine:
            return
        with self._lock:
            if not self._rung:
                os.eventfd_write(self._event, 1)
            self._rung |= mine

    def _drain(self) -> frozenset[str]:
        with self._lock:
            if not self._rung:
                return frozenset()
            os.eventfd_read(self._event)
            rung, self._rung = frozenset(self._rung), set()
            return rung

    def _release(self, *, in_owner: bool) -> None:  # noqa: ARG002 # a forked child has a bell of its own
        # After the bell has let go of it, nobody writes to the descriptor any more.
        self._bell.forget(self)
        os.close(self._event)
