"""What a seed draws before its life begins, and the clocks that are wrong in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tests.simulation.agents import Faults

from tradewind.kernel.clock import VirtualClock


@dataclass(frozen=True, slots=True)
class Story:
    """Probabilities are per act of the kind they name; durations are seconds."""

    dags: int
    schedulers: int
    acts: int
    crash: float
    """A transaction dies between two of its writes, before or after its commit."""
    stall: float
    """A scheduler stands still after a heartbeat."""
    person: float
    faults: Faults
    lose: float
    """The executor loses a message to its agent."""
    double: float
    parallelism: int
    skew_seconds: float
    """How wrong wall clocks of schedulers and servers are at most."""
    drift: float
    """How much faster or slower monotonic clocks of schedulers run at most (part of 1)."""
    restores: bool
    """When the story ends, people unpause everything and give the pools their slots back."""

    @staticmethod
    def draw(random: Random) -> Story:
        return Story(
            dags=random.randint(1, 3),
            schedulers=random.choice((1, 2, 2, 2, 3)),
            acts=random.choice((60, 60, 120, 120, 250, 500)) if random.random() < 0.985 else 2000,
            crash=random.choice((0.0, 0.0, 0.02, 0.06)),
            stall=random.choice((0.0, 0.0, 0.01, 0.03)),
            person=random.choice((0.0, 0.02, 0.05, 0.1)),
            faults=Faults.draw(random) if random.random() < 0.7 else Faults(),
            lose=random.choice((0.0, 0.0, 0.1)),
            double=random.choice((0.0, 0.0, 0.2)),
            parallelism=random.randint(1, 8),
            skew_seconds=random.choice((0.0, 0.0, 3.0, 30.0)),
            drift=random.choice((0.0, 0.0, 0.3)),
            restores=random.random() < 0.85,
        )


class LocalClock:
    """The clock of one machine: `skew_seconds` beside the true time, its monotonic one `rate` times as fast, and
    standing still in its sleep.
    """

    def __init__(self, true: VirtualClock, skew_seconds: float = 0.0, rate: float = 1.0) -> None:
        self._true = true
        self._skew = timedelta(seconds=skew_seconds)
        self._rate = rate
        self._slept = 0.0

    @staticmethod
    def draw(true: VirtualClock, random: Random, story: Story) -> LocalClock:
        skew = random.uniform(-story.skew_seconds, story.skew_seconds)
        return LocalClock(true, skew, 1.0 + random.uniform(-story.drift, story.drift))

    def now(self) -> datetime:
        return self._true.now() + self._skew

    def monotonic(self) -> float:
        return self._true.monotonic() * self._rate - self._slept

    def sleep(self, seconds: float) -> None:
        """The machine is suspended for so long: its monotonic clock will not have moved."""
        self._slept += seconds * self._rate

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._skew += timedelta(seconds=seconds)
