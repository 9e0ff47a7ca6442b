"""The words inside one worker: agent ↔ child (frames on the attempt's channel), agent ↔ zygote and template (letters).

The words towards the control plane are `wire.execution`'s; the channel carries them unchanged (`ASK`, `TELL`, `REPLY`).
"""

from __future__ import annotations

import struct
from datetime import datetime
from enum import IntEnum

import msgspec

from tradewind.wire.execution import AgentMessage, Go, Outcome, Reply, XComValue


class ToChild(IntEnum):
    """Kinds of frames from agent to child."""

    START = 1
    """`Start`: the attempt this process is for. User code waits for GO."""
    GO = 2
    """`Go` of the execution face: the attempt may begin."""
    REPLY = 3
    """Number of the ask (4 bytes), then the reply."""


class FromChild(IntEnum):
    """Kinds of frames from child to agent."""

    LOG = 11
    """One line of the log, encoded as `ports.logs` says, without line feed."""
    ASK = 12
    """Number of the ask (4 bytes), then a message for the execution face."""
    TELL = 13
    """A message for the execution face; nobody waits for the reply."""
    MASK = 14
    """A text that must not appear in the log."""
    VERDICT = 15
    """`Outcome`: the last frame of an attempt."""
    READY = 16
    """Isolation `reuse`: the process is as new and takes another START."""
    WORN = 17
    """Isolation `reuse`: something of the attempt could not be put back; the process ends now."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a child must know of its attempt before it begins."""

    payload: bytes
    """The workload as the scheduler encoded it."""
    tree: str
    """Folder of the bundle version."""
    hostname: str
    values_url: str
    inline_bytes_max: int
    value_bytes_max: int
    line_bytes_max: int
    mask_length_min: int
    log_level: str


class MakeTemplate(msgspec.Struct, frozen=True, tag_field="kind", tag="make", kw_only=True):
    """To the zygote, with the template's end of its letter box: fork a template."""

    number: int
    tree: str
    file: str
    loader: str
    """`module:function` that turns (tree, file) into a `user_code.Program`."""


class KillTemplate(msgspec.Struct, frozen=True, tag_field="kind", tag="kill"):
    """To the zygote: end a template that does not answer (an import that hangs)."""

    number: int


class ForkChild(msgspec.Struct, frozen=True, tag_field="kind", tag="fork"):
    """To a template, with channel, stdout and stderr of the new process."""

    number: int
    spare: bool = False
    """Forked ahead: it has time to prepare."""


class SignalChild(msgspec.Struct, frozen=True, tag_field="kind", tag="signal"):
    """To a template: it knows whether the process still exists, so no stranger with the same pid is ever hit.
    SIGKILL goes to all descendants as well."""

    number: int
    signal: int


class ZygoteReady(msgspec.Struct, frozen=True, tag_field="kind", tag="zygote_ready"):
    pid: int


class TemplateMade(msgspec.Struct, frozen=True, tag_field="kind", tag="template_made"):
    number: int
    pid: int


class TemplateGone(msgspec.Struct, frozen=True, tag_field="kind", tag="template_gone"):
    number: int
    status: int
    """As `wait` tells it."""


class TemplateReady(msgspec.Struct, frozen=True, tag_field="kind", tag="template_ready"):
    """The file is imported. With more than one thread it cannot be forked safely."""

    threads: int


class TemplateFailed(msgspec.Struct, frozen=True, tag_field="kind", tag="template_failed"):
    """The file cannot be imported; the template ends."""

    reason: str
    trace: str
    """The traceback as text."""


class ChildForked(msgspec.Struct, frozen=True, tag_field="kind", tag="child_forked"):
    number: int
    pid: int


class ForkFailed(msgspec.Struct, frozen=True, tag_field="kind", tag="fork_failed"):
    number: int
    reason: str


class ChildExited(msgspec.Struct, frozen=True, tag_field="kind", tag="child_exited", kw_only=True):
    number: int
    status: int
    """As `wait` tells it."""
    max_rss_bytes: int
    cpu_seconds: float


ToZygote = MakeTemplate | KillTemplate
FromZygote = ZygoteReady | TemplateMade | TemplateGone
ToTemplate = ForkChild | SignalChild
FromTemplate = TemplateReady | TemplateFailed | ChildForked | ForkFailed | ChildExited

_number = struct.Struct("<I")


def plain(value: object) -> object:
    """What task code hands over instead of a plain type, as that type: the instants of its context are pendulum's.

    Raises:
        TypeError: it has no plain form.
    """
    if isinstance(value, datetime):
        clock = (value.hour, value.minute, value.second, value.microsecond)
        return datetime(value.year, value.month, value.day, *clock, tzinfo=value.tzinfo, fold=value.fold)
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be handed over; hand over plain values")


_encoder = msgspec.msgpack.Encoder(enc_hook=plain)
_start = msgspec.msgpack.Decoder(Start)
_go = msgspec.msgpack.Decoder(dict[str, XComValue])
_outcome = msgspec.msgpack.Decoder(Outcome)
_message: msgspec.msgpack.Decoder[AgentMessage] = msgspec.msgpack.Decoder(AgentMessage)
_reply: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_to_zygote: msgspec.msgpack.Decoder[ToZygote] = msgspec.msgpack.Decoder(ToZygote)
_from_zygote: msgspec.msgpack.Decoder[FromZygote] = msgspec.msgpack.Decoder(FromZygote)
_to_template: msgspec.msgpack.Decoder[ToTemplate] = msgspec.msgpack.Decoder(ToTemplate)
_from_template: msgspec.msgpack.Decoder[FromTemplate] = msgspec.msgpack.Decoder(FromTemplate)


def encode_letter(letter: ToZygote | FromZygote | ToTemplate | FromTemplate) -> bytes:
    return _encoder.encode(letter)


decode_to_zygote = _to_zygote.decode
decode_from_zygote = _from_zygote.decode
decode_to_template = _to_template.decode
decode_from_template = _from_template.decode


def encode_start(start: Start) -> bytes:
    return _encoder.encode(start)


decode_start = _start.decode


def encode_go(go: Go) -> bytes:
    """The inputs alone."""
    return _encoder.encode(go.inputs)


decode_inputs = _go.decode


def encode_outcome(outcome: Outcome) -> bytes:
    return _encoder.encode(outcome)


decode_outcome = _outcome.decode


def encode_message(message: AgentMessage) -> bytes:
    return _encoder.encode(message)


decode_message = _message.decode


def encode_ask(number: int, message: AgentMessage) -> bytes:
    return _number.pack(number) + _encoder.encode(message)


def encode_reply(number: int, reply: Reply) -> bytes:
    return _number.pack(number) + _encoder.encode(reply)


def decode_ask(payload: bytes) -> tuple[int, AgentMessage]:
    return _number.unpack_from(payload)[0], _message.decode(memoryview(payload)[_number.size :])


def decode_reply(payload: bytes) -> tuple[int, Reply]:
    return _number.unpack_from(payload)[0], _reply.decode(memoryview(payload)[_number.size :])
