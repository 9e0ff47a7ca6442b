# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Changes of a DAG run: its state and its owner. Guarded by the origins and, where they are the owner's, fenced."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tradewind.domain.run_state import RUN_CHANGES, RunChange
from tradewind.domain.task_state import Asker
from tradewind.ports.rows import RunRow
from tradewind.store.codec import RUN
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.queries.backfills import backfill_end
from tradewind.store.queries.slots import RunSlots
from tradewind.store.statements import statement
from tradewind.wire.states import DagRunState

# Values that the table of changes leaves to us, by column.
_SET = {
    "started_at": ":now",
    "ended_at": ":now",
    "queued_at": ":now",
    "owner": ":owner",
    "epoch": "r.epoch + 1",
    "clear_number": "r.clear_number + 1",
    "reason": ":reason",
}
_QUEUE = "(CASE WHEN r.backfill_id IS NOT NULL THEN 2 WHEN r.run_type = 'backfill' THEN 1 ELSE 0 END)"


@statement
def run_move(_: Dialect, change: str) -> str:
    rule = RUN_CHANGES[change]
    settings = [f"state = '{rule.target}'"]
    settings += [f"{column} = {_SET[column].replace('r.', 'dag_run.')}" for column in rule.sets]
    settings += [f"{column} = NULL" for column in rule.clears]
    if "reason" not in (*rule.sets, *rule.clears):
        settings.append("reason = coalesce(:reason, reason)")
    # Compared as expressions for the reason told in `tasks._guard`.
    guard = f"state || '' IN ({', '.join(sorted(repr(str(state)) for state in rule.origins))})"
    if _is_fenced(rule):
        guard += " AND owner || '' = :owner AND epoch = :epoch"
    returning = "RETURNING dag_id, backfill_id"
    return f"UPDATE dag_run SET {', '.join(settings)} WHERE run_key = :run_key AND {guard} {returning}"


@statement
def dag_take_run_slot(_: Dialect) -> str:
    return """UPDATE dag SET runs_active = runs_active + 1
              WHERE dag_id = (SELECT dag_id FROM dag_run WHERE run_key = :run_key AND backfill_id IS NULL)
              AND runs_active < max_active_runs RETURNING dag_id"""


@statement
def backfill_take_run_slot(_: Dialect) -> str:
    return """UPDATE backfill SET runs_active = runs_active + 1
              WHERE backfill_id = (SELECT backfill_id FROM dag_run WHERE run_key = :run_key)
              AND runs_active < max_active_runs RETURNING dag_id, backfill_id"""


@statement
def dag_list_startable(d: Dialect) -> str:
    # The recursion walks the index of queued runs from one DAG to the next without reading the runs between: a
    # backlog of ten thousand runs of one DAG costs one step. Locked DAGs are left out: whoever holds one starts its
    # runs, or rings when it lets go.
    return f"""
        SELECT d.dag_id, d.max_active_runs - d.runs_active, d.is_paused FROM dag d WHERE d.dag_id IN (
            WITH RECURSIVE waiting(dag_id) AS (
                SELECT min(r.dag_id) FROM dag_run r WHERE r.state = 'queued'
                UNION ALL
                SELECT (SELECT min(r.dag_id) FROM dag_run r WHERE r.state = 'queued' AND r.dag_id > waiting.dag_id)
                FROM waiting WHERE waiting.dag_id IS NOT NULL
            ) SELECT waiting.dag_id FROM waiting WHERE waiting.dag_id IS NOT NULL
        ) AND d.runs_active < d.max_active_runs
        ORDER BY d.dag_id {d.lock("d", skip=True)}"""


@statement
def run_list_queued_of_dag(_: Dialect) -> str:
    # Backfills and others are asked for apart: then the index gives each in order, and what does not fit is not read.
    return f"""SELECT r.run_key, r.run_after FROM dag_run r
               WHERE r.dag_id = :dag_id AND r.state = 'queued' AND {_QUEUE} = :is_backfill
               AND r.run_after <= :now AND (r.run_type <> 'scheduled' OR NOT :is_paused)
               ORDER BY r.run_after, r.run_key LIMIT :free"""


