"""What every store does for assets: identity, the log and its readers, each event taken once."""

from __future__ import annotations

from datetime import timedelta

from tests.conformance.store_exam.seeds import START, component_row, new_id, put_dag, put_run, undone

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.asset_rows import AssetEventRow, AssetUseRow, PartitionShareRow
from tradewind.ports.store import Store, Transaction
from tradewind.ports.trigger_rows import TriggerRow
from tradewind.wire.assets import AliasFacts, AssetFacts, AssetWatcherFacts, asset_topic, topics_of_event

A = asset_topic("a", "s3://a")
B = asset_topic("b", "b")


def put_assets(tx: Transaction) -> tuple[int, int]:
    one, other = tx.asset_put([AssetFacts(name="a", uri="s3://a"), AssetFacts(name="b", uri="b")], START)
    return one.asset_id, other.asset_id


def event(asset_id: int, name: str = "a", uri: str = "s3://a", **facts: object) -> AssetEventRow:
    given = {"at": START, **facts}
    return AssetEventRow(event_id=0, asset_id=asset_id, name=name, uri=uri, **given)  # type: ignore[arg-type]


def tell(tx: Transaction, row: AssetEventRow) -> int:
    return tx.asset_event_add([row], [topics_of_event(row.name, row.uri, row.aliases)])[0]


