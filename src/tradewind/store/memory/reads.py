"""Read models for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from tradewind.ports.rows import DagRow, ImportErrorRow, RunRow, TaskRow, VersionRow, XComRow
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState

from .unit import Unit

_fields_decoder = msgspec.json.Decoder(dict[str, Any])


class ReadPart(Unit):
    """`ports.store.Reads`."""

    def list_dags(
        self,
        *,
        pattern: str | None = None,
        tags: Sequence[str] = (),
        paused: bool | None = None,
        include_stale: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> list[DagRow]:
        found = [
            row
            for row in self._data.dags
            if (include_stale or not row.is_stale)
            and (paused is None or row.is_paused == paused)
            and (pattern is None or pattern.lower() in row.dag_id.lower())
            and (not tags or not set(tags).isdisjoint(row.tags))
            and (after is None or row.dag_id > after)
        ]
        return sorted(found, key=lambda row: row.dag_id)[:limit]

    def list_import_errors(self) -> list[ImportErrorRow]:
        return sorted(self._data.errors, key=lambda row: (row.bundle, row.path))

    def list_runs(
        self,
        *,
        dag_id: str | None = None,
        states: Sequence[DagRunState] = (),
        run_types: Sequence[DagRunType] = (),
        limit: int = 100,
        before: str | None = None,
    ) -> list[RunRow]:
        rows = self._data.runs if dag_id is None else self._data.runs.found("dag", dag_id)
        found = [
            row
            for row in rows
            if (not states or row.state in states)
            and (not run_types or row.run_type in run_types)
            and (before is None or row.run_key < before)
        ]
        return sorted(found, key=lambda row: row.run_key, reverse=True)[:limit]

    def list_versions(self, dag_id: str, limit: int = 100) -> list[VersionRow]:
        rows = self._data.versions.found("dag", dag_id)
        return sorted(rows, key=lambda row: row.number, reverse=True)[:limit]

    def count_task_states(self, run_keys: Sequence[str]) -> dict[str, dict[TaskInstanceState | None, int]]:
        tasks = self._data.tasks
        return {run_key: dict(Counter(row.state for row in tasks.found("run", run_key))) for run_key in run_keys}

    def list_xcoms(self, ti_id: str) -> list[XComRow]:
        return sorted(self._data.xcoms.found("instance", ti_id), key=lambda row: row.key)

    def get_rendered(self, ti_id: str) -> dict[str, Any] | None:
        raw = self._data.rendered.get(ti_id)
        return None if raw is None else _fields_decoder.decode(raw)

    def list_running_tasks(self, limit: int = 1000) -> list[TaskRow]:
        running = [row for row in self._data.tasks if row.state is TaskInstanceState.RUNNING]
        return sorted(running, key=lambda row: row.ti_id, reverse=True)[:limit]
