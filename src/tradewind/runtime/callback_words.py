"""What the deliverer of callbacks and its child say to each other: frames on a stream socket, msgpack inside.

The child begins with an `ORDER`, asks for variables, connections and values as a task does (`ASK`, `REPLY`), and ends
with `DONE`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec


class CallbackWord(IntEnum):
    """Kinds of frames."""

    ORDER = 1
    ASK = 2
    REPLY = 3
    DONE = 4


class CallbackOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the outbox, for the child."""

    id: str
    kind: str
    path: str = ""
    """`module.name` of a function, a notifier class or an object of them; "" when the callback stands in the DAG."""
    kwargs: dict[str, Any] = {}
    context: dict[str, Any] = {}
    callback: str | None = None
    """Attribute of the DAG or task that holds the callbacks."""
    number: int | None = None
    """Which of several callbacks; None: all."""
    dag_id: str | None = None
    task_id: str | None = None
    tree: str | None = None
    """Folder of the bundle version."""
    file: str | None = None
    """DAG file inside it."""
    mask_length_min: int = 5


class CallbackDone(msgspec.Struct, frozen=True, kw_only=True):
    """How it went."""

    error: str | None = None
    """One line; None: delivered."""
    trace: str = ""


_encoder = msgspec.msgpack.Encoder()
_order = msgspec.msgpack.Decoder(CallbackOrder)
_done = msgspec.msgpack.Decoder(CallbackDone)


def encode(message: CallbackOrder | CallbackDone) -> bytes:
    return _encoder.encode(message)


decode_order = _order.decode
decode_done = _done.decode
