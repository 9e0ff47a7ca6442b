"""Several processes on one database at once: each rule holds whoever comes first. Two stores, several threads each."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from tests.conformance.store_exam.seeds import START, new_id, put_dag, put_run, put_tasks, run_row, start, start_run

from tradewind.ports.store import NextRun, TaskMove
from tradewind.store.sql import SqlStore
from tradewind.wire.errors import Unavailable
from tradewind.wire.inbox import RunNudged
from tradewind.wire.states import DagRunState, DagRunType

WORKERS = 4
TIMEOUT = 60.0


@pytest.fixture
def stores(database_url: str) -> Iterator[list[SqlStore]]:
    stores = [SqlStore(database_url) for _ in range(2)]
    yield stores
    for store in stores:
        store.close()


def race(stores: list[SqlStore], work: Callable[[SqlStore, str], None]) -> None:
    """Run `work(store, name)` in several threads that begin together; the first error comes out here."""
    gate = threading.Barrier(WORKERS)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            gate.wait(TIMEOUT)
            work(stores[number % len(stores)], f"worker-{number}")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


class TestRuns:
    def test_max_active_runs_holds_with_any_number_of_schedulers(self, stores: list[SqlStore]) -> None:
        with stores[0].begin() as tx:
            for dag_id in ("a", "b", "c"):
                dag = put_dag(tx, dag_id, max_active_runs=2)
                for number in range(12):
                    put_run(tx, dag, f"r{number}")

        def schedule(store: SqlStore, owner: str) -> None:
            while True:
                with store.begin() as tx:
                    started = tx.run_start_queued(owner, START, 3)
                    left = tx.run_next_queued()
                with store.read() as tx:
                    per_dag = Counter(row.dag_id for row in tx.list_runs(states=[DagRunState.RUNNING]))
                    assert max(per_dag.values(), default=0) <= 2, per_dag
                with store.begin() as tx:
                    # All in one transaction, in any order of DAGs: finishing must not block each other for good.
                    for run in started:
                        assert tx.run_move("succeed", run.run_key, owner=owner, epoch=run.epoch, now=START)
                if left is None and not started:
                    return

        race(stores, schedule)
        with stores[0].read() as tx:
            assert {row.state for row in tx.list_runs(limit=100)} == {DagRunState.SUCCESS}
            assert [dag.runs_active for dag in tx.list_dags()] == [0, 0, 0]

    def test_a_due_run_is_made_once(self, stores: list[SqlStore]) -> None:
        last = START + timedelta(minutes=30)
        with stores[0].begin() as tx:
            dag = put_dag(tx, max_active_runs=3)
            tx.dag_set_next("sales", _next(START))

        def create(store: SqlStore, owner: str) -> None:
            while True:
                with store.begin() as tx:
                    for row in tx.dag_claim_due(last, 5):
                        assert row.next_run_after is not None
                        date = row.next_run_after
                        fields = {"logical_date": date, "run_type": DagRunType.SCHEDULED}
                        assert tx.run_insert(run_row(dag, f"s{date.isoformat()}", **fields)) is None
                        tx.dag_set_next("sales", _next(date + timedelta(minutes=1)))
                with store.read() as tx:
                    unfinished = tx.list_runs(states=[DagRunState.QUEUED, DagRunState.RUNNING], limit=100)
                    assert len(unfinished) <= 3
                    seen = tx.dag_get("sales")
                with store.begin() as tx:
                    for run in tx.run_start_queued(owner, last, 5):
                        assert tx.run_move("succeed", run.run_key, owner=owner, epoch=run.epoch, now=START)
                assert seen is not None
                assert seen.next_run_after is not None
                if seen.next_run_after > last:
                    return

        race(stores, create)
        with stores[0].read() as tx:
            assert len(tx.list_runs(limit=100)) == 31

    def test_taken_over_by_one(self, stores: list[SqlStore]) -> None:
        with stores[0].begin() as tx:
            dag = put_dag(tx, max_active_runs=40)
            for number in range(40):
                start_run(tx, dag, "lost", f"r{number}")
        taken: list[tuple[str, int]] = []

        def take(store: SqlStore, owner: str) -> None:
            # Registered, or the others would take the runs again at once.
            with store.begin() as tx:
                tx.component_start(_scheduler(owner))
            while True:
                with store.begin() as tx:
                    rows = tx.run_take_over(owner, 60.0, 7)
                    held = tx.run_hold(owner, [row.run_key for row in rows])
                assert held == {row.run_key: row.epoch for row in rows}
                taken.extend((row.run_id, row.epoch) for row in rows)
                if not rows:
                    return

        race(stores, take)
        # One who found every free row locked went home early; nobody found one twice.
        assert len(taken) == len(set(taken))
        assert {epoch for _, epoch in taken} == {2}
        with stores[0].begin() as tx:
            rest = [(row.run_id, row.epoch) for row in tx.run_take_over("worker-0", 60.0, 40)]
        assert {run_id for run_id, _ in (*taken, *rest)} == {f"r{number}" for number in range(40)}


class TestTasks:
    def test_an_attempt_ends_once(self, stores: list[SqlStore]) -> None:
        with stores[0].begin() as tx:
            rows = put_tasks(tx, start_run(tx, put_dag(tx), "s"), *(f"t{number}" for number in range(30)))
            tokens = start(tx, rows, "agent")
        ended: Counter[str] = Counter()

        def report(store: SqlStore, name: str) -> None:
            change = "succeed" if name in {"worker-0", "worker-1"} else "fail"
            for ti_id, token in tokens.items():
                with store.begin() as tx:
                    moved = tx.task_move(change, [TaskMove(ti_id, token=token)], START)
                ended.update(moved)

        race(stores, report)
        assert ended == Counter(dict.fromkeys(tokens, 1))

    def test_reports_in_different_order_do_not_block_each_other_for_good(self, stores: list[SqlStore]) -> None:
        with stores[0].begin() as tx:
            rows = put_tasks(tx, start_run(tx, put_dag(tx), "s"), *(f"t{number}" for number in range(30)))
            tokens = start(tx, rows, "agent")
        ended: Counter[str] = Counter()

        def report(store: SqlStore, name: str) -> None:
            order = list(tokens.values())
            if name in {"worker-0", "worker-2"}:
                order.reverse()
            with store.begin() as tx:
                found = tx.task_by_token(order)
                moves = [TaskMove(found[token].ti_id, token=token) for token in order]
                ended.update(tx.task_move("succeed", moves, START))

        race(stores, report)
        assert ended == Counter(dict.fromkeys(tokens, 1))

    def test_a_pool_is_never_overdrawn(self, stores: list[SqlStore]) -> None:
        with stores[0].begin() as tx:
            tx.pool_put("etl", 5)

        def admit(store: SqlStore, name: str) -> None:
            for _ in range(20):
                with store.begin() as tx:
                    pool = tx.pool_lock(["default_pool", "etl"])["etl"]
                    counter = tx.limit_lock(["sales/a"])["sales/a"]
                    free = min(3, pool.slots - pool.used)
                    assert free >= 0
                    tx.pool_use({"etl": free})
                    tx.limit_use({"sales/a": free})
                    assert counter == pool.used
                with store.begin() as tx:
                    assert tx.pool_lock(["etl"])["etl"].used <= 5
                    tx.pool_use({"etl": -free})
                    tx.limit_use({"sales/a": -free})

        race(stores, admit)
        with stores[0].read() as tx:
            pool = tx.pool_get("etl")
        assert pool is not None
        assert pool.used == 0

    def test_a_line_is_taken_once(self, stores: list[SqlStore]) -> None:
        with stores[0].begin() as tx:
            run = start_run(tx, put_dag(tx), "s")
        written = threading.Semaphore(0)
        taken: list[str] = []

        def work(store: SqlStore, name: str) -> None:
            if name in {"worker-0", "worker-1"}:
                for _ in range(50):
                    with store.begin() as tx:
                        tx.inbox_put([(run.run_key, RunNudged())])
                    written.release()
                return
            for _ in range(50):
                assert written.acquire(timeout=TIMEOUT)
                with store.begin() as tx:
                    taken.extend(run_key for run_key, _ in tx.inbox_take("s", 5))

        race(stores, work)
        with stores[0].begin() as tx:
            taken.extend(run_key for run_key, _ in tx.inbox_take("s", 500))
        assert len(taken) == 100

    def test_lines_come_in_the_order_of_their_commits(self, stores: list[SqlStore]) -> None:
        with stores[0].begin() as tx:
            run = start_run(tx, put_dag(tx), "s")
            other = start_run(tx, put_dag(tx, "other"), "s", "o")
        for number in range(10):
            with stores[number % 2].begin() as tx:
                tx.inbox_put([((run if number % 3 else other).run_key, RunNudged())])
        with stores[0].begin() as tx:
            first = [run_key for run_key, _ in tx.inbox_take("s", 4)]
            rest = [run_key for run_key, _ in tx.inbox_take("s", 40)]
        assert first + rest == [(run if number % 3 else other).run_key for number in range(10)]


class TestDeadlock:
    @pytest.mark.postgres
    def test_a_deadlock_is_temporary_trouble(self, postgres_url: str) -> None:
        """Two that lock in opposite order: the database ends one of them, and it may try again."""
        store = SqlStore(postgres_url)
        with store.begin() as tx:
            for name in ("a", "b"):
                tx.pool_put(name, 1)
        gate = threading.Barrier(2)
        failed: list[Unavailable] = []

        def lock(first: str, second: str) -> None:
            try:
                with store.begin() as tx:
                    tx.pool_lock([first])
                    gate.wait(TIMEOUT)
                    tx.pool_lock([second])
            except Unavailable as error:
                failed.append(error)

        threads = [threading.Thread(target=lock, args=names) for names in (("a", "b"), ("b", "a"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT)
        (error,) = failed
        assert "try again" in str(error)
        lock_again = SqlStore(postgres_url)
        with lock_again.begin() as tx:
            assert list(tx.pool_lock(["a", "b"])) == ["a", "b"]
        store.close()
        lock_again.close()


def _next(after):
    return NextRun(run_after=after, logical_date=after, interval_start=after, interval_end=after)


def _scheduler(owner: str):
    from tests.conformance.store_exam.seeds import component_row

    return component_row("scheduler", new_id(), START, id=owner)
