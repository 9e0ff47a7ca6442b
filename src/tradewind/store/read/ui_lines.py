# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Read models of the screens: DAGs, runs and instances as lines. See `ports.ui_reads`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from tradewind.ports.rows import TaskRow
from tradewind.ports.ui_reads import (
    CODE_OF,
    CellLine,
    DagLine,
    FailureLine,
    RunLine,
    StuckLine,
    TaskLine,
)
from tradewind.store.codec import TASK
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.queries.slots import RunSlots
from tradewind.store.statements import statement

_RUN = (
    "r.dag_id, r.run_key, r.run_id, r.run_type, r.triggered_by, r.state, r.run_after, r.logical_date, r.queued_at, "
    "r.started_at, r.ended_at, r.version_id, r.note, r.reason, r.triggering_user_name"
)
_RUN_INSTANTS = (6, 7, 8, 9, 10)
_TASK = (
    "t.ti_id, t.run_key, t.dag_id, t.run_id, t.task_id, t.map_path, t.state, t.try_number, t.max_tries, "
    "t.scheduled_at, t.queued_at, t.started_at, t.ended_at, t.duration_seconds, t.operator, t.reason, "
    "t.map_index_label, t.pool, t.updated_at"
)
_TASK_INSTANTS = (9, 10, 11, 12, 18)
_FAILURE = (
    "t.ti_id, t.run_key, t.dag_id, t.run_id, t.task_id, t.map_path, t.state, t.reason, t.cause, t.operator, "
    "t.try_number, t.max_tries, t.ended_at"
)
_STUCK = "t.ti_id, t.dag_id, t.run_id, t.task_id, t.map_path, t.state, t.reason"
# The first condition leads SQLite to the partial index of live runs, which it takes for the longer way otherwise.
_LIVE = "r.dag_id > '' AND r.state IN ('queued', 'running')"
_CODE = f"CASE t.state {' '.join(f'WHEN {state!r} THEN {code}' for state, code in CODE_OF.items() if state)} ELSE 0 END"
_LEAST = "00000000-0000-0000-0000-000000000000"


@statement
def ui_dag_list(d: Dialect, some: bool) -> str:
    which = f"AND {d.any('d.dag_id', 'dag_ids', Kind.TEXT)}" if some else ""
    return f"""SELECT d.dag_id, d.display_name, d.description, d.is_paused, d.pause_reason, d.schedule_summary, d.tags,
                      d.owners, d.next_run_after, d.version_id, d.file, d.runs_active, d.max_active_runs
               FROM dag d WHERE NOT d.is_stale {which} ORDER BY d.dag_id"""


@statement
def ui_run_newest(d: Dialect) -> str:
    # The oldest run wanted is found through the index, DAG by DAG, so that the cost is that of the runs given.
    return f"""SELECT {_RUN} FROM dag d JOIN dag_run r ON r.dag_id = d.dag_id AND r.run_key >= coalesce(
                   (SELECT x.run_key FROM dag_run x WHERE x.dag_id = d.dag_id ORDER BY x.run_key DESC
                    LIMIT 1 OFFSET :older), :least)
               WHERE {d.any("d.dag_id", "dag_ids", Kind.TEXT)} ORDER BY r.dag_id, r.run_key DESC"""


@statement
def ui_run_latest(_: Dialect) -> str:
    return """SELECT d.dag_id, r.state, r.run_after FROM dag d JOIN dag_run r ON r.run_key =
                  (SELECT x.run_key FROM dag_run x WHERE x.dag_id = d.dag_id ORDER BY x.run_key DESC LIMIT 1)
              WHERE NOT d.is_stale"""


@statement
def ui_dag_count(_: Dialect) -> str:
    return "SELECT count(*), sum(CASE WHEN d.is_paused THEN 1 ELSE 0 END) FROM dag d WHERE NOT d.is_stale"


@statement
def ui_run_begin(_: Dialect) -> str:
    return """SELECT r.state, coalesce(r.started_at, r.queued_at, r.run_after) FROM dag_run r
              ORDER BY r.run_key DESC LIMIT :count"""


