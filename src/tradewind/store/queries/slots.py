# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""The counter of active runs of a DAG, changed with the runs."""

from __future__ import annotations

from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

_DELTAS = (("dag_id", Kind.TEXT), ("delta", Kind.INTEGER))


@statement
def dag_lock_for_slots(d: Dialect) -> str:
    return f"SELECT d.dag_id FROM dag d WHERE {d.any('d.dag_id', 'dag_ids', Kind.TEXT)} ORDER BY d.dag_id {d.lock('d')}"


@statement
def dag_use_run_slots(d: Dialect) -> str:
    return f"""UPDATE dag SET runs_active = runs_active + v.delta FROM {d.relation("v", _DELTAS)}
               WHERE dag.dag_id = v.dag_id"""


class RunSlots(Work):
    """Run slots given back are written at the end of the transaction, in order of DAG.

    Two schedulers that finish runs of the same DAGs would otherwise lock them in the order in which the runs end, and
    so each other.
    """

    def _use_run_slot(self, dag_id: str, delta: int) -> None:
        self._slot_deltas[dag_id] += delta

    def _flush_run_slots(self) -> None:
        deltas = sorted((dag_id, delta) for dag_id, delta in self._slot_deltas.items() if delta)
        self._slot_deltas.clear()
        if not deltas:
            return
        if len(deltas) > 1:
            self._write(dag_lock_for_slots(self._dialect), dag_ids=self._texts(dag_id for dag_id, _ in deltas))
        self._write(dag_use_run_slots(self._dialect), **self._dialect.relation_params("v", _DELTAS, deltas))
