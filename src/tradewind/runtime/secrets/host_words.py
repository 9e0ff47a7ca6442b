"""What agent and secrets host say to each other."""

from __future__ import annotations

import socket
from typing import Literal

import msgspec

from tradewind.runtime.framing import frame
from tradewind.wire.execution import ConnectionFacts

Kind = Literal["connection", "variable"]
FRAME = 1


class Open(msgspec.Struct, frozen=True, tag="open"):
    """The first message: which backends, with which arguments (JSON)."""

    backend: str
    kwargs: str


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Is there such a connection or variable?"""

    number: int
    kind: Kind
    name: str


class Found(msgspec.Struct, frozen=True, tag="found", omit_defaults=True):
    """The answer; nothing: no backend knows it."""

    number: int
    text: str | None = None
    connection: ConnectionFacts | None = None
    problem: str | None = None
    """The backends cannot be made at all."""


ToHost = Open | Ask
_to_host: msgspec.msgpack.Decoder[Open | Ask] = msgspec.msgpack.Decoder(ToHost)
_found = msgspec.msgpack.Decoder(Found)


def encode(message: ToHost | Found) -> bytes:
    return msgspec.msgpack.encode(message)


def decode_to_host(payload: bytes) -> ToHost:
    return _to_host.decode(payload)


def decode_found(payload: bytes) -> Found:
    return _found.decode(payload)


def send(sock: socket.socket, message: ToHost | Found) -> None:
    """Send on a blocking socket."""
    sock.sendall(frame(FRAME, encode(message)))