class AssetExam:
    def test_an_asset_is_its_name_and_uri(self, store: Store) -> None:
        watcher = AssetWatcherFacts(name="w", trigger="m.T", kwargs={"q": 1})
        with store.begin() as tx:
            one, other = put_assets(tx)
            again = tx.asset_put([AssetFacts(name="a", uri="s3://a", extra={"k": [1]}, watchers=(watcher,))], START)[0]
            assert again.asset_id == one != other
            assert (again.extra, again.watchers) == ({"k": [1]}, {"w": {"trigger": "m.T", "kwargs": {"q": 1}}})
            assert [row.asset_id for row in tx.asset_get_many([other, one, 999])] == sorted([one, other])
            assert [row.asset_id for row in tx.asset_find(name="a")] == [one]
            assert [row.asset_id for row in tx.asset_find(uri="b")] == [other]
            assert tx.asset_find() == []
            assert [row.name for row in tx.asset_list()] == ["a", "b"]
            assert [row.name for row in tx.asset_list(pattern="S3:")] == ["a"]
            assert [row.name for row in tx.asset_list(pattern="_")] == []
            assert [row.name for row in tx.asset_list(limit=1, after=one)] == ["b"]
            assert tx.asset_list(active=True) == []
            tx.asset_set_active(one, True)
            tx.asset_set_active(other, False, "why not")
            tx.asset_set_late(one, START)
        with store.read() as tx:
            rows = tx.asset_get_many([one, other])
            assert [(row.is_active, row.conflict, row.late_since) for row in rows] == [
                (True, None, START),
                (False, "why not", None),
            ]

    def test_aliases_and_uses(self, store: Store) -> None:
        facts = {"task_id": "t", "role": "outlet", "kind": "asset", "name": "a", "uri": "s3://a"}
        first = AssetUseRow(dag_id="d", since=START, **facts)
        with store.begin() as tx:
            tx.alias_put([AliasFacts(name="x"), AliasFacts(name="y", group="g")])
            tx.alias_put([AliasFacts(name="x", group="h")])
            found = tx.alias_find("x")
            assert found is not None
            assert found.group_name == "h"
            assert tx.alias_find("z") is None
            assert [row.name for row in tx.alias_list()] == ["x", "y"]
            assert tx.asset_use_put("d", [first]) == []
        later = START + timedelta(hours=1)
        second = AssetUseRow(dag_id="d", task_id="", role="schedule", kind="alias", name="x", uri="", since=later)
        with store.begin() as tx:
            assert tx.asset_use_put("d", [AssetUseRow(dag_id="d", since=later, **facts), second]) == [first]
            assert tx.asset_use_list(dag_id="d") == [second, first]
            assert tx.asset_use_list(name="a", role="outlet") == [first]
            assert tx.asset_use_list(uri="s3://a", role="inlet") == []
            assert tx.asset_use_put("d", []) == [second, first]
            assert tx.asset_use_list() == []

    def test_history_of_events(self, store: Store) -> None:
        with store.begin() as tx:
            a, b = put_assets(tx)
            ids = [
                tell(tx, event(a, extra={"n": 1})),
                tell(tx, event(b, "b", "b", at=START + timedelta(hours=1), aliases=("x",), partition_key="k")),
                tell(tx, event(a, at=START + timedelta(hours=2), source_dag_id="d", source_map_index=3)),
            ]
            assert ids == sorted(ids)
        with store.read() as tx:
            assert [row.event_id for row in tx.asset_event_list(name="a")] == [ids[0], ids[2]]
            assert [row.event_id for row in tx.asset_event_list(uri="s3://a", ascending=False, limit=1)] == [ids[2]]
            assert [row.event_id for row in tx.asset_event_list(alias="x")] == [ids[1]]
            bounds = {"after": START + timedelta(minutes=1), "before": START + timedelta(hours=1)}
            assert [row.event_id for row in tx.asset_event_list(**bounds)] == [ids[1]]  # type: ignore[arg-type]
            one, other = tx.asset_event_get_many([ids[1], ids[2]])
            assert (one.aliases, one.partition_key, one.source_map_index) == (("x",), "k", -1)
            assert (other.source_dag_id, other.source_map_index, other.extra) == ("d", 3, {})

    def test_a_reader_begins_at_the_end_and_reads_without_gaps(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "reader")
            a, b = put_assets(tx)
            tell(tx, event(a))
            tx.asset_cursor_set("reader", [A], paused=False)
            ids = [tell(tx, event(a)), tell(tx, event(a))]
            tell(tx, event(b, "b", "b"))  # nobody listens
        with store.begin() as tx:
            waiting = tx.asset_waiting("reader")
            assert [(each.topic, each.event_id, each.at) for each in waiting] == [
                (A, ids[0], START),
                (A, ids[1], START),
            ]
            assert waiting[1].place == waiting[0].place + 1
            tx.asset_cursor_move("reader", {A: waiting[0].place})
            tx.asset_cursor_move("reader", {A: waiting[0].place - 1})  # never back
            assert [each.event_id for each in tx.asset_waiting("reader")] == [ids[1]]
            assert tx.asset_waiting("nobody") == []
            tx.asset_cursor_set("reader", [B], paused=False)
            assert tx.asset_waiting("reader") == []
            assert [row.topic for row in tx.asset_cursor_list(dag_id="reader")] == [B]
            assert tx.asset_cursor_list(topic=A) == []

    def test_a_long_log_does_not_hide_a_short_one(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "reader")
            a, b = put_assets(tx)
            tx.asset_cursor_set("reader", [A, B], paused=False)
            ids = [tell(tx, event(a)) for _ in range(4)]
            other = tell(tx, event(b, "b", "b"))
            assert [each.event_id for each in tx.asset_waiting("reader", 2)] == [*ids[:2], other]
            # A gap that is longer than what is looked at is stepped over.
            tx.asset_cursor_clear(dag_id="reader")
            tx.dag_set_paused("reader", True)
            for _ in range(4):
                tell(tx, event(a))
            tx.dag_set_paused("reader", False)
            last = tell(tx, event(a))
            assert [each.event_id for each in tx.asset_waiting("reader", 2)] == [last]

    def test_readers_are_woken_once(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            put_dag(tx, "reader")
            put_dag(tx, "other")
            a, _ = put_assets(tx)
            tx.asset_cursor_set("reader", [A], paused=False)
            tx.asset_cursor_set("other", [B], paused=False)
            assert tx.asset_next_wake() is None
            tell(tx, event(a))
            tell(tx, event(a))
            assert tx.asset_next_wake() == START
        with store.begin() as tx:
            assert [row.dag_id for row in tx.asset_claim_consumers(START, 10)] == ["reader"]
            assert tx.asset_claim_consumers(START, 10) == []
            later = START + timedelta(minutes=5)
            tx.asset_wake("other", later)
            tx.asset_wake("gone", START)
            assert tx.asset_claim_consumers(START, 10) == []
            assert tx.asset_next_wake() == later
            assert [row.dag_id for row in tx.asset_claim_consumers(later, 10)] == ["other"]

    def test_a_paused_reader_does_not_collect(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "reader")
            a, _ = put_assets(tx)
            tx.asset_cursor_set("reader", [A], paused=False)
            before = tell(tx, event(a))
            tx.asset_claim_consumers(START, 10)
            tx.dag_set_paused("reader", True)
            tell(tx, event(a))
            assert tx.asset_claim_consumers(START, 10) == []
            assert [each.event_id for each in tx.asset_waiting("reader")] == [before]
            tx.dag_set_paused("reader", False)
            after = tell(tx, event(a))
            assert [each.event_id for each in tx.asset_waiting("reader")] == [before, after]
            assert [row.dag_id for row in tx.asset_claim_consumers(tx.now(), 10)] == ["reader"]
            tx.dag_set_paused("reader", True)
            tell(tx, event(a))
            tx.dag_set_paused("reader", False)
            last = tell(tx, event(a))
            assert [each.event_id for each in tx.asset_waiting("reader")][-1] == last

    def test_a_reader_born_paused_does_not_collect(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "reader", is_paused=True)
            a, _ = put_assets(tx)
            tx.asset_cursor_set("reader", [A], paused=True)
            tell(tx, event(a))
            assert tx.asset_waiting("reader") == []
            tx.dag_set_paused("reader", False)
            assert tx.asset_waiting("reader") == []
            mine = tell(tx, event(a))
            assert [each.event_id for each in tx.asset_waiting("reader")] == [mine]

    def test_what_waits_can_be_passed_over(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "one")
            put_dag(tx, "two")
            a, b = put_assets(tx)
            tx.asset_cursor_set("one", [A, B], paused=False)
            tx.asset_cursor_set("two", [A], paused=False)
            tell(tx, event(a))
            tell(tx, event(b, "b", "b"))
            assert tx.asset_cursor_clear(dag_id="one", topics=[A]) == 1
            assert [each.topic for each in tx.asset_waiting("one")] == [B]
            assert tx.asset_cursor_clear(dag_id="one") == 1
            assert tx.asset_cursor_clear(dag_id="one") == 0
            assert tx.asset_cursor_clear(topics=[A]) == 1
            assert tx.asset_waiting("two") == []

    def test_an_event_is_taken_once_per_dag_and_partition(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx, "reader")
            a, _ = put_assets(tx)
            ids = [tell(tx, event(a)), tell(tx, event(a))]
            runs = [put_run(tx, dag, str(n), logical_date=None) for n in range(2)]
            keyed = put_run(tx, dag, "keyed", logical_date=None, partition_key="2026-03-01")
            assert tx.asset_consume(runs[0].run_key, "reader", None, ids[:1]) == 1
            assert tx.asset_consume(runs[1].run_key, "reader", None, ids) == 1
            assert tx.asset_consume(keyed.run_key, "reader", "2026-03-01", ids) == 2
            assert [row.event_id for row in tx.asset_consumed_by(runs[1].run_key)] == [ids[1]]
            assert set(tx.asset_consumers_of(ids[0])) == {runs[0].run_key, keyed.run_key}

    def test_old_events_go_when_everyone_has_read_them(self, store: Store) -> None:
        later = START + timedelta(days=2)
        with store.begin() as tx:
            dag = put_dag(tx, "reader")
            a, b = put_assets(tx)
            tx.asset_cursor_set("reader", [A], paused=False)
            taken, unread = tell(tx, event(a, aliases=("x",))), tell(tx, event(a))
            nobodys, young = tell(tx, event(b, "b", "b")), tell(tx, event(b, "b", "b", at=later))
            run = put_run(tx, dag, logical_date=None)
            tx.asset_consume(run.run_key, "reader", None, [taken])
            tx.asset_cursor_move("reader", {A: tx.asset_waiting("reader")[0].place})
            assert tx.asset_prune(START, 10) == 0
            assert tx.asset_prune(START + timedelta(days=1), 1) == 1
            assert tx.asset_prune(START + timedelta(days=1), 10) == 1
            assert [row.event_id for row in tx.asset_event_list()] == [unread, young]
            assert tx.asset_consumed_by(run.run_key) == []
            assert [each.event_id for each in tx.asset_waiting("reader")] == [unread]
            assert tell(tx, event(a, at=later)) > max(nobodys, young)

    def test_expected_assets_with_their_newest_event(self, store: Store) -> None:
        with store.begin() as tx:
            a, b = put_assets(tx)
            tx.asset_put([AssetFacts(name="b", uri="b", expected_every_seconds=60.0)], START)
            assert tx.asset_list_expected() == []
            tx.asset_set_active(a, True)
            tx.asset_set_active(b, True)
            assert [(row.asset_id, newest) for row, newest in tx.asset_list_expected()] == [(b, None)]
            tell(tx, event(b, "b", "b"))
            assert [(row.asset_id, newest) for row, newest in tx.asset_list_expected()] == [(b, START)]

    def test_partitions_are_filled(self, store: Store) -> None:
        def share(key: str, source: str, event_id: int) -> PartitionShareRow:
            return PartitionShareRow(
                dag_id="d", partition_key=key, topic=A, source_key=source, event_id=event_id, at=START
            )

        with store.begin() as tx:
            tx.partition_share_put([share("1", "x", 1), share("1", "y", 2), share("2", "x", 1)])
            tx.partition_share_put([share("1", "x", 1)])
            assert tx.partition_share_list("d", "1") == [share("1", "x", 1), share("1", "y", 2)]
            assert len(tx.partition_share_list("d")) == 3
            assert tx.partition_share_delete("d", "1") == 2
            assert tx.partition_share_list("d") == [share("2", "x", 1)]

    def test_all_or_nothing(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "reader")
            a, _ = put_assets(tx)
            tx.asset_cursor_set("reader", [A], paused=False)
        with undone(store) as tx:
            tell(tx, event(a))
            tx.asset_cursor_set("reader", [], paused=False)
        with store.begin() as tx:
            mine = tell(tx, event(a))
            assert [each.event_id for each in tx.asset_waiting("reader")] == [mine]

    def test_waits_that_are_over_from_outside(self, store: Store) -> None:
        def wait(token: str, ti_id: str) -> TriggerRow:
            return TriggerRow(
                token=token,
                ti_id=ti_id,
                run_key=ti_id,
                version_id=ti_id,
                dag_id="d",
                run_id="r",
                task_id="t",
                classpath="m.T",
                created_at=START,
            )

        one, other = new_id(), new_id()
        with store.begin() as tx:
            tx.component_start(component_row("triggerer", "host", START, id="host"))
            tx.trigger_put([wait("a", one), wait("b", other)])
            tx.trigger_end([one])
            assert set(tx.trigger_list_waiting([one, other])) == {other}
            assert [row.token for row in tx.trigger_claim("host", 10, 10)] == ["b"]
            tx.trigger_end([one, other])
            assert tx.trigger_take_cancelled("host") == ["b"]
            assert tx.trigger_get_many(["a", "b"]) == {}

    def test_timetables_are_asked_by_one_at_a_time(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            tx.timetable_ask("a", START)
            tx.timetable_ask("b", START)
            assert tx.timetable_claim("me", 10, 1) == ["a"]
            assert tx.timetable_claim("you", 10, 5) == ["b"]
            assert tx.timetable_claim("you", 10, 5) == []
            assert tx.timetable_answer("a", "you", [], START) is False
            assert tx.timetable_answer("a", "me", ["2026-03-02T00:00:00+00:00"], START)
            found = tx.timetable_get("a")
            assert found is not None
            assert (found.asked_at, found.forecast, found.answered_at) == (None, ("2026-03-02T00:00:00+00:00",), START)
            assert tx.timetable_get("c") is None
        clock.advance(11)
        with store.begin() as tx:
            assert tx.timetable_claim("me", 10, 5) == ["b"]  # its asker is gone
            tx.timetable_ask("b", START)  # asked anew: the answer on its way means nothing
            assert tx.timetable_answer("b", "me", [], START) is False
            tx.timetable_forget("b")
            assert tx.timetable_claim("me", 10, 5) == []
