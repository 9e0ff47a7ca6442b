"""Slows down guessing: after a few failures of one user from one address, each further try has to wait longer."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from tradewind.kernel.clock import Clock

FREE_FAILURES = 5
FIRST_DELAY_SECONDS = 1.0
DELAY_SECONDS_MAX = 300.0
FORGET_SECONDS = 3600.0
KEYS_MAX = 10_000


class _Failures(NamedTuple):
    number: int
    last: float
    """Monotonic."""


class Throttle:
    """Counts failures per key. In memory, so each server process counts for itself. Owned by the loop's thread."""

    def __init__(self, clock: Clock, keys_max: int = KEYS_MAX) -> None:
        self._clock = clock
        self._keys_max = keys_max
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def wait_seconds(self, user: str, address: str) -> float:
        """How long the next try has to wait; 0: it may be made now."""
        found = self._failures.get((user, address))
        if found is None or found.number < FREE_FAILURES:
            return 0.0
        delay = min(DELAY_SECONDS_MAX, FIRST_DELAY_SECONDS * 2.0 ** (found.number - FREE_FAILURES))
        return max(0.0, found.last + delay - self._clock.monotonic())

    def failed(self, user: str, address: str) -> None:
        """A try began. Counted before it is judged, so that many at once are not all free."""
        key = (user, address)
        now = self._clock.monotonic()
        found = self._failures.pop(key, None)
        count = 0 if found is None or now - found.last > FORGET_SECONDS else found.number
        # Bounded: beyond some twenty doublings the delay does not grow.
        self._failures[key] = _Failures(min(count + 1, FREE_FAILURES + 32), now)
        while len(self._failures) > self._keys_max:
            self._failures.popitem(last=False)

    def succeeded(self, user: str, address: str) -> None:
        self._failures.pop((user, address), None)
