"""The child's end of its channel to the agent: the `TaskClient` of production, and the way out for log lines.

Signals: SIGTERM may arrive while a frame is half sent, and its handler logs and raises. So whoever writes or reads is
in a *critical* stretch: frames of the handler wait until it is over, and `raise_soon` raises at its end instead of
tearing the stream apart.

Processes: the channel belongs to the attempt's own process. A process forked by user code finds it closed; what it
prints or logs goes through stdout and stderr like that of any other program.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections import deque
from typing import NoReturn

from tradewind.kernel.clock import Clock
from tradewind.wire import errors
from tradewind.wire.errors import StaleAttempt, TradewindError, Unavailable
from tradewind.wire.execution import AgentMessage, Outcome, Refused, Reply, Stop

from . import words
from .framing import BrokenStream, FrameReader, frame
from .mask import Masker
from .values import ValueStore
from .words import FromChild, ToChild

_READ_BYTES = 256 * 1024
_WHOLE_BYTES_MAX = 16 * 1024
"""A frame up to this size is taken by the kernel whole or not at all."""
_RAISING_SIGNALS = (signal.SIGALRM,)
"""Handlers of the SDK that raise at once, wherever they are (`execution_timeout`)."""


class ChannelClosed(Exception):
    """The agent has gone, or this process was forked from the attempt's."""


class Channel:
    """Frames from and to the agent. Sending is safe between threads; receiving is for one at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock: socket.socket | None = sock
        self._reader = FrameReader()
        self._arrived: deque[tuple[int, bytes]] = deque()
        self._lock = threading.Lock()
        self._critical_thread = 0
        self._later: deque[bytes] = deque()
        self._raise: BaseException | None = None

    def leave_to_forks(self) -> None:
        """Have processes that user code forks close their copy."""
        os.register_at_fork(after_in_child=self.abandon)

    @property
    def open(self) -> bool:
        return self._sock is not None

    def send(self, kind: int, payload: bytes) -> None:
        """Send a frame; waits while the agent is behind (back-pressure). Raises `ChannelClosed`."""
        data = frame(kind, payload)
        if self._critical_thread == threading.get_ident():
            self._later.append(data)
            return
        with self._lock:
            self._critical_thread = threading.get_ident()
            try:
                self._send_all(data)
                while self._later:
                    self._send_all(self._later.popleft())
            finally:
                self._critical_thread = 0
        self._raise_now()

    def has_news(self) -> bool:
        """Whether something has arrived, or the other side has gone."""
        return bool(self._arrived or select.select([self._require()], [], [], 0)[0])

    def receive(self, patience_seconds: float | None = None) -> tuple[int, bytes] | None:
        """The next frame; None when none came in time. Raises `ChannelClosed` at the end of the stream."""
        while not self._arrived:
            sock = self._require()
            wait = None if patience_seconds is None else patience_seconds * 1000
            poller = select.poll()
            poller.register(sock, select.POLLIN)
            # Only here, where nothing is half done, may a signal handler raise.
            if not poller.poll(wait):
                return None
            self._critical_thread = threading.get_ident()
            try:
                self._take_in(sock)
            finally:
                self._critical_thread = 0
            self._raise_now()
        return self._arrived.popleft()

    def raise_soon(self, error: BaseException) -> None:
        """For a signal handler: raise `error` in this thread, now or as soon as the stream is whole again."""
        if self._critical_thread == threading.get_ident():
            self._raise = error
        else:
            raise error

    def abandon(self) -> None:
        """Close this process's copy; the agent's stream goes on."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        self._lock = threading.Lock()
        self._critical_thread = 0

    def _take_in(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise ChannelClosed("the agent has gone") from error
        if not data:
            raise ChannelClosed("the agent has gone")
        try:
            self._arrived.extend(self._reader.feed(data))
        except BrokenStream as error:
            raise ChannelClosed(str(error)) from error

    def _send_all(self, data: bytes) -> None:
        if len(data) <= _WHOLE_BYTES_MAX:
            self._send_parts(data)
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _RAISING_SIGNALS)
        try:
            self._send_parts(data)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _send_parts(self, data: bytes) -> None:
        rest = memoryview(data)
        sock = self._require()
        while rest:
            try:
                rest = rest[sock.send(rest) :]
            except BlockingIOError:
                poller = select.poll()
                poller.register(sock, select.POLLOUT)
                poller.poll()
            except OSError as error:
                raise ChannelClosed("the agent has gone") from error

    def _require(self) -> socket.socket:
        if self._sock is None:
            raise ChannelClosed("this process is not the attempt's own: only that one can ask the control plane")
        return self._sock

    def _raise_now(self) -> None:
        error, self._raise = self._raise, None
        if error is not None:
            raise error


