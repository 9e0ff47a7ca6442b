# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Backfills, their dates and their runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tradewind.ports.backfill_rows import BackfillRow, BackfillRunRow
from tradewind.ports.rows import RunRow
from tradewind.store.codec import BACKFILL, BACKFILL_RUN, RUN
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import statement
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

from .slots import RunSlots

_LIVE = "EXISTS (SELECT 1 FROM dag_run r WHERE r.backfill_id = b.backfill_id AND r.state IN ('queued', 'running'))"
_INSERT_MAX = 500


@statement
def backfill_insert(_: Dialect) -> str:
    columns = [column for column in BACKFILL.columns if column != "backfill_id"]
    values = ", ".join(f":{column}" for column in columns)
    return f"INSERT INTO backfill ({', '.join(columns)}) VALUES ({values}) RETURNING backfill_id"


@statement
def backfill_get(d: Dialect, lock: bool) -> str:
    locked = d.lock("b") if lock else ""
    return f"SELECT {BACKFILL.select('b')} FROM backfill b WHERE b.backfill_id = :backfill_id {locked}"


@statement
def backfill_list(_: Dialect, of_dag: bool, active: bool | None, with_before: bool) -> str:
    conditions = ["true"]
    if of_dag:
        conditions.append("b.dag_id = :dag_id")
    if active is not None:
        conditions.append(f"b.completed_at IS {'NULL' if active else 'NOT NULL'}")
    if with_before:
        conditions.append("b.backfill_id < :before")
    return f"""SELECT {BACKFILL.select("b")} FROM backfill b WHERE {" AND ".join(conditions)}
               ORDER BY b.backfill_id DESC LIMIT :limit"""


@statement
def backfill_set_paused(_: Dialect) -> str:
    return """UPDATE backfill SET is_paused = :paused, updated_at = :now
              WHERE backfill_id = :backfill_id AND completed_at IS NULL RETURNING backfill_id"""


@statement
def backfill_end(_: Dialect) -> str:
    return """UPDATE backfill SET completed_at = :now, cancelled_at = :now, updated_at = :now, is_paused = true
              WHERE backfill_id = :backfill_id AND completed_at IS NULL"""


@statement
def backfill_complete(d: Dialect, some: bool) -> str:
    which = f"AND {d.any('b.backfill_id', 'ids', Kind.INTEGER)}" if some else ""
    return f"""UPDATE backfill SET completed_at = :now, updated_at = :now WHERE backfill_id IN (
                   SELECT b.backfill_id FROM backfill b WHERE b.completed_at IS NULL {which} AND NOT {_LIVE}
               ) RETURNING backfill_id"""


@statement
def backfill_run_list(_: Dialect) -> str:
    return f"""SELECT {BACKFILL_RUN.select("d")}, r.state FROM backfill_run d
               LEFT JOIN dag_run r ON r.run_key = d.run_key
               WHERE d.backfill_id = :backfill_id AND d.ordinal > :after ORDER BY d.ordinal LIMIT :limit"""


@statement
def backfill_count_states(d: Dialect) -> str:
    return f"""SELECT r.backfill_id, r.state, count(*) FROM dag_run r
               WHERE r.backfill_id IS NOT NULL AND {d.any("r.backfill_id", "ids", Kind.INTEGER)}
               GROUP BY r.backfill_id, r.state"""


@statement
def run_list_keys(d: Dialect) -> str:
    return f"SELECT r.run_key FROM dag_run r WHERE {d.any('r.run_key', 'run_keys', Kind.ID)}"


@statement
def run_adopt(_: Dialect, with_conf: bool) -> str:
    conf = ", conf = :conf" if with_conf else ""
    return f"""UPDATE dag_run SET backfill_id = :backfill_id, run_type = '{DagRunType.BACKFILL}',
               triggered_by = '{DagRunTriggeredBy.BACKFILL}'{conf}
               WHERE run_key = :run_key AND state NOT IN ('queued', 'running') RETURNING run_key"""


class BackfillQueries(RunSlots):
    """See `ports.backfills.BackfillTx`; what changes states of runs stands in `transitions.runs`."""

    def backfill_insert(self, row: BackfillRow) -> int:
        params = BACKFILL.params(self._dialect, row)
        del params["backfill_id"]
        ((backfill_id,),) = self._rows(backfill_insert(self._dialect), **params)
        self.ring("changes")
        return int(backfill_id)

    def backfill_get(self, backfill_id: int, *, lock: bool = False) -> BackfillRow | None:
        self._flush_run_slots()
        return self._read_one(BACKFILL, backfill_get(self._dialect, lock), backfill_id=backfill_id)

    def backfill_list(
        self, *, dag_id: str | None = None, active: bool | None = None, limit: int = 100, before: int | None = None
    ) -> list[BackfillRow]:
        self._flush_run_slots()
        sql = backfill_list(self._dialect, dag_id is not None, active, before is not None)
        return self._read_all(BACKFILL, sql, dag_id=dag_id, before=before, limit=limit)

    def backfill_set_paused(self, backfill_id: int, paused: bool, now: datetime) -> bool:
        self.ring("runs", "changes")
        instant = self._instant(now)
        sql = backfill_set_paused(self._dialect)
        return bool(self._rows(sql, backfill_id=backfill_id, paused=paused, now=instant))

    def backfill_complete(self, backfill_ids: Iterable[int] | None, now: datetime) -> list[int]:
        ids = None if backfill_ids is None else self._dialect.array(Kind.INTEGER, backfill_ids)
        done = self._rows(backfill_complete(self._dialect, ids is not None), ids=ids, now=self._instant(now))
        if done:
            self.ring("changes")
        return [backfill_id for (backfill_id,) in done]

    def backfill_runs_insert(self, rows: Sequence[BackfillRunRow]) -> None:
        for start in range(0, len(rows), _INSERT_MAX):
            self._insert(BACKFILL_RUN, rows[start : start + _INSERT_MAX])

    def backfill_run_list(
        self, backfill_id: int, *, limit: int = 1000, after: int = 0
    ) -> list[tuple[BackfillRunRow, DagRunState | None]]:
        decode = BACKFILL_RUN.decoder(self._dialect)
        found = self._rows(backfill_run_list(self._dialect), backfill_id=backfill_id, limit=limit, after=after)
        return [(decode(row[:-1]), DagRunState(row[-1]) if row[-1] is not None else None) for row in found]

    def backfill_count_states(self, backfill_ids: Iterable[int]) -> dict[int, dict[DagRunState, int]]:
        counts: dict[int, dict[DagRunState, int]] = defaultdict(dict)
        ids = self._dialect.array(Kind.INTEGER, backfill_ids)
        for backfill_id, state, count in self._rows(backfill_count_states(self._dialect), ids=ids):
            counts[backfill_id][DagRunState(state)] = count
        return dict(counts)

    def run_insert_many(self, rows: Sequence[RunRow]) -> set[str]:
        made: set[str] = set()
        for start in range(0, len(rows), _INSERT_MAX):
            some = rows[start : start + _INSERT_MAX]
            self._insert(RUN, some, "ON CONFLICT DO NOTHING")
            found = self._rows(run_list_keys(self._dialect), run_keys=self._ids(row.run_key for row in some))
            made.update(run_key for (run_key,) in found)
        if made:
            self.ring("runs", "changes")
        return made

    def run_adopt(self, run_key: str, backfill_id: int, conf: dict[str, Any] | None) -> bool:
        return bool(
            self._rows(
                run_adopt(self._dialect, conf is not None),
                run_key=self._id(run_key),
                backfill_id=backfill_id,
                conf=self._value(Kind.JSON, conf),
            )
        )
