"""The exam's part on pools and counters."""

from __future__ import annotations

import pytest

from tradewind.ports.rows import PoolRow
from tradewind.ports.store import Store

from .seeds import START, new_id, put_dag, put_run, put_tasks, queue, start_run, undone


class LimitExam:
    """What a store promises of pools and limits."""

    def test_a_pool_comes_back_as_it_was(self, store: Store) -> None:
        with store.begin() as tx:
            tx.pool_put("etl", 3, "for loads", include_deferred=True)
            tx.pool_put("unlimited", -1)
        with store.read() as tx:
            assert tx.pool_get("etl") == PoolRow(name="etl", slots=3, description="for loads", include_deferred=True)
            assert tx.pool_get("unlimited") == PoolRow(name="unlimited", slots=-1)
            assert tx.pool_get("unknown") is None
            names = [row.name for row in tx.pool_list()]
        assert names == sorted(names)
        assert {"etl", "unlimited"} <= set(names)

    def test_a_new_database_has_the_default_pool(self, store: Store) -> None:
        with store.read() as tx:
            pool = tx.pool_get("default_pool")
        assert pool is not None
        assert pool.slots > 0
        assert pool.used == 0

    def test_changing_a_pool_leaves_what_is_used(self, store: Store) -> None:
        with store.begin() as tx:
            tx.pool_put("etl", 3, "for loads")
            tx.pool_use({"etl": 2})
        with store.begin() as tx:
            tx.pool_put("etl", 1, "smaller")
        with store.read() as tx:
            assert tx.pool_get("etl") == PoolRow(name="etl", slots=1, description="smaller", used=2)

    def test_delete_a_pool(self, store: Store) -> None:
        with store.begin() as tx:
            tx.pool_put("etl", 3)
        with store.begin() as tx:
            assert tx.pool_delete("etl")
            assert not tx.pool_delete("etl")
            assert tx.pool_get("etl") is None

    def test_lock_gives_those_that_exist_in_order_of_name(self, store: Store) -> None:
        with store.begin() as tx:
            for name in ("c", "a", "b"):
                tx.pool_put(name, 1)
        with store.begin() as tx:
            locked = tx.pool_lock(["b", "unknown", "c", "a", "b"])
            assert list(locked) == ["a", "b", "c"]
            assert locked["b"] == PoolRow(name="b", slots=1)
            assert tx.pool_lock([]) == {}

    def test_use_adds_and_gives_back(self, store: Store) -> None:
        with store.begin() as tx:
            tx.pool_put("a", 5)
            tx.pool_put("b", 5)
            tx.pool_use({"a": 3, "b": 1})
            tx.pool_use({"a": -2, "b": 0})
            tx.pool_use({})
        with store.read() as tx:
            used = {row.name: row.used for row in tx.pool_list()}
        assert (used["a"], used["b"]) == (1, 1)

    def test_giving_back_to_a_deleted_pool_is_no_accident(self, store: Store) -> None:
        with store.begin() as tx:
            tx.pool_put("a", 5)
            tx.pool_use({"a": 1})
            tx.pool_delete("a")
        with store.begin() as tx:
            tx.pool_use({"a": -1})
            assert tx.pool_get("a") is None

    def test_used_never_falls_below_zero(self, store: Store) -> None:
        with store.begin() as tx:
            tx.pool_put("a", 5)
            tx.pool_use({"a": 1})
        with pytest.raises(Exception, match="pool"), store.begin() as tx:
            tx.pool_use({"a": -2})
        with store.read() as tx:
            pool = tx.pool_get("a")
            assert pool is not None
            assert pool.used == 1

    def test_use_is_undone(self, store: Store) -> None:
        with store.begin() as tx:
            tx.pool_put("a", 5)
            tx.limit_lock(["sales/load"])
        with undone(store) as tx:
            tx.pool_use({"a": 4})
            tx.limit_use({"sales/load": 4})
            tx.pool_put("b", 1)
        with store.begin() as tx:
            assert tx.pool_lock(["a", "b"]) == {"a": PoolRow(name="a", slots=5)}
            assert tx.limit_lock(["sales/load"]) == {"sales/load": 0}

    def test_limits_are_made_when_absent(self, store: Store) -> None:
        with store.begin() as tx:
            assert tx.limit_lock(["sales/load", "sales/clean", "sales/load"]) == {"sales/load": 0, "sales/clean": 0}
            tx.limit_use({"sales/load": 2})
        with store.begin() as tx:
            assert tx.limit_lock(["sales/load"]) == {"sales/load": 2}
            tx.limit_use({"sales/load": -1, "sales/clean": 1})
            assert tx.limit_lock(["sales/clean", "sales/load"]) == {"sales/clean": 1, "sales/load": 1}
            assert tx.limit_lock([]) == {}

    def test_a_limit_never_falls_below_zero(self, store: Store) -> None:
        with store.begin() as tx:
            tx.limit_lock(["sales/load"])
        with pytest.raises(Exception, match="limit"), store.begin() as tx:
            tx.limit_use({"sales/load": -1})
        with store.begin() as tx:
            assert tx.limit_lock(["sales/load"]) == {"sales/load": 0}

    def test_the_audit_finds_nothing_wrong_in_order(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            rows = put_tasks(tx, run, "a", "b", pool_slots=2)
            tx.limit_lock(["sales/a"])
            queue(tx, rows)
            tx.pool_use({"default_pool": 4})
            tx.limit_use({"sales/a": 1})
        with store.begin() as tx:
            assert tx.slots_audit() == {}
            tx.task_release([row.ti_id for row in rows])
            tx.pool_use({"default_pool": -4})
            tx.limit_use({"sales/a": -1})
            assert tx.slots_audit() == {}

    def test_the_audit_corrects_every_counter(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            put_run(tx, put_dag(tx, "stock"), state=run.state)  # inserted as running: its DAG never counted it
            tx.pool_put("etl", 10)
            held = put_tasks(tx, run, "a", ("each", "0"), ("each", "1"), pool="etl", pool_slots=3)
            put_tasks(tx, run, "waiting", pool="etl")
            queue(tx, held)
            tx.limit_lock(["sales/each", "sales/idle", "other/each"])
            tx.limit_use({"sales/idle": 4, "other/each": 1})
            tx.pool_use({"etl": 1, "default_pool": 2})
        with store.begin() as tx:
            assert tx.slots_audit() == {
                "pool:etl": (1, 9),
                "pool:default_pool": (2, 0),
                "limit:sales/each": (0, 2),
                "limit:sales/idle": (4, 0),
                "limit:other/each": (1, 0),
                "runs:stock": (0, 1),
            }
        with store.begin() as tx:
            assert tx.slots_audit() == {}
            used = {name: pool.used for name, pool in tx.pool_lock(["etl", "default_pool"]).items()}
            assert used == {"default_pool": 0, "etl": 9}
            assert tx.limit_lock(["sales/each"]) == {"sales/each": 2}
            stock = tx.dag_get("stock")
            assert stock is not None
            assert stock.runs_active == 1

    def test_slots_follow_the_change_that_says_so(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            rows = put_tasks(tx, run, "a", "b")
            assert not any(row.holds_slot for row in tx.task_list(run.run_key))
            queue(tx, rows)
            assert all(row.holds_slot for row in tx.task_list(run.run_key))
            tx.task_release([rows[0].ti_id])
            tx.task_release([])
        with store.read() as tx:
            assert {row.task_id: row.holds_slot for row in tx.task_list(run.run_key)} == {"a": False, "b": True}
            assert {row.queued_at for row in tx.task_list(run.run_key)} == {START}