class AgentClient:
    """`ports.task_client.TaskClient` over a channel.

    Parameters:
        patience_seconds: how long an ask waits for its reply. The agent keeps asking while the control plane is away,
            so this is long.
    """

    def __init__(
        self,
        channel: Channel,
        token: str,
        values: ValueStore,
        masker: Masker,
        clock: Clock,
        patience_seconds: float = 3600.0,
    ) -> None:
        self._channel = channel
        self._token = token
        self._values = values
        self._masker = masker
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._asking = threading.RLock()
        self._number = 0

    def ask(self, message: AgentMessage) -> Reply:
        self._check(message)
        with self._asking:
            self._number += 1
            number = self._number
            self._send(FromChild.ASK, words.encode_ask(number, message))
            return answer_of(self._await_reply(number, message))

    def tell(self, message: AgentMessage) -> None:
        self._check(message)
        self._send(FromChild.TELL, words.encode_message(message))

    def fetch(self, url: str, sha256: str | None) -> bytes:
        return self._values.fetch(url, sha256)

    def store(self, data: bytes, name: str) -> str:
        return self._values.store(data, name)

    def mask(self, secret: str) -> None:
        if self._masker.add(secret):
            self._send(FromChild.MASK, secret.encode("utf-8", "surrogateescape"))

    def verdict(self, outcome: Outcome) -> None:
        """The last word of the attempt."""
        self._send(FromChild.VERDICT, words.encode_outcome(outcome))

    def _check(self, message: AgentMessage) -> None:
        token = getattr(message, "token", None)
        if token != self._token:
            raise ValueError(f"{type(message).__name__} carries another token than this attempt's: {token!r}")

    def _send(self, kind: FromChild, payload: bytes) -> None:
        try:
            self._channel.send(kind, payload)
        except ChannelClosed as error:
            raise Unavailable(str(error)) from error

    def _await_reply(self, number: int, message: AgentMessage) -> Reply:
        deadline = self._clock.monotonic() + self._patience_seconds
        while True:
            try:
                found = self._channel.receive(max(0.0, deadline - self._clock.monotonic()))
            except ChannelClosed as error:
                raise Unavailable(str(error)) from error
            if found is None:
                raise Unavailable(
                    f"{type(message).__name__} was not answered within {self._patience_seconds:g} s: "
                    "the API server cannot be reached; look at the agent's log"
                )
            kind, payload = found
            if kind == ToChild.REPLY:
                answered, reply = words.decode_reply(payload)
                if answered == number:  # an older one belongs to an ask that was interrupted
                    return reply


def answer_of(reply: Reply) -> Reply:
    """The reply, if it is an answer. Raises what it stands for otherwise (`StaleAttempt`, the refusal)."""
    if isinstance(reply, Stop):
        raise StaleAttempt(reply.reason)
    if isinstance(reply, Refused):
        _raise_refused(reply)
    return reply


def _raise_refused(refused: Refused) -> NoReturn:
    kind = getattr(errors, refused.error, None)
    if isinstance(kind, type) and issubclass(kind, TradewindError):
        raise kind(refused.message)
    raise TradewindError(f"{refused.error}: {refused.message}")
