"""What a service is, and how its life is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from tradewind.kernel.clock import SystemClock
from tradewind.wire.errors import TradewindError

_clock = SystemClock()


class ServiceState(Enum):
    """NEW → STARTING → READY → STOPPING → STOPPED; FAILED instead of STOPPED when it ended because of an error."""

    NEW = "new"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


_NOT_YET = frozenset({ServiceState.NEW, ServiceState.STARTING})
ENDED = frozenset({ServiceState.STOPPED, ServiceState.FAILED})


class ServiceFailed(TradewindError):
    """A service ended because of an error, or did not become ready in time; the cause is chained."""

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        super().__init__(f"the service {name} {what}")


class Service(Protocol):
    """Something long-lived. All methods may be called from any thread, in any order, more than once."""

    @property
    def name(self) -> str:
        """Tells an operator what it is; part of every log line about it."""
        ...

    @property
    def state(self) -> ServiceState: ...

    @property
    def failure(self) -> BaseException | None:
        """What it ended with, when FAILED."""
        ...

    @property
    def may_end(self) -> bool:
        """Whether ending by itself, without an error, is how it should be. False for services that serve for ever."""
        ...

    def start(self) -> None:
        """Begin; returns promptly, before it is ready. Nothing happens when it has been started or stopped before."""
        ...

    def wait_ready(self, timeout_seconds: float | None = None) -> bool:
        """Wait until READY. False when it is being stopped, has stopped, or after `timeout_seconds`.

        Raises:
            ServiceFailed: it has failed.
        """
        ...

    def request_stop(self) -> None:
        """Ask it to stop; returns at once. Before `start`, it will never run."""
        ...

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait until it has ended; False after `timeout_seconds`. One that was never started and never asked to stop
        has not ended."""
        ...

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when it has ended, from whatever thread; at once when it has already."""
        ...


class Life:
    """The state of one service, shared by its owner and its own thread; legal steps only."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._state = ServiceState.NEW
        self._failure: BaseException | None = None
        self._on_end: list[Callable[[], None]] = []

    @property
    def state(self) -> ServiceState:
        return self._state

    @property
    def failure(self) -> BaseException | None:
        return self._failure

    def begin(self) -> bool:
        """NEW → STARTING; whether it moved."""
        return self._move(ServiceState.NEW, ServiceState.STARTING)

    def become_ready(self) -> bool:
        """STARTING → READY; whether it moved."""
        return self._move(ServiceState.STARTING, ServiceState.READY)

    def ask_to_stop(self) -> bool:
        """STARTING or READY → STOPPING, NEW → STOPPED; whether there is a running one that this call asked first."""
        with self._changed:
            before = self._state
            if before is ServiceState.NEW:
                self._state = ServiceState.STOPPED
            elif before in (ServiceState.STARTING, ServiceState.READY):
                self._state = ServiceState.STOPPING
            self._changed.notify_all()
        if before is ServiceState.NEW:
            self._tell_ended()
        return before in (ServiceState.STARTING, ServiceState.READY)

    def end(self, failure: BaseException | None) -> None:
        """Any but NEW → STOPPED or FAILED."""
        target = ServiceState.FAILED if failure else ServiceState.STOPPED
        with self._changed:
            self._failure = failure
            self._state = target
            self._changed.notify_all()
        self._tell_ended()

    def wait_ready(self, timeout_seconds: float | None) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._state not in _NOT_YET, timeout_seconds)
            if self._state is ServiceState.FAILED:
                raise ServiceFailed(self._name, "failed") from self._failure
            return self._state is ServiceState.READY

    def join(self, timeout_seconds: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._state in ENDED, timeout_seconds)

    def on_end(self, callback: Callable[[], None]) -> None:
        with self._changed:
            if self._state not in ENDED:
                self._on_end.append(callback)
                return
        callback()

    def _move(self, source: ServiceState, target: ServiceState) -> bool:
        with self._changed:
            if self._state is not source:
                return False
            self._state = target
            self._changed.notify_all()
            return True

    def _tell_ended(self) -> None:
        with self._changed:
            callbacks, self._on_end = self._on_end, []
        for callback in callbacks:
            callback()


class Deadline:
    """A moment on the monotonic clock. None is never."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else _clock.monotonic() + seconds

    def remaining(self) -> float | None:
        """Seconds left, zero or more; None without end."""
        return None if self._at is None else max(0.0, self._at - _clock.monotonic())
