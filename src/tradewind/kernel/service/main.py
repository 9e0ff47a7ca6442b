"""The main of a process that serves: run a group until a signal, or until it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType

from tradewind.kernel.clock import production
from tradewind.kernel.log import get_logger
from tradewind.kernel.service.group import ServiceGroup

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ENDED = b"e"


class ExitCode(IntEnum):
    """How a serving process ended. After a second signal it is 128 plus the signal's number."""

    STOPPED = 0
    """Stopped as asked, or its work was done."""
    FAILED = 1
    """A service failed; the parent should start the process again."""
    STUCK = 3
    """Stopped as asked, but something did not end in time and was left behind."""


def run_until_signal(group: ServiceGroup) -> int:
    """Start `group`, stop it at SIGTERM or SIGINT; returns the exit code for the process, an `ExitCode`.

    A second signal ends the process at once, without cleaning up. Only for the main thread of a process. When the
    answer is STUCK, threads are left; end the process without waiting for them.

    Raises:
        RuntimeError: called from another thread than the main one.
    """
    log = get_logger("service", group=group.name)
    with production(), _signal_pipe() as (reader, writer):
        group.on_end(lambda: _write(writer, _ENDED))
        group.start()
        said = _next_word(reader)
        if said != _ENDED:
            log.info("stopping", signal=signal.Signals(said[0]).name)
            group.request_stop()
        # The group keeps its own deadline, so it ends; and after its byte nobody writes to the pipe any more.
        while said != _ENDED:
            said = _next_word(reader)
    if group.failure is not None:
        log.error("stopped_after_failure", reason=str(group.failure))
        return ExitCode.FAILED
    log.info("stopped")
    return ExitCode.STUCK if group.stuck else ExitCode.STOPPED


@contextmanager
def _signal_pipe() -> Iterator[tuple[int, int]]:
    """A pipe into which every signal is written as a byte of its number; handlers are put back at the end.

    The interpreter writes it (`set_wakeup_fd`), in the very moment of the signal. A handler in Python would be late: it
    runs between two instructions of the main thread, and a signal that comes just before that thread goes to sleep, or
    that the kernel gives to another thread, wakes nobody. It would also be in danger, as the main thread may hold the
    very lock that an Event or a log handler needs. So the handler only counts, once the pipe has woken the thread.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writer, False)
    signalled = False

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal signalled
        if signalled:
            os._exit(128 + number)
        signalled = True

    try:
        before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)  # one unread byte is enough
    except ValueError:
        os.close(reader)
        os.close(writer)
        raise RuntimeError("run_until_signal must be called from the main thread of the process") from None
    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield reader, writer
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        os.close(reader)
        os.close(writer)


def _next_word(reader: int) -> bytes:
    """The number of the next signal that stops, or `_ENDED`; the interpreter writes every signal that has a handler."""
    while True:
        word = os.read(reader, 1)
        if word == _ENDED or word[0] in _SIGNALS:
            return word


def _write(descriptor: int, message: bytes) -> None:
    try:
        os.write(descriptor, message)
    except BlockingIOError:
        pass  # the pipe holds many unread bytes already; one is enough
