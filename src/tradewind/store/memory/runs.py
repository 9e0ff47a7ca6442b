"""DAG runs: creation, ownership, legal changes, neighbours in time."""

# ruff: noqa: ARG002 # transactions are serial, so that `lock` has nothing to do here

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from tradewind.domain.run_state import RUN_CHANGES
from tradewind.domain.task_state import Asker
from tradewind.ports.rows import RunRow
from tradewind.ports.store import RunImage
from tradewind.wire.states import LIVE_RUN_STATES, DagRunState, DagRunType

from .data import UNOWNED, effective_date
from .tables import Journal
from .unit import Unit

_conf_decoder = msgspec.json.Decoder(dict[str, Any])


class RunPart(Unit):
    """`ports.store.RunTx`."""

    def run_insert(self, row: RunRow) -> str | None:
        journal = self._write("run_insert")
        runs = self._data.runs
        for name in ("run_id", "client_key", "logical_date"):
            if runs.uniques[name].clash(row.run_key, row) is not None:
                return name
        # Through JSON as in a database: a value of the caller's own, and what JSON cannot hold is refused here.
        runs.insert(journal, row.run_key, replace(row, conf=_conf_decoder.decode(msgspec.json.encode(row.conf))))
        self.topics.add("changes")
        if row.state is DagRunState.QUEUED:
            self.topics.add("runs")
        return None

    def run_get(self, run_key: str, *, lock: bool = False) -> RunRow | None:
        return self._data.runs.get(run_key)

    def run_find(self, dag_id: str, run_id: str, *, lock: bool = False) -> RunRow | None:
        return self._data.runs.one("run_id", (dag_id, run_id))

    def run_find_by_client_key(self, dag_id: str, client_key: str) -> RunRow | None:
        return self._data.runs.one("client_key", (dag_id, client_key))

    def run_start_queued(self, owner: str, now: datetime, limit: int) -> list[RunRow]:
        journal = self._write("run_start_queued")
        ready = [row for row in self._data.runs.found("queued", True) if row.run_after <= now]
        ready.sort(key=self._place)
        started: list[RunRow] = []
        for row in ready:
            if len(started) == limit:
                break
            dag = self._data.dags.get(row.dag_id)
            if dag is None or (dag.is_paused and row.run_type is DagRunType.SCHEDULED) or self._is_held(row):
                continue
            if not self._count_run(journal, row, 1):
                continue
            row = replace(row, state=DagRunState.RUNNING, started_at=now, owner=owner, epoch=row.epoch + 1)
            self._data.runs.put(journal, row.run_key, row)
            started.append(row)
        if started:
            self.topics.add("changes")
        return started

    def run_next_queued(self) -> datetime | None:
        return min((row.run_after for row in self._data.runs.found("queued", True)), default=None)

    def run_take_over(self, owner: str, lease_seconds: float, limit: int) -> list[RunRow]:
        journal = self._write("run_take_over")
        index = self._data.runs.indexes["owner"]
        stale = self._before(lease_seconds)
        free: list[RunRow] = []
        for holder in index.values():
            scheduler = None if holder == UNOWNED else self._data.components.get(("scheduler", holder))
            if scheduler is None or scheduler.heartbeat_at < stale:
                free.extend(self._data.runs.found("owner", holder))
        free.sort(key=lambda row: (row.run_after, row.run_key))
        taken = [replace(row, owner=owner, epoch=row.epoch + 1) for row in free[:limit]]
        for row in taken:
            self._data.runs.put(journal, row.run_key, row)
        if taken:
            self.topics.add("changes")
        return taken

    def run_hold(self, owner: str, run_keys: Iterable[str]) -> dict[str, int]:
        held = {}
        for run_key in run_keys:
            row = self._data.runs.get(run_key)
            if row is not None and row.owner == owner:
                held[run_key] = row.epoch
        return held

    def run_release(self, owner: str) -> int:
        journal = self._write("run_release")
        rows = self._data.runs.found("owner", owner)
        for row in rows:
            self._data.runs.put(journal, row.run_key, replace(row, owner=None))
        return len(rows)

    def run_load(self, run_key: str) -> RunImage | None:
        row = self._data.runs.get(run_key)
        return None if row is None else RunImage(row, self._data.tasks.found("run", run_key))

    def run_move(
        self,
        change: str,
        run_key: str,
        *,
        owner: str | None = None,
        epoch: int | None = None,
        reason: str | None = None,
        now: datetime,
    ) -> bool:
        journal = self._write("run_move")
        rule = RUN_CHANGES[change]
        # "start" makes the owner; it cannot be fenced by one.
        fenced = Asker.OWNER in rule.askers and "owner" not in rule.sets
        if Asker.OWNER in rule.askers and (owner is None or (fenced and epoch is None)):
            raise ValueError(f"run change {change!r} is the owner's: give owner and epoch")
        row = self._data.runs.get(run_key)
        if row is None or row.state not in rule.origins:
            return False
        if fenced and (owner, epoch) != (row.owner, row.epoch):
            return False
        starts = rule.target is DagRunState.RUNNING
        if not self._count_run(journal, row, starts - (row.state is DagRunState.RUNNING)):
            return False
        values: dict[str, Any] = {"state": rule.target, "reason": reason or row.reason, **dict.fromkeys(rule.clears)}
        for column in rule.sets:
            values[column] = _run_value(column, row, owner, reason, now)
        self._data.runs.put(journal, run_key, replace(row, **values))
        self.topics.add("changes")
        if row.state is DagRunState.RUNNING or rule.target is DagRunState.QUEUED:
            self.topics.add("runs")
        return True

    def run_previous(
        self, dag_id: str, before: datetime, *, states: Sequence[DagRunState] | None = None
    ) -> RunRow | None:
        return max(
            (
                row
                for row in self._data.runs.found("dag", dag_id)
                if row.logical_date is not None
                and row.logical_date < before
                and (states is None or row.state in states)
            ),
            key=effective_date,
            default=None,
        )

    def run_following(self, dag_id: str, after: datetime) -> RunRow | None:
        rows = self._data.runs.found("dag", dag_id)
        return min(
            (row for row in rows if row.logical_date is not None and row.logical_date > after),
            key=effective_date,
            default=None,
        )

    def run_last_automated(self, dag_id: str) -> RunRow | None:
        rows = self._data.runs.found("dag", dag_id)
        return max(
            (row for row in rows if row.run_type is DagRunType.SCHEDULED),
            key=lambda row: (effective_date(row), row.run_key),
            default=None,
        )

    def run_count_failed_in_row(self, dag_id: str, limit: int) -> int:
        finished = [row for row in self._data.runs.found("dag", dag_id) if row.state not in LIVE_RUN_STATES]
        finished.sort(key=lambda row: (row.run_after, row.run_key), reverse=True)
        count = 0
        for row in finished[:limit]:
            if row.state is not DagRunState.FAILED:
                break
            count += 1
        return count

    def _place(self, row: RunRow) -> tuple[int, float, int]:
        """Where a queued run stands: runs of backfills after the others, each backfill in its own direction."""
        at = row.run_after.timestamp()
        if row.backfill_id is None:
            return int(row.run_type is DagRunType.BACKFILL), at, int(row.run_key.replace("-", ""), 16)
        backfill = self._data.backfills.get(row.backfill_id)
        backwards = backfill is not None and backfill.run_backwards
        return 2, -at if backwards else at, int(row.run_key.replace("-", ""), 16)

    def _is_held(self, row: RunRow) -> bool:
        """Whether it belongs to a backfill that is paused before its end."""
        backfill = None if row.backfill_id is None else self._data.backfills.get(row.backfill_id)
        return backfill is not None and backfill.is_paused and backfill.completed_at is None

    def _count_run(self, journal: Journal, row: RunRow, delta: int) -> bool:
        """Change the counter of active runs, of backfill or DAG. False: it would rise, and no slot is free."""
        if row.backfill_id is not None:
            backfill = self._data.backfills.get(row.backfill_id)
            if delta > 0 and (backfill is None or backfill.runs_active >= backfill.max_active_runs):
                return False
            if delta and backfill is not None:
                changed = replace(backfill, runs_active=backfill.runs_active + delta)
                self._data.backfills.put(journal, row.backfill_id, changed)
            return True
        dag = self._data.dags.get(row.dag_id)
        if delta > 0 and (dag is None or dag.runs_active >= dag.max_active_runs):
            return False
        if delta and dag is not None:
            self._data.dags.put(journal, dag.dag_id, replace(dag, runs_active=dag.runs_active + delta))
        return True

    def run_set_note(self, run_key: str, note: str | None) -> bool:
        journal = self._write("run_set_note")
        row = self._data.runs.get(run_key)
        if row is None:
            return False
        self._data.runs.put(journal, run_key, replace(row, note=note))
        return True


def _run_value(column: str, row: RunRow, owner: str | None, reason: str | None, now: datetime) -> object:
    """What a change writes into a column it sets."""
    if column in {"started_at", "ended_at", "queued_at"}:
        return now
    if column == "owner":
        return owner
    if column == "reason":
        return reason
    if column in {"epoch", "clear_number"}:
        return getattr(row, column) + 1
    raise AssertionError(f"RUN_CHANGES sets {column!r}; say here what its value is")
