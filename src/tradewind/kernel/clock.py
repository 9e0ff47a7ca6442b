"""What time it is: the only place that asks the machine.

Services hold a `Clock`; decisions receive the instant as an argument. Instants are aware UTC datetimes; durations are
differences of `monotonic()`, because the wall clock may jump (also backwards) and the monotonic one may not.

Simulation and tests use a `VirtualClock`. A process that serves people must never run on one, so while `production()`
is active (`service.run_until_signal` holds it) every use of a virtual clock raises.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells instants and measures durations. Safe to call from any thread."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC. It may be earlier than one returned before: wall clocks get corrected."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment. Never decreases; only differences have a meaning."""
        ...


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class VirtualClockInProduction(RuntimeError):
    """A virtual clock was used in a process that serves people; give the service a SystemClock."""


# How many production() blocks are open in this process.
_production_depth = 0


@contextmanager
def production() -> Iterator[None]:
    """Forbid virtual clocks in this process while the block runs. Blocks may be nested; open them from one thread."""
    global _production_depth
    _production_depth += 1
    try:
        yield
    finally:
        _production_depth -= 1


class VirtualClock:
    """A clock that moves only when told, for simulation and tests.

    Parameters:
        start: the first instant, aware; default 2024-01-01T00:00:00Z.

    Raises:
        ValueError: `start` has no time zone.
        VirtualClockInProduction: made or read while `production()` is active.
    """

    __slots__ = ("_monotonic", "_now")

    def __init__(self, start: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> None:
        _refuse_in_production()
        self._now = _as_utc(start)
        self._monotonic = 0.0

    def now(self) -> datetime:
        _refuse_in_production()
        return self._now

    def monotonic(self) -> float:
        _refuse_in_production()
        return self._monotonic

    def advance(self, seconds: float) -> datetime:
        """Let `seconds` (zero or more) pass on both clocks; returns the new instant.

        Raises:
            ValueError: `seconds` is negative; a jump of the wall clock is `set_now`.
        """
        if seconds < 0:
            raise ValueError(
                f"time cannot pass backwards: advance({seconds!r}); to make the wall clock jump use set_now()"
            )
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        return self._now

    def advance_to(self, instant: datetime) -> datetime:
        """Let time pass until `instant`; one already passed leaves both clocks alone. Returns the present instant."""
        return self.advance(max(0.0, (_as_utc(instant) - self._now).total_seconds()))

    def set_now(self, instant: datetime) -> None:
        """Make the wall clock jump, forwards or backwards, as a correction would. The monotonic clock stays."""
        self._now = _as_utc(instant)


def _refuse_in_production() -> None:
    if _production_depth:
        raise VirtualClockInProduction("a virtual clock cannot be used in a production process; use a SystemClock")


def _as_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone, got the naive {instant.isoformat()}")
    return instant.astimezone(UTC)
