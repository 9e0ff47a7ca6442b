"""Keeping history short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from tradewind.ports.retention import ArchivedRow
from tradewind.ports.rows import RunRow
from tradewind.wire.states import LIVE_RUN_STATES, DagRunType

from .data import effective_date
from .past import PastPart


class RetentionPart(PastPart):
    """`ports.retention.RetentionTx`."""

    def run_list_expired(
        self, dag_id: str, before: datetime | None, keep: int | None, limit: int, after: str | None = None
    ) -> list[RunRow]:
        rows = sorted(self._data.runs.found("dag", dag_id), key=lambda row: row.run_key)
        scheduled = [row for row in rows if row.run_type is DagRunType.SCHEDULED]
        spared = {row.run_key for row in rows[-1:]}
        if scheduled:
            spared.add(max(scheduled, key=lambda row: (effective_date(row), row.run_key)).run_key)
        beyond = {row.run_key for row in rows[: -max(keep, 1)]} if keep is not None else set()
        found = [
            row
            for row in rows
            if row.state not in LIVE_RUN_STATES
            and row.run_key not in spared
            and (after is None or row.run_key > after)
            and (row.run_key in beyond or (before is not None and row.ended_at is not None and row.ended_at < before))
        ]
        return found[:limit]

    def run_delete_some_tasks(self, run_key: str, limit: int) -> int:
        journal = self._write("run_delete_some_tasks")
        rows = self._data.tasks.found("run", run_key)[:limit]
        for row in rows:
            self._delete_instance(journal, row.ti_id)
        return len(rows)

    def run_archive(self, run_keys: Sequence[str], now: datetime) -> int:
        journal = self._write("run_archive")
        data, rows = self._data, []
        for run_key in run_keys:
            run = data.runs.get(run_key)
            found: list[tuple[str, Any]] = [("dag_run", run)] if run is not None else []
            for task in data.tasks.found("run", run_key):
                found.append(("task_instance", task))
                found += [("task_attempt", each) for each in data.attempts.found("instance", task.ti_id)]
                found += [("xcom", each) for each in data.xcoms.found("instance", task.ti_id)]
            found += [("deadline", each) for each in data.deadlines.found("run", run_key)]
            rows += found
        number = max((row.line for row in data.archive), default=0)
        for line, (source, row) in enumerate(rows, start=number + 1):
            payload = msgspec.to_builtins(row, builtin_types=())
            kept = ArchivedRow(line=line, archived_at=now, source=source, dag_id=payload.get("dag_id"), payload=payload)
            data.archive.insert(journal, line, kept)
        return len(rows)

    def xcom_list_urls(self, run_keys: Sequence[str]) -> list[str]:
        wanted = set(run_keys)
        return [row.url for row in self._data.xcoms if row.run_key in wanted and row.url is not None]

    def inbox_prune(self, limit: int) -> int:
        journal = self._write("inbox_prune")
        dead = []
        for line in self._data.inbox:
            run = self._data.runs.get(line.run_key)
            if run is None or run.state not in LIVE_RUN_STATES:
                dead.append(line.number)
        for number in dead[:limit]:
            self._data.inbox.delete(journal, number)
        return min(len(dead), limit)

    def backfill_prune(self, before: datetime, limit: int) -> int:
        journal = self._write("backfill_prune")
        data = self._data
        gone = [
            row.backfill_id
            for row in data.backfills
            if row.completed_at is not None
            and row.completed_at < before
            and not data.runs.found("backfill", row.backfill_id)
        ][:limit]
        for backfill_id in gone:
            for date in data.backfill_runs.found("backfill", backfill_id):
                data.backfill_runs.delete(journal, (backfill_id, date.ordinal))
            data.backfills.delete(journal, backfill_id)
        return len(gone)

    def version_prune(self, dag_id: str, keep: int, limit: int) -> int:
        journal = self._write("version_prune")
        data = self._data
        versions = sorted(data.versions.found("dag", dag_id), key=lambda row: row.number)
        runs = sorted(data.runs.found("dag", dag_id), key=lambda row: row.run_key)
        earlier = [row.version_id for row in versions if not runs or row.version_id < runs[0].run_key]
        began = max(earlier, default="")
        dag = data.dags.get(dag_id)
        named = {row.version_id for row in data.runs} | ({dag.version_id} if dag is not None else set())
        gone = [row for row in versions[: -max(keep, 1)] if row.version_id < began and row.version_id not in named]
        for row in gone[:limit]:
            data.versions.delete(journal, row.version_id)
        return len(gone[:limit])

    def archive_list(self, source: str | None = None, *, after: int = 0, limit: int = 1000) -> list[ArchivedRow]:
        found = [row for row in self._data.archive if row.line > after and source in (None, row.source)]
        return [replace(row) for row in sorted(found, key=lambda row: row.line)[:limit]]

    def archive_count(self) -> dict[str, int]:
        return dict(sorted(Counter(row.source for row in self._data.archive).items()))

    def archive_drop(self, sources: Sequence[str] | None, limit: int) -> int:
        journal = self._write("archive_drop")
        gone = [row.line for row in self._data.archive if sources is None or row.source in sources][:limit]
        for line in gone:
            self._data.archive.delete(journal, line)
        return len(gone)
