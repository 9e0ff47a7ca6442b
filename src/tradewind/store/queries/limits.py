# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Pools and counters across runs. Whoever admits locks them in order of name, and queues in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tradewind.ports.rows import PoolRow
from tradewind.store.codec import POOL
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import statement, upsert_tail

from .slots import RunSlots

_POOL_TAIL = upsert_tail(POOL, ("name",), keep=("used",))
_POOL_DELTAS = (("name", Kind.TEXT), ("delta", Kind.INTEGER))
_LIMIT_DELTAS = (("limit_key", Kind.TEXT), ("delta", Kind.INTEGER))
_LIMIT = (("limit_key", Kind.TEXT), ("used", Kind.INTEGER))

# What each counter should be, from the rows that it counts. `{which}` narrows to the counters under suspicion.
_POOLS_COUNTED = """SELECT p.name, p.used, (SELECT coalesce(sum(t.pool_slots), 0) FROM task_instance t
                    WHERE t.pool = p.name AND t.holds_slot) AS counted FROM pool p"""
_LIMITS_COUNTED = """SELECT l.limit_key, l.used, (SELECT count(*) FROM task_instance t
                     WHERE t.dag_id || '/' || t.task_id = l.limit_key AND t.holds_slot) AS counted FROM task_limit l"""
_RUNS_COUNTED = """SELECT d.dag_id, d.runs_active, (SELECT count(*) FROM dag_run r
                   WHERE r.dag_id = d.dag_id AND r.state = 'running' AND r.backfill_id IS NULL) AS counted FROM dag d"""
_BACKFILLS_COUNTED = """SELECT b.backfill_id, b.runs_active, (SELECT count(*) FROM dag_run r
                        WHERE r.backfill_id IS NOT NULL AND r.backfill_id = b.backfill_id AND r.state = 'running')
                        AS counted FROM backfill b"""
_AUDITS = {
    "pool": ("pool", "name", "used", _POOLS_COUNTED),
    "limit": ("task_limit", "limit_key", "used", _LIMITS_COUNTED),
    "runs": ("dag", "dag_id", "runs_active", _RUNS_COUNTED),
    "backfill": ("backfill", "backfill_id", "runs_active", _BACKFILLS_COUNTED),
}


@statement
def pool_list(_: Dialect) -> str:
    return f"SELECT {POOL.select('p')} FROM pool p ORDER BY p.name"


@statement
def pool_get(_: Dialect) -> str:
    return f"SELECT {POOL.select('p')} FROM pool p WHERE p.name = :name"


@statement
def pool_delete(_: Dialect) -> str:
    return "DELETE FROM pool WHERE name = :name RETURNING name"


@statement
def pool_lock(d: Dialect) -> str:
    return f"""SELECT {POOL.select("p")} FROM pool p WHERE {d.any("p.name", "names", Kind.TEXT)}
               ORDER BY p.name {d.lock("p")}"""


@statement
def pool_use(d: Dialect) -> str:
    return f"UPDATE pool SET used = used + v.delta FROM {d.relation('v', _POOL_DELTAS)} WHERE pool.name = v.name"


@statement
def limit_lock(d: Dialect) -> str:
    return f"""SELECT l.limit_key, l.used FROM task_limit l WHERE {d.any("l.limit_key", "keys", Kind.TEXT)}
               ORDER BY l.limit_key {d.lock("l")}"""


@statement
def limit_use(d: Dialect) -> str:
    return f"""UPDATE task_limit SET used = used + v.delta FROM {d.relation("v", _LIMIT_DELTAS)}
               WHERE task_limit.limit_key = v.limit_key"""


@statement
def counter_list_wrong(_: Dialect, family: str) -> str:
    _table, key, used, counted = _AUDITS[family]
    return f"SELECT c.{key} FROM ({counted}) AS c WHERE c.{used} <> c.counted ORDER BY c.{key}"


