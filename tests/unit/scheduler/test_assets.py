"""From a task that changes an asset to the run of the DAG that waits for it: exactly one run for each set of events."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.commands.world import START, task
from tests.unit.scheduler.engine import Engine, FailingStore, Hand

from tradewind.commands.asset_events import Source, tell_changes
from tradewind.commands.asset_publication import asset_cycles
from tradewind.commands.assets import note_late_assets
from tradewind.commands.attempts import Settlement
from tradewind.commands.deletion import delete_dag
from tradewind.commands.documents import Documents
from tradewind.commands.publication import ParsedFile, publish_file
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.ports.rows import RunRow
from tradewind.scheduler.loop import Scheduler, SchedulerOptions
from tradewind.scheduler.reasons import explain_dag
from tradewind.wire.assets import (
    AliasLeaf,
    AllOf,
    AnyOf,
    AssetCondition,
    AssetEmission,
    AssetFacts,
    AssetLeaf,
    Delivery,
    NameLeaf,
    leaves_of,
)
from tradewind.wire.document import FORMAT, DagDocument, encode_document
from tradewind.wire.errors import BadInput, Unavailable
from tradewind.wire.execution import Outcome
from tradewind.wire.partitions import FanOutMap, RollupMap, TemporalMap, Window
from tradewind.wire.schedule import (
    AssetSchedule,
    CronPartitionSchedule,
    CronTriggerSchedule,
    PartitionedAssetSchedule,
    Schedule,
)
from tradewind.wire.states import DagRunType, TaskInstanceState

A, B = AssetLeaf("a", "a"), AssetLeaf("b", "b")


class Shop:
    """DAGs that make and take assets, on one store, with as many schedulers as wanted."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.world = self.engine.world
        self.store: FailingStore = self.engine.store

    def publish(self, dag_id: str, schedule: Schedule | None = None, *, paused: bool = False, **facts: Any) -> None:
        given: dict[str, Any] = {"tasks": (task("t"),), "assets": _assets(schedule), "max_active_runs": 16} | facts
        if schedule is not None:
            given["schedule"] = schedule
        document = DagDocument(format=FORMAT, dag_id=dag_id, file=f"{dag_id}.py", **given)
        parsed = ParsedFile("local", f"{dag_id}.py", "b1", "d", "", (encode_document(document),))
        with self.store.begin() as tx:
            publish_file(tx, parsed, self.world.clock.now(), self.world.new_id, paused_at_creation=paused)

    def gone(self, dag_id: str) -> None:
        parsed = ParsedFile("local", f"{dag_id}.py", "b1", "d", "", ())
        with self.store.begin() as tx:
            publish_file(tx, parsed, self.world.clock.now(), self.world.new_id, paused_at_creation=False)

    def tell(self, name: str, **facts: Any) -> int:
        """A change that somebody tells of."""
        emission = AssetEmission(name=name, uri=facts.pop("uri", name), **facts)
        with self.store.begin() as tx:
            (event_id,) = tell_changes(tx, [(Source(person="me"), emission)], self.world.clock.now())
        return event_id

    def step(self, seconds: float = 1.0) -> None:
        self.engine.scheduler.listen(0.0)
        self.engine.step()
        self.world.clock.advance(seconds)
        self.engine.scheduler.beat()

    def runs(self, dag_id: str) -> list[RunRow]:
        """Oldest first."""
        with self.store.read() as tx:
            return tx.list_runs(dag_id=dag_id)[::-1]

    def taken(self, run: RunRow) -> list[int]:
        with self.store.read() as tx:
            return [row.event_id for row in tx.asset_consumed_by(run.run_key)]


def _assets(schedule: Schedule | None) -> tuple[AssetFacts, ...]:
    if not isinstance(schedule, AssetSchedule):
        return ()
    found = [leaf for leaf in leaves_of(schedule.condition) if isinstance(leaf, AssetLeaf)]
    return tuple(AssetFacts(name=leaf.name, uri=leaf.uri) for leaf in found)


