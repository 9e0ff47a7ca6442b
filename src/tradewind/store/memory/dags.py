"""DAGs, their versions and files."""

# ruff: noqa: ARG002 # transactions are serial, so that `lock` has nothing to do here

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from tradewind.ports.rows import DagRow, FileRow, ImportErrorRow, VersionRow
from tradewind.ports.store import NextRun

from .assets import AssetPart


class DagPart(AssetPart):
    """`ports.store.DagTx`."""

    def file_list(self, bundle: str) -> list[FileRow]:
        return sorted((row for row in self._data.files if row.bundle == bundle), key=lambda row: row.path)

    def file_put(self, row: FileRow) -> None:
        journal = self._write("file_put")
        self._data.files.put(journal, (row.bundle, row.path), replace(row, processor=None, leased_until=None))

    def file_delete(self, bundle: str, path: str) -> None:
        journal = self._write("file_delete")
        self._data.files.delete(journal, (bundle, path))
        self._data.errors.delete(journal, (bundle, path))

    def file_lease(self, bundle: str, paths: Sequence[str], processor: str, seconds: float) -> list[str]:
        journal = self._write("file_lease")
        now = self.now()
        until = now + timedelta(seconds=seconds)
        leased = []
        for path in dict.fromkeys(paths):
            row = self._data.files.get((bundle, path)) or FileRow(bundle=bundle, path=path)
            if row.processor in {None, processor} or row.leased_until is None or row.leased_until < now:
                self._data.files.put(journal, (bundle, path), replace(row, processor=processor, leased_until=until))
                leased.append(path)
        return leased

    def import_error_put(self, row: ImportErrorRow) -> None:
        self._data.errors.put(self._write("import_error_put"), (row.bundle, row.path), row)

    def import_error_clear(self, bundle: str, path: str) -> None:
        self._data.errors.delete(self._write("import_error_clear"), (bundle, path))

    def dag_get_many(self, dag_ids: Iterable[str]) -> dict[str, DagRow]:
        rows = self._data.dags.rows
        return {dag_id: rows[dag_id] for dag_id in dag_ids if dag_id in rows}

    def dag_get(self, dag_id: str, *, lock: bool = False) -> DagRow | None:
        return self._data.dags.get(dag_id)

    def dag_put(self, row: DagRow) -> None:
        journal = self._write("dag_put")
        old = self._data.dags.get(row.dag_id)
        if old is not None:
            row = replace(row, is_paused=old.is_paused, pause_reason=old.pause_reason, runs_active=old.runs_active)
        self._data.dags.put(journal, row.dag_id, row)
        self.topics.add("dags")

    def dag_set_stale(self, dag_ids: Iterable[str], stale: bool) -> None:
        journal = self._write("dag_set_stale")
        for row in self.dag_get_many(dag_ids).values():
            self._data.dags.put(journal, row.dag_id, replace(row, is_stale=stale))
        self.topics.add("dags")

    def dag_list_of_file(self, bundle: str, path: str) -> list[DagRow]:
        return sorted(self._data.dags.found("file", (bundle, path)), key=lambda row: row.dag_id)

    def dag_move_trees(self, bundle: str, bundle_version: str, files: Sequence[tuple[str, str]]) -> None:
        journal = self._write("dag_move_trees")
        for path, digest in files:
            for row in self._data.dags.found("file", (bundle, path)):
                if row.file_digest == digest and row.bundle_version != bundle_version:
                    self._data.dags.put(journal, row.dag_id, replace(row, bundle_version=bundle_version))

    def dag_set_paused(self, dag_id: str, paused: bool, reason: str | None = None) -> bool:
        journal = self._write("dag_set_paused")
        row = self._data.dags.get(dag_id)
        if row is None:
            return False
        self._data.dags.put(journal, dag_id, replace(row, is_paused=paused, pause_reason=reason))
        if paused:
            self._hold_cursors(dag_id)
        else:
            self._resume_cursors(dag_id)
        self.topics.add("dags")
        return True

    def dag_set_next(self, dag_id: str, following: NextRun | None) -> None:
        journal = self._write("dag_set_next")
        row = self._data.dags.get(dag_id)
        if row is None:
            return
        row = replace(
            row,
            next_run_after=following and following.run_after,
            next_logical_date=following and following.logical_date,
            next_interval_start=following and following.interval_start,
            next_interval_end=following and following.interval_end,
        )
        self._data.dags.put(journal, dag_id, row)

    def dag_claim_due(self, now: datetime, limit: int) -> list[DagRow]:
        due = [(at, row) for at, row in self._dags_to_come() if at <= now]
        due.sort(key=lambda pair: (pair[0], pair[1].dag_id))
        return [row for _, row in due[:limit]]

    def dag_next_due(self) -> datetime | None:
        return min((at for at, _ in self._dags_to_come()), default=None)

    def version_get(self, version_id: str) -> VersionRow | None:
        return self._data.versions.get(version_id)

    def version_newest(self, dag_id: str) -> VersionRow | None:
        return max(self._data.versions.found("dag", dag_id), key=lambda row: row.number, default=None)

    def version_insert(self, row: VersionRow) -> None:
        self._data.versions.insert(self._write("version_insert"), row.version_id, row)

    def _dags_to_come(self) -> list[tuple[datetime, DagRow]]:
        """DAGs whose next scheduled run may be made when its time comes, with that time."""
        live = self._data.runs.indexes["live_scheduled"]
        return [
            (row.next_run_after, row)
            for row in self._data.dags
            if row.next_run_after is not None
            and not row.is_paused
            and not row.is_stale
            and live.count(row.dag_id) < row.max_active_runs
        ]
