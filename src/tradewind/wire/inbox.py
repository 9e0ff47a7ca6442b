"""What the owner of a run must know. Each is written in the transaction of the change it tells of, and consumed in the
transaction of its consequences.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from .states import CauseOfDeath, DagRunState, TaskInstanceState


class InstanceReported(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="reported"):
    """An attempt ended, or a person or another service set the state of an instance; its row already says so."""

    ti_id: str
    task_id: str
    map_path: str = ""
    state: TaskInstanceState
    try_number: int = 1
    due_at: datetime | None = None
    """For up_for_retry and up_for_reschedule."""
    length: int | None = None
    """Items in the return value, for mapped readers."""
    skips: tuple[str, ...] = ()
    cause: CauseOfDeath | None = None
    cancel_token: str | None = None
    """A live attempt that this change ended from outside: the executor must stop it."""


class ClearedInstance(msgspec.Struct, frozen=True, omit_defaults=True):
    ti_id: str
    task_id: str
    map_path: str = ""
    cancel_token: str | None = None


class InstancesCleared(msgspec.Struct, frozen=True, tag_field="kind", tag="cleared"):
    """Instances went back to no status (their attempts are kept as history)."""

    instances: tuple[ClearedInstance, ...]


class PastChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="past_changed"):
    """A task instance of the run before this one changed; gates of `depends_on_past` and `wait_for_downstream` must be
    looked at again.
    """

    task_ids: tuple[str, ...]
    """Empty: all of them (another run is the one before now, or it was cleared, or ended before it began)."""


class RunStopAsked(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="run_stop_asked"
):
    """A person wants the run ended: what is unfinished is skipped (state failed) or left as it is (state success), what
    runs is stopped.
    """

    state: DagRunState
    reason: str


class RunRenewed(msgspec.Struct, frozen=True, tag_field="kind", tag="run_renewed"):
    """The run follows another version of its DAG from now on: the owner builds its plan anew from the rows."""


class RunNudged(msgspec.Struct, frozen=True, tag_field="kind", tag="run_nudged"):
    """Look again (limits or pools were changed)."""


InboxEvent = InstanceReported | InstancesCleared | PastChanged | RunStopAsked | RunRenewed | RunNudged

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[InboxEvent] = msgspec.json.Decoder(InboxEvent)


def encode_inbox(event: InboxEvent) -> bytes:
    return _encoder.encode(event)


def decode_inbox(raw: bytes | str) -> InboxEvent:
    """Raises `msgspec.DecodeError`; the caller puts such a line aside and goes on."""
    return _decoder.decode(raw)
