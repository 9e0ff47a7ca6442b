"""Why something does not run: what is said must be a fact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulation.checks.checker import Checker
from tests.simulation.checks.facts import bad_past, key_of, lacking, unfinished, verdict
from tests.simulation.engine_books import OUTSIDE, Commit, named
from tests.simulation.oracle import WAIT

from tradewind.domain.planner import ReasonKind
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.wire.states import TERMINAL_STATES, TaskInstanceState

if TYPE_CHECKING:
    from tests.simulation.engine_parts import Place

S = TaskInstanceState
SAMPLE = 0.05
"""Part of the steps after which every instance is asked why it does not run."""
_TASK = r"instances of '(?P<task>\w+)' are active"
_SENTENCES = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "pool": r"pool '(?P<pool>\w+)' is full \((?P<used>-?\d+) of (?P<slots>\d+) slots used(, it needs \d+)?\)",
        "gone": r"pool '(?P<pool>\w+)' does not exist",
        "executor": r"executor 'local' has no free slot",
        "backfill": r"backfills hold their share of executor 'local'",
        "run": r"the run has max_active_tasks=(?P<bound>\d+) tasks active",
        "runtask": rf"max_active_tis_per_dagrun=(?P<bound>\d+) {_TASK} in this run",
        "limit": rf"max_active_tis_per_dag=(?P<bound>\d+) {_TASK} over all runs",
        "handed back": r"the agent is full",
        "turn": r"ready, waits for its turn",
        "woken": r"what it waited for has come|it waited too long|its trigger failed",
    }.items()
}


class ReasonsTrue(Checker):
    """Whatever is not running says why, and it is so. The sentence in a scheduled row is judged by the rows when it
    is written; what the plan says about the others (waits for its upstream, its past, its next try) after steps, when
    the owner has no news left to read.
    """

    def committed(self, commit: Commit) -> Iterator[str]:
        if not commit.is_by_scheduler:
            return
        for old, new in commit.tasks:
            if (
                new is not None
                and new.state is S.SCHEDULED
                and (old is None or (old.state, old.reason) != (new.state, new.reason))
            ):
                wrong = self._about_limit(new)
                if wrong:
                    yield f"{named(new)} says {new.reason!r}, but {wrong}"

    def _about_limit(self, row: TaskRow) -> str | None:
        """What is wrong with the sentence in a scheduled row."""
        for kind, pattern in _SENTENCES.items():
            said = pattern.match(row.reason or "")
            if said is not None:
                return self._about_pool(row, kind, said.groupdict()) or self._about_count(row, kind, said.groupdict())
        return "that names no limit"

    def _about_pool(self, row: TaskRow, kind: str, said: dict[str, str]) -> str | None:
        pool, used = self.books.pool(row.pool), self.books.pool_slots[row.pool]
        if kind == "gone" and (pool is not None or said["pool"] != row.pool):
            return f"its pool is {pool}"
        if kind != "pool":
            return None
        if pool is None or said["pool"] != row.pool or int(said["slots"]) != pool.slots:
            return f"its pool is {pool}"
        if int(said["used"]) != used or used + row.pool_slots <= pool.slots:
            return f"{used} of {pool.slots} slots are used and it needs {row.pool_slots}"
        return None

    def _about_count(self, row: TaskRow, kind: str, said: dict[str, str]) -> str | None:
        books = self.books
        match kind:
            case "run":
                used, bound = books.run_tasks[row.run_key], books.document(books.run(row.run_key)).max_active_tasks
            case "runtask":
                used, bound = books.run_task_tasks[row.run_key, row.task_id], int(said["bound"])
            case "limit":
                used, bound = books.dag_task_tasks[f"{row.dag_id}/{row.task_id}"], int(said["bound"])
            case "executor":
                used, bound = self._in_executor(), self.world.story.parallelism
            case "turn" if not self._has_lost():
                return "it is nobody else's turn"
            case _:
                return None
        if any(row.holds_slot and row.state in OUTSIDE for row in books.data.tasks):
            return None  # what has just gone to wait counts until its owner hears of it
        if used < bound or said.get("task", row.task_id) != row.task_id or int(said.get("bound", bound)) != bound:
            return f"{used} of {bound} are"
        return None

    def _has_lost(self) -> bool:
        """Whether the acting scheduler finds out in this step that others took runs of its: then it steps again."""
        known = self.world.acting.epochs if self.world.acting is not None else {}
        return any(self.books.run(run_key).epoch != epoch for run_key, epoch in known.items())

    def _in_executor(self) -> int:
        """Slots of the acting scheduler's executor that are used."""
        place = self.world.acting
        assert place is not None
        assert place.scheduler is not None
        runs = place.scheduler.memory.runs.values()
        if any(self.books.run(known.run_key).epoch != known.row.epoch for known in runs):
            # It stood still and does not know yet what others took. Their attempts may still run on its agent.
            return self.world.story.parallelism
        return sum(self.books.run_tasks[known.run_key] for known in runs)

    def stepped(self, place: Place) -> Iterator[str]:
        if self.world.spare_random.random() < SAMPLE:
            yield from self._ask(place, at_rest=False)

    def ended(self) -> Iterator[str]:
        for place in self.world.places:
            if place.scheduler is not None:
                yield from self._ask(place, at_rest=True)

    def _ask(self, place: Place, *, at_rest: bool) -> Iterator[str]:
        assert place.scheduler is not None
        memory = place.scheduler.memory
        for owned in memory.runs.values():
            run = self.books.run(owned.run_key)
            if self.books.news[run.run_key] or (run.owner, run.epoch) != (memory.id, owned.row.epoch):
                continue
            for row in self.books.tasks(run.run_key):
                if row.state in TERMINAL_STATES:
                    continue
                reason = owned.plan.why(key_of(row))
                wrong = self._about_plan(run, row, reason.kind, reason.sentence, reason.waiting_for, at_rest=at_rest)
                if wrong:
                    yield f"{named(row)} is {row.state} and says {reason.sentence!r}, but {wrong}"

    def _about_plan(
        self, run: RunRow, row: TaskRow, kind: ReasonKind, sentence: str, names: tuple[str, ...], *, at_rest: bool
    ) -> str | None:
        match kind:
            case ReasonKind.LIVE if row.state not in (S.QUEUED, S.RUNNING):
                return "it is in nobody's hands"
            case ReasonKind.READY:
                if row.state is not S.SCHEDULED:
                    return "it is not scheduled"
                if at_rest and not lacking(self.world, run, row):
                    return "no limit holds it"
            case ReasonKind.RESTING:
                if (
                    row.state not in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE, S.DEFERRED, S.AWAITING_INPUT)
                    or (row.due_at is None and row.state in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE))
                    or (row.due_at is not None and row.due_at.isoformat() not in sentence)
                ):
                    return f"it is due at {row.due_at}"
            case ReasonKind.UPSTREAM | ReasonKind.EXPANSION:
                wrong = [name for name in names if not unfinished(self.books, run, name)]
                if wrong or not (names or kind is ReasonKind.EXPANSION):
                    return f"{wrong} are over"
                if verdict(self.books, run, row) != WAIT:
                    return "its rule does not wait"
            case ReasonKind.PAST:
                if at_rest and not bad_past(self.books, run, row):
                    return "nothing in its past holds it"
                if "not been looked at" in sentence:
                    return "somebody should have looked"
            case ReasonKind.DONE | ReasonKind.RUN_OVER:
                return "it is not over"
        return None
