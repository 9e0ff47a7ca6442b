# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Lists for people. A filter that is not given is not in the statement, so that each shape has its index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tradewind.ports.rows import DagRow, ImportErrorRow, RunRow, TaskRow, VersionRow, XComRow
from tradewind.store.codec import DAG, IMPORT_ERROR, RUN, TASK, VERSION, XCOM
from tradewind.store.dialects.base import Dialect
from tradewind.store.dialects.values import dict_of
from tradewind.store.kinds import Kind
from tradewind.store.queries.slots import RunSlots
from tradewind.store.statements import statement
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState

_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@statement
def dag_list(
    d: Dialect, with_pattern: bool, with_tags: bool, with_paused: bool, include_stale: bool, with_after: bool
) -> str:
    conditions = ["true"]
    if with_pattern:
        conditions.append(rf"{d.folded('d.dag_id')} LIKE {d.folded(':pattern')} ESCAPE '\'")
    if with_tags:
        conditions.append(d.holds_name("d.tags", "tags"))
    if with_paused:
        conditions.append("d.is_paused = :paused")
    if not include_stale:
        conditions.append("NOT d.is_stale")
    if with_after:
        conditions.append("d.dag_id > :after")
    return f"SELECT {DAG.select('d')} FROM dag d WHERE {' AND '.join(conditions)} ORDER BY d.dag_id LIMIT :limit"


@statement
def import_error_list(_: Dialect) -> str:
    return f"SELECT {IMPORT_ERROR.select('e')} FROM import_error e ORDER BY e.bundle, e.path"


@statement
def run_list(d: Dialect, of_dag: bool, with_states: bool, with_types: bool, with_before: bool) -> str:
    conditions = ["true"]
    if of_dag:
        conditions.append("r.dag_id = :dag_id")
    if with_states:
        conditions.append(d.any("r.state", "states", Kind.TEXT))
    if with_types:
        conditions.append(d.any("r.run_type", "run_types", Kind.TEXT))
    if with_before:
        conditions.append("r.run_key < :before")
    return (
        f"SELECT {RUN.select('r')} FROM dag_run r WHERE {' AND '.join(conditions)} ORDER BY r.run_key DESC LIMIT :limit"
    )


@statement
def version_list(_: Dialect) -> str:
    return (
        f"SELECT {VERSION.select('v')} FROM dag_version v WHERE v.dag_id = :dag_id ORDER BY v.number DESC LIMIT :limit"
    )


@statement
def task_count_states(d: Dialect) -> str:
    return f"""SELECT t.run_key, t.state, count(*) FROM task_instance t WHERE {d.any("t.run_key", "run_keys", Kind.ID)}
               GROUP BY t.run_key, t.state"""


@statement
def xcom_list(_: Dialect) -> str:
    return f"SELECT {XCOM.select('x')} FROM xcom x WHERE x.ti_id = :ti_id ORDER BY x.key"


@statement
def rendered_get(_: Dialect) -> str:
    return "SELECT fields FROM rendered_fields WHERE ti_id = :ti_id"


@statement
def task_list_running(_: Dialect) -> str:
    # The first condition is the one of the partial index; SQLite does not see that the second implies it.
    return f"""SELECT {TASK.select("t")} FROM task_instance t
               WHERE t.state IN ('queued', 'running') AND t.state = 'running'
               ORDER BY t.started_at DESC LIMIT :limit"""


class ReadQueries(RunSlots):
    """See `ports.store.Reads`."""

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
        self._flush_run_slots()
        sql = dag_list(
            self._dialect, pattern is not None, bool(tags), paused is not None, include_stale, after is not None
        )
        params: dict[str, Any] = {
            "pattern": f"%{(pattern or '').translate(_ESCAPED)}%",
            "tags": self._texts(tags),
            "paused": paused,
            "after": after,
            "limit": limit,
        }
        return self._read_all(DAG, sql, **params)

    def list_import_errors(self) -> list[ImportErrorRow]:
        return self._read_all(IMPORT_ERROR, import_error_list(self._dialect))

    def list_runs(
        self,
        *,
        dag_id: str | None = None,
        states: Sequence[DagRunState] = (),
        run_types: Sequence[DagRunType] = (),
        limit: int = 100,
        before: str | None = None,
    ) -> list[RunRow]:
        return self._read_all(
            RUN,
            run_list(self._dialect, dag_id is not None, bool(states), bool(run_types), before is not None),
            dag_id=dag_id,
            states=self._texts(states),
            run_types=self._texts(run_types),
            before=self._id(before),
            limit=limit,
        )

    def list_versions(self, dag_id: str, limit: int = 100) -> list[VersionRow]:
        return self._read_all(VERSION, version_list(self._dialect), dag_id=dag_id, limit=limit)

    def count_task_states(self, run_keys: Sequence[str]) -> dict[str, dict[TaskInstanceState | None, int]]:
        counts: dict[str, dict[TaskInstanceState | None, int]] = {run_key: {} for run_key in run_keys}
        for run_key, state, count in self._rows(task_count_states(self._dialect), run_keys=self._ids(run_keys)):
            counts[run_key][None if state is None else TaskInstanceState(state)] = count
        return counts

    def list_xcoms(self, ti_id: str) -> list[XComRow]:
        return self._read_all(XCOM, xcom_list(self._dialect), ti_id=self._id(ti_id))

    def get_rendered(self, ti_id: str) -> dict[str, Any] | None:
        found = self._rows(rendered_get(self._dialect), ti_id=self._id(ti_id))
        return dict_of(found[0][0]) if found else None

    def list_running_tasks(self, limit: int = 1000) -> list[TaskRow]:
        return self._read_all(TASK, task_list_running(self._dialect), limit=limit)
