"""The exam's part on the doorbell of a store: after the commit, only after the commit."""

from __future__ import annotations

from tradewind.ports.store import NextRun, Store, TaskMove
from tradewind.wire.inbox import RunNudged

from .seeds import START, new_id, put_dag, put_run, put_tasks, start_run, undone

TOPICS = ("inbox", "runs", "dags", "limits", "agents", "changes", "end")
LONG = 20.0


class BellExam:
    """What a store promises of `ring` and `listen`."""

    def test_rings_after_the_commit(self, store: Store) -> None:
        with store.listen(["agents", "limits"]) as listener:
            with store.begin() as tx:
                tx.ring("agents", "limits", "changes")
                assert listener.wait(0) == frozenset()
            assert heard(listener) == {"agents", "limits"}

    def test_a_rolled_back_transaction_rings_nothing(self, store: Store) -> None:
        with store.listen(["inbox", "changes", "dags", "end"]) as listener:
            with undone(store) as tx:
                run = start_run(tx, put_dag(tx), "s")
                tx.inbox_put([(run.run_key, RunNudged())])
            with store.begin() as tx:
                tx.ring("end")
            assert listener.wait(LONG) == {"end"}

    def test_everyone_hears(self, store: Store) -> None:
        with store.listen(["agents"]) as first, store.listen(["agents"]) as second:
            with store.begin() as tx:
                tx.ring("agents")
            assert first.wait(LONG) == second.wait(LONG) == {"agents"}

    def test_methods_ring_what_they_change(self, store: Store) -> None:
        def rung(work) -> set[str]:
            with store.listen(TOPICS) as listener:
                with store.begin() as tx:
                    work(tx)
                with store.begin() as tx:
                    tx.ring("end")
                topics: set[str] = set()
                while "end" not in topics:
                    topics |= listener.wait(LONG)
                return topics - {"end"}

        with store.begin() as tx:
            dag = put_dag(tx)
            run = start_run(tx, dag, "s")
            (row,) = put_tasks(tx, run, "a")
        assert rung(lambda tx: tx.dag_put(dag)) == {"dags"}
        assert rung(lambda tx: tx.dag_set_paused("sales", True)) == {"dags"}
        assert rung(lambda tx: tx.dag_set_stale(["sales"], False)) == {"dags"}
        assert (
            rung(
                lambda tx: tx.dag_set_next(
                    "sales", NextRun(run_after=START, logical_date=None, interval_start=None, interval_end=None)
                )
            )
            == set()
        )
        assert rung(lambda tx: put_run(tx, dag, "r2")) == {"runs", "changes"}
        assert rung(lambda tx: tx.inbox_put([(run.run_key, RunNudged())])) == {"inbox"}
        assert rung(lambda tx: tx.inbox_put([])) == set()
        assert rung(lambda tx: tx.task_move("schedule", [TaskMove(row.ti_id)], START)) == {"changes"}
        assert rung(lambda tx: tx.task_move("schedule", [TaskMove(new_id())], START)) == set()
        assert rung(lambda tx: tx.pool_put("etl", 1)) == {"limits"}
        assert rung(lambda tx: tx.run_move("succeed", run.run_key, owner="s", epoch=1, now=START)) == {
            "runs",
            "changes",
        }
        assert rung(lambda tx: tx.run_move("requeue", run.run_key, now=START)) == {"runs", "changes"}


def heard(listener) -> set[str]:
    """What a listener hears within one wait; rings of one transaction may arrive one after another."""
    topics: set[str] = set()
    while len(topics) < 2:
        topics |= listener.wait(LONG)
    return topics
