"""Streams that event triggers of one process share: one poll of a broker for many watchers, with acknowledgement.

A trigger shares when its `shared_stream_key` is not None. The events come from `open_shared_stream`, or, with
acknowledgement, from a `SharedStreamProducer`, which is told when all who heard an event have moved past it and what
they made of it is stored.
"""

from __future__ import annotations

import contextvars
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_log = logging.getLogger("tradewind.triggers")
rejecting: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar(
    "tradewind_shared_stream", default=None
)
"""Refuses the event at hand; None where there is none."""


@dataclass(frozen=True, slots=True)
class AdvanceOutcome:
    """How those who heard an event took it; each is counted once.

    `acked`: moved past it, and what they made of it is stored. `failed`: ended before that. `rejected`: refused it.
    """

    acked: int
    failed: int
    rejected: int = 0

    @property
    def is_clean(self) -> bool:
        """Everyone took it, and somebody did."""
        return self.failed == 0 and self.rejected == 0 and self.acked > 0


class AdvanceItem(NamedTuple):
    """An event that is over."""

    broker_payload: Any
    """What `open_stream` gave with it."""
    outcome: AdvanceOutcome


class SharedStreamProducer(ABC):
    """The side of a shared stream that speaks to the broker; one for the life of a poll."""

    @abstractmethod
    def open_stream(self) -> AsyncIterator[tuple[Any, Any]]:
        """Connect, and yield (event, what is needed to acknowledge it) for ever. An asynchronous generator."""

    @abstractmethod
    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        """These events are over: commit, delete or acknowledge them. In the order in which they came, lane by lane,
        one call at a time. When it raises, the poll ends and begins anew."""

    def get_advance_lane(self, broker_payload: Any) -> Hashable:  # noqa: ARG002 # for those who have lanes
        """Events of one lane are acknowledged in their order; lanes do not wait for one another."""
        return None

    async def aclose(self) -> None:  # noqa: B027 # most have nothing to free
        """The poll is over: free what belongs to it."""


def reject_shared_stream_event() -> None:
    """Refuse the event that `filter_shared_stream` is looking at: the broker puts it aside and does not send it
    again. Without meaning anywhere else."""
    refuse = rejecting.get()
    if refuse is None:
        _log.warning("reject_shared_stream_event() was called where no event of a shared stream is at hand")
    else:
        refuse()
