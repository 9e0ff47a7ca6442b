"""Admission: ready instances wait here for their slots; a blocked one never hides a free one.

Every demand names the limits it draws on and how much of each. Demands with the same limits and costs form a group,
ordered by rank; a group whose limit has no room is parked under that limit and costs nothing until the limit gets room.
So one grant costs O(log n), whatever waits.

Rank is `priority weight` with age: a demand gains one point of weight per `AGE_SECONDS_PER_POINT` of waiting. Since
every waiting demand ages equally fast, the order never changes while they wait and can be fixed on entry: weight minus
(entry time / unit). That is what breaks starvation. Pure: no clock, no database. The caller says how much room each
limit has and writes what was granted in the same transaction.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from itertools import count

AGE_SECONDS_PER_POINT = 60.0
LAST_CLASS_LAG_POINTS = 10.0
"""How much older a demand of the last class must be than another to come before it: it waits, but not for ever."""
UNLIMITED = 1 << 60

Draw = tuple[str, int]
"""(limit key, cost): e.g. ("pool:default_pool", 1)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A ready instance. `ordinal` breaks ties (run_after of the run, then order of readiness)."""

    ti_id: str
    draws: tuple[Draw, ...]
    weight: int
    ready_at: float
    """Seconds since the epoch."""
    ordinal: float = 0.0
    last_class: bool = False
    """Comes after all others (backfills) that became ready before it, or up to `LAST_CLASS_LAG_POINTS` later."""


Rank = tuple[float, float, float, int]


@dataclass(slots=True)
class _Group:
    draws: tuple[Draw, ...]
    heap: list[tuple[Rank, Demand]] = field(default_factory=list)
    parked_under: str | None = None


class AdmissionQueue:
    """All demands of one scheduler."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Draw, ...], _Group] = {}
        self._open: list[tuple[Rank, tuple[Draw, ...]]] = []
        self._parked: dict[str, list[_Group]] = {}
        self._waiting: dict[str, Demand] = {}
        self._entry = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, ti_id: str) -> bool:
        return ti_id in self._waiting

    def add(self, demand: Demand) -> None:
        """Enter a demand; entering the same instance again replaces nothing and is ignored."""
        if demand.ti_id in self._waiting:
            return
        self._waiting[demand.ti_id] = demand
        age = demand.ready_at / AGE_SECONDS_PER_POINT
        rank: Rank = (
            age + LAST_CLASS_LAG_POINTS if demand.last_class else age - demand.weight,
            -demand.weight if demand.last_class else 0.0,
            demand.ordinal,
            next(self._entry),
        )
        group = self._groups.get(demand.draws)
        if group is None:
            group = self._groups[demand.draws] = _Group(demand.draws)
        best_before = group.heap[0][0] if group.heap else None
        heapq.heappush(group.heap, (rank, demand))
        if group.parked_under is None and (best_before is None or rank < best_before):
            self._offer(group)

    def discard(self, ti_id: str) -> None:
        """The instance does not want to run any more; unknown ones are fine."""
        self._waiting.pop(ti_id, None)

    def limits_in_play(self) -> set[str]:
        """Limit keys of groups that could be granted now: what the caller must know the room of."""
        return {key for _, draws in self._open for key, _ in draws}

    def freed(self, keys: Iterable[str]) -> None:
        """These limits got room (or may have): what was parked under them is looked at again."""
        for key in keys:
            for group in self._parked.pop(key, ()):
                group.parked_under = None
                if group.heap:
                    self._offer(group)

    def freed_where(self, prefixes: tuple[str, ...]) -> None:
        """As `freed` for every parked key with one of these prefixes."""
        self.freed([key for key in self._parked if key.startswith(prefixes)])

    def grant(self, room: MutableMapping[str, int], at_most: int) -> list[Demand]:
        """Take the best demands that fit into `room` (lowered by what is granted), at most so many.

        A limit key that is absent from `room` has none. Groups that do not fit are parked under the first limit without
        room.
        """
        granted: list[Demand] = []
        while self._open and len(granted) < at_most:
            rank, draws = heapq.heappop(self._open)
            group = self._groups.get(draws)
            if group is None or group.parked_under is not None:
                continue
            if self._head_changed_by_discards(group):
                continue
            if not group.heap:
                del self._groups[draws]
                continue
            if group.heap[0][0] != rank:
                continue  # outdated: whoever changed the head offered the new one
            lacking = next((key for key, cost in draws if room.get(key, 0) < cost), None)
            if lacking is not None:
                group.parked_under = lacking
                self._parked.setdefault(lacking, []).append(group)
                continue
            demand = heapq.heappop(group.heap)[1]
            del self._waiting[demand.ti_id]
            for key, cost in draws:
                room[key] -= cost
            granted.append(demand)
            if group.heap:
                self._offer(group)
            else:
                del self._groups[draws]
        return granted

    def blocked_by(self, ti_id: str) -> str | None:
        """The limit key under which this demand is parked; None when it is not waiting or only waits for its turn."""
        demand = self._waiting.get(ti_id)
        group = self._groups.get(demand.draws) if demand else None
        return group.parked_under if group else None

    def _offer(self, group: _Group) -> None:
        heapq.heappush(self._open, (group.heap[0][0], group.draws))

    def _head_changed_by_discards(self, group: _Group) -> bool:
        """Drop discarded demands from the head; when another one is the head now it is offered in its own rank."""
        heap = group.heap
        changed = False
        while heap and self._waiting.get(heap[0][1].ti_id) is not heap[0][1]:
            heapq.heappop(heap)
            changed = True
        if changed and heap:
            self._offer(group)
        return changed and bool(heap)
