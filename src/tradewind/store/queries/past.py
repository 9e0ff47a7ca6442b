# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Runs and instances as people change them afterwards, and the deletion of what is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tradewind.ports.rows import RunRow, TaskRow, VersionRow
from tradewind.store.codec import RUN, VERSION
from tradewind.store.dialects.base import Columns, Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

OF_INSTANCE = ("task_attempt", "xcom", "rendered_fields", "trigger_row", "hitl_detail", "state_store")
"""Tables whose rows go with an instance, found by `ti_id`."""
OF_RUN = ("inbox", "inbox_rejected", "deadline", "run_retry", "asset_consumed")
"""Tables whose rows go with a run, found by `run_key`."""
OF_DAG = ("dag_version",)
"""Tables whose rows go with a DAG, found by `dag_id`."""

_BEGIN, _END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_VERSIONS: Columns = (("version", Kind.TEXT),)
_RENEWED: Columns = (
    ("for_id", Kind.ID),
    ("new_version", Kind.ID),
    ("new_pool", Kind.TEXT),
    ("new_slots", Kind.INTEGER),
    ("new_queue", Kind.TEXT),
    ("new_executor", Kind.TEXT),
    ("new_weight", Kind.INTEGER),
    ("new_operator", Kind.TEXT),
)


@statement
def run_list_window(_: Dialect) -> str:
    # Two halves, each along its index; together they are the runs by their effective date.
    columns = RUN.select("r")
    return f"""SELECT {columns} FROM dag_run r WHERE r.dag_id = :dag_id
               AND r.logical_date >= :start AND r.logical_date <= :end
               UNION ALL SELECT {columns} FROM dag_run r WHERE r.dag_id = :dag_id AND r.logical_date IS NULL
               AND r.run_after >= :start AND r.run_after <= :end"""


@statement
def run_set_version(_: Dialect) -> str:
    return """UPDATE dag_run SET version_id = :version_id, bundle_version = :bundle_version
              WHERE run_key = :run_key RETURNING run_key"""


@statement
def task_renew(d: Dialect) -> str:
    return f"""UPDATE task_instance AS t SET version_id = v.new_version,
               pool = CASE WHEN t.holds_slot THEN t.pool ELSE v.new_pool END,
               pool_slots = CASE WHEN t.holds_slot THEN t.pool_slots ELSE v.new_slots END,
               queue = v.new_queue, executor = v.new_executor, priority_weight = v.new_weight, operator = v.new_operator
               FROM {d.relation("v", _RENEWED)} WHERE t.ti_id = v.for_id"""


@statement
def task_set_note(_: Dialect) -> str:
    return "UPDATE task_instance SET note = :note WHERE ti_id = :ti_id RETURNING ti_id"


@statement
def version_find(_: Dialect) -> str:
    return f"SELECT {VERSION.select('v')} FROM dag_version v WHERE v.dag_id = :dag_id AND v.number = :number"


@statement
def bundle_versions_used(d: Dialect) -> str:
    # One probe of an index for each tree, however many runs name it.
    places = (
        "dag_run r WHERE r.bundle_version",
        "dag g WHERE g.bundle_version",
        "dag_version v WHERE v.bundle_version",
    )
    named = " OR ".join(f"EXISTS (SELECT 1 FROM {place} = t.version)" for place in places)
    return f"SELECT t.version FROM {d.relation('t', _VERSIONS)} WHERE {named}"


@statement
def delete_by(d: Dialect, table: str, column: str) -> str:
    kind = Kind.TEXT if column == "dag_id" else Kind.ID
    return f"DELETE FROM {table} WHERE {d.any(column, 'ids', kind)}"


@statement
def delete_of_runs(d: Dialect, table: str) -> str:
    """Rows that know their instance but not their run."""
    return f"""DELETE FROM {table} WHERE ti_id IN (
                   SELECT t.ti_id FROM task_instance t WHERE {d.any("t.run_key", "ids", Kind.ID)})"""


