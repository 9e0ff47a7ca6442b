"""The exam's part on what people change afterwards: windows of runs, versions, notes, deletion."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from tradewind.ports.store import Store

from .seeds import START, entry, one, put_dag, put_run, put_tasks, queue, start_run

DAY = timedelta(days=1)


class PastExam:
    """See `ports.past.PastTx`."""

    def test_a_window_goes_by_logical_date_or_run_after(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            put_run(tx, dag, "r2", logical_date=START + 2 * DAY)
            put_run(tx, dag, "r0", logical_date=START)
            put_run(tx, dag, "r1", run_after=START + DAY)
            put_run(tx, put_dag(tx, "other"), "x", logical_date=START)

            def window(*bounds) -> list[str]:
                return [row.run_id for row in tx.run_list_window("sales", *bounds)]

            assert window(None, None) == ["r0", "r1", "r2"]
            assert window(START + DAY, None) == ["r1", "r2"]
            assert window(None, START + DAY) == ["r0", "r1"]
            assert window(START + DAY, START + DAY) == ["r1"]

    def test_a_run_takes_another_version(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx), "r")
            newer = put_dag(tx)
            assert tx.run_set_version(run.run_key, newer.version_id, "b2")
            found = tx.run_get(run.run_key)
            assert found is not None
            assert (found.version_id, found.bundle_version) == (newer.version_id, "b2")
            assert not tx.run_set_version(newer.version_id, newer.version_id, None)

    def test_renewed_instances_keep_the_pool_whose_slots_they_hold(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), "s")
            held, free = put_tasks(tx, run, "held", "free")
            queue(tx, [held])
            newer = put_dag(tx)
            tx.task_renew(
                [
                    replace(
                        row, version_id=newer.version_id, pool="p", pool_slots=2, queue="q", executor="celery",
                        priority_weight=7, operator="@bash",
                    )
                    for row in (held, free)
                ]
            )  # fmt: skip
            rows = one(tx, held), one(tx, free)
            assert [row.pool for row in rows] == ["default_pool", "p"]
            assert [row.pool_slots for row in rows] == [1, 2]
            assert {(row.version_id, row.queue, row.executor, row.priority_weight, row.operator) for row in rows} == {
                (newer.version_id, "q", "celery", 7, "@bash")
            }

    def test_a_note_on_an_instance(self, store: Store) -> None:
        with store.begin() as tx:
            (row,) = put_tasks(tx, start_run(tx, put_dag(tx), "s"), "a")
            assert tx.task_set_note(row.ti_id, "look ☃")
            assert one(tx, row).note == "look ☃"
            assert tx.task_set_note(row.ti_id, None)
            assert one(tx, row).note is None
            assert not tx.task_set_note(row.run_key, "x")

    def test_deleted_instances_take_everything_with_them(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), "s")
            gone, live = put_tasks(tx, run, "gone", "live")
            tx.xcom_put(gone, [entry("k", b"1")], START)
            tx.rendered_put(gone.ti_id, {"a": 1})
            queue(tx, [live])
            assert tx.task_delete([gone.ti_id, live.ti_id]) == 1
            assert [row.task_id for row in tx.task_list(run.run_key)] == ["live"]
            assert (tx.list_xcoms(gone.ti_id), tx.get_rendered(gone.ti_id)) == ([], None)

    def test_deleted_runs_take_everything_with_them_and_running_ones_stay(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            running = start_run(tx, dag, "s", "running")
            queued = put_run(tx, dag, "queued")
            (row,) = put_tasks(tx, queued, "a")
            tx.xcom_put(row, [entry("k", b"1")], START)
            assert tx.run_delete([running.run_key, queued.run_key]) == 1
            assert tx.run_get(queued.run_key) is None
            assert tx.run_get(running.run_key) is not None
            assert (tx.task_list(queued.run_key), tx.list_xcoms(row.ti_id)) == ([], [])

    def test_a_deleted_dag_leaves_others_alone(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "a_b")
            put_dag(tx, "axb")
            tx.limit_lock(["a_b/t", "axb/t"])
            tx.limit_use({"a_b/t": 1, "axb/t": 2})
            tx.dag_delete("a_b")
            assert tx.dag_get("a_b") is None
            assert tx.list_versions("a_b") == []
            assert tx.dag_get("axb") is not None
            assert tx.limit_lock(["a_b/t", "axb/t"]) == {"a_b/t": 0, "axb/t": 2}
