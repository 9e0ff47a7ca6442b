"""Watches children: passes on what they write, starts them again with back-off, stops them in order.

One thread, one `select`: signals and the ends of children arrive as bytes in a pipe, output in pipes of the children.
"""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tradewind.app.standalone.children import Started
from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger

HEALTHY_SECONDS = 60.0
"""A child that lived so long is well: its next end is the first of a new row."""
OVERLAP_SECONDS = 3.0
"""How long a child that is replaced goes on beside the new one, which needs about a second until it serves."""
_KILLED_SECONDS_MAX = 1.0
_READ_BYTES = 64 * 1024
_LINE_BYTES_MAX = 64 * 1024
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_log = get_logger("standalone")


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child to keep alive."""

    name: str
    start: Callable[[], Started]
    stop_rank: int
    """Lower ranks are stopped first, each when the one before is gone."""
    stop_share: float
    """Which part of the time for stopping everything it may take; the last rank has what is left."""
    once: bool = False
    """It is not started again."""
    renewable: bool = False
    """SIGHUP has it replaced: a new one is started, and a little later the old one is asked to end."""


@dataclass(slots=True)
class _Child:
    spec: ChildSpec
    pid: int | None = None
    output: int | None = None
    line: bytearray = field(default_factory=bytearray)
    started_at: float = 0.0
    restarts: int = 0
    """In a row, each before it was well."""
    due_at: float | None = None
    """When it is started again."""
    leaves_at: float | None = None
    """It has been replaced: when it is asked to end."""
    leaving: bool = False
    """It is not missed when it ends."""


class Supervisor:
    """Keeps children alive until a signal.

    Parameters:
        specs: the children, in the order of starting.
        clock: measures waits.
        write: takes each line of a child: (name, line without line break).
        restart_seconds_min, restart_seconds_max: first and longest wait before a child is started again; it doubles.
        stop_seconds: how long stopping may take; what is left then is killed.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        clock: Clock,
        write: Callable[[str, str], None],
        *,
        restart_seconds_min: float,
        restart_seconds_max: float,
        stop_seconds: float,
    ) -> None:
        self._children = [_Child(spec) for spec in specs]
        self._clock = clock
        self._write = write
        self._restart_seconds_min = restart_seconds_min
        self._restart_seconds_max = restart_seconds_max
        self._stop_seconds = stop_seconds
        self._selector = selectors.DefaultSelector()
        self._stop_at: float | None = None
        self._rank: int | None = None
        self._rank_ends_at = 0.0
        self._forced = False

    @property
    def stopping(self) -> bool:
        return self._stop_at is not None

    @property
    def forced(self) -> bool:
        """Something had to be killed."""
        return self._forced

    def start(self, name: str) -> None:
        """Start one child now."""
        self._start(next(child for child in self._children if child.spec.name == name))

    def run(self) -> None:
        """Start what is not started yet; watch until a signal asks to stop and everything has ended."""
        with _signals() as reader:
            self._selector.register(reader, selectors.EVENT_READ, None)
            for child in self._children:
                if child.pid is None and child.due_at is None:
                    self._start(child)
            self._reap()  # what ended before the handler was there
            while not (self.stopping and not self._alive()):
                self._turn(reader)
        self._drain_all()

    def stop(self) -> None:
        """Begin to stop; a second call kills what is left."""
        if self._stop_at is not None:
            self._kill_all("asked twice")
            return
        self._stop_at = self._clock.monotonic() + self._stop_seconds
        for child in self._children:
            child.due_at = None
        self._next_rank()

    # --- one turn ----------------------------------------------------------------------------------------------------

    def _turn(self, reader: int) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.data is None:
                self._hear_signals(reader)
            else:
                self._hear(key.data)
        now = self._clock.monotonic()
        for child in list(self._children):
            if child.due_at is not None and child.due_at <= now:
                self._start(child)
            if child.leaves_at is not None and child.leaves_at <= now:
                child.leaves_at = None
                if child.pid is not None:
                    os.kill(child.pid, signal.SIGTERM)
        if self._stop_at is not None:
            self._press_on(now)

    def _patience(self) -> float | None:
        instants = [child.due_at for child in self._children if child.due_at is not None]
        instants += [child.leaves_at for child in self._children if child.leaves_at is not None]
        if self._stop_at is not None:
            instants += [self._stop_at, self._rank_ends_at]
        return max(0.0, min(instants) - self._clock.monotonic()) if instants else None

    def _hear_signals(self, reader: int) -> None:
        for number in os.read(reader, 1024):
            if number == signal.SIGHUP and self._renew():
                continue
            if number in _STOP_SIGNALS:
                if not self.stopping:
                    _log.info("stopping", signal=signal.Signals(number).name)
                self.stop()
        self._reap()

    def _renew(self) -> bool:
        """Replace what can be replaced; False when there is nothing of that kind."""
        old = [child for child in self._children if child.spec.renewable and not child.leaving]
        if not old or self.stopping:
            return False
        _log.info("renewing", children=len(old))
        ends_at = self._clock.monotonic() + OVERLAP_SECONDS
        for child in old:
            child.leaving, child.due_at = True, None
            fresh = _Child(child.spec)
            self._children.append(fresh)
            self._start(fresh)
            if child.pid is None:
                self._children.remove(child)
            else:
                child.leaves_at = ends_at
        return True

    # --- starting and ending -----------------------------------------------------------------------------------------

    def _start(self, child: _Child) -> None:
        child.due_at = None
        started = child.spec.start()
        child.pid, child.output = started.pid, started.output
        child.started_at = self._clock.monotonic()
        self._selector.register(started.output, selectors.EVENT_READ, child)
        _log.debug("child_started", child=child.spec.name, pid=started.pid)

    def _reap(self) -> None:
        for child in list(self._children):
            if child.pid is None:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: _Child, code: int) -> None:
        self._drain(child)
        pid, child.pid = child.pid, None
        if child.leaving:
            self._children.remove(child)
        if child.leaving or self.stopping or (child.spec.once and code == 0):
            if code not in (0, -signal.SIGTERM):
                _log.warning("child_ended", child=child.spec.name, pid=pid, how=_how(code))
            return
        if child.spec.once:
            _log.error("child_ended", child=child.spec.name, pid=pid, how=_how(code))
            return
        now = self._clock.monotonic()
        if now - child.started_at >= HEALTHY_SECONDS:
            child.restarts = 0
        wait = min(self._restart_seconds_min * 2**child.restarts, self._restart_seconds_max)
        child.restarts = min(child.restarts + 1, 32)
        child.due_at = now + wait
        _log.error("child_died", child=child.spec.name, pid=pid, how=_how(code), again_in_seconds=round(wait, 3))

    # --- stopping ----------------------------------------------------------------------------------------------------

    def _alive(self) -> list[_Child]:
        return [child for child in self._children if child.pid is not None]

    def _next_rank(self) -> None:
        """Ask the lowest rank that is alive to stop."""
        assert self._stop_at is not None
        alive = self._alive()
        if not alive:
            return
        self._rank = min(child.spec.stop_rank for child in alive)
        members = [child for child in alive if child.spec.stop_rank == self._rank]
        for child in members:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGTERM)
        share = max(child.spec.stop_share for child in members) * self._stop_seconds
        is_last = len(members) == len(alive)
        self._rank_ends_at = self._stop_at if is_last else min(self._clock.monotonic() + share, self._stop_at)

    def _press_on(self, now: float) -> None:
        alive = self._alive()
        if alive and now >= (self._stop_at or 0.0):
            self._kill_all("out of time")
            return
        if not any(child.spec.stop_rank == self._rank for child in alive) or now >= self._rank_ends_at:
            slow = [child for child in alive if child.spec.stop_rank == self._rank]
            for child in slow:
                self._kill(child, "slow to stop")
            if alive and not slow:
                self._next_rank()
            else:
                self._rank_ends_at = now + _KILLED_SECONDS_MAX

    def _kill_all(self, why: str) -> None:
        for child in self._alive():
            self._kill(child, why)
        # They end at once; a process that even the kernel cannot end just now must not spin this loop.
        self._stop_at = self._rank_ends_at = self._clock.monotonic() + _KILLED_SECONDS_MAX

    def _kill(self, child: _Child, why: str) -> None:
        assert child.pid is not None
        self._forced = True
        _log.warning("child_killed", child=child.spec.name, pid=child.pid, reason=why)
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child.pid, signal.SIGKILL)  # not the leader of its group yet

    # --- output ------------------------------------------------------------------------------------------------------

    def _hear(self, child: _Child) -> bool:
        """Pass on a portion of output; whether there may be more."""
        if child.output is None:
            return False
        try:
            data = os.read(child.output, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._close_output(child)
            return False
        child.line += data
        *lines, rest = child.line.split(b"\n")
        child.line = bytearray(rest)
        if len(rest) > _LINE_BYTES_MAX:
            lines.append(rest)
            child.line.clear()
        for line in lines:
            self._write(child.spec.name, line.decode("utf-8", "replace"))
        return True

    def _drain(self, child: _Child) -> None:
        while self._hear(child):
            pass
        self._close_output(child)

    def _drain_all(self) -> None:
        for child in self._children:
            self._drain(child)
        self._selector.close()

    def _close_output(self, child: _Child) -> None:
        if child.output is not None:
            self._selector.unregister(child.output)
            os.close(child.output)
            child.output = None
        if child.line:
            self._write(child.spec.name, child.line.decode("utf-8", "replace"))
            child.line.clear()


def _how(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


@contextmanager
def _signals() -> Iterator[int]:
    """The reading end of a pipe that gets the number of each signal; handlers are put back at the end."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    numbers = (*_STOP_SIGNALS, signal.SIGCHLD)
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in numbers}
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(before_fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
