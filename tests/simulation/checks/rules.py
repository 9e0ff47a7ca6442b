"""Decisions against the naive evaluator of `oracle`, taken from the rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, product

from tests.simulation.checks.checker import Checker
from tests.simulation.checks.facts import bad_past
from tests.simulation.engine_books import Commit, Known, known_of, named
from tests.simulation.oracle import FAIL, GONE, READY, SKIP, Key, Oracle, Row, World

from tradewind.ports.rows import RunRow, TaskRow
from tradewind.wire.states import TERMINAL_STATES, DagRunState, TaskInstanceState

S = TaskInstanceState
STATES_OF_KNOWLEDGE_MAX = 200
"""So many combinations of what the owner may have known are tried; then its decision is believed."""
RESTING_STATES = (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE)
_REST = (None, S.SCHEDULED, *RESTING_STATES)


class RulesObeyed(Checker):
    """Every decision obeys the trigger rules. Judged at the moment of the decision, by the naive evaluator, over what
    the owner can have known then (news on their way may be heard or not). In the end nothing that had to be decided
    is left, no index is missing, and a run that ended by itself ended as its leaves say.
    """

    def committed(self, commit: Commit) -> Iterator[str]:
        if not commit.is_by_scheduler:
            return
        for old, new in commit.tasks:
            if new is not None and (old is None or old.state != new.state):
                verdict = self._decision(old, new)
                if verdict is not None:
                    yield from self._judge(old, new, verdict)
        for before, after in commit.runs:
            if after is not None and before is not None and after.state != before.state and ended_by_itself(after):
                yield from self._judge_end(after)

    def ended(self) -> Iterator[str]:
        for run in self.books.runs():
            if not ended_by_itself(run) or self.books.news[run.run_key]:
                continue
            world = self.books.world(run.run_key, self.world.clock.now())
            before = {key: row.state for key, row in world.rows.items()}
            self.books.oracle(run).settle(world)
            after = {key: row.state for key, row in world.rows.items()}
            for key in before.keys() | after.keys():
                if before.get(key, "missing") != after.get(key, "missing"):
                    yield (
                        f"run {run.run_id} of {run.dag_id} is {run.state} with {key} {before.get(key, 'missing')},"
                        f" it should be {after.get(key, 'missing')}"
                    )

    def _decision(self, old: TaskRow | None, new: TaskRow) -> str | None:
        """What the owner must have thought of the instance."""
        if old is not None and old.state not in _REST:
            return GONE if new.state is S.REMOVED and old.state in TERMINAL_STATES else None
        if _is_forced(new.reason):
            return None
        match new.state:
            case S.SKIPPED:
                return SKIP
            case S.UPSTREAM_FAILED:
                return FAIL
            case S.REMOVED:
                return GONE
            case S.QUEUED | S.SUCCESS | S.SCHEDULED if old is None or old.state is not S.SCHEDULED:
                return READY
        return None

    def _judge(self, old: TaskRow | None, row: TaskRow, verdict: str) -> Iterator[str]:
        run = self.books.run(row.run_key)
        oracle, (key, _) = self.books.oracle(run), known_of(row)
        found: set[str] = set()
        owns = [Row()]
        if old is not None and old.state in RESTING_STATES:
            # It was due; and when it was ready a branch may have taken it back before it began.
            owns = [Row(old.state, due=True), *owns] if verdict == SKIP else [Row(old.state, due=True)]
        worlds = islice(self._worlds(run, oracle, key, row.ti_id), STATES_OF_KNOWLEDGE_MAX)
        for world, own in product(worlds, owns):
            world.rows[key] = own
            thought = oracle.verdict(world, key)
            if thought == verdict:
                if verdict == READY:
                    yield from self._judge_past(run, row)
                return
            found.add(thought)
        says = "/".join(sorted(found))
        yield f"{named(row)} was found {verdict} ({row.state}: {row.reason}), its rule says {says}"

    def _judge_past(self, run: RunRow, row: TaskRow) -> Iterator[str]:
        """It may only begin when the run before lets it; who clears that one a moment before is not heard at once."""
        for bad in bad_past(self.books, run, row):
            before = self.books.run(bad.run_key)
            recent = self.books.news[before.run_key] or self.books.news[run.run_key]
            if isinstance(bad, TaskRow) and not recent and bad.ti_id not in self.books.ever_good:
                yield f"{named(row)} began, but {named(bad)} never was good"

    def _worlds(self, run: RunRow, oracle: Oracle, key: Key, ti_id: str) -> Iterator[World]:
        """All that the owner can have known of the others."""
        versions = self.books.versions[run.run_key]
        of_task: set[str] = self._relevant(oracle, key[0])
        fixed: list[Known] = []
        open_: list[list[Known]] = []
        for other, known in versions.items():
            if other == ti_id:
                continue
            if len(known) == 1 or known[-1][0][0] not in of_task:
                fixed.append(known[-1])
            else:
                open_.append(known[::-1])
        for choice in product(*open_):
            rows = dict(fixed)
            rows.update(choice)
            yield World(rows)

    def _relevant(self, oracle: Oracle, task_id: str) -> set[str]:
        """Tasks whose instances a decision about this one looks at."""
        task = oracle.tasks[task_id]
        wanted = {task_id, *oracle.upstream[task_id], *oracle.guards[task_id]}
        if task.mapping is not None:
            wanted |= oracle.sources(task.mapping)
        for group_id in oracle.chain[task_id]:
            mapping = oracle.groups[group_id].mapping
            assert mapping is not None
            wanted |= oracle.sources(mapping)
        return wanted | oracle.below(task_id, oracle.upstream)

    def _judge_end(self, run: RunRow) -> Iterator[str]:
        world = self.books.world(run.run_key, self.world.clock.now() + timedelta(days=1))
        self.books.oracle(run).conclude(world)
        if world.finished != run.state and not self.books.news[run.run_key]:
            states = {f"{k[0]}{k[1]}": str(row.state) for k, row in world.rows.items()}
            head = f"run {run.run_id} of {run.dag_id} ended as {run.state} ({run.reason})"
            yield f"{head}, it should be {world.finished}: {states}"


def ended_by_itself(run: RunRow) -> bool:
    """Not ended by a person or its time-out. Who cancels a backfill ends its queued runs; their tasks stay as they are,
    also those of a run that had begun before, and was to run again.
    """
    if run.backfill_id is not None and run.reason == f"backfill {run.backfill_id} was cancelled":
        return False
    return run.state in (DagRunState.SUCCESS, DagRunState.FAILED) and not _is_forced(run.reason)


def _is_forced(reason: str | None) -> bool:
    return any(words in (reason or "") for words in ("a person", "time-out", "fails fast"))
