"""Runs and instances as people change them afterwards, and the deletion of what is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from tradewind.ports.rows import RunRow, TaskRow, VersionRow
from tradewind.wire.states import DagRunState, TaskInstanceState

from .data import effective_date
from .tables import Journal
from .unit import Unit

_LIVE = frozenset({TaskInstanceState.QUEUED, TaskInstanceState.RUNNING, TaskInstanceState.DEFERRED})


class PastPart(Unit):
    """`ports.past.PastTx`."""

    def run_list_window(self, dag_id: str, start: datetime | None, end: datetime | None) -> list[RunRow]:
        found = [
            row
            for row in self._data.runs.found("dag", dag_id)
            if (start is None or effective_date(row) >= start) and (end is None or effective_date(row) <= end)
        ]
        return sorted(found, key=lambda row: (effective_date(row), row.run_key))

    def run_set_version(self, run_key: str, version_id: str, bundle_version: str | None) -> bool:
        journal = self._write("run_set_version")
        row = self._data.runs.get(run_key)
        if row is None:
            return False
        self._data.runs.put(journal, run_key, replace(row, version_id=version_id, bundle_version=bundle_version))
        return True

    def task_renew(self, rows: Sequence[TaskRow]) -> None:
        journal = self._write("task_renew")
        for new in rows:
            row = self._data.tasks.get(new.ti_id)
            if row is None:
                continue
            row = replace(
                row,
                version_id=new.version_id,
                pool=row.pool if row.holds_slot else new.pool,
                pool_slots=row.pool_slots if row.holds_slot else new.pool_slots,
                queue=new.queue,
                executor=new.executor,
                priority_weight=new.priority_weight,
                operator=new.operator,
            )
            self._data.tasks.put(journal, row.ti_id, row)

    def task_set_note(self, ti_id: str, note: str | None) -> bool:
        journal = self._write("task_set_note")
        row = self._data.tasks.get(ti_id)
        if row is None:
            return False
        self._data.tasks.put(journal, ti_id, replace(row, note=note))
        self.topics.add("changes")
        return True

    def task_delete(self, ti_ids: Sequence[str]) -> int:
        journal = self._write("task_delete")
        gone = 0
        for ti_id in ti_ids:
            row = self._data.tasks.get(ti_id)
            if row is not None and row.state not in _LIVE:
                self._delete_instance(journal, ti_id)
                gone += 1
        self.topics.add("changes")
        return gone

    def run_delete(self, run_keys: Sequence[str]) -> int:
        journal = self._write("run_delete")
        data, gone = self._data, 0
        for run_key in run_keys:
            run = data.runs.get(run_key)
            if run is None or run.state is DagRunState.RUNNING:
                continue
            for task in data.tasks.found("run", run_key):
                self._delete_instance(journal, task.ti_id)
            for line in data.inbox.found("run", run_key):
                data.inbox.delete(journal, line.number)
            for deadline in data.deadlines.found("run", run_key):
                data.deadlines.delete(journal, deadline.deadline_id)
            data.run_retries.delete(journal, run_key)
            data.runs.delete(journal, run_key)
            gone += 1
        self.topics.add("changes")
        return gone

    def version_find(self, dag_id: str, number: int) -> VersionRow | None:
        return self._data.versions.one("number", (dag_id, number))

    def bundle_versions_used(self, bundle: str, versions: Sequence[str]) -> set[str]:  # noqa: ARG002 # ids are hashes
        data = self._data
        named: set[str | None] = {row.bundle_version for row in data.runs}
        named |= {row.bundle_version for row in data.dags} | {row.bundle_version for row in data.versions}
        return {version for version in versions if version in named}

    def dag_delete(self, dag_id: str) -> None:
        journal = self._write("dag_delete")
        for version in self._data.versions.found("dag", dag_id):
            self._data.versions.delete(journal, version.version_id)
        for key in [row.key for row in self._data.limits if row.key.startswith(f"{dag_id}/")]:
            self._data.limits.delete(journal, key)
        self._data.dags.delete(journal, dag_id)
        self.topics.update(("dags", "changes"))

    def _delete_instance(self, journal: Journal, ti_id: str) -> None:
        data = self._data
        for attempt in data.attempts.found("instance", ti_id):
            data.attempts.delete(journal, (ti_id, attempt.try_number))
        for state in data.states.found("instance", ti_id):
            data.states.delete(journal, (state.scope, state.place, state.key))
        for xcom in data.xcoms.found("instance", ti_id):
            data.xcoms.delete(journal, (ti_id, xcom.key))
        data.rendered.delete(journal, ti_id)
        for wait in data.triggers.found("instance", ti_id):
            data.triggers.delete(journal, wait.token)
        for question in data.questions.found("instance", ti_id):
            data.questions.delete(journal, question.token)
        data.tasks.delete(journal, ti_id)
