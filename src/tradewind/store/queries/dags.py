# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""DAGs and their versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tradewind.ports.rows import DagRow, VersionRow
from tradewind.ports.store import NextRun
from tradewind.store.codec import DAG, VERSION
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import statement, upsert_tail

from .asset_log import WAKE, asset_cursor_hold, asset_cursor_resume
from .slots import RunSlots

_DAG_TAIL = upsert_tail(DAG, ("dag_id",), keep=("is_paused", "pause_reason", "runs_active"))

# A DAG is not given further runs while as many scheduled ones as may run at once are unfinished: a backlog would only
# age.
_HAS_FREE_SLOT = """(SELECT count(*) FROM dag_run r WHERE r.dag_id = d.dag_id AND r.state IN ('queued', 'running')
                     AND r.run_type = 'scheduled') < d.max_active_runs"""
_MAY_RUN = "NOT d.is_paused AND NOT d.is_stale AND d.next_run_after IS NOT NULL"


@statement
def dag_get_many(d: Dialect) -> str:
    return f"SELECT {DAG.select('d')} FROM dag d WHERE {d.any('d.dag_id', 'dag_ids', Kind.TEXT)}"


@statement
def dag_get(d: Dialect, lock: bool) -> str:
    return f"SELECT {DAG.select('d')} FROM dag d WHERE d.dag_id = :dag_id {d.lock('d') if lock else ''}"


@statement
def dag_set_stale(d: Dialect) -> str:
    return f"UPDATE dag SET is_stale = :stale WHERE {d.any('dag_id', 'dag_ids', Kind.TEXT)}"


@statement
def dag_list_of_file(_: Dialect) -> str:
    return f"SELECT {DAG.select('d')} FROM dag d WHERE d.bundle = :bundle AND d.file = :path ORDER BY d.dag_id"


_FILES = (("path", Kind.TEXT), ("digest", Kind.TEXT))


@statement
def dag_move_trees(d: Dialect) -> str:
    # The digest stands in the row itself: a publication that commits between our look and our write is seen.
    return f"""UPDATE dag SET bundle_version = :bundle_version WHERE bundle = :bundle
               AND (bundle_version IS NULL OR bundle_version <> :bundle_version)
               AND EXISTS (SELECT 1 FROM {d.relation("f", _FILES)}
                           WHERE f.path = dag.file AND f.digest = dag.file_digest)"""


@statement
def dag_set_paused(_: Dialect) -> str:
    return "UPDATE dag SET is_paused = :paused, pause_reason = :reason WHERE dag_id = :dag_id RETURNING dag_id"


@statement
def dag_set_next(_: Dialect) -> str:
    return """UPDATE dag SET next_run_after = :run_after, next_logical_date = :logical_date,
              next_interval_start = :interval_start, next_interval_end = :interval_end WHERE dag_id = :dag_id"""


@statement
def dag_claim_due(d: Dialect) -> str:
    return f"""SELECT {DAG.select("d")} FROM dag d WHERE {_MAY_RUN} AND d.next_run_after <= :now AND {_HAS_FREE_SLOT}
               ORDER BY d.next_run_after, d.dag_id LIMIT :limit {d.lock("d", skip=True)}"""


@statement
def dag_list_with_free_slot(d: Dialect) -> str:
    return f"SELECT d.dag_id FROM dag d WHERE {d.any('d.dag_id', 'dag_ids', Kind.TEXT)} AND {_HAS_FREE_SLOT}"


@statement
def dag_next_due(_: Dialect) -> str:
    # ORDER BY and LIMIT instead of min(): walks the index of next runs and stops at the first that is free.
    return f"SELECT d.next_run_after FROM dag d WHERE {_MAY_RUN} AND {_HAS_FREE_SLOT} ORDER BY d.next_run_after LIMIT 1"


