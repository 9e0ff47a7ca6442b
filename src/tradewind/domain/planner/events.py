"""What a run hears: the events that `RunPlan.apply` takes. Facts, already true in the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tradewind.wire.ids import MapPath
from tradewind.wire.states import DagRunState, TaskInstanceState

Key = tuple[str, MapPath]
"""(task id, map index path)"""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A ready instance got its slots and is in the hands of an executor (state queued)."""

    key: Key


@dataclass(frozen=True, slots=True)
class Started:
    """A queued instance runs. Changes no decision; keeps states and counts true."""

    key: Key


@dataclass(frozen=True, slots=True)
class Requeued:
    """The executor gave an admitted instance back before it began (state scheduled again)."""

    key: Key


@dataclass(frozen=True, slots=True)
class Ended:
    """An instance reached a terminal state, by report of a worker or by the hand of a person. Repeating it is
    harmless."""

    key: Key
    state: TaskInstanceState
    length: int | None = None
    """Items in the return value, for readers that expand over it."""
    skips: tuple[str, ...] = ()
    """Task ids this one decided to skip (branch, short circuit)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An instance rests until a time, a trigger or a person brings it back (up_for_retry, up_for_reschedule,
    deferred, awaiting_input)."""

    key: Key
    state: TaskInstanceState
    due_at: datetime | None = None
    """For the reason only; the owner keeps the timer and sends `Due`."""


@dataclass(frozen=True, slots=True)
class Due:
    """The time of a resting instance has come, or its trigger fired. Ignored when it does not rest any more."""

    key: Key


@dataclass(frozen=True, slots=True)
class Cleared:
    """Instances went back to no status; a finished run is open again."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class PastGate:
    """What the run before this one says to an instance with `depends_on_past` or `wait_for_downstream`."""

    key: Key
    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StopRun:
    """End the run now (time-out, a person)."""

    state: DagRunState
    """FAILED: what has not started is skipped. SUCCESS: it is left as it is."""
    reason: str
    stop_as: TaskInstanceState = TaskInstanceState.FAILED
    """State for what is live: FAILED or SKIPPED."""
    keep_teardowns: bool = False
    """Teardowns go on as their rule says, and the run ends after them; asked a second time, they are stopped too."""
    reopened: bool = False
    """Something was cleared since, and `Cleared` follows: nothing is decided in between, no teardown begins."""


Event = Admitted | Started | Requeued | Ended | Waiting | Due | Cleared | PastGate | StopRun
