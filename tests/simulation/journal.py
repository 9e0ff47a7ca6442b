"""What simulated attempts really did, told by themselves and never by rows: the witness of "nothing runs twice"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tradewind.wire.execution import Outcome, XComValue
from tradewind.wire.states import TaskInstanceState
from tradewind.wire.workload import Workload

PAUSES = (TaskInstanceState.UP_FOR_RESCHEDULE, TaskInstanceState.DEFERRED, TaskInstanceState.AWAITING_INPUT)
"""An attempt ended, its try did not."""


class Deed(StrEnum):
    """What happened to an attempt."""

    BEGUN = "begun"
    """`Go` came, user code runs."""
    ENDED = "ended"
    """User code ran to its end: its side effects are in the world."""
    COMMITTED = "committed"
    """The control plane took the outcome."""
    REFUSED = "refused"
    """The control plane answered a claim or a report with `Stop`."""
    STOPPED = "stopped"
    """Ended from outside: cancelled, or named in a heartbeat's answer."""
    VANISHED = "vanished"
    """Died with its agent."""


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    deed: Deed
    token: str
    ti_id: str
    try_number: int
    incarnation: str
    outcome: Outcome | None = None
    """For ended and committed."""
    inputs: Mapping[str, XComValue] | None = None
    """For begun: what came with `Go`."""
    reason: str = ""


@dataclass(slots=True)
class Journal:
    """All entries of a simulation, in the order of their happening."""

    entries: list[Entry] = field(default_factory=list)
    _pokes: dict[tuple[str, int], int] = field(default_factory=dict)

    def pokes(self, ti_id: str, try_number: int) -> int:
        """How many calls of a rescheduled sensor were committed within this try."""
        return self._pokes.get((ti_id, try_number), 0)

    def note(
        self,
        at: datetime,
        deed: Deed,
        workload: Workload,
        incarnation: str,
        *,
        outcome: Outcome | None = None,
        inputs: Mapping[str, XComValue] | None = None,
        reason: str = "",
    ) -> None:
        entry = Entry(
            at, deed, workload.token, workload.ti_id, workload.try_number, incarnation, outcome, inputs, reason
        )
        self.entries.append(entry)
        if deed is Deed.COMMITTED and outcome is not None and outcome.state is TaskInstanceState.UP_FOR_RESCHEDULE:
            key = (workload.ti_id, workload.try_number)
            self._pokes[key] = self._pokes.get(key, 0) + 1

    def of(self, deed: Deed) -> list[Entry]:
        return [entry for entry in self.entries if entry.deed is deed]


def doubled(journal: Journal) -> list[str]:
    """Everything in the journal that breaks "nothing runs twice unasked"; empty when all is well.

    - A token begins at most once, whatever was lost, doubled or restarted.
    - What was committed had begun, or ended before it could begin, in the same hands.
    - Of one try, at most one attempt is committed; the calls of a rescheduled sensor do not count, nor what came before
      a wait.
    """
    wrong: list[str] = []
    begun: dict[str, Entry] = {}
    committed: dict[tuple[str, int], Entry] = {}
    for entry in journal.entries:
        if entry.deed is Deed.BEGUN:
            first = begun.setdefault(entry.token, entry)
            if first is not entry:
                wrong.append(
                    f"{entry.token} of {entry.ti_id} began at {first.at} on {first.incarnation}"
                    f" and again at {entry.at} on {entry.incarnation}"
                )
        elif entry.deed is Deed.COMMITTED:
            assert entry.outcome is not None
            if entry.token not in begun and entry.outcome.state is not TaskInstanceState.FAILED:
                wrong.append(f"{entry.token} of {entry.ti_id} was committed as {entry.outcome.state} and never began")
            if entry.outcome.state in PAUSES:
                continue
            key = (entry.ti_id, entry.try_number)
            earlier = committed.setdefault(key, entry)
            if earlier.token != entry.token:
                wrong.append(
                    f"try {entry.try_number} of {entry.ti_id} was committed by {earlier.token} at {earlier.at}"
                    f" and by {entry.token} at {entry.at}"
                )
    return wrong
