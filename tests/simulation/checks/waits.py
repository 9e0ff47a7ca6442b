"""Waits outside of processes, and retries of whole runs."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.checks.checker import Checker
from tests.simulation.checks.rules import ended_by_itself
from tests.simulation.engine_books import Commit, named

from tradewind.ports.rows import TaskRow
from tradewind.ports.trigger_rows import TriggerState
from tradewind.wire.document import RunRetryScope
from tradewind.wire.states import TERMINAL_STATES, DagRunState, TaskInstanceState

S = TaskInstanceState
_OUTSIDE = (S.DEFERRED, S.AWAITING_INPUT)
_GOES_ON = (S.SCHEDULED, S.QUEUED, S.RUNNING)
_FAILED = (S.FAILED, S.UPSTREAM_FAILED)


class WaitsTrue(Checker):
    """Who waits outside has one wait, with the token of its attempt; who does not has none that could still fire; what
    fired is kept until the try is over; and whoever goes on does so with what its own wait ended with.
    """

    def committed(self, commit: Commit) -> Iterator[str]:
        for old, new in commit.tasks:
            if new is not None:
                yield from self._judge(old, new)

    def ended(self) -> Iterator[str]:
        for row in self.books.data.tasks:
            yield from self._judge(row, row)
        for wait in self.books.data.triggers:
            if wait.state is TriggerState.WAITING and self.books.data.tasks.get(wait.ti_id).state not in _OUTSIDE:
                yield f"the wait {wait.token} of {wait.task_id} goes on, though its task does not wait"

    def _judge(self, old: TaskRow | None, row: TaskRow) -> Iterator[str]:
        found = self.books.data.triggers.found("instance", row.ti_id)
        waiting = [wait.token for wait in found if wait.state is TriggerState.WAITING]
        if row.state in _OUTSIDE:
            if waiting != [row.attempt_token]:
                yield f"{named(row)} is {row.state} as {row.attempt_token} and has the waits {waiting}"
        elif waiting:
            yield f"{named(row)} is {row.state} and has the waits {waiting}"
        fired = [wait for wait in found if wait.state is TriggerState.FIRED]
        if fired and row.state in TERMINAL_STATES:
            yield f"{named(row)} is {row.state} and keeps what its wait ended with"
        if old is not None and old.state in _OUTSIDE and row.state in _GOES_ON and len(fired) != 1:
            yield f"{named(row)} goes on after its wait with {len(fired)} ends of it"


class RunsRetried(Checker):
    """A run that fails by itself is tried again as often as its DAG says, and no more often; all that failed runs
    again then, or everything.
    """

    def committed(self, commit: Commit) -> Iterator[str]:
        for before, after in commit.runs:
            if before is not None and after is not None and before.state is DagRunState.RUNNING:
                retry, used = self.books.document(after).retry, self._used(after.run_key, after.clear_number)
                if retry is None or after.state is not DagRunState.FAILED or not ended_by_itself(after):
                    continue
                if used != retry.retries:
                    yield f"run {after.run_id} of {after.dag_id} failed for good after {used} of {retry.retries}"
        for run_key in sorted(commit.runs_tried_again):
            yield from self._judge(commit, run_key)

    def ended(self) -> Iterator[str]:
        for row in self.books.data.run_retries:
            retry = self.books.document(self.books.run(row.run_key)).retry
            if row.number > (0 if retry is None else retry.retries):
                yield f"run {row.run_key} was tried again {row.number} times"

    def _used(self, run_key: str, clear_number: int) -> int:
        row = self.books.data.run_retries.get(run_key)
        return row.number if row is not None and row.clear_number == clear_number else 0

    def _judge(self, commit: Commit, run_key: str) -> Iterator[str]:
        """It goes on in this transaction."""
        retry = self.books.document(self.books.run(run_key)).retry
        assert retry is not None
        touched = {new.ti_id for _, new in commit.tasks if new is not None}
        expected = TERMINAL_STATES - {S.REMOVED} if retry.scope is RunRetryScope.ALL else frozenset(_FAILED)
        for row in self.books.tasks(run_key):
            if row.state in expected and row.ti_id not in touched:
                yield f"{named(row)} is {row.state} and does not run again with its run"
