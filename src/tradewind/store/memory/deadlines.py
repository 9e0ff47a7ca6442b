"""Deadlines of runs and tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from tradewind.ports.deadline_rows import DeadlineRow, DeadlineState
from tradewind.ports.outbox_rows import OutboxState
from tradewind.wire.states import LIVE_RUN_STATES

from .unit import Unit

_BEGIN = datetime(1, 1, 1, tzinfo=UTC)


class DeadlinePart(Unit):
    """`ports.deadlines.DeadlineTx`."""

    def deadline_put(self, rows: Sequence[DeadlineRow]) -> None:
        journal = self._write("deadline_put")
        table = self._data.deadlines
        for row in rows:
            known = table.one("place", (row.run_key, row.task_id, row.ordinal))
            row = row if known is None else replace(row, deadline_id=known.deadline_id)
            table.put(journal, row.deadline_id, row)
        if rows:
            self.topics.update(("deadlines", "changes"))

    def deadline_claim(self, now: datetime, limit: int) -> list[DeadlineRow]:
        found = [row for row in self._pending_deadlines() if row.due_at is None or row.due_at <= now]
        return sorted(found, key=lambda row: row.due_at or _BEGIN)[:limit]

    def deadline_next_due(self) -> datetime | None:
        return min((row.due_at or _BEGIN for row in self._pending_deadlines()), default=None)

    def deadline_resolve(self, deadline_id: str, interval_seconds: float, due_at: datetime) -> None:
        journal = self._write("deadline_resolve")
        row = self._data.deadlines.get(deadline_id)
        if row is not None and row.state is DeadlineState.PENDING:
            row = replace(row, interval_seconds=interval_seconds, due_at=due_at)
            self._data.deadlines.put(journal, deadline_id, row)

    def deadline_settle(
        self, deadline_ids: Iterable[str], state: DeadlineState, now: datetime, reason: str | None = None
    ) -> int:
        journal = self._write("deadline_settle")
        count = 0
        for deadline_id in deadline_ids:
            row = self._data.deadlines.get(deadline_id)
            if row is not None and row.state is DeadlineState.PENDING:
                row = replace(row, state=state, settled_at=now, reason=reason)
                self._data.deadlines.put(journal, deadline_id, row)
                count += 1
        if count:
            self.topics.add("changes")
        return count

    def deadline_list_of_run(self, run_key: str) -> list[DeadlineRow]:
        rows = self._data.deadlines.found("run", run_key)
        return sorted(rows, key=lambda row: (row.due_at or _BEGIN, row.task_id, row.ordinal))

    def deadline_list(
        self,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
        states: Iterable[DeadlineState] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[DeadlineRow, OutboxState | None, str | None]]:
        wanted = set(states)
        found = [
            row
            for row in self._data.deadlines
            if (dag_id is None or row.dag_id == dag_id)
            and (run_id is None or row.run_id == run_id)
            and (not wanted or row.state in wanted)
        ]
        found.sort(key=lambda row: (row.due_at or _BEGIN, row.deadline_id), reverse=True)
        lines = {line.delivery_key: line for line in self._data.outbox}
        told = [(row, lines.get(f"deadline/{row.deadline_id}")) for row in found[offset : offset + limit]]
        return [(row, line.state if line else None, line.error if line else None) for row, line in told]

    def run_average_seconds(self, dag_id: str, runs_max: int) -> tuple[float, int]:
        runs = [run for run in self._data.runs.found("dag", dag_id) if run.state not in LIVE_RUN_STATES]
        runs.sort(key=lambda run: run.run_key, reverse=True)
        took = [(run.ended_at - run.started_at).total_seconds() for run in runs if run.started_at and run.ended_at]
        took = took[:runs_max]
        return (sum(took) / len(took), len(took)) if took else (0.0, 0)

    def _pending_deadlines(self) -> list[DeadlineRow]:
        return [row for row in self._data.deadlines if row.state is DeadlineState.PENDING]
