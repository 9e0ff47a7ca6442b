"""Files waiting to be loaded: what somebody just saved goes first."""

from __future__ import annotations

import heapq
import itertools
from enum import IntEnum


class Urgency(IntEnum):
    """Why a file is to be loaded, most urgent first."""

    SAVED = 0
    """Somebody saved it and waits."""
    AFFECTED = 1
    """Something it depends on changed."""
    BACKLOG = 2
    """Found at the start, or tried again."""


class Backlog:
    """Each file at most once, at its greatest urgency; equally urgent ones in the order in which they came."""

    def __init__(self) -> None:
        self._heap: list[tuple[Urgency, int, str]] = []
        self._urgency: dict[str, Urgency] = {}
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._urgency)

    def __contains__(self, path: str) -> bool:
        return path in self._urgency

    def add(self, path: str, urgency: Urgency) -> None:
        """Add a file, or make a waiting one more urgent."""
        if urgency < self._urgency.get(path, len(Urgency)):
            self._urgency[path] = urgency
            heapq.heappush(self._heap, (urgency, next(self._order), path))

    def drop(self, path: str) -> None:
        self._urgency.pop(path, None)

    def take(self, count: int) -> list[tuple[str, Urgency]]:
        """The most urgent ones: at most `count`, but all that were just saved."""
        taken: list[tuple[str, Urgency]] = []
        while self._heap and (len(taken) < count or self._heap[0][0] is Urgency.SAVED):
            urgency, _, path = heapq.heappop(self._heap)
            # An entry that was made more urgent, or dropped, is still in the heap at its old place.
            if self._urgency.get(path) == urgency:
                del self._urgency[path]
                taken.append((path, urgency))
        return taken
