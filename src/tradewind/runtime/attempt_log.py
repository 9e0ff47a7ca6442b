"""The log of an attempt: one file of JSON lines, as `ports.logs` says, written in few large writes.

Lines wait in memory for at most `FLUSH_SECONDS` or `BUFFER_BYTES_MAX`. A disk that takes no more bytes does not stop an
attempt: lines are dropped and counted, and the gap is told in the log as soon as it can be written again.
"""

from __future__ import annotations

import errno
import os
from datetime import datetime
from pathlib import Path

from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage

from .log_lines import cut, log_line
from .loop import READABLE, Loop, Timer
from .mask import Masker

FLUSH_SECONDS = 0.1
BUFFER_BYTES_MAX = 1 << 20
_READ_BYTES = 64 * 1024
_log = get_logger("agent")


class LogFlusher:
    """Flushes all logs of the agent that have waited, with one timer."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._waiting: set[AttemptLog] = set()
        self._timer: Timer | None = None
        self.outage = Outage(_log, "attempt_log_not_written", "attempt_logs_written_again")
        """Of the disk of the logs: what fills it up is the same for all attempts."""

    def remember(self, log: AttemptLog) -> None:
        self._waiting.add(log)
        if self._timer is None:
            self._timer = self._loop.after(FLUSH_SECONDS, self.flush)

    def forget(self, log: AttemptLog) -> None:
        self._waiting.discard(log)

    def flush(self) -> None:
        """Write everything now."""
        self._timer = None
        waiting, self._waiting = self._waiting, set()
        for log in waiting:
            log.flush()


class AttemptLog:
    """Lines of one attempt on their way to its file.

    Parameters:
        line_bytes_max: longer texts are cut (logs.line_bytes_max).
    """

    def __init__(self, path: Path, flusher: LogFlusher, masker: Masker, clock: Clock, line_bytes_max: int) -> None:
        self._path = path
        self._flusher = flusher
        self._masker = masker
        self._clock = clock
        self._line_bytes_max = line_bytes_max
        # JSON makes a line longer (escapes, tracebacks); this bounds what a child can make the agent keep.
        self._raw_bytes_max = 16 * line_bytes_max
        self._buffer: list[bytes] = []
        self._size = 0
        self._lost = 0

    def say(self, level: str, text: str, at: datetime | None = None) -> None:
        """A line of the agent's own; `at`: of a moment ago."""
        self.line(level, "agent", text, at)

    def line(self, level: str, source: str, text: str, at: datetime | None = None) -> None:
        self.raw(log_line(at or self._clock.now(), level, source, cut(text, self._line_bytes_max)))

    def raw(self, line: bytes) -> None:
        """An encoded line, without line feed."""
        if len(line) > self._raw_bytes_max:
            note = f"a line of {len(line)} bytes was dropped: longer than {self._raw_bytes_max}"
            line = log_line(self._clock.now(), "warning", "agent", note)
        if not self._buffer:
            self._flusher.remember(self)
        line = self._masker.bytes(line)
        self._buffer.append(line)
        self._size += len(line)
        if self._size >= BUFFER_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._buffer:
            return
        lines, self._buffer, self._size = self._buffer, [], 0
        if self._lost:
            note = f"{self._lost} lines are missing here: the log could not be written"
            lines.insert(0, log_line(self._clock.now(), "warning", "agent", note))
        try:
            append_lines(self._path, b"\n".join(lines) + b"\n")
        except OSError as error:
            if not self._lost:
                self._flusher.outage.met(path=str(self._path), reason=str(error))
            self._lost += len(lines)
        else:
            self._lost = 0
            self._flusher.outage.over()

    def close(self) -> None:
        self._flusher.forget(self)
        self.flush()


def append_lines(path: Path, data: bytes) -> None:
    """Whole lines at the end of a log, its folders made; all of them or none. Raises `OSError`."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o644)
    try:
        start = os.fstat(descriptor).st_size
        written = os.write(descriptor, data)
        if written < len(data):
            # The disk filled up in the middle: half a line would spoil the next one.
            os.ftruncate(descriptor, start)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


class PipeLines:
    """Reads a pipe of an attempt (what goes around Python's streams), line by line, into a log.

    Parameters:
        descriptor: the reading end; closed by `close`.
    """

    __slots__ = ("_descriptor", "_level", "_loop", "_open", "_partial", "_source", "log")

    def __init__(self, loop: Loop, descriptor: int, source: str, level: str) -> None:
        os.set_blocking(descriptor, False)
        self.log: AttemptLog | None = None
        """Where lines go; None between attempts: they are dropped."""
        self._loop = loop
        self._descriptor = descriptor
        self._source = source
        self._level = level
        self._partial = b""
        self._open = True
        loop.add(descriptor, READABLE, self._ready)

    def drain(self) -> None:
        """Take in what is there now, a last line without its end included."""
        while self._open and self._read():
            pass
        if self._partial:
            self._emit(self._partial)
            self._partial = b""

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove(self._descriptor)
            os.close(self._descriptor)

    def _ready(self, _events: int) -> None:
        self._read()

    def _read(self) -> bool:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            # All writers are gone.
            self.close()
            return False
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        for line in lines:
            self._emit(line)
        if len(self._partial) > BUFFER_BYTES_MAX:  # a program that never ends its line
            self._emit(self._partial)
            self._partial = b""
        return True

    def _emit(self, line: bytes) -> None:
        if self.log is not None:
            self.log.line(self._level, self._source, line.removesuffix(b"\r").decode("utf-8", "backslashreplace"))