def on(condition: AssetCondition, **facts: Any) -> AssetSchedule:
    return AssetSchedule(condition=condition, **facts)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_task_that_succeeds_starts_the_dag_that_waits(shop: Shop) -> None:
    shop.publish("consumer", on(A))
    shop.publish("producer", tasks=(task("t", outlets=(A,)),), assets=(AssetFacts(name="a", uri="a"),))
    run = shop.world.trigger("producer")
    shop.engine.rounds(3)
    (made,) = shop.runs("consumer")
    assert (made.run_type, made.triggered_by, made.logical_date) == (DagRunType.ASSET_TRIGGERED, "asset", None)
    with shop.store.read() as tx:
        (event,) = tx.asset_consumed_by(made.run_key)
    assert (event.name, event.source_dag_id, event.source_run_id, event.source_task_id) == (
        "a", "producer", run.run_id, "t",
    )  # fmt: skip
    assert made.run_after == event.at
    shop.engine.rounds(3)
    assert [row.state for row in shop.runs("consumer")] == ["success"]


def test_a_task_that_fails_tells_nothing_and_a_repeated_report_tells_once(shop: Shop) -> None:
    shop.publish("consumer", on(A))
    shop.publish("producer", tasks=(task("t", outlets=(A,)),), assets=(AssetFacts(name="a", uri="a"),))
    shop.world.trigger("producer")
    shop.step()
    (workload,) = shop.engine.hand.given
    with shop.store.begin() as tx:
        row = tx.task_by_token([workload.token])[workload.token]
        for _ in range(2):
            settlement = Settlement(tx, Documents(), START, DEFAULT_LIMITS)
            settlement.start(row, workload.token, agent="a", hostname="h", pid=1, at=START)
            settlement.end(row, workload.token, Outcome(state=TaskInstanceState.SUCCESS))
            settlement.write()
        assert len(tx.asset_event_list(name="a")) == 1
    shop.step()
    assert len(shop.runs("consumer")) == 1


def test_conditions_wait_for_all_or_any(shop: Shop) -> None:
    shop.publish("both", on(AllOf((A, B))))
    shop.publish("either", on(AnyOf((A, B))))
    first = shop.tell("a")
    shop.step()
    assert (len(shop.runs("both")), len(shop.runs("either"))) == (0, 1)
    second, third = shop.tell("a"), shop.tell("b")
    shop.step()
    (made,) = shop.runs("both")
    assert shop.taken(made) == [first, second, third]
    assert [shop.taken(run) for run in shop.runs("either")] == [[first], [second, third]]


@pytest.mark.parametrize(
    ("delivery", "taken"),
    [
        (Delivery(), [[1, 2, 3]]),
        (Delivery(mode="every"), [[1], [2], [3]]),
        (Delivery(mode="latest"), [[3]]),
        (Delivery(mode="batch", count=3), [[1, 2, 3]]),
        (Delivery(mode="batch", count=4), []),
    ],
)
def test_delivery(shop: Shop, delivery: Delivery, taken: list[list[int]]) -> None:
    shop.publish("consumer", on(A, delivery=delivery))
    for _ in range(3):
        shop.tell("a")
    shop.step()
    shop.step()
    assert [shop.taken(run) for run in shop.runs("consumer")] == taken


def test_a_batch_is_taken_when_the_oldest_has_waited_long_enough(shop: Shop) -> None:
    shop.publish("consumer", on(A, delivery=Delivery(mode="batch", count=10, seconds=60.0)))
    one = shop.tell("a")
    shop.step(30)
    two = shop.tell("a")
    shop.step(29)
    assert shop.runs("consumer") == []
    with shop.store.read() as tx:
        assert tx.asset_next_wake() == START + timedelta(seconds=60)
    shop.step(2)
    shop.step()
    (made,) = shop.runs("consumer")
    assert shop.taken(made) == [one, two]


