"""One attempt in the agent's hands, from submission to the accepted report."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from tradewind.wire.execution import Claim, Go, Outcome
from tradewind.wire.workload import Workload

from .attempt_log import AttemptLog
from .death import Ending
from .log_lines import label_of
from .loop import Timer
from .mask import Masker
from .nursery import Wish
from .seats import Seat
from .submissions import Return


class Phase(Enum):
    """WAITING → STARTING → RUNNING → ENDED; any → ENDED."""

    WAITING = "waiting"
    """For a free slot."""
    STARTING = "starting"
    """Claim and process are under way."""
    RUNNING = "running"
    """GO was given: user code runs, or may have."""
    ENDED = "ended"
    """Its outcome is known, or nobody wants it any more."""


class Attempt:
    """State of one attempt. Changed by the agent alone."""

    __slots__ = (
        "claim", "ending", "give_back", "go", "log", "masker", "outcome", "payload", "phase", "seat", "start_said",
        "started_at", "timers", "token", "unwanted", "wish", "workload",
    )  # fmt: skip

    def __init__(self, workload: Workload, payload: bytes, give_back: Return, log: AttemptLog, masker: Masker) -> None:
        self.workload = workload
        self.token = workload.token
        self.payload = payload
        self.give_back = give_back
        self.log = log
        self.masker = masker
        self.phase = Phase.WAITING
        self.seat: Seat | None = None
        self.wish: Wish | None = None
        self.claim: Claim | None = None
        """Not said yet."""
        self.go: Go | None = None
        self.ending: Ending | None = None
        """Set as soon as the agent has decided that the attempt must end; the first reason stays."""
        self.unwanted = False
        """The control plane has said Stop: no report."""
        self.outcome: Outcome | None = None
        self.started_at: datetime | None = None
        self.start_said = False
        self.timers: list[Timer] = []

    @property
    def label(self) -> str:
        """For people."""
        return label_of(self.workload)

    def cancel_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
