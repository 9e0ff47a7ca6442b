"""The executor of the simulation: carries workloads to a simulated agent over a line that loses and doubles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from tests.simulation.agents import SimulatedAgent

from tradewind.ports.executor import Returned
from tradewind.wire.errors import Unavailable
from tradewind.wire.workload import Workload


class SimulatedExecutor:
    """`ports.executor.Executor` over one agent, deterministic, without threads: `pump` delivers what could not be
    delivered at once.
    """

    name = "local"

    def __init__(self, agent: SimulatedAgent, random: Random, parallelism: int, lose: float, double: float) -> None:
        self.agent = agent
        self.lose = lose
        self.double = double
        self._random = random
        self._parallelism = parallelism
        self._in_hand: set[str] = set()
        self._undelivered: list[Workload] = []
        self._cancels: list[tuple[str, str]] = []
        self._events: list[Returned] = []

    def start(self) -> None: ...

    def stop(self, deadline_seconds: float) -> None: ...

    @property
    def in_hand(self) -> set[str]:
        """Tokens that take its slots, and those that it is about to hand back."""
        return self._in_hand | {event.token for event in self._events}

    def capacity(self) -> int:
        return self._parallelism - len(self._in_hand)

    def grantee(self) -> str | None:
        return self.agent.incarnation if self.agent.reachable else None

    def occupy(self, tokens: Iterable[str]) -> None:
        self._in_hand.update(tokens)

    def submit(self, workloads: Sequence[Workload]) -> None:
        for workload in workloads:
            self._in_hand.add(workload.token)
            if self._random.random() < self.lose:
                continue
            self._undelivered.append(workload)
            if self._random.random() < self.double:
                self._undelivered.append(workload)
        self.pump()

    def cancel(self, tokens: Iterable[str], reason: str) -> None:
        self._cancels += [(token, reason) for token in tokens]
        self.pump()

    def release(self, tokens: Iterable[str]) -> None:
        self._in_hand.difference_update(tokens)

    def unknown(self, tokens: Iterable[str]) -> set[str]:
        wanted = set(tokens) - {w.token for w in self._undelivered}
        try:
            return wanted - self.agent.knows(wanted)
        except Unavailable:
            return set()

    def events(self) -> list[Returned]:
        events, self._events = self._events, []
        return events

    def pump(self) -> bool:
        """Deliver what is waiting; whether something was delivered."""
        if not self._cancels and not self._undelivered:
            return False
        moved = False
        try:
            while self._cancels:
                self.agent.cancel(*self._cancels[0])
                del self._cancels[0]
                moved = True
            while self._undelivered:
                workload = self._undelivered[0]
                if not self.agent.submit(workload):
                    self._in_hand.discard(workload.token)
                    self._events.append(Returned(workload.token, "the agent is full"))
                del self._undelivered[0]
                moved = True
        except Unavailable:
            pass
        return moved
