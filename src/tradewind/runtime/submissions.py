"""The agent's door: a Unix socket where executors submit, cancel and ask. Several may be connected at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from tradewind.kernel.log import get_logger
from tradewind.kernel.unix_socket import unix_address
from tradewind.wire.workload import SignedWorkload

from . import agent_protocol as protocol
from .agent_protocol import AgentStatus, FromAgent, Known, Refusal, ToAgent
from .framing import FrameStream
from .loop import READABLE, Loop

_BACKLOG = 16
_log = get_logger("agent")

Return = Callable[[str, str], None]
"""Token and reason: tell the submitter that the attempt will not begin here."""


class Desk(Protocol):
    """What the door leads to: the agent."""

    def submit(self, workloads: Sequence[SignedWorkload], give_back: Return) -> list[str]:
        """Tokens that the agent has now."""

    def cancel(self, tokens: Sequence[str], reason: str) -> None: ...

    def known(self, tokens: Sequence[str]) -> list[str]: ...

    def status(self) -> AgentStatus: ...


class Door:
    """Listens. The folder of the socket is readable for this user alone, because whoever connects may start tasks."""

    def __init__(self, loop: Loop, path: Path, desk: Desk) -> None:
        self._loop = loop
        self._path = path
        self._desk = desk
        self._streams: set[FrameStream] = set()
        self._followers: set[FrameStream] = set()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # the caller holds the agent's lock: a socket that is there is a dead one's
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with unix_address(path) as address:
                self._sock.bind(address)
        finally:
            os.umask(before)
        self._sock.listen(_BACKLOG)
        self._sock.setblocking(False)
        loop.add(self._sock.fileno(), READABLE, self._accept)

    def close(self) -> None:
        """Take no more; those connected see the end."""
        self._loop.remove(self._sock.fileno())
        self._sock.close()
        self._path.unlink(missing_ok=True)
        for stream in list(self._streams):
            stream.close()
        self._streams.clear()

    def tell_end(self, token: str) -> None:
        """Those who follow hear that an attempt is over."""
        for stream in self._followers:
            stream.send(FromAgent.ENDED, protocol.encode([token]))

    def _accept(self, _events: int) -> None:
        try:
            sock, _ = self._sock.accept()
        except BlockingIOError:
            return
        stream = FrameStream(
            self._loop,
            sock,
            lambda kind, payload: self._read(stream, kind, payload),
            lambda: self._left(stream),
        )
        self._streams.add(stream)

    def _read(self, stream: FrameStream, kind: int, payload: bytes) -> None:
        try:
            self._serve(stream, kind, payload)
        except msgspec.DecodeError as error:
            _log.error("executor_not_understood", kind=kind, reason=str(error))
            stream.close()
            self._left(stream)

    def _left(self, stream: FrameStream) -> None:
        self._streams.discard(stream)
        self._followers.discard(stream)

    def _serve(self, stream: FrameStream, kind: int, payload: bytes) -> None:
        match kind:
            case ToAgent.SUBMIT:
                workloads = protocol.decode_submit(payload)

                def give_back(token: str, reason: str) -> None:
                    stream.send(FromAgent.RETURNED, protocol.encode(Refusal(token, reason)))

                stream.send(FromAgent.ACCEPTED, protocol.encode(self._desk.submit(workloads, give_back)))
            case ToAgent.CANCEL:
                cancel = protocol.decode_cancel(payload)
                self._desk.cancel(cancel.tokens, cancel.reason)
            case ToAgent.QUERY:
                query = protocol.decode_query(payload)
                known = Known(query.number, tuple(self._desk.known(query.tokens)))
                stream.send(FromAgent.KNOWN, protocol.encode(known))
            case ToAgent.STATUS:
                stream.send(FromAgent.STATUS, protocol.encode(self._desk.status()))
            case ToAgent.FOLLOW:
                self._followers.add(stream)
            case _:
                _log.warning("executor_not_understood", kind=kind, reason="unknown kind of frame")