@statement
def ui_run_list(_: Dialect, of_dag: bool, with_before: bool) -> str:
    conditions = ["true"]
    if of_dag:
        conditions.append("r.dag_id = :dag_id")
    if with_before:
        conditions.append("r.run_key < :before")
    return f"SELECT {_RUN} FROM dag_run r WHERE {' AND '.join(conditions)} ORDER BY r.run_key DESC LIMIT :count"


@statement
def ui_run_live(_: Dialect) -> str:
    return f"SELECT {_RUN} FROM dag_run r WHERE {_LIVE}"


@statement
def ui_run_live_keys(_: Dialect) -> str:
    return f"SELECT r.run_key FROM dag_run r WHERE {_LIVE}"


@statement
def ui_run_of_keys(d: Dialect) -> str:
    return f"SELECT {_RUN} FROM dag_run r WHERE {d.any('r.run_key', 'run_keys', Kind.ID)} ORDER BY r.run_key DESC"


@statement
def ui_failed(_: Dialect) -> str:
    return f"""SELECT {_FAILURE} FROM task_instance t WHERE t.state = 'failed' AND t.ended_at > :since
               ORDER BY t.ended_at DESC LIMIT :count"""


@statement
def ui_live_in_state(d: Dialect, state: str) -> str:
    return f"""SELECT {_FAILURE} FROM task_instance t
               WHERE {d.any("t.run_key", "run_keys", Kind.ID)} AND t.state = '{state}'
               ORDER BY t.run_key DESC LIMIT :count"""


@statement
def ui_cell_list(d: Dialect, of_tasks: bool) -> str:
    which = f"AND {d.any('t.task_id', 'task_ids', Kind.TEXT)}" if of_tasks else ""
    return f"""SELECT t.run_key, t.task_id, max({_CODE}), max(t.try_number), count(*) FROM task_instance t
               WHERE {d.any("t.run_key", "run_keys", Kind.ID)} {which} GROUP BY t.run_key, t.task_id"""


@statement
def ui_stuck_list(d: Dialect) -> str:
    return f"""SELECT {_STUCK}, coalesce(t.queued_at, t.scheduled_at) AS since FROM task_instance t
               WHERE {d.any("t.run_key", "run_keys", Kind.ID)} AND ((t.state = 'scheduled' AND t.scheduled_at < :before)
                                  OR (t.state = 'queued' AND t.queued_at < :before))
               ORDER BY since LIMIT :count"""


@statement
def ui_waiting_list(d: Dialect) -> str:
    return f"""SELECT {_STUCK}, coalesce(t.ended_at, t.started_at, t.updated_at) AS since FROM task_instance t
               WHERE {d.any("t.run_key", "run_keys", Kind.ID)} AND t.state = 'awaiting_input'
               ORDER BY since LIMIT :count"""


@statement
def ui_pulse_count(d: Dialect) -> str:
    return f"""SELECT coalesce(t.state, 'none'), count(*) FROM task_instance t
               WHERE {d.any("t.run_key", "run_keys", Kind.ID)} GROUP BY t.state"""


@statement
def ui_task_of_runs(d: Dialect, with_since: bool, with_task: bool) -> str:
    which = " AND t.updated_at > :since" if with_since else ""
    which += " AND t.task_id = :task_id" if with_task else ""
    return f"""SELECT {_TASK} FROM task_instance t WHERE {d.any("t.run_key", "run_keys", Kind.ID)}{which}
               ORDER BY t.run_key, t.task_id, t.map_path LIMIT :count"""


@statement
def ui_task_find(_: Dialect) -> str:
    return f"""SELECT {TASK.select("t")} FROM dag_run r JOIN task_instance t ON t.run_key = r.run_key
               WHERE r.dag_id = :dag_id AND r.run_id = :run_id AND t.task_id = :task_id AND t.map_path = :map_path"""