@statement
def run_delete(d: Dialect) -> str:
    return f"DELETE FROM dag_run WHERE {d.any('run_key', 'ids', Kind.ID)} AND state <> 'running' RETURNING run_key"


@statement
def task_delete(d: Dialect) -> str:
    return f"""DELETE FROM task_instance WHERE {d.any("ti_id", "ids", Kind.ID)}
               AND (state IS NULL OR state NOT IN ('queued', 'running', 'deferred')) RETURNING ti_id"""


@statement
def limit_delete_of_dag(_: Dialect) -> str:
    return r"DELETE FROM task_limit WHERE limit_key LIKE :prefix ESCAPE '\'"


class PastQueries(Work):
    """See `ports.past.PastTx`."""

    def run_list_window(self, dag_id: str, start: datetime | None, end: datetime | None) -> list[RunRow]:
        found = self._read_all(
            RUN,
            run_list_window(self._dialect),
            dag_id=dag_id,
            start=self._instant(start or _BEGIN),
            end=self._instant(end or _END),
        )
        return sorted(found, key=lambda row: (row.logical_date or row.run_after, row.run_key))

    def run_set_version(self, run_key: str, version_id: str, bundle_version: str | None) -> bool:
        return bool(
            self._rows(
                run_set_version(self._dialect),
                run_key=self._id(run_key),
                version_id=self._id(version_id),
                bundle_version=self._value(Kind.TEXT, bundle_version),
            )
        )

    def task_renew(self, rows: Sequence[TaskRow]) -> None:
        values = [
            (r.ti_id, r.version_id, r.pool, r.pool_slots, r.queue, r.executor, r.priority_weight, r.operator)
            for r in rows
        ]
        if values:
            self._write(task_renew(self._dialect), **self._dialect.relation_params("v", _RENEWED, values))

    def task_set_note(self, ti_id: str, note: str | None) -> bool:
        self.ring("changes")
        text = self._value(Kind.TEXT, note)
        return bool(self._rows(task_set_note(self._dialect), ti_id=self._id(ti_id), note=text))

    def task_delete(self, ti_ids: Sequence[str]) -> int:
        gone = [ti_id for (ti_id,) in self._rows(task_delete(self._dialect), ids=self._ids(ti_ids))]
        for table in OF_INSTANCE if gone else ():
            self._write(delete_by(self._dialect, table, "ti_id"), ids=self._ids(gone))
        self.ring("changes")
        return len(gone)

    def run_delete(self, run_keys: Sequence[str]) -> int:
        gone = [run_key for (run_key,) in self._rows(run_delete(self._dialect), ids=self._ids(run_keys))]
        if gone:
            keys = self._ids(gone)
            for table in OF_INSTANCE:
                self._write(delete_of_runs(self._dialect, table), ids=keys)
            for table in ("task_instance", *OF_RUN):
                self._write(delete_by(self._dialect, table, "run_key"), ids=keys)
            self.ring("changes")
        return len(gone)

    def version_find(self, dag_id: str, number: int) -> VersionRow | None:
        return self._read_one(VERSION, version_find(self._dialect), dag_id=dag_id, number=number)

    def bundle_versions_used(self, bundle: str, versions: Sequence[str]) -> set[str]:  # noqa: ARG002 # ids are hashes
        params = self._dialect.relation_params("t", _VERSIONS, [(version,) for version in versions])
        return {version for (version,) in self._rows(bundle_versions_used(self._dialect), **params)}

    def dag_delete(self, dag_id: str) -> None:
        for table in (*OF_DAG, "dag"):
            self._write(delete_by(self._dialect, table, "dag_id"), ids=self._texts([dag_id]))
        escaped = dag_id.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        self._write(limit_delete_of_dag(self._dialect), prefix=f"{escaped}/%")
        self.ring("dags", "changes")
