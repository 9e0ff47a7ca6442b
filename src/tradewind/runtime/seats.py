"""A seat: one process for an attempt, as the agent sees it: its channel, its two pipes, and its end."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import words
from .attempt_log import AttemptLog, PipeLines
from .framing import FrameStream
from .loop import Loop
from .words import Start, ToChild

if TYPE_CHECKING:
    from tradewind.wire.execution import Go, Reply

OnFrame = Callable[["Seat", int, bytes], None]
SendSignal = Callable[[int], None]


class SeatEnd:
    """How the process of a seat ended.

    Parameters:
        status: as `wait` tells it; None when nobody could see it (its template died, or it never began).
        reason: for people, when there is no status.
        launch: it never began.
    """

    __slots__ = ("cpu_seconds", "launch", "max_rss_bytes", "reason", "status")

    def __init__(
        self,
        status: int | None,
        *,
        cpu_seconds: float | None = None,
        max_rss_bytes: int | None = None,
        reason: str = "",
        launch: bool = False,
    ) -> None:
        self.status = status
        self.cpu_seconds = cpu_seconds
        self.max_rss_bytes = max_rss_bytes
        self.reason = reason
        self.launch = launch


OnEnd = Callable[["Seat", SeatEnd], None]


class Seat:
    """One process. `handler` and `on_end` are set by whoever uses it; frames that nobody wants are dropped.

    Parameters:
        number: unique in this agent.
        send_signal: how to reach the process; whoever made it knows whether it still exists.
    """

    def __init__(self, loop: Loop, number: int, ends: SeatDescriptors, send_signal: SendSignal) -> None:
        self.number = number
        self.pid: int | None = None
        self.user: Any = None
        """What the process works on at present."""
        self.on_frame: OnFrame | None = None
        self.on_end: OnEnd | None = None
        self.idle_since = 0.0
        self.ended = False
        self._send_signal = send_signal
        self._stream = FrameStream(loop, ends.channel, self._frame, _nothing)
        self._out = PipeLines(loop, ends.stdout, "stdout", "info")
        self._err = PipeLines(loop, ends.stderr, "stderr", "error")

    def log_to(self, log: AttemptLog | None) -> None:
        """Where the lines of the pipes go from now on; what is in them goes where it went before."""
        self._out.drain()
        self._err.drain()
        self._out.log = self._err.log = log

    def start(self, start: Start) -> None:
        self._stream.send(ToChild.START, words.encode_start(start))

    def go(self, go: Go) -> None:
        self._stream.send(ToChild.GO, words.encode_go(go))

    def reply(self, number: int, reply: Reply) -> None:
        self._stream.send(ToChild.REPLY, words.encode_reply(number, reply))

    def terminate(self) -> None:
        """SIGTERM: the operator may clean up."""
        self._send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the process and all that it started."""
        self._send_signal(signal.SIGKILL)

    def dismiss(self) -> None:
        """An idle process is not needed any more: it sees the end of its channel and goes."""
        self._stream.close()

    def end(self, end: SeatEnd) -> None:
        """The process has ended: hear its last words, give back the descriptors, tell the user."""
        if self.ended:
            return
        self.ended = True
        self._stream.drain()
        self._stream.close()
        self._out.drain()
        self._err.drain()
        self._out.close()
        self._err.close()
        if self.on_end is not None:
            self.on_end(self, end)

    def _frame(self, kind: int, payload: bytes) -> None:
        if self.on_frame is not None:
            self.on_frame(self, kind, payload)


class SeatDescriptors:
    """The agent's ends of the three ways to a process, and the process's ends until it has them."""

    __slots__ = ("channel", "stderr", "stdout", "theirs")

    def __init__(self) -> None:
        self.channel, channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.stdout, stdout = os.pipe2(os.O_CLOEXEC)
        self.stderr, stderr = os.pipe2(os.O_CLOEXEC)
        self.theirs = [channel.detach(), stdout, stderr]
        """Channel, stdout, stderr."""

    def close_theirs(self) -> None:
        for descriptor in self.theirs:
            os.close(descriptor)
        self.theirs = []


def _nothing() -> None:
    """The end of a channel alone says little: user code may have closed it. The process's end is told apart."""