@statement
def counter_lock(d: Dialect, family: str) -> str:
    table, key, _used, _counted = _AUDITS[family]
    return f"SELECT c.{key} FROM {table} c WHERE {_named(d, key)} ORDER BY c.{key} {d.lock('c')}"


@statement
def counter_count(d: Dialect, family: str) -> str:
    _table, key, used, counted = _AUDITS[family]
    return f"SELECT c.{key}, c.{used}, c.counted FROM ({counted}) AS c WHERE {_named(d, key)}"


def _key_kind(key: str) -> Kind:
    return Kind.INTEGER if key == "backfill_id" else Kind.TEXT


def _named(d: Dialect, key: str) -> str:
    return d.any(f"c.{key}", "names", _key_kind(key))


@statement
def counter_correct(_: Dialect, family: str) -> str:
    table, key, used, _counted = _AUDITS[family]
    return f"UPDATE {table} SET {used} = :counted WHERE {key} = :name"


class LimitQueries(RunSlots):
    """See `ports.store.LimitTx`."""

    def pool_list(self) -> list[PoolRow]:
        return self._read_all(POOL, pool_list(self._dialect))

    def pool_get(self, name: str) -> PoolRow | None:
        return self._read_one(POOL, pool_get(self._dialect), name=name)

    def pool_put(self, name: str, slots: int, description: str = "", include_deferred: bool = False) -> None:
        row = PoolRow(name=name, slots=slots, description=description, include_deferred=include_deferred)
        self._insert(POOL, [row], _POOL_TAIL)
        self.ring("limits")

    def pool_delete(self, name: str) -> bool:
        self.ring("limits")
        return bool(self._rows(pool_delete(self._dialect), name=name))

    def pool_lock(self, names: Iterable[str]) -> dict[str, PoolRow]:
        found = self._read_all(POOL, pool_lock(self._dialect), names=self._texts(names))
        return {row.name: row for row in found}

    def pool_use(self, deltas: Mapping[str, int]) -> None:
        if deltas:
            params = self._dialect.relation_params("v", _POOL_DELTAS, sorted(deltas.items()))
            self._write(pool_use(self._dialect), **params)

    def limit_lock(self, keys: Iterable[str]) -> dict[str, int]:
        wanted = sorted(set(keys))
        if not wanted:
            return {}
        tail = "ON CONFLICT (limit_key) DO NOTHING"
        self._session.insert("task_limit", _LIMIT, [(key, 0) for key in wanted], tail)
        return dict(self._rows(limit_lock(self._dialect), keys=self._texts(wanted)))

    def limit_use(self, deltas: Mapping[str, int]) -> None:
        if deltas:
            params = self._dialect.relation_params("v", _LIMIT_DELTAS, sorted(deltas.items()))
            self._write(limit_use(self._dialect), **params)

    def slots_audit(self) -> dict[str, tuple[int, int]]:
        self._flush_run_slots()
        corrected: dict[str, tuple[int, int]] = {}
        for family in _AUDITS:
            for name, (was, counted) in self._audit(family).items():
                corrected[f"{family}:{name}"] = (was, counted)
        if corrected:
            self.ring("limits", "runs")
        return corrected

    def _audit(self, family: str) -> dict[str, tuple[int, int]]:
        """Look without locks, then lock what looks wrong and count again: others may be in the middle of a change."""
        suspects = [name for (name,) in self._rows(counter_list_wrong(self._dialect, family))]
        if not suspects:
            return {}
        names = self._dialect.array(_key_kind(_AUDITS[family][1]), suspects)
        self._rows(counter_lock(self._dialect, family), names=names)
        found = self._rows(counter_count(self._dialect, family), names=names)
        wrong = {name: (was, int(counted)) for name, was, counted in found if was != counted}
        for name, (_, counted) in wrong.items():
            self._write(counter_correct(self._dialect, family), name=name, counted=counted)
        return wrong
