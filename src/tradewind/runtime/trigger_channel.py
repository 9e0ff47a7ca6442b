"""A trigger host's end of its channel to the triggerer: frames out, questions with answers, and what triggers print
and log as lines of the attempts that wait for them.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from tradewind.kernel.clock import Clock
from tradewind.wire.errors import Unavailable
from tradewind.wire.execution import AgentMessage, Reply

from . import trigger_words as words
from .capture import level_name
from .channel import answer_of
from .framing import frame
from .log_lines import cut, describe, log_line
from .mask import Masker
from .trigger_words import FromHost, HostReply
from .values import ValueStore

_PATIENCE_SECONDS = 300.0


class HostChannel:
    """Sends frames from any thread; keeps who waits for which answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[threading.Event, list[Reply]]] = {}
        self._number = 0

    def send(self, kind: int, payload: bytes) -> None:
        """Nothing happens when the triggerer is gone: the reading thread ends this process."""
        data = frame(kind, payload)
        with self._lock:
            try:
                self._sock.sendall(data)
            except OSError:
                return

    def ask(self, message: AgentMessage) -> Reply:
        """Send and wait. Raises `Unavailable` when no answer comes."""
        arrived: tuple[threading.Event, list[Reply]] = (threading.Event(), [])
        with self._lock:
            self._number += 1
            number = self._number
            self._waiting[number] = arrived
        self.send(FromHost.ASK, words.encode(words.HostAsk(number, message)))
        arrived[0].wait(_PATIENCE_SECONDS)
        self._waiting.pop(number, None)
        if not arrived[1]:
            raise Unavailable(
                f"{type(message).__name__} was not answered within {_PATIENCE_SECONDS:g} s: "
                "the triggerer cannot reach the database; look at its log"
            )
        return arrived[1][0]

    def answered(self, reply: HostReply) -> None:
        """In the reading thread."""
        waiting = self._waiting.get(reply.number)
        if waiting is not None:
            waiting[1].append(reply.reply)
            waiting[0].set()


class TriggerClient:
    """`ports.task_client.TaskClient` of one trigger."""

    def __init__(self, channel: HostChannel, token: str, values: ValueStore, masker: Masker) -> None:
        self._channel = channel
        self._token = token
        self._values = values
        self._masker = masker

    def ask(self, message: AgentMessage) -> Reply:
        return answer_of(self._channel.ask(message))

    def tell(self, message: AgentMessage) -> None:
        self.ask(message)

    def fetch(self, url: str, sha256: str | None) -> bytes:
        return self._values.fetch(url, sha256)

    def store(self, data: bytes, name: str) -> str:
        return self._values.store(data, name)

    def mask(self, secret: str) -> None:
        self._masker.add(secret)


class TriggerOutput(logging.Handler):
    """Redirects logging and the streams of this process: each line goes to the log of the trigger it belongs to.

    Parameters:
        token_of: of the trigger whose code runs just now; empty: of none.
    """

    def __init__(
        self, channel: HostChannel, masker: Masker, clock: Clock, line_bytes_max: int, token_of: Callable[[], str]
    ) -> None:
        super().__init__()
        self._channel = channel
        self._masker = masker
        self._clock = clock
        self._line_bytes_max = line_bytes_max
        self._token_of = token_of

    def begin(self, level: str) -> None:
        root = logging.getLogger()
        root.handlers[:] = [self]
        root.setLevel(level.upper())
        sys.stdout = _Stream(self, "stdout", "info", 1)
        sys.stderr = _Stream(self, "stderr", "error", 2)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # wrong arguments of a log call are the author's slip
            self.handleError(record)
            return
        error = record.exc_info[1] if record.exc_info else None
        exceptions = describe(error) if error is not None else None
        self.say(level_name(record.levelno), "log", text, record.name, exceptions)

    def say(
        self,
        level: str,
        source: str,
        text: str,
        logger: str | None = None,
        exceptions: list[dict[str, Any]] | None = None,
    ) -> None:
        """One line of the trigger at hand."""
        text = cut(text, self._line_bytes_max)
        line = log_line(self._clock.now(), level, source, text, logger=logger, exceptions=exceptions)
        told = words.TriggerLine(self._token_of(), self._masker.bytes(line))
        self._channel.send(FromHost.LOG, words.encode(told))


class _Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`, line by line."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, output: TriggerOutput, source: str, level: str, descriptor: int) -> None:
        self._output = output
        self._source = source
        self._level = level
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        for line in text.split("\n"):
            if line:
                self._output.say(self._level, self._source, line)
        return len(text)

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)
