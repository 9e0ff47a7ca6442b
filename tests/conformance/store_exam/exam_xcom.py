"""The exam's part on XComs and rendered fields."""

from __future__ import annotations

from datetime import timedelta

from tradewind.ports.store import Store, TaskMove
from tradewind.wire.execution import XComEntry, XComValue

from .seeds import START, entry, new_id, one, put_dag, put_run, put_tasks, start, start_run, undone

RETURN = "return_value"


class XComExam:
    """What a store promises of XComs."""

    def test_a_value_comes_back_as_it_was(self, store: Store) -> None:
        inline = XComValue(data=b'{"a": "\\u2603 \xc3\xbc"}', size=22, length=1)
        stored = XComValue(url="file:///values/1", size=9_000_000_000, sha256="ab" * 32, length=3)
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            (row,) = put_tasks(tx, run, "load")
            tx.xcom_put(row, [XComEntry(RETURN, inline), XComEntry("big", stored)], START)
        with store.read() as tx:
            (found,) = tx.xcom_find("sales", "r1", ["load"], RETURN)
            assert (found.task_id, found.map_path, found.value) == ("load", "", inline)
            (found,) = tx.xcom_find("sales", "r1", ["load"], "big")
            assert found.value == stored
            big, returned = tx.list_xcoms(row.ti_id)
        assert (big.key, returned.key) == ("big", RETURN)
        assert (big.data, big.url, big.size, big.sha256, big.length) == (None, stored.url, stored.size, "ab" * 32, 3)
        assert (returned.ti_id, returned.run_key, returned.dag_id) == (row.ti_id, run.run_key, "sales")
        assert (returned.run_id, returned.task_id, returned.at) == ("r1", "load", START)

    def test_an_empty_value_is_not_a_missing_one(self, store: Store) -> None:
        with store.begin() as tx:
            (row,) = put_tasks(tx, put_run(tx, put_dag(tx)), "load")
            tx.xcom_put(row, [XComEntry("nothing", XComValue()), entry("empty", b"")], START)
        with store.read() as tx:
            assert [found.value.data for found in tx.xcom_find("sales", "r1", ["load"], "nothing")] == [None]
            assert [found.value.data for found in tx.xcom_find("sales", "r1", ["load"], "empty")] == [b""]
            assert tx.xcom_find("sales", "r1", ["load"], "missing") == []

    def test_putting_again_replaces(self, store: Store) -> None:
        with store.begin() as tx:
            (row,) = put_tasks(tx, put_run(tx, put_dag(tx)), "load")
            tx.xcom_put(row, [entry(RETURN, b"[1, 2]", 2)], START)
        with store.begin() as tx:
            tx.xcom_put(row, [entry(RETURN, b"3")], START + timedelta(seconds=1))
        with store.read() as tx:
            (found,) = tx.list_xcoms(row.ti_id)
        assert (found.data, found.size, found.length) == (b"3", 1, None)
        assert found.at == START + timedelta(seconds=1)

    def test_the_same_key_twice_in_one_call_keeps_the_last(self, store: Store) -> None:
        with store.begin() as tx:
            (row,) = put_tasks(tx, put_run(tx, put_dag(tx)), "load")
            tx.xcom_put(row, [entry("k", b"1"), entry("k", b"2")], START)
            tx.xcom_put(row, [], START)
            assert [found.data for found in tx.list_xcoms(row.ti_id)] == [b"2"]

    def test_many_at_once(self, store: Store) -> None:
        with store.begin() as tx:
            a, b, c = put_tasks(tx, put_run(tx, put_dag(tx)), "a", "b", "c")
            tx.xcom_put_many([(a, [entry("k", b"1"), entry("l", b"2")]), (b, []), (c, [entry("k", b"3")])], START)
            tx.xcom_put_many([], START)
        with store.read() as tx:
            assert [found.data for found in tx.list_xcoms(a.ti_id)] == [b"1", b"2"]
            assert tx.list_xcoms(b.ti_id) == []
            found = tx.xcom_find("sales", "r1", ["c", "b", "a"], "k")
        assert [(each.task_id, each.value.data) for each in found] == [("c", b"3"), ("a", b"1")]

    def test_delete(self, store: Store) -> None:
        with store.begin() as tx:
            a, b = put_tasks(tx, put_run(tx, put_dag(tx)), "a", "b")
            tx.xcom_put_many([(a, [entry("k", b"1"), entry("l", b"2")]), (b, [entry("k", b"3")])], START)
        with store.begin() as tx:
            tx.xcom_delete(a.ti_id, "k")
            tx.xcom_delete(a.ti_id, "unknown")
        with store.read() as tx:
            assert [found.key for found in tx.list_xcoms(a.ti_id)] == ["l"]
            assert [found.key for found in tx.list_xcoms(b.ti_id)] == ["k"]

    def test_ordered_as_asked_then_by_number(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            paths = ["10", "9", "0", "2", "11"]
            mapped = put_tasks(tx, run, *(("each", path) for path in paths))
            (single,) = put_tasks(tx, run, "a")
            tx.xcom_put_many([(row, [entry(RETURN, row.map_path.encode())]) for row in [*mapped, single]], START)
        with store.read() as tx:
            found = tx.xcom_find("sales", "r1", ["each", "a", "unknown", "each"], RETURN)
        places = [(each.task_id, each.map_path) for each in found]
        assert places == [*(("each", path) for path in ("0", "2", "9", "10", "11")), ("a", "")]

    def test_by_paths_and_by_prefix(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            rows = put_tasks(tx, run, *(("each", path) for path in ("1.0", "1.10", "1.2", "11.0", "2.0", "1.2.3")))
            tx.xcom_put_many([(row, [entry(RETURN, b"1")]) for row in rows], START)
        with store.read() as tx:

            def paths(**where) -> list[str]:
                return [found.map_path for found in tx.xcom_find("sales", "r1", ["each"], RETURN, **where)]

            assert paths(map_prefix="1") == ["1.0", "1.2", "1.2.3", "1.10"]
            assert paths(map_prefix="1.2") == ["1.2", "1.2.3"]
            assert paths(map_prefix="") == ["1.0", "1.2", "1.2.3", "1.10", "2.0", "11.0"]
            assert paths(map_paths=["2.0", "1.2", "7"]) == ["1.2", "2.0"]
            assert paths(map_paths=["2.0", "1.2"], map_prefix="1") == ["1.2"]
            assert paths(map_paths=[]) == []

    def test_other_runs_and_dags_are_not_seen(self, store: Store) -> None:
        with store.begin() as tx:
            sales, stock = put_dag(tx), put_dag(tx, "stock")
            runs = [put_run(tx, sales, "r1"), put_run(tx, sales, "r2"), put_run(tx, stock, "r1")]
            rows = [put_tasks(tx, run, "load")[0] for run in runs]
            tx.xcom_put_many([(row, [entry(RETURN, str(number).encode())]) for number, row in enumerate(rows)], START)
        with store.read() as tx:
            seen = [
                [found.value.data for found in tx.xcom_find(dag_id, run_id, ["load"], RETURN)]
                for dag_id, run_id in (("sales", "r1"), ("sales", "r2"), ("stock", "r1"), ("stock", "r2"))
            ]
        assert seen == [[b"0"], [b"1"], [b"2"], []]

    def test_inputs_of_many_claims(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            first, second, empty = (put_run(tx, dag, name) for name in ("r1", "r2", "r3"))
            a, b = put_tasks(tx, first, "a", "b")
            mapped = put_tasks(tx, first, ("each", "0"))
            (other,) = put_tasks(tx, second, "a")
            tx.xcom_put_many(
                [
                    (a, [entry(RETURN, b"1"), entry("k", b"2")]),
                    (b, [entry("k", b"3")]),
                    (mapped[0], [entry(RETURN, b"4")]),
                    (other, [entry(RETURN, b"5")]),
                ],
                START,
            )
        with store.read() as tx:
            found = tx.xcom_inputs(
                [
                    (first.run_key, ["a", "b", "each"]),
                    (second.run_key, ["a"]),
                    (first.run_key, ["a"]),
                    (empty.run_key, ["a"]),
                    (second.run_key, []),
                ]
            )
            assert tx.xcom_inputs([]) == {}
        seen = {
            run_key: sorted((each.task_id, each.map_path, each.value.data) for each in values)
            for run_key, values in found.items()
            if values
        }
        assert seen == {first.run_key: [("a", "", b"1")], second.run_key: [("a", "", b"5")]}

    def test_inputs_do_not_mix_the_tasks_of_two_runs(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            runs = [put_run(tx, dag, name) for name in ("r1", "r2")]
            for run in runs:
                for row in put_tasks(tx, run, "a", "b"):
                    tx.xcom_put(row, [entry(RETURN, b"1")], START)
            found = tx.xcom_inputs([(runs[0].run_key, ["a"]), (runs[1].run_key, ["b"])])
        assert {key: [each.task_id for each in values] for key, values in found.items()} == {
            runs[0].run_key: ["a"],
            runs[1].run_key: ["b"],
        }

    def test_a_new_try_starts_without(self, store: Store) -> None:
        agent = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            row, other = put_tasks(tx, run, "load", "other")
            tokens = start(tx, [row, other], agent)
            tx.xcom_put_many([(row, [entry("k", b"1")]), (other, [entry("k", b"2")])], START)
            retry = TaskMove(row.ti_id, token=tokens[row.ti_id], values={"due_at": START, "ended_at": START})
            assert tx.task_move("retry", [retry], START) == [row.ti_id]
            assert [found.key for found in tx.list_xcoms(row.ti_id)] == ["k"], "kept until the next try"
            start(tx, [one(tx, row)], agent)
            assert tx.list_xcoms(row.ti_id) == []
            assert [found.key for found in tx.list_xcoms(other.ti_id)] == ["k"]

    def test_a_clear_drops_them(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            row, other = put_tasks(tx, run, "load", "other")
            start(tx, [row, other], new_id())
            tx.xcom_put_many([(row, [entry("k", b"1")]), (other, [entry("k", b"2")])], START)
            assert tx.task_move("clear", [TaskMove(row.ti_id)], START) == [row.ti_id]
        with store.read() as tx:
            assert tx.list_xcoms(row.ti_id) == []
            assert [found.key for found in tx.list_xcoms(other.ti_id)] == ["k"]

    def test_a_refused_move_drops_nothing(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            (row,) = put_tasks(tx, run, "load")
            start(tx, [row], new_id())
            tx.xcom_put(row, [entry("k", b"1")], START)
            again = TaskMove(row.ti_id, values={"attempt_token": "other", "try_number": 2, "holds_slot": True})
            assert tx.task_move("queue", [again], START) == []
            assert [found.key for found in tx.list_xcoms(row.ti_id)] == ["k"]

    def test_undone_with_the_transaction(self, store: Store) -> None:
        with store.begin() as tx:
            a, b = put_tasks(tx, put_run(tx, put_dag(tx)), "a", "b")
            tx.xcom_put(a, [entry("k", b"1"), entry("l", b"2")], START)
        with undone(store) as tx:
            tx.xcom_put_many([(a, [entry("k", b"3")]), (b, [entry("k", b"4")])], START)
            tx.xcom_delete(a.ti_id, "l")
        with store.read() as tx:
            assert [(found.key, found.data) for found in tx.list_xcoms(a.ti_id)] == [("k", b"1"), ("l", b"2")]
            assert tx.list_xcoms(b.ti_id) == []

    def test_rendered_fields(self, store: Store) -> None:
        fields = {"sql": "select 'ü'", "params": {"rows": [1, 2.5, None, True]}}
        with store.begin() as tx:
            a, b = put_tasks(tx, put_run(tx, put_dag(tx)), "a", "b")
            tx.rendered_put(a.ti_id, {"sql": "first"})
            tx.rendered_put(a.ti_id, fields)
        with store.read() as tx:
            assert tx.get_rendered(a.ti_id) == fields
            assert tx.get_rendered(b.ti_id) is None
