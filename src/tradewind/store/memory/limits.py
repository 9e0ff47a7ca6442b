"""Pools and counters across runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from tradewind.ports.rows import PoolRow
from tradewind.wire.states import DagRunState

from .data import LimitRow
from .unit import Unit


class LimitPart(Unit):
    """`ports.store.LimitTx`."""

    def pool_list(self) -> list[PoolRow]:
        return sorted(self._data.pools, key=lambda row: row.name)

    def pool_get(self, name: str) -> PoolRow | None:
        return self._data.pools.get(name)

    def pool_put(self, name: str, slots: int, description: str = "", include_deferred: bool = False) -> None:
        journal = self._write("pool_put")
        old = self._data.pools.get(name)
        row = PoolRow(
            name=name,
            slots=slots,
            description=description,
            include_deferred=include_deferred,
            used=old.used if old else 0,
        )
        self._data.pools.put(journal, name, row)
        self.topics.add("limits")

    def pool_delete(self, name: str) -> bool:
        self.ring("limits")
        return self._data.pools.delete(self._write("pool_delete"), name) is not None

    def pool_lock(self, names: Iterable[str]) -> dict[str, PoolRow]:
        rows = self._data.pools.rows
        return {name: rows[name] for name in sorted(set(names)) if name in rows}

    def pool_use(self, deltas: Mapping[str, int]) -> None:
        journal = self._write("pool_use")
        for name, delta in deltas.items():
            row = self._data.pools.get(name)
            if row is not None and delta:
                self._data.pools.put(journal, name, replace(row, used=row.used + delta))

    def limit_lock(self, keys: Iterable[str]) -> dict[str, int]:
        journal = self._write("limit_lock")
        used = {}
        for key in sorted(set(keys)):
            row = self._data.limits.get(key)
            if row is None:
                row = LimitRow(key, 0)
                self._data.limits.put(journal, key, row)
            used[key] = row.used
        return used

    def limit_use(self, deltas: Mapping[str, int]) -> None:
        journal = self._write("limit_use")
        for key, delta in deltas.items():
            row = self._data.limits.get(key)
            if row is not None and delta:
                self._data.limits.put(journal, key, LimitRow(key, row.used + delta))

    def slots_audit(self) -> dict[str, tuple[int, int]]:
        journal = self._write("slots_audit")
        data = self._data
        pools: Counter[str] = Counter()
        limits: Counter[str] = Counter()
        for task in data.tasks:
            if task.holds_slot:
                pools[task.pool] += task.pool_slots
                limits[f"{task.dag_id}/{task.task_id}"] += 1
        live = [run for run in data.runs if run.state is DagRunState.RUNNING]
        running = Counter(run.dag_id for run in live if run.backfill_id is None)
        filling = Counter(run.backfill_id for run in live if run.backfill_id is not None)
        wrong: dict[str, tuple[int, int]] = {}
        for pool in list(data.pools):
            if pool.used != pools[pool.name]:
                wrong[f"pool:{pool.name}"] = (pool.used, pools[pool.name])
                data.pools.put(journal, pool.name, replace(pool, used=pools[pool.name]))
        for limit in list(data.limits):
            if limit.used != limits[limit.key]:
                wrong[f"limit:{limit.key}"] = (limit.used, limits[limit.key])
                data.limits.put(journal, limit.key, LimitRow(limit.key, limits[limit.key]))
        for dag in list(data.dags):
            if dag.runs_active != running[dag.dag_id]:
                wrong[f"runs:{dag.dag_id}"] = (dag.runs_active, running[dag.dag_id])
                data.dags.put(journal, dag.dag_id, replace(dag, runs_active=running[dag.dag_id]))
        for backfill in list(data.backfills):
            counted = filling[backfill.backfill_id]
            if backfill.runs_active != counted:
                wrong[f"backfill:{backfill.backfill_id}"] = (backfill.runs_active, counted)
                data.backfills.put(journal, backfill.backfill_id, replace(backfill, runs_active=counted))
        if wrong:
            self.topics.update(("limits", "runs"))
        return wrong