@statement
def ui_task_newest(d: Dialect, with_states: bool, of_dag: bool, of_task: bool, with_before: bool) -> str:
    conditions = ["true"]
    if with_states:
        conditions.append(d.any("coalesce(t.state, 'none')", "states", Kind.TEXT))
    if of_dag:
        conditions.append("r.dag_id = :dag_id")
    if of_task:
        conditions.append("t.task_id = :task_id")
    if with_before:
        conditions.append("r.run_key < :before")
    return f"""SELECT {_TASK} FROM dag_run r JOIN task_instance t ON t.run_key = r.run_key
               WHERE {" AND ".join(conditions)} ORDER BY r.run_key DESC, t.task_id, t.map_path LIMIT :count"""


class UiReadQueries(RunSlots):
    """See `ports.ui_reads.UiReads`."""

    def ui_dags(self, dag_ids: Sequence[str] | None = None) -> list[DagLine]:
        sql = ui_dag_list(self._dialect, dag_ids is not None)
        params = {} if dag_ids is None else {"dag_ids": self._texts(dag_ids)}
        decode = self._dialect.decoders[Kind.NAMES]
        known: dict[str, tuple[str, ...]] = {}

        def names(text: Any) -> tuple[str, ...]:
            # Thousands of DAGs share few lists of tags and owners.
            key = str(text)
            if key not in known:
                known[key] = decode(text) if text is not None else ()
            return known[key]

        when = self._milliseconds()
        lines = []
        for row in self._rows(sql, **params):
            values = list(row)
            values[3] = bool(values[3])
            values[6] = names(values[6])
            values[7] = names(values[7])
            values[8] = when(values[8])
            values[9] = str(values[9])
            values[5] = "" if values[5] == "None" else values[5]
            lines.append(DagLine(*values))
        return lines

    def ui_newest_runs(self, dag_ids: Sequence[str], count: int) -> list[RunLine]:
        sql = ui_run_newest(self._dialect)
        return self._run_lines(sql, dag_ids=self._texts(dag_ids), older=count - 1, least=self._id(_LEAST))

    def ui_latest(self) -> dict[str, tuple[str, int]]:
        when = self._milliseconds()
        found = self._rows(ui_run_latest(self._dialect))
        return {dag_id: (state, when(after) or 0) for dag_id, state, after in found}

    def ui_dag_counts(self) -> tuple[int, int]:
        ((every, paused),) = self._rows(ui_dag_count(self._dialect))
        return every, paused or 0

    def ui_run_times(self, count: int) -> list[tuple[str, int]]:
        when = self._milliseconds()
        return [(state, when(at) or 0) for state, at in self._rows(ui_run_begin(self._dialect), count=count)]

    def ui_runs(self, dag_id: str | None, count: int, before: str | None = None) -> list[RunLine]:
        sql = ui_run_list(self._dialect, dag_id is not None, before is not None)
        given: dict[str, Any] = {"count": count}
        if dag_id is not None:
            given["dag_id"] = dag_id
        if before is not None:
            given["before"] = self._id(before)
        return self._run_lines(sql, **given)

    def ui_live_runs(self) -> list[RunLine]:
        lines = self._run_lines(ui_run_live(self._dialect))
        return sorted(lines, key=lambda line: line.run_key, reverse=True)

    def ui_runs_of_keys(self, run_keys: Iterable[str]) -> list[RunLine]:
        return self._run_lines(ui_run_of_keys(self._dialect), run_keys=self._ids(run_keys))

    def ui_failures(self, since: datetime, count: int) -> list[FailureLine]:
        found = self._rows(ui_failed(self._dialect), since=self._instant(since), count=count)
        found += self._rows(ui_live_in_state(self._dialect, "up_for_retry"), count=count, run_keys=self._live())
        return [FailureLine(*_lined(row, self._milliseconds(), (12,), ids=(0, 1))) for row in found]

    def ui_verdicts(self, run_keys: Iterable[str], task_ids: Iterable[str]) -> list[CellLine]:
        sql = ui_cell_list(self._dialect, True)
        found = self._rows(sql, run_keys=self._ids(run_keys), task_ids=self._texts(task_ids))
        return [CellLine(str(row[0]), *row[1:]) for row in found]

    def ui_stuck(self, before: datetime, count: int) -> list[StuckLine]:
        found = self._rows(
            ui_stuck_list(self._dialect), run_keys=self._live(), before=self._instant(before), count=count
        )
        return [StuckLine(*_lined(row, self._milliseconds(), (7,), ids=(0,))) for row in found]

    def ui_waiting(self, count: int) -> list[StuckLine]:
        found = self._rows(ui_waiting_list(self._dialect), run_keys=self._live(), count=count)
        return [StuckLine(*_lined(row, self._milliseconds(), (7,), ids=(0,))) for row in found]

    def ui_pulse(self) -> dict[str, int]:
        return dict(self._rows(ui_pulse_count(self._dialect), run_keys=self._live()))

    def ui_cells(self, run_keys: Iterable[str]) -> list[CellLine]:
        found = self._rows(ui_cell_list(self._dialect, False), run_keys=self._ids(run_keys))
        return [CellLine(str(row[0]), *row[1:]) for row in found]

    def ui_tasks(
        self, run_keys: Iterable[str], *, since: datetime | None = None, task_id: str | None = None, count: int = 20_000
    ) -> list[TaskLine]:
        given: dict[str, Any] = {"run_keys": self._ids(run_keys), "count": count}
        if since is not None:
            given["since"] = self._instant(since)
        if task_id is not None:
            given["task_id"] = task_id
        return self._task_lines(ui_task_of_runs(self._dialect, since is not None, task_id is not None), **given)

    def ui_task_find(self, dag_id: str, run_id: str, task_id: str, map_path: str) -> TaskRow | None:
        sql = ui_task_find(self._dialect)
        return self._read_one(TASK, sql, dag_id=dag_id, run_id=run_id, task_id=task_id, map_path=map_path)

    def ui_task_list(
        self, states: Sequence[str], dag_id: str | None, task_id: str | None, count: int, before: str | None
    ) -> list[TaskLine]:
        given: dict[str, Any] = {"count": count}
        if states:
            given["states"] = self._texts(states)
        if dag_id is not None:
            given["dag_id"] = dag_id
        if task_id is not None:
            given["task_id"] = task_id
        if before is not None:
            given["before"] = self._id(before)
        sql = ui_task_newest(self._dialect, bool(states), dag_id is not None, task_id is not None, before is not None)
        return self._task_lines(sql, **given)

    def ui_task_history(self, dag_id: str, task_id: str, count: int) -> list[TaskLine]:
        keys = [run.run_key for run in self.ui_newest_runs([dag_id], count)]
        return self.ui_tasks(keys, task_id=task_id)

    def _live(self) -> str:
        """The keys of live runs, as a parameter."""
        return self._ids(str(key) for (key,) in self._rows(ui_run_live_keys(self._dialect)))

    def _run_lines(self, sql: str, /, **params: Any) -> list[RunLine]:
        when = self._milliseconds()
        return [RunLine(*_lined(row, when, _RUN_INSTANTS, ids=(1, 11))) for row in self._rows(sql, **params)]

    def _task_lines(self, sql: str, /, **params: Any) -> list[TaskLine]:
        when = self._milliseconds()
        return [TaskLine(*_lined(row, when, _TASK_INSTANTS, ids=(0, 1))) for row in self._rows(sql, **params)]

    def _milliseconds(self) -> Callable[[Any], int | None]:
        decode = self._dialect.decoders.get(Kind.INSTANT)

        def milliseconds(value: Any) -> int | None:
            if value is None:
                return None
            instant: datetime = value if decode is None else decode(value)
            return round(instant.timestamp() * 1000)

        return milliseconds


def _lined(
    row: Sequence[Any], when: Callable[[Any], int | None], instants: Sequence[int], *, ids: Sequence[int]
) -> list[Any]:
    values = list(row)
    for place in instants:
        values[place] = when(values[place])
    for place in ids:
        values[place] = str(values[place])
    return values
