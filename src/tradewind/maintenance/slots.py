"""Counters and the rows they count. Both are changed in one transaction, so these duties should never find anything:
what they find is a bug, which is logged, and mended so that no slot is lost for ever."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from tradewind.ports.rows import TaskRow
from tradewind.ports.store import Store, Transaction
from tradewind.wire.states import DagRunState

from .duty import Duty

_ENDED = (DagRunState.SUCCESS, DagRunState.FAILED)
_REMEMBERED_MAX = 10_000


class SlotsAudit(Duty):
    """Compares the counters of pools, limits and runs with their rows and corrects them."""

    def __init__(self, store: Store, rest_seconds: float) -> None:
        super().__init__("slots-audit", store, rest_seconds)

    def turn(self) -> float | None:
        with self._store.begin() as tx:
            wrong = tx.slots_audit()
            if wrong:
                tx.ring("limits", "runs", "dags")
        for name, (was, is_now) in wrong.items():
            self.log.warning("counter_corrected", counter=name, was=was, now=is_now)
        return None


class OrphanedHolds(Duty):
    """Gives back slots that instances of ended runs still hold.

    Each ended run is looked at once, some time after its end. Nothing is read while no pool is in use.

    Parameters:
        batch_max: how many of the newest ended runs are considered in a turn.
    """

    def __init__(self, store: Store, rest_seconds: float, batch_max: int) -> None:
        super().__init__("orphaned-holds", store, rest_seconds)
        self._batch_max = batch_max
        # By end, because a run that is cleared ends again.
        self._clean: OrderedDict[tuple[str, datetime], None] = OrderedDict()

    def turn(self) -> float | None:
        with self._store.read() as tx:
            suspects = self._suspects(tx)
        if suspects:
            self._release(suspects)
        return None

    def _suspects(self, tx: Transaction) -> dict[str, list[str]]:
        """run_key → instances that hold a slot, of runs that ended a while ago."""
        if not any(pool.used for pool in tx.pool_list()):
            return {}
        settled = tx.now() - timedelta(seconds=self._rest_seconds)
        found: dict[str, list[str]] = {}
        for run in tx.list_runs(states=_ENDED, limit=self._batch_max):
            if run.ended_at is None or run.ended_at > settled or (run.run_key, run.ended_at) in self._clean:
                continue
            held = [row.ti_id for row in tx.task_list(run.run_key) if row.holds_slot]
            if held:
                found[run.run_key] = held
            else:
                self._remember(run.run_key, run.ended_at)
        return found

    def _remember(self, run_key: str, ended_at: datetime) -> None:
        self._clean[(run_key, ended_at)] = None
        while len(self._clean) > _REMEMBERED_MAX:
            self._clean.popitem(last=False)

    def _release(self, suspects: dict[str, list[str]]) -> None:
        released: list[TaskRow] = []
        with self._store.begin() as tx:
            for run_key, ti_ids in suspects.items():
                run = tx.run_get(run_key, lock=True)
                if run is None or run.state not in _ENDED:
                    continue  # cleared meanwhile: its owner keeps the books again
                held = [row for row in tx.task_get_many(ti_ids, lock=True) if row.holds_slot]
                tx.task_release([row.ti_id for row in held])
                released += held
            if released:
                # The counters follow the rows.
                tx.slots_audit()
                tx.ring("limits")
        for row in released:
            self.log.warning("hold_released", dag_id=row.dag_id, run_id=row.run_id, task_id=row.task_id, pool=row.pool)
