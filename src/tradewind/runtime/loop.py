"""A small event loop on epoll: readiness of descriptors, timers, and a wake-up from other threads.

Agent, zygote and templates are single-threaded and live on this. It is not asyncio because the loop runs in processes
that are forked hundreds of times a second: it has to be small in memory, and a child must be able to drop it with a few
closed descriptors.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import signal
import threading
from collections import deque
from collections.abc import Callable

from tradewind.kernel.clock import Clock, SystemClock

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
HANGUP = select.EPOLLHUP | select.EPOLLERR

Handler = Callable[[int], None]
"""Called with the event mask of its descriptor."""


class Timer:
    """A call at a moment. `cancel` may be called at any time, also after it ran."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self._call = None

    def run(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class Loop:
    """Waits and calls. All methods but `call_threadsafe` are for the loop's own thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._from_threads: deque[Callable[[], None]] = deque()
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # Held while the pipe is written or closed; reentrant, because a handler may run in the midst of either.
        self._pipe_lock = threading.RLock()
        self._closed = False
        self._heeds_signals = False
        self._soon: deque[Callable[[], None]] = deque()
        self._running = False
        self.add(self._wake_reader, READABLE, self._woken)

    def add(self, descriptor: int, events: int, handler: Handler) -> None:
        """Call `handler` whenever `descriptor` is ready; hang-ups are always told."""
        self._epoll.register(descriptor, events)
        self._handlers[descriptor] = handler

    def change(self, descriptor: int, events: int) -> None:
        self._epoll.modify(descriptor, events)

    def remove(self, descriptor: int) -> None:
        """Forget a descriptor; to be called before it is closed. Unknown ones are fine."""
        if self._handlers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        heapq.heappush(self._timers, (self._clock.monotonic() + max(0.0, seconds), next(self._order), timer))
        return timer

    def soon(self, call: Callable[[], None]) -> None:
        """Call after the events of this turn are served: what many of them ask for is done once, for all."""
        self._soon.append(call)

    def call_threadsafe(self, call: Callable[[], None]) -> None:
        """Have the loop's thread run `call` soon; once the loop is closed, nothing. For any thread, and for signal
        handlers."""
        with self._pipe_lock:
            if self._closed:
                return
            self._from_threads.append(call)
            try:
                os.write(self._wake_writer, b"w")
            except BlockingIOError:
                pass  # the pipe is full of wake-ups already

    def heed_signals(self) -> None:
        """Let every signal with a handler end a wait, also one that comes just before the wait begins or that another
        thread is given: handlers run between two instructions of the main thread. Only for a loop in that thread."""
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        self._heeds_signals = True

    def run(self) -> None:
        """Serve until `stop`."""
        self._running = True
        while self._running:
            self.turn()

    def stop(self) -> None:
        self._running = False

    def turn(self) -> None:
        """Wait for the next events or timer, and serve them."""
        for descriptor, events in self._epoll.poll(self._patience()):
            # A handler served earlier in this turn may have removed this one.
            handler = self._handlers.get(descriptor)
            if handler is not None:
                handler(events)
        if self._timers:
            self._ring()
        while self._soon:
            self._soon.popleft()()

    def close(self) -> None:
        """Give back the loop's own descriptors. Those that were added belong to who added them."""
        with self._pipe_lock:
            self._closed = True
            if self._heeds_signals:
                signal.set_wakeup_fd(-1)
            os.close(self._wake_reader)
            os.close(self._wake_writer)
        self._epoll.close()
        self._handlers.clear()

    def _patience(self) -> float:
        if self._soon:
            return 0.0
        if not self._timers:
            return -1.0
        return max(0.0, self._timers[0][0] - self._clock.monotonic())

    def _ring(self) -> None:
        now = self._clock.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2].run()

    def _woken(self, _events: int) -> None:
        try:
            os.read(self._wake_reader, 4096)
        except BlockingIOError:
            pass
        while self._from_threads:
            self._from_threads.popleft()()
