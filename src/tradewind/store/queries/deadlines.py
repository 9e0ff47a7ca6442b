# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Deadlines of runs and tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tradewind.ports.deadline_rows import DeadlineRow, DeadlineState
from tradewind.ports.outbox_rows import OutboxState
from tradewind.store.codec import DEADLINE
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement, upsert_tail

_BEGIN = datetime(1, 1, 1, tzinfo=UTC)
_TAIL = upsert_tail(DEADLINE, ("run_key", "task_id", "ordinal"), keep=("deadline_id",))


@statement
def deadline_claim(d: Dialect) -> str:
    return f"""SELECT {DEADLINE.select("e")} FROM deadline e
               WHERE e.state = 'pending' AND (e.due_at IS NULL OR e.due_at <= :now)
               ORDER BY e.due_at LIMIT :limit {d.lock("e", skip=True)}"""


@statement
def deadline_next_due(_: Dialect) -> str:
    return (
        "SELECT e.due_at FROM deadline e WHERE e.state = 'pending' AND e.due_at IS NOT NULL ORDER BY e.due_at LIMIT 1"
    )


@statement
def deadline_has_unresolved(_: Dialect) -> str:
    return "SELECT 1 FROM deadline e WHERE e.state = 'pending' AND e.due_at IS NULL LIMIT 1"


@statement
def deadline_resolve(_: Dialect) -> str:
    return """UPDATE deadline SET interval_seconds = :seconds, due_at = :due_at
              WHERE deadline_id = :deadline_id AND state = 'pending'"""


@statement
def deadline_settle(d: Dialect) -> str:
    return f"""UPDATE deadline SET state = :state, settled_at = :now, reason = :reason
               WHERE {d.any("deadline_id", "ids", Kind.TEXT)} AND state = 'pending' RETURNING deadline_id"""


@statement
def deadline_list_of_run(_: Dialect) -> str:
    return f"""SELECT {DEADLINE.select("e")} FROM deadline e WHERE e.run_key = :run_key
               ORDER BY e.due_at, e.task_id, e.ordinal"""


@statement
def deadline_list(d: Dialect, of_dag: bool, of_run: bool, with_states: bool) -> str:
    conditions = ["true"]
    if of_dag:
        conditions.append("e.dag_id = :dag_id")
    if of_run:
        conditions.append("e.run_id = :run_id")
    if with_states:
        conditions.append(d.any("e.state", "states", Kind.TEXT))
    return f"""SELECT {DEADLINE.select("e")}, o.state, o.error FROM deadline e
               LEFT JOIN outbox o ON o.delivery_key = 'deadline/' || e.deadline_id
               WHERE {" AND ".join(conditions)}
               ORDER BY e.due_at DESC, e.deadline_id DESC LIMIT :limit OFFSET :offset"""


@statement
def run_list_lengths(_: Dialect) -> str:
    return """SELECT r.started_at, r.ended_at FROM dag_run r
              WHERE r.dag_id = :dag_id AND r.state IN ('success', 'failed')
              AND r.started_at IS NOT NULL AND r.ended_at IS NOT NULL ORDER BY r.run_key DESC LIMIT :limit"""


class DeadlineQueries(Work):
    """See `ports.deadlines.DeadlineTx`."""

    def deadline_put(self, rows: Sequence[DeadlineRow]) -> None:
        self._insert(DEADLINE, rows, _TAIL)
        if rows:
            self.ring("deadlines", "changes")

    def deadline_claim(self, now: datetime, limit: int) -> list[DeadlineRow]:
        return self._read_all(DEADLINE, deadline_claim(self._dialect), now=self._instant(now), limit=limit)

    def deadline_next_due(self) -> datetime | None:
        if self._rows(deadline_has_unresolved(self._dialect)):
            return _BEGIN
        return self._first_instant(deadline_next_due(self._dialect))

    def deadline_resolve(self, deadline_id: str, interval_seconds: float, due_at: datetime) -> None:
        self._write(
            deadline_resolve(self._dialect),
            deadline_id=deadline_id,
            seconds=interval_seconds,
            due_at=self._instant(due_at),
        )

    def deadline_settle(
        self, deadline_ids: Iterable[str], state: DeadlineState, now: datetime, reason: str | None = None
    ) -> int:
        settled = self._rows(
            deadline_settle(self._dialect),
            ids=self._texts(deadline_ids),
            state=state.value,
            now=self._instant(now),
            reason=self._value(Kind.TEXT, reason),
        )
        if settled:
            self.ring("changes")
        return len(settled)

    def deadline_list_of_run(self, run_key: str) -> list[DeadlineRow]:
        return self._read_all(DEADLINE, deadline_list_of_run(self._dialect), run_key=self._id(run_key))

    def deadline_list(
        self,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
        states: Iterable[DeadlineState] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[DeadlineRow, OutboxState | None, str | None]]:
        wanted = [state.value for state in states]
        decode = DEADLINE.decoder(self._dialect)
        found = self._rows(
            deadline_list(self._dialect, dag_id is not None, run_id is not None, bool(wanted)),
            dag_id=dag_id,
            run_id=run_id,
            states=self._texts(wanted),
            limit=limit,
            offset=offset,
        )
        return [(decode(row[:-2]), OutboxState(row[-2]) if row[-2] is not None else None, row[-1]) for row in found]

    def run_average_seconds(self, dag_id: str, runs_max: int) -> tuple[float, int]:
        decode = self._dialect.decoders.get(Kind.INSTANT, lambda value: value)
        rows = self._rows(run_list_lengths(self._dialect), dag_id=dag_id, limit=runs_max)
        took = [(decode(ended) - decode(started)).total_seconds() for started, ended in rows]
        return (sum(took) / len(took), len(took)) if took else (0.0, 0)
