"""Limits and the counters that keep them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.checks.checker import Checker
from tests.simulation.engine_books import Commit, slots_of

from tradewind.ports.rows import TaskRow
from tradewind.wire.states import DagRunState


class LimitsKept(Checker):
    """Nothing is ever admitted over a limit: pools, max_active_tasks, max_active_tis_per_dag(run), max_active_runs.

    Judged when something is admitted: who makes a pool smaller does not stop what runs in it.
    """

    def committed(self, commit: Commit) -> Iterator[str]:
        for old, new in commit.tasks:
            if new is not None and new.holds_slot and not (old is not None and old.holds_slot):
                yield from self._admitted(new)
        for before, after in commit.runs:
            if (
                after is not None
                and after.state is DagRunState.RUNNING
                and not (before and before.state is DagRunState.RUNNING)
            ):
                count, bound = self.books.dag_runs[slots_of(after)], self.books.document(after).max_active_runs
                if after.backfill_id is not None:
                    bound = self.books.data.backfills.rows[after.backfill_id].max_active_runs
                if count > bound:
                    yield f"{slots_of(after)} has {count} runs, allowed are {bound}"

    def _admitted(self, row: TaskRow) -> Iterator[str]:
        books, pool = self.books, self.books.pool(row.pool)
        used = books.pool_slots[row.pool]
        if pool is None:
            yield f"{row.task_id} was admitted to pool {row.pool}, which does not exist"
        elif 0 <= pool.slots < used:
            yield f"pool {pool.name} has {used} slots in use of {pool.slots}"
        document = books.document(books.run(row.run_key))
        if books.run_tasks[row.run_key] > document.max_active_tasks:
            yield (
                f"run {row.run_id} has {books.run_tasks[row.run_key]} tasks in hand,"
                f" allowed are {document.max_active_tasks}"
            )
        task = books.oracle(books.run(row.run_key)).tasks[row.task_id]
        count, bound = books.run_task_tasks[row.run_key, row.task_id], task.max_active_tis_per_dagrun
        if bound is not None and count > bound:
            yield f"{row.task_id} has {count} instances in hand in one run, allowed are {bound}"
        count, bound = books.dag_task_tasks[f"{row.dag_id}/{row.task_id}"], task.max_active_tis_per_dag
        if bound is not None and count > bound:
            yield f"{row.task_id} has {count} instances in hand over all runs, allowed are {bound}"


class CountersTrue(Checker):
    """Every counter equals the rows it counts, after every commit: slots of pools, instances of tasks with a bound,
    active runs.
    """

    def committed(self, commit: Commit) -> Iterator[str]:
        rows = [row for pair in commit.tasks for row in pair if row is not None]
        pools = {row.pool for row in rows} | {pool.name for pair in commit.pools for pool in pair if pool is not None}
        yield from self._pools(pools)
        yield from self._tasks(commit.counters | {f"{row.dag_id}/{row.task_id}" for row in rows})
        yield from self._dags(
            {dag.dag_id for pair in commit.dags for dag in pair if dag}
            | {r.dag_id for pair in commit.runs for r in pair if r}
        )

    def ended(self) -> Iterator[str]:
        """Once more with everything, and the books against a count from nothing."""
        data = self.books.data
        yield from self._pools({pool.name for pool in data.pools})
        yield from self._tasks(set(data.limits.rows))
        yield from self._dags(set(data.dags.rows))
        for name, used in self.books.pool_slots.items():
            rows = sum(row.pool_slots for row in data.tasks if row.holds_slot and row.pool == name)
            if used != rows:
                yield f"the witness counted {used} slots of pool {name}, the rows say {rows}"

    def _pools(self, names: set[str]) -> Iterator[str]:
        for name in sorted(names):
            pool = self.books.pool(name)
            if pool is not None and pool.used != self.books.pool_slots[name]:
                yield f"pool {name} has {self.books.pool_slots[name]} slots in use, its counter says {pool.used}"

    def _tasks(self, keys: set[str]) -> Iterator[str]:
        for key in sorted(keys):
            counter = self.books.data.limits.rows.get(key)
            if counter is not None and counter.used != self.books.dag_task_tasks[key]:
                yield f"{key} has {self.books.dag_task_tasks[key]} instances in hand, its counter says {counter.used}"

    def _dags(self, dag_ids: set[str]) -> Iterator[str]:
        for dag_id in sorted(dag_ids):
            active = self.books.data.dags.rows[dag_id].runs_active
            if active != self.books.dag_runs[dag_id]:
                yield f"{dag_id} has {self.books.dag_runs[dag_id]} active runs, its counter says {active}"
        for backfill in self.books.data.backfills:
            count = self.books.dag_runs[f"backfill {backfill.backfill_id}"]
            if count != backfill.runs_active:
                yield f"backfill {backfill.backfill_id} has {count} runs, its counter says {backfill.runs_active}"
