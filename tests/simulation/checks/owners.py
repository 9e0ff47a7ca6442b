"""Owners: schedulers side by side never act on the same run, and what one has in memory is what the rows say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.checks.attempts import IN_HAND
from tests.simulation.checks.checker import Checker
from tests.simulation.engine_books import Commit

from tradewind.ports.rows import RunRow
from tradewind.wire.ids import path_of
from tradewind.wire.states import DagRunState, TaskInstanceState

if TYPE_CHECKING:
    from tests.simulation.engine_parts import Place

    from tradewind.scheduler.owned import OwnedRun

S = TaskInstanceState


class OneOwner(Checker):
    """What schedulers do never overlaps: every write of theirs is about a run they own, decided on what they loaded
    under its present epoch; the epoch rises with every change of owner; and nobody takes a run whose owner's heart
    beats.
    """

    def committed(self, commit: Commit) -> Iterator[str]:
        moved = {row.run_key: (before, row) for before, row in commit.runs if row is not None}
        for before, after in moved.values():
            if before is not None:
                yield from self._epoch(commit, before, after)
        if not commit.is_by_scheduler:
            return
        for run_key in dict.fromkeys(new.run_key for _, new in commit.tasks if new is not None):
            before, after = moved.get(run_key, (None, self.books.run(run_key)))
            acquired = run_key in moved and (before is None or before.epoch != after.epoch)
            owner = after if acquired or before is None else before
            if acquired and after.state is not DagRunState.RUNNING:
                continue  # taken and ended in one step
            if owner.owner != commit.who:
                yield f"{commit.who} wrote tasks of run {after.run_id}, which {owner.owner} owns"
            elif not acquired and commit.place.epochs.get(run_key, owner.epoch) != owner.epoch:
                known = commit.place.epochs[run_key]
                yield f"{commit.who} wrote tasks of run {after.run_id}, known under epoch {known}; it has {owner.epoch}"

    def _epoch(self, commit: Commit, before: RunRow, after: RunRow) -> Iterator[str]:
        if after.epoch < before.epoch:
            yield f"the epoch of run {after.run_id} fell from {before.epoch} to {after.epoch}"
        if after.owner is not None and after.owner != before.owner and after.epoch == before.epoch:
            yield f"run {after.run_id} changed hands within epoch {after.epoch}"
        if after.epoch == before.epoch:
            if commit.is_by_scheduler and before.owner != commit.who and before.state != after.state:
                yield f"{commit.who} moved run {after.run_id} to {after.state}, which {before.owner} owns"
            return
        holder = self.books.data.components.rows.get(("scheduler", before.owner))
        lease = timedelta(seconds=10)
        if before.state is DagRunState.RUNNING and holder is not None and commit.at - holder.heartbeat_at < lease:
            yield f"{after.owner} took run {after.run_id} from {before.owner}, whose heart beats"


class MemoryIsRows(Checker):
    """After each step a scheduler that has read all news of a run knows it as the rows say: states, slots in hand,
    attempts in hand, and the queue for slots holds exactly what is scheduled.
    """

    def stepped(self, place: Place) -> Iterator[str]:
        assert place.scheduler is not None
        memory = place.scheduler.memory
        for run in [memory.runs[run_key] for run_key in sorted(place.unseen & memory.runs.keys())]:
            row = self.books.data.runs.rows[run.run_key]
            if self.books.news[run.run_key] or (row.owner, row.epoch) != (memory.id, run.row.epoch):
                continue
            yield from self._compare(place, run)

    def _compare(self, place: Place, run: OwnedRun) -> Iterator[str]:
        assert place.scheduler is not None
        memory = place.scheduler.memory
        rows = {(row.task_id, path_of(row.map_path)): row for row in self.books.tasks(run.run_key)}
        who = f"{memory.id} knows of run {run.row.run_id}"
        if run.instances.keys() != rows.keys():
            yield f"{who}: {sorted(run.instances)}, there are {sorted(rows)}"
            return
        for key, row in rows.items():
            known, instance = run.plan.state(key), run.instances[key]
            if known != row.state and not (known in IN_HAND and row.state in IN_HAND):
                yield f"{who}: {key} is {known}, its row says {row.state}"
            if (row.ti_id in run.held or row.ti_id in run.kept) != row.holds_slot:
                yield f"{who}: {key} holds a slot: {row.ti_id in run.held}, its row says {row.holds_slot}"
            if (row.ti_id in memory.waiting) != (row.state is S.SCHEDULED) or (row.ti_id in memory.queue) != (
                row.state is S.SCHEDULED
            ):
                yield f"{who}: {key} waits for slots: {row.ti_id in memory.waiting}, its row says {row.state}"
            if row.state in IN_HAND and instance.token != row.attempt_token:
                yield f"{who}: {key} runs as {instance.token}, its row says {row.attempt_token}"
            if row.state in IN_HAND and row.attempt_token not in place.executor.in_hand:
                yield f"{who}: {key} is {row.state}, and its executor does not count it"

    def ended(self) -> Iterator[str]:
        """Executors count nothing that is over: a slot that leaks is never seen again."""
        for place in self.world.places:
            if place.scheduler is not None:
                for token in sorted(place.executor.in_hand - place.scheduler.memory.tokens.keys()):
                    yield f"executor of {place.name} still counts {token}, which is over"
