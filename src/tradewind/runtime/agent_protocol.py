"""The words between an executor and the agent of its machine: frames on the Unix socket `agent.socket`.

Every frame may be repeated. An executor keeps a workload until it is accepted, and gives it again after a reconnection.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from tradewind.wire.workload import SignedWorkload


class ToAgent(IntEnum):
    """Kinds of frames from executor to agent."""

    SUBMIT = 1
    """List of `SignedWorkload`."""
    CANCEL = 2
    """`CancelAttempts`."""
    QUERY = 3
    """`Query`."""
    STATUS = 4
    """Empty; answered with `AgentStatus`."""
    FOLLOW = 5
    """Empty: from now on tell on this connection what is over."""


class FromAgent(IntEnum):
    """Kinds of frames from agent to executor."""

    ACCEPTED = 11
    """List of tokens: the agent has them (now or from before)."""
    RETURNED = 12
    """`Refusal`: will never be begun by this agent."""
    KNOWN = 13
    """`Known`, the answer to a query."""
    STATUS = 14
    """`AgentStatus`."""
    ENDED = 15
    """List of tokens, to those who follow: these attempts are over, whoever submitted them, and their slots free."""


class CancelAttempts(msgspec.Struct, frozen=True):
    tokens: tuple[str, ...]
    reason: str


class Query(msgspec.Struct, frozen=True):
    """Which of these does the agent have in hand?"""

    number: int
    tokens: tuple[str, ...]


class Known(msgspec.Struct, frozen=True):
    number: int
    tokens: tuple[str, ...]


class Refusal(msgspec.Struct, frozen=True):
    """The attempt was not begun. The token is empty when the workload could not be opened."""

    token: str
    reason: str


class AgentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """For people and tests."""

    agent: str
    incarnation: str
    pid: int
    slots: int
    running: int
    waiting: int
    control_plane_reachable: bool
    zygote_pid: int | None = None
    templates: dict[str, int] = {}
    """File → pid."""


_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
decode_submit = msgspec.msgpack.Decoder(list[SignedWorkload]).decode
decode_cancel = msgspec.msgpack.Decoder(CancelAttempts).decode
decode_query = msgspec.msgpack.Decoder(Query).decode
decode_tokens = msgspec.msgpack.Decoder(list[str]).decode
decode_refusal = msgspec.msgpack.Decoder(Refusal).decode
decode_known = msgspec.msgpack.Decoder(Known).decode
decode_status = msgspec.msgpack.Decoder(AgentStatus).decode
