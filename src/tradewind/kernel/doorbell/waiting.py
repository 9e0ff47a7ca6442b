"""What plugs on file descriptors share: waiting for a source to become readable, interruptible from other threads."""

from __future__ import annotations

import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tradewind.kernel.clock import SystemClock
from tradewind.kernel.doorbell.port import checked_timeout

_clock = SystemClock()


class DescriptorListener(ABC):
    """A listener whose rings arrive on a file descriptor. Subclasses read it in `_drain` and free it in `_release`.

    An epoll object joins the source with an event descriptor for `interrupt`, so that `fileno` is one and selectable.

    Parameters:
        source: descriptor that becomes readable when something rang; not owned here.
    """

    def __init__(self, source: int) -> None:
        self._closing = threading.Lock()
        self._owner = os.getpid()
        self._interrupt: int | None = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll = select.epoll()
        self._epoll.register(source, select.EPOLLIN)
        self._epoll.register(self._interrupt, select.EPOLLIN)

    @abstractmethod
    def _drain(self) -> frozenset[str]:
        """All topics rung and listened for; leaves the source quiet. Does not block."""

    @abstractmethod
    def _release(self, *, in_owner: bool) -> None:
        """Free the source. `in_owner` is false in a forked child, which must leave what the parent still uses."""

    def wait(self, timeout_seconds: float | None) -> frozenset[str]:
        timeout = checked_timeout(timeout_seconds)
        deadline = None if timeout is None else _clock.monotonic() + timeout
        while True:
            self._refuse_closed()
            remaining = None if deadline is None else max(0.0, deadline - _clock.monotonic())
            ready = {descriptor for descriptor, _ in self._epoll.poll(remaining)}
            interrupted = self._interrupt in ready and self._clear_interrupt()
            rung = self._drain() if ready else frozenset()
            # Rings of other topics wake the descriptor too; then the wait goes on.
            if rung or interrupted or remaining == 0.0:
                return rung

    def fileno(self) -> int:
        self._refuse_closed()
        return self._epoll.fileno()

    def interrupt(self) -> None:
        # The lock keeps a closing thread from giving the number to another file between the look and the write.
        with self._closing:
            if self._interrupt is not None:
                os.eventfd_write(self._interrupt, 1)

    def close(self) -> None:
        with self._closing:
            descriptor, self._interrupt = self._interrupt, None
        if descriptor is None:
            return
        self._epoll.close()
        os.close(descriptor)
        self._release(in_owner=os.getpid() == self._owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def _clear_interrupt(self) -> bool:
        assert self._interrupt is not None
        os.eventfd_read(self._interrupt)
        return True

    def _refuse_closed(self) -> None:
        if self._interrupt is None:
            raise ValueError("this doorbell listener is closed")


def drained(read: Callable[[], bytes], count_max: int) -> list[bytes]:
    """What `read` gives until it would block, at most `count_max` pieces."""
    pieces: list[bytes] = []
    try:
        while len(pieces) < count_max:
            pieces.append(read())
    except BlockingIOError:
        pass  # empty: that is the end of the list
    return pieces
