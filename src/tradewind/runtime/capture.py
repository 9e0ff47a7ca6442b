"""What a task prints and logs becomes lines of its log, in the order in which it happened, with time and level.

`sys.stdout`, `sys.stderr` and `logging` of the attempt's process write to the channel. What goes around them (programs
it starts, C code, processes it forks) goes through the pipes that the agent laid to descriptors 1 and 2.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import Any

from tradewind.kernel.clock import Clock

from .channel import Channel, ChannelClosed
from .log_lines import cut, describe, log_line
from .mask import Masker
from .words import FromChild

STDOUT, STDERR = 1, 2
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class LineSender:
    """Makes log lines of the attempt: cut, masked, sent."""

    def __init__(self, channel: Channel, masker: Masker, clock: Clock, line_bytes_max: int) -> None:
        self._channel = channel
        self._masker = masker
        self._clock = clock
        self._line_bytes_max = line_bytes_max

    @property
    def open(self) -> bool:
        """False in a process that user code forked: its lines go another way."""
        return self._channel.open

    def send(
        self,
        level: str,
        source: str,
        text: str,
        logger: str | None = None,
        exceptions: list[dict[str, Any]] | None = None,
    ) -> None:
        line = log_line(
            self._clock.now(), level, source, cut(text, self._line_bytes_max), logger=logger, exceptions=exceptions
        )
        try:
            self._channel.send(FromChild.LOG, self._masker.bytes(line))
        except ChannelClosed:
            pass  # the agent has died, and the kernel is about to end this process: nobody is left to read the line


class LineStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a task: each line is sent when it is complete or flushed."""

    sender: LineSender
    """Given when the attempt begins."""

    def __init__(self, source: str, level: str, descriptor: int) -> None:
        self._source = source
        self._level = level
        self._descriptor = descriptor
        self._partial: list[str] = []
        # For what insists on bytes. Unbuffered, so that nothing is lost when the process dies.
        self.buffer = io.FileIO(descriptor, "wb", closefd=False)

    encoding = "utf-8"
    errors = "backslashreplace"

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self.sender.open:
            os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
            return len(text)
        head, newline, rest = text.rpartition("\n")
        if not newline:
            if text:
                self._partial.append(text)
            return len(text)
        if self._partial:
            head = "".join(self._partial) + head
            self._partial.clear()
        if rest:
            self._partial.append(rest)
        for line in head.split("\n"):
            self.sender.send(self._level, self._source, line.removesuffix("\r"))
        return len(text)

    def flush(self) -> None:
        if self._partial and self.sender.open:
            line = "".join(self._partial)
            self._partial.clear()
            self.sender.send(self._level, self._source, line)

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class LineHandler(logging.Handler):
    """Everything logged in the task's process, exceptions as data."""

    sender: LineSender
    """Given when the attempt begins."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # wrong arguments of a log call are the author's slip; logging's own way is to tell and go on
            self.handleError(record)
            return
        error = record.exc_info[1] if record.exc_info else None
        exceptions = describe(error) if error is not None else None
        if record.stack_info:
            text = f"{text}\n{record.stack_info}"
        if self.sender.open:
            self.sender.send(level_name(record.levelno), "log", text, record.name, exceptions)
        else:
            os.write(STDERR, f"{record.levelname} {record.name}: {text}\n".encode("utf-8", "backslashreplace"))


def level_name(number: int) -> str:
    """Our name of a level of `logging`."""
    if number >= logging.CRITICAL:
        return "critical"
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"


class Capture:
    """Streams and handler of one attempt. A template makes them before it forks, so that its children need not."""

    def __init__(self) -> None:
        self._out = LineStream("stdout", "info", STDOUT)
        self._err = LineStream("stderr", "error", STDERR)
        self._handler = LineHandler()

    def begin(self, sender: LineSender, level: str) -> None:
        """Redirect stdout, stderr and logging of this process.

        Parameters:
            level: least level of the root logger (setting logs.level).
        """
        self._out.sender = self._err.sender = self._handler.sender = sender
        sys.stdout = sys.__stdout__ = self._out  # type: ignore[misc, assignment] # a text stream in all that programs use
        sys.stderr = sys.__stderr__ = self._err  # type: ignore[misc, assignment]
        root = logging.getLogger()
        root.handlers[:] = [self._handler]
        if root.level != _LEVELS[level]:
            root.setLevel(_LEVELS[level])  # walks over all loggers there are

    def flush(self) -> None:
        """Send lines that have no end yet."""
        self._out.flush()
        self._err.flush()
