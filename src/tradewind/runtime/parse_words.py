"""What the parse host is told and what it answers. Frames on a stream socket: one kind each way, msgpack inside."""

from __future__ import annotations

import msgspec

from tradewind.sdk.defaults import Defaults


class ParseOrder(msgspec.Struct, frozen=True, kw_only=True, tag="order"):
    """Load one file of a bundle version."""

    number: int
    """Of the asker's choice; the answer carries it."""
    tree: str
    """Folder of the bundle version."""
    file: str
    """Path inside it; a member of an archive is `archive.zip/member.py`."""
    shown_root: str
    """What people call the folder: stands in tracebacks in place of `tree`."""
    urgent: bool = False
    """Somebody waits for it: it does not stand behind files that are slow."""


class ParseLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of section `processor`."""

    processes_max: int = 2
    timeout_seconds: float = 30.0
    memory_bytes_max: int = 1 << 30
    output_bytes_max: int = 1 << 20


class HostOrder(msgspec.Struct, frozen=True, kw_only=True, tag="host"):
    """The first frame: how to load."""

    limits: ParseLimits
    defaults: Defaults


class HostReady(msgspec.Struct, frozen=True, tag="ready"):
    """The SDK is imported."""


class ParsedDag(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG a file gave."""

    dag_id: str
    document: bytes
    """Canonical encoding (`wire.document`)."""
    origin: str | None = None
    """Another file of the bundle, whose import made this DAG; that file owns it if it is a DAG file itself."""


class ParseProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a file, or with one DAG of it."""

    message: str
    """One line."""
    traceback: str
    dag_id: str | None = None


class ParseAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """What became of an order."""

    number: int
    dags: tuple[ParsedDag, ...] = ()
    problems: tuple[ParseProblem, ...] = ()
    dependencies: tuple[str, ...] = ()
    """What else of the bundle decides about the outcome: modules, data files, templates; a folder ends with `/`. Also
    what was looked for and is not there."""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    """From the start of the child to its answer."""
    output: str = ""
    """What the file printed, its beginning."""
    output_bytes: int = 0
    """How much it printed."""


_encoder = msgspec.msgpack.Encoder()
_to_host: msgspec.msgpack.Decoder[ParseOrder | HostOrder] = msgspec.msgpack.Decoder(ParseOrder | HostOrder)
_from_host: msgspec.msgpack.Decoder[ParseAnswer | HostReady] = msgspec.msgpack.Decoder(ParseAnswer | HostReady)
_answer = msgspec.msgpack.Decoder(ParseAnswer)


def encode(message: ParseOrder | HostOrder | HostReady | ParseAnswer) -> bytes:
    return _encoder.encode(message)


def decode_to_host(raw: bytes) -> ParseOrder | HostOrder:
    return _to_host.decode(raw)


def decode_from_host(raw: bytes) -> ParseAnswer | HostReady:
    return _from_host.decode(raw)


def decode_answer(raw: bytes) -> ParseAnswer:
    """Raises `msgspec.DecodeError`."""
    return _answer.decode(raw)
