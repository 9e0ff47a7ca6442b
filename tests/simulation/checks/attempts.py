"""Attempts: what was acknowledged is written, nothing runs twice unasked, tries are counted right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulation.checks.checker import Checker
from tests.simulation.engine_books import Commit, named
from tests.simulation.journal import Deed, doubled

from tradewind.ports.rows import TaskRow
from tradewind.wire.states import TERMINAL_STATES, DagRunState, TaskInstanceState

if TYPE_CHECKING:
    from tests.simulation.engine import World

S = TaskInstanceState
_WRITTEN_AS = {
    S.SUCCESS: (S.SUCCESS,),
    S.SKIPPED: (S.SKIPPED,),
    S.UP_FOR_RESCHEDULE: (S.UP_FOR_RESCHEDULE,),
    S.DEFERRED: (S.DEFERRED,),
    S.AWAITING_INPUT: (S.AWAITING_INPUT,),
    S.FAILED: (S.FAILED, S.UP_FOR_RETRY),
}
IN_HAND = (S.QUEUED, S.RUNNING)


class NothingLost(Checker):
    """What the control plane acknowledged has happened: an outcome stands in the rows as it was reported, a run that
    a person made exists, and no news of a running run stays unread.
    """

    def ended(self) -> Iterator[str]:
        for entry in self.world.journal.of(Deed.COMMITTED):
            assert entry.outcome is not None
            ended_as = self.books.ends.get(entry.token)
            if ended_as not in _WRITTEN_AS[entry.outcome.state]:
                yield f"{entry.outcome.state} of {entry.ti_id} was acknowledged, but its rows say {ended_as}"
        known = {(run.dag_id, run.run_id) for run in self.books.runs()}
        for wish in self.world.people.triggered:
            if wish not in known:
                yield f"run {wish[1]} of {wish[0]} was promised and does not exist"
        running = {run.run_key: run for run in self.books.runs() if run.state is DagRunState.RUNNING}
        for run_key, lines in self.books.news.items():
            if lines and run_key in running:
                yield f"run {running[run_key].run_id} has {lines} lines of news that nobody reads"


class NothingDoubled(Checker):
    """Nothing runs twice unasked: no token begins twice, no try is committed twice, nothing begins that the rows do
    not say, the rows take an end only from the attempt that they have in hand, and what a task reads was written by an
    attempt that ended.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._ended: dict[str, TaskInstanceState] = {}
        self._read = 0

    def committed(self, commit: Commit) -> Iterator[str]:
        for old, new in commit.tasks:
            if old is None or new is None or old.state not in IN_HAND or new.state not in (S.SUCCESS, S.SKIPPED):
                continue
            if commit.who == "desk" and self._own_end(old.attempt_token) is not new.state:
                yield f"{named(new)} is {new.state} ({new.reason}), which {old.attempt_token}, in hand, did not say"

    def _own_end(self, token: str | None) -> TaskInstanceState | None:
        """How the attempt ended by its own account."""
        entries = self.world.journal.entries
        for entry in entries[self._read :]:
            if entry.deed is Deed.ENDED and entry.outcome is not None:
                self._ended[entry.token] = entry.outcome.state
        self._read = len(entries)
        return self._ended.get(token or "")

    def ended(self) -> Iterator[str]:
        journal = self.world.journal
        yield from doubled(journal)
        for entry in journal.of(Deed.BEGUN):
            if entry.token not in self.books.tokens:
                yield f"{entry.token} of {entry.ti_id} began, and no row ever had it"
            for task_id, value in (entry.inputs or {}).items():
                for item in json.loads(value.data or b"[]"):
                    if item.partition(":")[0] not in self.books.ends:
                        yield f"{entry.ti_id} reads what {task_id} wrote in an attempt that has not ended"


class TriesCounted(Checker):
    """A try counts when it begins, and only then: the next number for a new try, the same for one that was
    rescheduled or handed back; never more tries than allowed; and a new attempt always has a token that nobody had
    before.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._goes_on: dict[str, int] = {}
        """Instances whose try is not over though no attempt is in hand, with its number."""
        self._seen: set[str] = set()

    def committed(self, commit: Commit) -> Iterator[str]:
        tried_again = commit.runs_tried_again
        for old, new in commit.tasks:
            if new is None or old is None:
                continue
            afresh = new.run_key in tried_again
            if new.state is None or new.state in TERMINAL_STATES or afresh:
                self._goes_on.pop(new.ti_id, None)
            if new.attempt_token == old.attempt_token:
                continue
            if new.state in (S.QUEUED, S.DEFERRED):  # deferred at the start
                yield from self._queued(old, new, afresh)
            elif new.state is S.UP_FOR_RESCHEDULE or (
                old.state in (S.QUEUED, S.DEFERRED, S.AWAITING_INPUT) and new.state is S.SCHEDULED
            ):
                self._goes_on[new.ti_id] = old.try_number
            else:
                self._goes_on.pop(new.ti_id, None)

    def _queued(self, old: TaskRow, new: TaskRow, afresh: bool) -> Iterator[str]:
        """`afresh`: its run is tried again in this transaction, so whatever try it was in is over."""
        name = named(new)
        # Handed back, or its wait timed out, and queued again in the same transaction.
        handed_back = not afresh and old.state in (S.QUEUED, S.DEFERRED, S.AWAITING_INPUT)
        expected = self._goes_on.get(new.ti_id, (handed_back and old.try_number) or old.try_number + 1)
        if new.try_number != expected:
            yield f"{name} begins try {new.try_number}, it should be {expected}"
        if new.try_number > new.max_tries + 1:
            yield f"{name} begins try {new.try_number} of {new.max_tries + 1}"
        if new.attempt_token in self._seen:
            yield f"{name} has token {new.attempt_token} for the second time"
        self._seen.add(new.attempt_token or "")
        self._goes_on.pop(new.ti_id, None)
