"""The exam's part on read models, and on what a reader sees."""

from __future__ import annotations

from datetime import timedelta

from tradewind.ports.rows import ImportErrorRow
from tradewind.ports.store import Store
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState

from .seeds import START, new_id, put_dag, put_run, put_tasks, queue, start, start_run, undone


class ReadExam:
    """What a store promises of lists and readers."""

    def test_dags_by_id_and_in_pages(self, store: Store) -> None:
        with store.begin() as tx:
            for dag_id in ("b", "d", "a", "c"):
                put_dag(tx, dag_id)
        with store.read() as tx:
            assert [row.dag_id for row in tx.list_dags()] == ["a", "b", "c", "d"]
            assert [row.dag_id for row in tx.list_dags(limit=2)] == ["a", "b"]
            assert [row.dag_id for row in tx.list_dags(limit=2, after="b")] == ["c", "d"]
            assert tx.list_dags(after="d") == []

    def test_dags_by_pattern(self, store: Store) -> None:
        with store.begin() as tx:
            for dag_id in ("Sales_eu", "sales.us", "stock", "100_pct", "1000pct"):
                put_dag(tx, dag_id)
        with store.read() as tx:
            assert [row.dag_id for row in tx.list_dags(pattern="SALES")] == ["Sales_eu", "sales.us"]
            assert [row.dag_id for row in tx.list_dags(pattern="0_p")] == ["100_pct"], "_ is no wildcard"
            assert tx.list_dags(pattern="%") == []
            assert tx.list_dags(pattern="\\") == []

    def test_dags_by_flags_and_tags(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "a", tags=("eu", "daily"))
            put_dag(tx, "b", tags=("us", "daily"))
            put_dag(tx, "c")
            put_dag(tx, "d", tags=("eu",))
            tx.dag_set_paused("b", True)
            tx.dag_set_stale(["d"], True)
        with store.read() as tx:

            def ids(**where) -> list[str]:
                return [row.dag_id for row in tx.list_dags(**where)]

            assert ids() == ["a", "b", "c"]
            assert ids(include_stale=True) == ["a", "b", "c", "d"]
            assert ids(paused=True) == ["b"]
            assert ids(paused=False) == ["a", "c"]
            assert ids(tags=["daily"]) == ["a", "b"]
            assert ids(tags=["eu"], include_stale=True) == ["a", "d"]
            assert ids(tags=["unknown"]) == []

    def test_import_errors(self, store: Store) -> None:
        errors = [
            ImportErrorRow(bundle="local", path=path, message=f"{path}:1 bad", traceback="Traceback\n  ...", at=START)
            for path in ("b.py", "a.py")
        ]
        with store.begin() as tx:
            for error in errors:
                tx.import_error_put(error)
        with store.read() as tx:
            assert tx.list_import_errors() == [errors[1], errors[0]]
        with store.begin() as tx:
            tx.import_error_clear("local", "a.py")
            tx.import_error_clear("local", "unknown.py")
            assert tx.list_import_errors() == [errors[0]]

    def test_runs_newest_first_and_in_pages(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            keys = [put_run(tx, dag, f"r{number}").run_key for number in range(5)]
        keys.sort(reverse=True)
        with store.read() as tx:
            assert [row.run_key for row in tx.list_runs()] == keys
            assert [row.run_key for row in tx.list_runs(limit=2)] == keys[:2]
            assert [row.run_key for row in tx.list_runs(limit=2, before=keys[1])] == keys[2:4]
            assert tx.list_runs(before=keys[-1]) == []

    def test_runs_filtered(self, store: Store) -> None:
        with store.begin() as tx:
            sales, stock = put_dag(tx), put_dag(tx, "stock")
            start_run(tx, sales, new_id(), "running")
            put_run(tx, sales, "scheduled", run_type=DagRunType.SCHEDULED, logical_date=START)
            put_run(tx, sales, "manual")
            put_run(tx, stock, "other")
        with store.read() as tx:

            def ids(**where) -> set[str]:
                return {row.run_id for row in tx.list_runs(**where)}

            assert ids(dag_id="sales") == {"running", "scheduled", "manual"}
            assert ids(states=[DagRunState.RUNNING]) == {"running"}
            assert ids(states=[DagRunState.QUEUED, DagRunState.SUCCESS]) == {"scheduled", "manual", "other"}
            assert ids(dag_id="sales", run_types=[DagRunType.SCHEDULED]) == {"scheduled"}
            assert ids(dag_id="stock", states=[DagRunState.RUNNING]) == set()

    def test_versions_newest_first(self, store: Store) -> None:
        with store.begin() as tx:
            ids = [put_dag(tx).version_id for _ in range(3)]
            put_dag(tx, "stock")
        with store.read() as tx:
            assert [row.version_id for row in tx.list_versions("sales")] == ids[::-1]
            assert [row.number for row in tx.list_versions("sales", limit=2)] == [3, 2]
            assert tx.list_versions("unknown") == []
            newest = tx.version_newest("sales")
            assert newest is not None
            assert newest.version_id == ids[-1]
            assert tx.version_get(ids[0]) == tx.list_versions("sales")[-1]

    def test_task_states_are_counted_by_run(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            run = start_run(tx, dag, new_id(), "r1")
            other = start_run(tx, dag, new_id(), "r2")
            rows = put_tasks(tx, run, *"abcde")
            put_tasks(tx, other, "a")
            start(tx, rows[:2], new_id())
            queue(tx, rows[2:3])
        with store.read() as tx:
            counted = tx.count_task_states([run.run_key, other.run_key])
            assert tx.count_task_states([]) == {}
        S = TaskInstanceState
        assert counted == {run.run_key: {S.RUNNING: 2, S.QUEUED: 1, None: 2}, other.run_key: {None: 1}}

    def test_running_tasks(self, store: Store) -> None:
        agent, other = new_id(), new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            rows = put_tasks(tx, run, *"abcd")
            start(tx, rows[:2], agent)
            start(tx, rows[2:3], other)
            queue(tx, rows[3:])
        with store.read() as tx:
            assert {row.task_id for row in tx.list_running_tasks()} == {"a", "b", "c"}
            assert len(tx.list_running_tasks(limit=2)) == 2
            assert {row.task_id for row in tx.task_list_of_agent(agent)} == {"a", "b"}
            assert tx.task_list_of_agent(new_id()) == []

    def test_a_reader_keeps_what_it_saw_first(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
        with store.read() as reader:
            assert reader.list_runs() == []
            with store.begin() as tx:
                run = put_run(tx, dag)
                tx.dag_set_paused("sales", True)
            assert reader.list_runs() == []
            seen = reader.dag_get("sales")
            assert seen is not None
            assert not seen.is_paused
        with store.read() as reader:
            assert [row.run_key for row in reader.list_runs()] == [run.run_key]

    def test_a_reader_does_not_see_what_was_undone(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
        with store.read() as reader:
            assert reader.list_runs() == []
            with undone(store) as tx:
                put_run(tx, dag)
            assert reader.list_runs() == []

    def test_a_transaction_sees_its_own_writes(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx), conf={"rows": [1, {"deep": None}]}, run_after=START + timedelta(days=1))
            assert tx.list_runs() == [run]
            assert tx.run_get(run.run_key) == run
            assert tx.run_find("sales", "r1") == run
            assert tx.run_next_queued() == run.run_after

    def test_instants_come_back_to_the_microsecond_in_utc(self, store: Store) -> None:
        instant = START + timedelta(microseconds=1)
        with store.begin() as tx:
            put_run(tx, put_dag(tx), logical_date=instant, data_interval_start=instant)
        with store.read() as tx:
            (row,) = tx.list_runs()
        assert row.logical_date == instant
        assert row.logical_date.utcoffset() == timedelta(0)