@statement
def backfill_list_startable(d: Dialect) -> str:
    # A backfill that is over may have runs that a person cleared: those begin whether it was paused or not.
    return f"""SELECT b.backfill_id, b.max_active_runs - b.runs_active, b.run_backwards FROM backfill b
               WHERE b.runs_active < b.max_active_runs AND (b.completed_at IS NOT NULL OR NOT b.is_paused)
               AND b.backfill_id IN (
                   WITH RECURSIVE waiting(id) AS (
                       SELECT min(r.backfill_id) FROM dag_run r WHERE r.state = 'queued' AND r.backfill_id IS NOT NULL
                       UNION ALL
                       SELECT (SELECT min(r.backfill_id) FROM dag_run r WHERE r.state = 'queued'
                               AND r.backfill_id IS NOT NULL AND r.backfill_id > waiting.id)
                       FROM waiting WHERE waiting.id IS NOT NULL
                   ) SELECT waiting.id FROM waiting WHERE waiting.id IS NOT NULL
               )
               ORDER BY b.backfill_id {d.lock("b", skip=True)}"""


@statement
def run_list_queued_of_backfill(_: Dialect, backwards: bool) -> str:
    way = "DESC" if backwards else "ASC"
    return f"""SELECT r.run_key, r.run_after FROM dag_run r
               WHERE r.backfill_id = :backfill_id AND r.state = 'queued' AND r.backfill_id IS NOT NULL
               AND r.run_after <= :now ORDER BY r.run_after {way}, r.run_key {way} LIMIT :free"""


@statement
def run_cancel_of_backfill(_: Dialect) -> str:
    rule = RUN_CHANGES["mark_failed"]
    return f"""UPDATE dag_run SET state = '{rule.target}', ended_at = :now, reason = :reason, owner = NULL
               WHERE backfill_id = :backfill_id AND state = 'queued' AND backfill_id IS NOT NULL RETURNING run_key"""


@statement
def run_start(d: Dialect) -> str:
    return f"""UPDATE dag_run SET state = 'running', owner = :owner, epoch = epoch + 1, started_at = :now
               WHERE {d.any("run_key", "run_keys", Kind.ID)} AND state || '' = 'queued' RETURNING {RUN.plain()}"""


@statement
def run_take_over(d: Dialect) -> str:
    stale = d.seconds_before(d.judge, ":lease")
    alive = f"SELECT c.id FROM component c WHERE c.kind = 'scheduler' AND c.heartbeat_at >= {stale}"
    return f"""UPDATE dag_run SET owner = :owner, epoch = epoch + 1 WHERE run_key IN (
                   SELECT r.run_key FROM dag_run r
                   WHERE r.state = 'running' AND (r.owner IS NULL OR r.owner NOT IN ({alive}))
                   ORDER BY r.run_after, r.run_key LIMIT :limit {d.lock("r", skip=True)}
               ) RETURNING {RUN.plain()}"""


@statement
def run_release(_: Dialect) -> str:
    return "UPDATE dag_run SET owner = NULL WHERE owner = :owner AND state = 'running' RETURNING run_key"


def _is_fenced(rule: RunChange) -> bool:
    # "start" makes the owner; it cannot be fenced by one.
    return Asker.OWNER in rule.askers and "owner" not in rule.sets


