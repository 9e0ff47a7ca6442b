"""Time-ordered ids: UUID version 7 (RFC 9562, section 5.7).

Layout, from the top: 48 bits of Unix milliseconds, 4 bits version, 12 bits counter (high), 2 bits variant, 30 bits
counter (low), 32 random bits. The 42-bit counter starts at a random value below half its range in every new millisecond
and counts up within one, so that ids of one process always increase, also when the wall clock is set back.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID
from weakref import WeakSet

from tradewind.kernel.clock import Clock, SystemClock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_COUNTER_BITS = 42
_TAIL_BITS = 32
_VERSION = 7 << 76
_VARIANT = 0b10 << 62


class RandomBits(Protocol):
    """Gives `count` random bits as an integer; `random.Random(seed)` fits, for simulation."""

    def getrandbits(self, count: int, /) -> int: ...


class _SystemRandom:
    """`random.SystemRandom`, without the import cost of `random`."""

    def getrandbits(self, count: int, /) -> int:
        size = (count + 7) // 8
        return int.from_bytes(os.urandom(size), "big") >> (size * 8 - count)


class Uuid7Source:
    """Makes UUIDs that increase within this process. Safe between threads and over fork.

    Parameters:
        clock: where the milliseconds come from; default the machine's clock.
        random_bits: where the randomness comes from; default the operating system's (never repeats in a forked child).
    """

    def __init__(self, clock: Clock | None = None, random_bits: RandomBits | None = None) -> None:
        self._clock = clock or SystemClock()
        self._random = random_bits or _SystemRandom()
        self._lock = threading.Lock()
        self._last_ms = -1
        self._counter = 0
        _sources.add(self)

    def next(self) -> UUID:
        """A new id, greater than every id this source gave before."""
        now_ms = (self._clock.now() - _EPOCH) // _MILLISECOND
        with self._lock:
            if now_ms > self._last_ms:
                self._begin(now_ms)
            else:
                # Same millisecond, or the wall clock went back: stay where we were and count.
                self._counter += 1
                if self._counter >> _COUNTER_BITS:
                    self._begin(self._last_ms + 1)
            milliseconds, counter = self._last_ms, self._counter
            tail = self._random.getrandbits(_TAIL_BITS)
        high, low = counter >> 30, counter & 0x3FFF_FFFF
        return UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | (low << _TAIL_BITS) | tail)

    def _begin(self, milliseconds: int) -> None:
        self._last_ms = milliseconds
        # The top bit starts at zero, so that at least 2^41 ids fit into one millisecond.
        self._counter = self._random.getrandbits(_COUNTER_BITS - 1)

    def _restart_in_child(self) -> None:
        # The parent may have held the lock, and parent and child must not count on from the same number. The child goes
        # on in the next millisecond, from a counter of its own: still greater than all it inherited.
        self._lock = threading.Lock()
        if self._last_ms >= 0:
            self._begin(self._last_ms + 1)


_sources: WeakSet[Uuid7Source] = WeakSet()


def _restart_all_in_child() -> None:
    for source in list(_sources):
        source._restart_in_child()


os.register_at_fork(after_in_child=_restart_all_in_child)
_process_source = Uuid7Source()


def uuid7(source: Uuid7Source | None = None) -> UUID:
    """A new time-ordered id, from `source` or from this process's own."""
    return (source or _process_source).next()


def uuid7_instant(value: UUID) -> datetime:
    """The instant a version 7 UUID carries, to the millisecond.

    Raises:
        ValueError: `value` is not a version 7 UUID.
    """
    if value.version != 7:
        raise ValueError(f"{value} is not a version 7 UUID")
    return _EPOCH + _MILLISECOND * (value.int >> 80)
