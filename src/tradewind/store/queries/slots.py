# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""The counters of active runs of DAGs and of backfills, changed with the runs."""

from __future__ import annotations

from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

_DELTAS = (("dag_id", Kind.TEXT), ("delta", Kind.INTEGER))
_BACKFILL_DELTAS = (("backfill_id", Kind.INTEGER), ("delta", Kind.INTEGER))


@statement
def dag_lock_for_slots(d: Dialect) -> str:
    return f"SELECT d.dag_id FROM dag d WHERE {d.any('d.dag_id', 'dag_ids', Kind.TEXT)} ORDER BY d.dag_id {d.lock('d')}"


@statement
def dag_use_run_slots(d: Dialect) -> str:
    return f"""UPDATE dag SET runs_active = runs_active + v.delta FROM {d.relation("v", _DELTAS)}
               WHERE dag.dag_id = v.dag_id"""


@statement
def backfill_lock_for_slots(d: Dialect) -> str:
    which = d.any("b.backfill_id", "ids", Kind.INTEGER)
    return f"SELECT b.backfill_id FROM backfill b WHERE {which} ORDER BY b.backfill_id {d.lock('b')}"


@statement
def backfill_use_run_slots(d: Dialect) -> str:
    return f"""UPDATE backfill SET runs_active = runs_active + v.delta FROM {d.relation("v", _BACKFILL_DELTAS)}
               WHERE backfill.backfill_id = v.backfill_id"""


class RunSlots(Work):
    """Run slots given back are written at the end of the transaction, in order of DAG.

    Two schedulers that finish runs of the same DAGs would otherwise lock them in the order in which the runs end, and
    so each other.
    """

    def _use_run_slot(self, dag_id: str, backfill_id: int | None, delta: int) -> None:
        if backfill_id is None:
            self._slot_deltas[dag_id] += delta
        else:
            self._backfill_deltas[backfill_id] += delta

    def _flush_run_slots(self) -> None:
        self._flush_dag_slots()
        if self._backfill_deltas:
            self._flush_backfill_slots()

    def _flush_backfill_slots(self) -> None:
        deltas = sorted((backfill_id, delta) for backfill_id, delta in self._backfill_deltas.items() if delta)
        self._backfill_deltas.clear()
        if not deltas:
            return
        if len(deltas) > 1:
            ids = self._dialect.array(Kind.INTEGER, [backfill_id for backfill_id, _ in deltas])
            self._write(backfill_lock_for_slots(self._dialect), ids=ids)
        params = self._dialect.relation_params("v", _BACKFILL_DELTAS, deltas)
        self._write(backfill_use_run_slots(self._dialect), **params)

    def _flush_dag_slots(self) -> None:
        deltas = sorted((dag_id, delta) for dag_id, delta in self._slot_deltas.items() if delta)
        self._slot_deltas.clear()
        if not deltas:
            return
        if len(deltas) > 1:
            self._write(dag_lock_for_slots(self._dialect), dag_ids=self._texts(dag_id for dag_id, _ in deltas))
        self._write(dag_use_run_slots(self._dialect), **self._dialect.relation_params("v", _DELTAS, deltas))