@statement
def version_get(_: Dialect) -> str:
    return f"SELECT {VERSION.select('v')} FROM dag_version v WHERE v.version_id = :version_id"


@statement
def version_newest(_: Dialect) -> str:
    return f"SELECT {VERSION.select('v')} FROM dag_version v WHERE v.dag_id = :dag_id ORDER BY v.number DESC LIMIT 1"


class DagQueries(RunSlots):
    """See `ports.store.DagTx`."""

    def dag_get_many(self, dag_ids: Iterable[str]) -> dict[str, DagRow]:
        self._flush_run_slots()
        found = self._read_all(DAG, dag_get_many(self._dialect), dag_ids=self._texts(dag_ids))
        return {row.dag_id: row for row in found}

    def dag_get(self, dag_id: str, *, lock: bool = False) -> DagRow | None:
        self._flush_run_slots()
        return self._read_one(DAG, dag_get(self._dialect, lock), dag_id=dag_id)

    def dag_put(self, row: DagRow) -> None:
        self._insert(DAG, [row], _DAG_TAIL)
        self.ring("dags")

    def dag_set_stale(self, dag_ids: Iterable[str], stale: bool) -> None:
        self._write(dag_set_stale(self._dialect), dag_ids=self._texts(dag_ids), stale=stale)
        self.ring("dags")

    def dag_list_of_file(self, bundle: str, path: str) -> list[DagRow]:
        self._flush_run_slots()
        return self._read_all(DAG, dag_list_of_file(self._dialect), bundle=bundle, path=path)

    def dag_move_trees(self, bundle: str, bundle_version: str, files: Sequence[tuple[str, str]]) -> None:
        if files:
            self._write(
                dag_move_trees(self._dialect),
                bundle=bundle,
                bundle_version=bundle_version,
                **self._dialect.relation_params("f", _FILES, files),
            )

    def dag_set_paused(self, dag_id: str, paused: bool, reason: str | None = None) -> bool:
        self.ring("dags")
        reason = self._value(Kind.TEXT, reason)
        found = bool(self._rows(dag_set_paused(self._dialect), dag_id=dag_id, paused=paused, reason=reason))
        if found and paused:
            self._write(asset_cursor_hold(self._dialect), dag_id=dag_id)
        elif found and self._rows(asset_cursor_resume(self._dialect), dag_id=dag_id):
            self._session.insert("asset_wake", WAKE, [(dag_id, self._instant(self.now()))])
            self.ring("assets")
        return found

    def dag_set_next(self, dag_id: str, following: NextRun | None) -> None:
        self._write(
            dag_set_next(self._dialect),
            dag_id=dag_id,
            run_after=self._instant(following.run_after if following else None),
            logical_date=self._instant(following.logical_date if following else None),
            interval_start=self._instant(following.interval_start if following else None),
            interval_end=self._instant(following.interval_end if following else None),
        )

    def dag_claim_due(self, now: datetime, limit: int) -> list[DagRow]:
        self._flush_run_slots()
        due = self._read_all(DAG, dag_claim_due(self._dialect), now=self._instant(now), limit=limit)
        if not due:
            return due
        # Another scheduler may have made a run between our look at the runs and our lock on the DAG: count again under
        # the lock.
        found = self._rows(dag_list_with_free_slot(self._dialect), dag_ids=self._texts(row.dag_id for row in due))
        free = {dag_id for (dag_id,) in found}
        return [row for row in due if row.dag_id in free]

    def dag_next_due(self) -> datetime | None:
        return self._first_instant(dag_next_due(self._dialect))

    def version_get(self, version_id: str) -> VersionRow | None:
        return self._read_one(VERSION, version_get(self._dialect), version_id=self._id(version_id))

    def version_newest(self, dag_id: str) -> VersionRow | None:
        return self._read_one(VERSION, version_newest(self._dialect), dag_id=dag_id)

    def version_insert(self, row: VersionRow) -> None:
        self._insert(VERSION, [row])
