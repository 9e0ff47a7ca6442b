# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""DAG runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tradewind.ports.rows import RunRow
from tradewind.ports.store import RunImage
from tradewind.store.codec import RUN, TASK
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import statement
from tradewind.wire.states import DagRunState

from .slots import RunSlots

_WHEN = "coalesce(r.logical_date, r.run_after)"


@statement
def run_get(d: Dialect, lock: bool) -> str:
    return f"SELECT {RUN.select('r')} FROM dag_run r WHERE r.run_key = :run_key {d.lock('r') if lock else ''}"


@statement
def run_find(d: Dialect, lock: bool) -> str:
    locked = d.lock("r") if lock else ""
    return f"SELECT {RUN.select('r')} FROM dag_run r WHERE r.dag_id = :dag_id AND r.run_id = :run_id {locked}"


@statement
def run_insert(_: Dialect) -> str:
    values = ", ".join(f":{column}" for column in RUN.columns)
    return f"INSERT INTO dag_run ({RUN.plain()}) VALUES ({values}) ON CONFLICT DO NOTHING RETURNING run_key"


@statement
def run_has_id(_: Dialect) -> str:
    return "SELECT 1 FROM dag_run WHERE dag_id = :dag_id AND run_id = :run_id"


@statement
def run_find_by_client_key(_: Dialect) -> str:
    return f"SELECT {RUN.select('r')} FROM dag_run r WHERE r.dag_id = :dag_id AND r.client_key = :client_key"


@statement
def run_next_queued(_: Dialect) -> str:
    return "SELECT run_after FROM dag_run WHERE state = 'queued' ORDER BY run_after LIMIT 1"


@statement
def run_hold(d: Dialect) -> str:
    return f"""SELECT r.run_key, r.epoch FROM dag_run r
               WHERE {d.any("r.run_key", "run_keys", Kind.ID)} AND r.owner = :owner ORDER BY r.run_key {d.lock("r")}"""


@statement
def run_hold_with_news(d: Dialect) -> str:
    # Not DISTINCT with a join: PostgreSQL refuses FOR UPDATE with it.
    return f"""SELECT r.run_key, r.epoch FROM dag_run r WHERE r.owner = :owner AND r.state = 'running'
               AND EXISTS (SELECT 1 FROM inbox i WHERE i.run_key = r.run_key) ORDER BY r.run_key {d.lock("r")}"""


@statement
def run_previous(d: Dialect, with_states: bool) -> str:
    state = f"AND {d.any('r.state', 'states', Kind.TEXT)}" if with_states else ""
    return f"""SELECT {RUN.select("r")} FROM dag_run r WHERE r.dag_id = :dag_id AND r.logical_date < :before {state}
               ORDER BY r.logical_date DESC LIMIT 1"""


@statement
def run_following(_: Dialect) -> str:
    return f"""SELECT {RUN.select("r")} FROM dag_run r WHERE r.dag_id = :dag_id AND r.logical_date > :after
               ORDER BY r.logical_date LIMIT 1"""


@statement
def run_last_automated(_: Dialect) -> str:
    return f"""SELECT {RUN.select("r")} FROM dag_run r WHERE r.dag_id = :dag_id AND r.run_type = 'scheduled'
               ORDER BY {_WHEN} DESC, r.run_key DESC LIMIT 1"""


@statement
def run_newest_finished_states(_: Dialect) -> str:
    return """SELECT r.state FROM dag_run r WHERE r.dag_id = :dag_id AND r.state IN ('success', 'failed')
              ORDER BY r.run_after DESC, r.run_key DESC LIMIT :limit"""


@statement
def run_set_note(_: Dialect) -> str:
    return "UPDATE dag_run SET note = :note WHERE run_key = :run_key RETURNING run_key"


@statement
def task_list_of_run(d: Dialect, with_tasks: bool) -> str:
    which = f"AND {d.any('t.task_id', 'task_ids', Kind.TEXT)}" if with_tasks else ""
    return f"""SELECT {TASK.select("t")} FROM task_instance t WHERE t.run_key = :run_key {which}
               ORDER BY t.task_id, t.map_path"""


class RunQueries(RunSlots):
    """See `ports.store.RunTx`; what changes the state or the owner stands in `transitions.runs`."""

    def run_insert(self, row: RunRow) -> str | None:
        if self._rows(run_insert(self._dialect), **RUN.params(self._dialect, row)):
            if row.state is DagRunState.QUEUED:
                self.ring("runs")
            self.ring("changes")
            return None
        taken = self._rows(run_has_id(self._dialect), dag_id=row.dag_id, run_id=self._value(Kind.TEXT, row.run_id))
        if taken:
            return "run_id"
        keyed = row.client_key is not None and self.run_find_by_client_key(row.dag_id, row.client_key) is not None
        return "client_key" if keyed else "logical_date"

    def run_find_by_client_key(self, dag_id: str, client_key: str) -> RunRow | None:
        key = self._value(Kind.TEXT, client_key)
        return self._read_one(RUN, run_find_by_client_key(self._dialect), dag_id=dag_id, client_key=key)

    def run_get(self, run_key: str, *, lock: bool = False) -> RunRow | None:
        return self._read_one(RUN, run_get(self._dialect, lock), run_key=self._id(run_key))

    def run_find(self, dag_id: str, run_id: str, *, lock: bool = False) -> RunRow | None:
        return self._read_one(RUN, run_find(self._dialect, lock), dag_id=dag_id, run_id=self._value(Kind.TEXT, run_id))

    def run_next_queued(self) -> datetime | None:
        return self._first_instant(run_next_queued(self._dialect))

    def run_hold(self, owner: str, run_keys: Iterable[str]) -> dict[str, int]:
        return dict(self._rows(run_hold(self._dialect), run_keys=self._ids(run_keys), owner=owner))

    def run_load(self, run_key: str) -> RunImage | None:
        run = self.run_get(run_key)
        if run is None:
            return None
        found = self._read_all(TASK, task_list_of_run(self._dialect, False), run_key=self._id(run_key))
        return RunImage(run=run, instances=found)

    def run_previous(
        self, dag_id: str, before: datetime, *, states: Sequence[DagRunState] | None = None
    ) -> RunRow | None:
        return self._read_one(
            RUN,
            run_previous(self._dialect, states is not None),
            dag_id=dag_id,
            before=self._instant(before),
            states=self._texts(states or ()),
        )

    def run_following(self, dag_id: str, after: datetime) -> RunRow | None:
        return self._read_one(RUN, run_following(self._dialect), dag_id=dag_id, after=self._instant(after))

    def run_last_automated(self, dag_id: str) -> RunRow | None:
        return self._read_one(RUN, run_last_automated(self._dialect), dag_id=dag_id)

    def run_count_failed_in_row(self, dag_id: str, limit: int) -> int:
        found = self._rows(run_newest_finished_states(self._dialect), dag_id=dag_id, limit=limit)
        states = [state for (state,) in found]
        return next((place for place, state in enumerate(states) if state != DagRunState.FAILED), len(states))

    def run_set_note(self, run_key: str, note: str | None) -> bool:
        return bool(
            self._rows(run_set_note(self._dialect), run_key=self._id(run_key), note=self._value(Kind.TEXT, note))
        )