def test_more_events_than_are_looked_at_together(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.publish("consumer", on(A))
    for _ in range(5):
        shop.tell("a", partition_key="p")
    told = [shop.tell("a") for _ in range(7)]
    from tradewind.scheduler import assets as module
    from tradewind.store.memory.store import MemoryTransaction

    whole = MemoryTransaction.asset_waiting
    monkeypatch.setattr(module, "WAITING_MAX", 3)
    monkeypatch.setattr(MemoryTransaction, "asset_waiting", lambda self, dag_id, limit=3: whole(self, dag_id, 3))
    for _ in range(6):
        shop.step()
    taken = [event_id for run in shop.runs("consumer") for event_id in shop.taken(run)]
    assert taken == told


def test_assets_or_time(shop: Shop) -> None:
    clock = CronTriggerSchedule(crons=("0 * * * *",))
    shop.publish("consumer", on(A, time=clock))
    shop.tell("a")
    shop.step(3600)
    shop.step()
    kinds = Counter(run.run_type for run in shop.runs("consumer"))
    assert kinds == {DagRunType.ASSET_TRIGGERED: 1, DagRunType.SCHEDULED: 2}


def test_aliases_and_references(shop: Shop) -> None:
    shop.publish("by_alias", on(AliasLeaf("x")))
    shop.publish("by_name", on(NameLeaf("new")))
    shop.publish("by_asset", on(AssetLeaf("new", "s3://new")))
    event = shop.tell("new", uri="s3://new", alias="x", extra={"rows": 3}, asset_extra={"k": 1})
    shop.step()
    for dag_id in ("by_alias", "by_name", "by_asset"):
        (made,) = shop.runs(dag_id)
        assert shop.taken(made) == [event]
    with shop.store.read() as tx:
        (asset,) = tx.asset_find(name="new")
        assert asset.is_active
    shop.tell("new", uri="s3://new")  # not through the alias
    shop.step()
    assert [len(shop.runs(dag_id)) for dag_id in ("by_alias", "by_name", "by_asset")] == [1, 2, 2]


def test_a_paused_consumer_collects_nothing(shop: Shop) -> None:
    from tradewind.commands.dags import pause_dag, unpause_dag

    shop.publish("consumer", on(A))
    with shop.store.begin() as tx:
        pause_dag(tx, "consumer")
    shop.tell("a")
    shop.step()
    with shop.store.begin() as tx:
        unpause_dag(tx, Documents(), shop.world.clock.now(), "consumer")
    shop.step()
    assert shop.runs("consumer") == []
    shop.tell("a")
    shop.step()
    assert len(shop.runs("consumer")) == 1


def test_another_schedule_and_a_dag_that_is_gone(shop: Shop) -> None:
    shop.publish("consumer", on(A))
    shop.publish("consumer", on(B))
    shop.tell("b")
    shop.step()
    assert len(shop.runs("consumer")) == 1
    with shop.store.read() as tx:
        assert [row.is_active for row in (*tx.asset_find(name="a"), *tx.asset_find(name="b"))] == [False, True]
    shop.gone("consumer")
    shop.tell("b")
    shop.step()
    assert len(shop.runs("consumer")) == 1
    with shop.store.read() as tx:
        assert [row.is_active for row in tx.asset_find(name="b")] == [False]


def test_conflicts_are_named_and_end_with_their_cause(shop: Shop) -> None:
    shop.publish("one", on(AssetLeaf("a", "s3://one")))
    shop.publish("two", on(AssetLeaf("a", "s3://two")))
    with shop.store.read() as tx:
        rows = {row.uri: row for row in tx.asset_find(name="a")}
    assert rows["s3://one"].is_active
    assert not rows["s3://two"].is_active
    assert rows["s3://two"].conflict == (
        "asset 'a' has uri 's3://one' already, so that with uri 's3://two' is not active"
    )
    shop.gone("one")
    with shop.store.read() as tx:
        assert {row.uri: row.is_active for row in tx.asset_find(name="a")} == {"s3://one": False, "s3://two": True}


@pytest.mark.parametrize("seed", range(int(os.environ.get("TRADEWIND_TEST_ASSET_SEEDS", "40"))))
def test_exactly_one_run_for_each_set_with_three_schedulers_and_lost_answers(seed: int) -> None:
    shop, dice = Shop(), random.Random(seed)
    conditions: list[AssetCondition] = [A, AllOf((A, B)), AnyOf((A, B))]
    modes = [Delivery(), Delivery(mode="every"), Delivery(mode="batch", count=3, seconds=5.0)]
    consumers = {f"c{n}": on(dice.choice(conditions), delivery=mode) for n, mode in enumerate(modes)}
    shop.publish("maker", tasks=(task("t", outlets=(A, B)),), assets=_assets(on(AllOf((A, B)))))
    for dag_id, schedule in consumers.items():
        shop.publish(dag_id, schedule, max_active_runs=1000)
    others = [
        Scheduler(shop.store, shop.world.clock, {"local": Hand(slots=1)}, options=SchedulerOptions(name=f"s{n}"))
        for n in range(2)
    ]
    for scheduler in others:
        scheduler.start()
    everyone = [shop.engine.scheduler, *others]
    told: list[int] = []
    for _ in range(60):
        what = dice.random()
        if what < 0.5:
            told.append(shop.tell(dice.choice("ab")))
        else:
            shop.store.plan = [dice.choice(["", "", "undone", "unheard"])]
            scheduler = dice.choice(everyone)
            try:
                scheduler.step()
            except Unavailable:
                pass
            scheduler.listen(0.0)
        shop.world.clock.advance(dice.choice([0.0, 0.1, 2.0]))
        for scheduler in everyone:
            shop.store.plan = []
            scheduler.beat()
    shop.world.clock.advance(60)
    for _ in range(5):
        shop.engine.scheduler.beat()
        shop.step()
    for dag_id, schedule in consumers.items():
        taken = Counter(event_id for run in shop.runs(dag_id) for event_id in shop.taken(run))
        assert all(count == 1 for count in taken.values()), seed
        with shop.store.read() as tx:
            left = {each.event_id for each in tx.asset_waiting(dag_id)}
            names = {row.event_id: row.name for row in tx.asset_event_get_many(told)}
        listened = {leaf.name for leaf in leaves_of(schedule.condition) if isinstance(leaf, AssetLeaf)}
        assert set(taken) | left == {event_id for event_id, name in names.items() if name in listened}, seed
        assert not set(taken) & left, seed
        assert len({run.run_id for run in shop.runs(dag_id)}) == len(shop.runs(dag_id))


def test_a_planted_bug_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tradewind.store.memory.store import MemoryTransaction

    monkeypatch.setattr(MemoryTransaction, "asset_cursor_move", lambda *_: None)
    with pytest.raises(AssertionError):
        test_exactly_one_run_for_each_set_with_three_schedulers_and_lost_answers(0)


def test_woken_at_once_and_asleep_otherwise(shop: Shop) -> None:
    shop.publish("consumer", on(A))
    shop.step()
    assert shop.engine.scheduler.patience() > 1
    shop.tell("a")
    shop.engine.scheduler.listen(0.0)
    assert shop.engine.scheduler.has_news
    assert timedelta(seconds=shop.engine.scheduler.patience()) >= timedelta(0)


# --- partitions ------------------------------------------------------------------------------------------------------

DAY = TemporalMap(unit="day", output_format="%Y-%m-%d", input_format="%Y-%m-%dT%H")


def test_a_partition_upstream_starts_the_same_downstream(shop: Shop) -> None:
    shop.publish("consumer", PartitionedAssetSchedule(condition=AllOf((A, B))), assets=_assets(on(AllOf((A, B)))))
    shop.publish("plain", on(A))
    first = shop.tell("a", partition_key="eu")
    shop.tell("b", partition_key="us")
    shop.tell("b")  # without a key it means nothing here
    shop.step()
    assert shop.runs("consumer") == []
    second = shop.tell("b", partition_key="eu")
    shop.step()
    (made,) = shop.runs("consumer")
    assert (made.partition_key, made.partition_date, made.run_type) == ("eu", None, DagRunType.ASSET_TRIGGERED)
    assert shop.taken(made) == [first, second]
    assert shop.runs("plain") == []  # a change of one partition is none of the whole
    shop.tell("a", partition_key="eu")
    shop.tell("b", partition_key="eu")
    shop.step()
    assert [run.partition_key for run in shop.runs("consumer")] == ["eu", "eu"]


def test_a_rollup_waits_for_the_hours_of_a_day(shop: Shop) -> None:
    rollup = RollupMap(upstream=DAY, window=Window(unit="day"))
    shop.publish("daily", PartitionedAssetSchedule(condition=A, default=rollup), assets=_assets(on(A)))
    told = [shop.tell("a", partition_key=f"2024-03-13T{hour:02}") for hour in range(23)]
    shop.step()
    with shop.store.read() as tx:
        assert len(tx.partition_share_list("daily", "2024-03-13")) == 23
        dag = tx.dag_get("daily")
        assert dag is not None
        assert explain_dag(tx, dag).sentence == (
            "DAG 'daily' has 1 partitions being filled; '2024-03-13' waits for a 2024-03-13T23"
        )
    told.append(shop.tell("a", partition_key="2024-03-13T23"))
    shop.tell("a", partition_key="not a date")
    shop.step()
    (made,) = shop.runs("daily")
    assert (made.partition_key, made.partition_date) == ("2024-03-13", datetime(2024, 3, 13, tzinfo=UTC))
    assert shop.taken(made) == told
    with shop.store.read() as tx:
        assert tx.partition_share_list("daily") == []


def test_fan_out_makes_a_run_for_each_member(shop: Shop) -> None:
    fan = FanOutMap(
        upstream=TemporalMap(unit="week", output_format="%Y-%m-%d (W%V)", input_format="%Y-%m-%d"),
        window=Window(unit="week"),
        downstream=TemporalMap(unit="day", output_format="%Y-%m-%d"),
    )
    shop.publish("days", PartitionedAssetSchedule(condition=A, default=fan), assets=_assets(on(A)))
    event = shop.tell("a", partition_key="2024-03-13")
    shop.step()
    runs = shop.runs("days")
    assert sorted(run.partition_key or "" for run in runs) == [f"2024-03-{day}" for day in range(11, 18)]
    assert all(shop.taken(run) == [event] for run in runs)


def test_another_schedule_forgets_what_was_being_filled(shop: Shop) -> None:
    rollup = RollupMap(upstream=DAY, window=Window(unit="day"))
    shop.publish("daily", PartitionedAssetSchedule(condition=A, default=rollup), assets=_assets(on(A)))
    shop.tell("a", partition_key="2024-03-13T00")
    shop.step()
    fewer = RollupMap(upstream=DAY, window=Window(unit="day"), minimum=2)
    shop.publish("daily", PartitionedAssetSchedule(condition=A, default=fewer), assets=_assets(on(A)))
    with shop.store.read() as tx:
        assert tx.partition_share_list("daily") == []


def test_a_cron_names_partitions(shop: Shop) -> None:
    schedule = CronPartitionSchedule(
        cron="0 0 * * *", timezone="Europe/Berlin", run_offset=-1, key_format="%Y-%m-%d", run_immediately=True
    )
    shop.publish("daily", schedule)
    shop.step(24 * 3600)
    shop.step()
    shop.step()
    runs = shop.runs("daily")
    assert [(run.partition_key, run.logical_date) for run in runs] == [("2026-02-28", None), ("2026-03-01", None)]
    assert runs[0].partition_date == datetime(2026, 2, 27, 23, 0, tzinfo=UTC)
    assert runs[0].run_id == f"scheduled__{runs[0].run_after.isoformat()}"
    made = shop.world.trigger("daily", partition_key="2026-02-01")
    assert made.partition_date == datetime(2026, 1, 31, 23, 0, tzinfo=UTC)
    with pytest.raises(BadInput, match="is not written as this schedule writes its keys"):
        shop.world.trigger("daily", partition_key="first of may")


# --- what people are told --------------------------------------------------------------------------------------------


def test_circles_are_named(shop: Shop) -> None:
    for dag_id, listens, makes in (("x", A, B), ("y", B, A), ("z", B, None)):
        outlets = () if makes is None else (makes,)
        shop.publish(dag_id, on(listens), tasks=(task("t", outlets=outlets),), assets=_assets(on(AllOf((A, B)))))
    with shop.store.read() as tx:
        assert asset_cycles(tx) == {
            "x": "assets make these DAGs trigger one another round and round: x → y → x",
            "y": "assets make these DAGs trigger one another round and round: y → x → y",
        }
    shop.gone("y")
    with shop.store.read() as tx:
        assert asset_cycles(tx) == {}


def test_late_assets_are_noted_once_until_they_change(shop: Shop) -> None:
    expected = (AssetFacts(name="a", uri="a", expected_every_seconds=3600.0),)
    shop.publish("consumer", on(A), assets=expected)

    def late() -> list[str]:
        with shop.store.begin() as tx:
            return [row.name for row in note_late_assets(tx, shop.world.clock.now())]

    assert late() == []
    shop.world.clock.advance(3600)
    assert late() == ["a"]
    assert late() == []
    with shop.store.read() as tx:
        assert tx.asset_find(name="a")[0].late_since == START + timedelta(hours=1)
    shop.tell("a")
    with shop.store.read() as tx:
        assert tx.asset_find(name="a")[0].late_since is None
    assert late() == []
    shop.world.clock.advance(3601)
    assert late() == ["a"]


def test_a_deleted_dag_listens_to_nothing(shop: Shop) -> None:
    shop.publish("consumer", on(A))
    shop.gone("consumer")
    with shop.store.begin() as tx:
        delete_dag(tx, "consumer")
        assert tx.asset_cursor_list() == []
        assert tx.asset_use_list() == []
