"""Backfills, their dates and their runs."""

# ruff: noqa: ARG002 # transactions are serial, so that `lock` has nothing to do here

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tradewind.ports.backfill_rows import BackfillRow, BackfillRunRow
from tradewind.ports.rows import RunRow
from tradewind.wire.states import LIVE_RUN_STATES, DagRunState, DagRunTriggeredBy, DagRunType

from .unit import Unit


class BackfillPart(Unit):
    """`ports.backfills.BackfillTx`."""

    def backfill_insert(self, row: BackfillRow) -> int:
        journal = self._write("backfill_insert")
        backfill_id = max((known.backfill_id for known in self._data.backfills), default=0) + 1
        self._data.backfills.insert(journal, backfill_id, replace(row, backfill_id=backfill_id))
        self.topics.add("changes")
        return backfill_id

    def backfill_get(self, backfill_id: int, *, lock: bool = False) -> BackfillRow | None:
        return self._data.backfills.get(backfill_id)

    def backfill_list(
        self, *, dag_id: str | None = None, active: bool | None = None, limit: int = 100, before: int | None = None
    ) -> list[BackfillRow]:
        found = [
            row
            for row in self._data.backfills
            if (dag_id is None or row.dag_id == dag_id)
            and (active is None or (row.completed_at is None) == active)
            and (before is None or row.backfill_id < before)
        ]
        return sorted(found, key=lambda row: row.backfill_id, reverse=True)[:limit]

    def backfill_set_paused(self, backfill_id: int, paused: bool, now: datetime) -> bool:
        journal = self._write("backfill_set_paused")
        row = self._data.backfills.get(backfill_id)
        if row is None or row.completed_at is not None:
            return False
        self._data.backfills.put(journal, backfill_id, replace(row, is_paused=paused, updated_at=now))
        self.topics.update(("runs", "changes"))
        return True

    def backfill_cancel(self, backfill_id: int, reason: str, now: datetime) -> int:
        journal = self._write("backfill_cancel")
        row = self._data.backfills.get(backfill_id)
        if row is not None and row.completed_at is None:
            ended = replace(row, completed_at=now, cancelled_at=now, updated_at=now, is_paused=True)
            self._data.backfills.put(journal, backfill_id, ended)
        queued = [run for run in self._data.runs.found("backfill", backfill_id) if run.state is DagRunState.QUEUED]
        for run in queued:
            ended_run = replace(run, state=DagRunState.FAILED, ended_at=now, reason=reason)
            self._data.runs.put(journal, run.run_key, ended_run)
        self.topics.update(("changes", "dags"))
        return len(queued)

    def backfill_complete(self, backfill_ids: Iterable[int] | None, now: datetime) -> list[int]:
        journal = self._write("backfill_complete")
        wanted = None if backfill_ids is None else set(backfill_ids)
        done: list[int] = []
        for row in list(self._data.backfills):
            if row.completed_at is not None or (wanted is not None and row.backfill_id not in wanted):
                continue
            if not any(run.state in LIVE_RUN_STATES for run in self._data.runs.found("backfill", row.backfill_id)):
                self._data.backfills.put(journal, row.backfill_id, replace(row, completed_at=now, updated_at=now))
                done.append(row.backfill_id)
        if done:
            self.topics.add("changes")
        return done

    def backfill_runs_insert(self, rows: Sequence[BackfillRunRow]) -> None:
        journal = self._write("backfill_runs_insert")
        for row in rows:
            self._data.backfill_runs.insert(journal, (row.backfill_id, row.ordinal), row)

    def backfill_run_list(
        self, backfill_id: int, *, limit: int = 1000, after: int = 0
    ) -> list[tuple[BackfillRunRow, DagRunState | None]]:
        rows = [row for row in self._data.backfill_runs.found("backfill", backfill_id) if row.ordinal > after]
        rows.sort(key=lambda row: row.ordinal)
        runs = [self._data.runs.get(row.run_key) if row.run_key is not None else None for row in rows[:limit]]
        return [(row, run.state if run is not None else None) for row, run in zip(rows, runs, strict=False)]

    def backfill_count_states(self, backfill_ids: Iterable[int]) -> dict[int, dict[DagRunState, int]]:
        runs = self._data.runs
        counted = {each: dict(Counter(run.state for run in runs.found("backfill", each))) for each in backfill_ids}
        return {each: counts for each, counts in counted.items() if counts}

    def run_insert_many(self, rows: Sequence[RunRow]) -> set[str]:
        journal = self._write("run_insert_many")
        runs = self._data.runs
        made: set[str] = set()
        for row in rows:
            if all(unique.clash(row.run_key, row) is None for unique in runs.uniques.values()):
                runs.insert(journal, row.run_key, row)
                made.add(row.run_key)
        if made:
            self.topics.update(("runs", "changes"))
        return made

    def run_adopt(self, run_key: str, backfill_id: int, conf: dict[str, Any] | None) -> bool:
        journal = self._write("run_adopt")
        row = self._data.runs.get(run_key)
        if row is None or row.state in LIVE_RUN_STATES:
            return False
        row = replace(
            row,
            backfill_id=backfill_id,
            run_type=DagRunType.BACKFILL,
            triggered_by=DagRunTriggeredBy.BACKFILL,
            conf=row.conf if conf is None else conf,
        )
        self._data.runs.put(journal, run_key, row)
        return True