class RunMoves(RunSlots):
    """See `ports.store.RunTx`."""

    def run_move(
        self,
        change: str,
        run_key: str,
        *,
        owner: str | None = None,
        epoch: int | None = None,
        reason: str | None = None,
        now: datetime,
    ) -> bool:
        rule = RUN_CHANGES[change]
        if Asker.OWNER in rule.askers and (owner is None or (_is_fenced(rule) and epoch is None)):
            raise ValueError(f"run change {change!r} is the owner's: give owner and epoch")
        key = self._id(run_key)
        starts = rule.target is DagRunState.RUNNING
        if starts:
            self._flush_run_slots()
            taken: list[tuple[Any, ...]] = [
                (dag_id, None) for (dag_id,) in self._rows(dag_take_run_slot(self._dialect), run_key=key)
            ] or self._rows(backfill_take_run_slot(self._dialect), run_key=key)
            if not taken:
                return False
        moved = self._rows(
            run_move(self._dialect, change),
            run_key=key,
            owner=owner,
            epoch=epoch,
            reason=self._value(Kind.TEXT, reason),
            now=self._instant(now),
        )
        if not moved:
            if starts:
                self._use_run_slot(taken[0][0], taken[0][1], -1)
            return False
        if DagRunState.RUNNING in rule.origins:
            self._use_run_slot(moved[0][0], moved[0][1], -1)
        if DagRunState.RUNNING in rule.origins or rule.target is DagRunState.QUEUED:
            self.ring("runs")
        self.ring("changes")
        return True

    def run_start_queued(self, owner: str, now: datetime, limit: int) -> list[RunRow]:
        self._flush_run_slots()
        candidates: list[tuple[int, Any, str]] = []
        dags, backfills = self._session.rows_in_turn(
            (dag_list_startable(self._dialect), {}), (backfill_list_startable(self._dialect), {})
        )
        for dag_id, free, is_paused in dags:
            candidates += self._queued_of_dag(dag_id, min(free, limit), bool(is_paused), now)
        if len(candidates) < limit:
            candidates += self._queued_of_backfills(backfills, limit - len(candidates), now)
        chosen = sorted(candidates)[:limit]
        if not chosen:
            return []
        started = self._read_all(
            RUN,
            run_start(self._dialect),
            owner=owner,
            now=self._instant(now),
            run_keys=self._ids(run_key for _, _, run_key in chosen),
        )
        for row in started:
            self._use_run_slot(row.dag_id, row.backfill_id, 1)
        self._flush_run_slots()
        self.ring("changes")
        place = {run_key: position for position, (_, _, run_key) in enumerate(chosen)}
        return sorted(started, key=lambda row: place[row.run_key])

    def _queued_of_dag(self, dag_id: str, free: int, is_paused: bool, now: datetime) -> list[tuple[int, Any, str]]:
        """The runs of a DAG that are next, at most `free`, as (is backfill, run after, run key): sorts as they go."""
        found: list[tuple[int, Any, str]] = []
        for is_backfill in (0, 1):
            if len(found) < free:
                rows = self._rows(
                    run_list_queued_of_dag(self._dialect),
                    dag_id=dag_id,
                    is_backfill=is_backfill,
                    now=self._instant(now),
                    is_paused=is_paused,
                    free=free - len(found),
                )
                found += [(is_backfill, run_after, run_key) for run_key, run_after in rows]
        return found

    def _queued_of_backfills(
        self, backfills: list[tuple[Any, ...]], limit: int, now: datetime
    ) -> list[tuple[int, Any, str]]:
        """The runs of backfills that are next, for all that have room; after the runs of DAGs."""
        found: list[tuple[int, Any, str]] = []
        for backfill_id, free, backwards in backfills:
            rows = self._rows(
                run_list_queued_of_backfill(self._dialect, bool(backwards)),
                backfill_id=backfill_id,
                now=self._instant(now),
                free=min(free, limit),
            )
            found += [(2, run_after, run_key) for run_key, run_after in rows]
        return found

    def backfill_cancel(self, backfill_id: int, reason: str, now: datetime) -> int:
        instant = self._instant(now)
        self._write(backfill_end(self._dialect), backfill_id=backfill_id, now=instant)
        sql = run_cancel_of_backfill(self._dialect)
        self.ring("changes", "dags")
        return len(self._rows(sql, backfill_id=backfill_id, now=instant, reason=self._value(Kind.TEXT, reason)))

    def run_take_over(self, owner: str, lease_seconds: float, limit: int) -> list[RunRow]:
        taken = self._read_all(
            RUN,
            run_take_over(self._dialect),
            owner=owner,
            lease=lease_seconds,
            limit=limit,
            judged_at=self._judge(),
        )
        if taken:
            self.ring("changes")
        return sorted(taken, key=lambda row: (row.run_after, row.run_key))

    def run_release(self, owner: str) -> int:
        return len(self._rows(run_release(self._dialect), owner=owner))
