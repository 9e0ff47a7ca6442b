"""The words between a triggerer and the processes that host its triggers: frames on a socket pair."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from tradewind.wire.execution import AgentMessage, Outcome, Reply

from .words import plain


class ToHost(IntEnum):
    """Kinds of frames from triggerer to host."""

    START = 1
    """`HostStart`: the first frame."""
    RUN = 2
    """`RunTrigger`."""
    CANCEL = 3
    """`CancelTrigger`."""
    REPLY = 4
    """`HostReply`."""
    STOP = 5
    """Clean up and leave; the triggers go on elsewhere."""
    SAVED = 6
    """`EventSaved`."""


class FromHost(IntEnum):
    """Kinds of frames from host to triggerer."""

    READY = 11
    FIRED = 12
    """`Fired`: the trigger is over."""
    LOG = 13
    """`TriggerLine`."""
    ASK = 14
    """`HostAsk`."""
    BLOCKED = 15
    """`Blocked`: one trigger keeps all others from running."""


class HostStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a host must know before it runs triggers."""

    tree: str
    """Folder of the bundle version whose modules the triggers come from; empty: installed ones."""
    values_url: str
    line_bytes_max: int
    mask_length_min: int
    log_level: str
    blocked_seconds: float
    """After this long without a turn of the loop it is said who holds it."""
    kill_seconds: float
    """How long `on_kill` may take."""


class RunTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """Run this trigger to its first event."""

    token: str
    classpath: str
    kwargs: str
    file: str
    """DAG file inside the tree, for triggers that are defined in it."""
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    workload: bytes = b""
    """The attempt, encoded, whose task begins with this trigger: its arguments are rendered from the task."""
    is_watcher: bool = False
    """Tells of one event after another, for an asset."""


class CancelTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """The task does not wait any more."""

    token: str
    killed: bool
    """A person or a rule of the run ended it: call `on_kill`."""


class EventSaved(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a watcher is stored: it may go on."""

    token: str
    number: int


class HostReply(msgspec.Struct, frozen=True):
    number: int
    reply: Reply


class Fired(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A trigger is over: with an event, with the end of the task itself, or because it failed."""

    token: str
    event: str | None = None
    outcome: Outcome | None = None
    error: str | None = None
    number: int = 0
    """Of an event of a watcher, which goes on when it hears `EventSaved`; 0: the trigger is over."""


class TriggerLine(msgspec.Struct, frozen=True):
    """A line for the log of the attempt that waits; encoded as `ports.logs` says. Without token: for the operator."""

    token: str
    line: bytes


class HostAsk(msgspec.Struct, frozen=True):
    number: int
    message: AgentMessage


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """The loop has not turned for a while."""

    token: str
    """Of the trigger that runs just now; empty: it cannot be told."""
    seconds: float
    where: str
    """File, line and function."""


_encoder = msgspec.msgpack.Encoder(enc_hook=plain)
encode = _encoder.encode
decode_start = msgspec.msgpack.Decoder(HostStart).decode
decode_run = msgspec.msgpack.Decoder(RunTrigger).decode
decode_saved = msgspec.msgpack.Decoder(EventSaved).decode
decode_cancel = msgspec.msgpack.Decoder(CancelTrigger).decode
decode_reply = msgspec.msgpack.Decoder(HostReply).decode
decode_fired = msgspec.msgpack.Decoder(Fired).decode
decode_line = msgspec.msgpack.Decoder(TriggerLine).decode
decode_ask = msgspec.msgpack.Decoder(HostAsk).decode
decode_blocked = msgspec.msgpack.Decoder(Blocked).decode
