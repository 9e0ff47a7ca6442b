"""What running tasks know and tell of changes of assets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tradewind import DAG, Asset, AssetAlias, Metadata, task
from tradewind.kernel.clock import VirtualClock
from tradewind.sdk.asset_events import InletEvents, OutletEvents, TriggeringEvents
from tradewind.sdk.attempt import Attempt
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.errors import WrongValue
from tradewind.sdk.exceptions import AirflowNotFoundException
from tradewind.sdk.loading import load_dag_file
from tradewind.sdk.memory_client import MemoryClient, MemoryWorld
from tradewind.wire import execution as ex
from tradewind.wire.assets import AssetEmission, AssetEventFacts, AssetLeaf, NameLeaf

A = Asset("a", "s3://b/a")


class Desk:
    """Answers as a server would, and remembers what it was asked."""

    def __init__(self, *events: AssetEventFacts) -> None:
        self.events = events
        self.asked: list[Any] = []

    def ask(self, message: Any) -> Any:
        self.asked.append(message)
        if isinstance(message, ex.GetAssets):
            known = {"a": ex.FoundAsset(name="a", uri="s3://b/a", extra={"k": 1})}
            return ex.Assets(tuple(known.get(name) for name in (*message.names, *message.uris)))
        return ex.AssetEvents(self.events)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def desk(clock: VirtualClock) -> Desk:
    at = clock.now()
    return Desk(
        AssetEventFacts(
            event_id=1, name="a", uri="s3://b/a", at=at, extra={"n": 1}, source_dag_id="d", source_run_id="r"
        ),
        AssetEventFacts(event_id=2, name="b", uri="b", at=at, aliases=("x",), partition_key="k"),
    )


@pytest.fixture
def attempt(desk: Desk, clock: VirtualClock) -> Attempt:
    return Attempt(desk, "token", clock)  # type: ignore[arg-type]


def run(function: Any, **kwargs: Any) -> Any:
    with DAG("d") as dag:
        task(function, **kwargs)() if kwargs == {} else task(**kwargs)(function)()
    return dag.test()


def test_each_outlet_is_told_once_with_what_the_task_said() -> None:
    def work(outlet_events: Any) -> None:
        outlet_events[A].extra["rows"] = 3
        outlet_events[Asset("other")].extra["lost"] = True  # no outlet of this task

    tested = run(work, outlets=[A, Asset("b")])
    assert [(each.name, each.extra) for each in tested.world.asset_events] == [("a", {"rows": 3}), ("b", {})]


def test_a_task_that_fails_tells_nothing() -> None:
    def work(outlet_events: Any) -> None:
        outlet_events[A].extra["rows"] = 3
        raise ValueError

    assert run(work, outlets=[A]).world.asset_events == []


def test_metadata_may_be_yielded() -> None:
    def work() -> Any:
        yield Metadata(A, {"rows": 1})
        yield Metadata(Asset("late", "s3://b/late", group="g"), {"rows": 2}, alias=AssetAlias("x"))
        return "done"

    tested = run(work, outlets=[A, AssetAlias("x")])
    assert [(each.name, each.extra, each.aliases) for each in tested.world.asset_events] == [
        ("a", {"rows": 1}, ()),
        ("late", {"rows": 2}, ("x",)),
    ]
    assert tested.xcom("work") == "done"


def test_aliases_and_partitions() -> None:
    outlets = OutletEvents()
    outlets[AssetAlias("x")].add(Asset("n", "s3://b/n", group="g", extra={"k": 1}), extra={"rows": 1})
    outlets[A].add(Asset("ignored"))
    outlets[A].add_partitions(["1", "2", "1"])
    assert outlets.told([A, AssetAlias("x"), AssetAlias("y")], None) == (
        AssetEmission(name="a", uri="s3://b/a", partition_key="1"),
        AssetEmission(name="a", uri="s3://b/a", partition_key="2"),
        AssetEmission(name="n", uri="s3://b/n", extra={"rows": 1}, alias="x", group="g", asset_extra={"k": 1}),
    )
    assert OutletEvents().told([A], "of the run") == (
        AssetEmission(name="a", uri="s3://b/a", partition_key="of the run"),
    )
    with pytest.raises(TypeError, match="not to an alias"):
        outlets[AssetAlias("x")].add_partitions("1")
    with pytest.raises(WrongValue, match="1 to 250 characters"):
        outlets[A].add_partitions(" ")
    with pytest.raises(TypeError, match="write Asset\\('a'\\)"):
        outlets["a"]


def test_references_are_asked_for_once(attempt: Attempt, desk: Desk) -> None:
    outlets = OutletEvents(attempt)
    outlets.for_asset(name="a").extra["n"] = 1
    assert outlets.told([Asset.ref(name="a")], None) == (AssetEmission(name="a", uri="s3://b/a", extra={"n": 1}),)
    assert len(desk.asked) == 1
    with pytest.raises(AirflowNotFoundException, match="no asset with name 'gone'"):
        outlets.for_asset(name="gone")


def test_inlet_events_are_read_when_looked_at(attempt: Attempt, desk: Desk) -> None:
    inlets = InletEvents([object(), A, AssetAlias("x")], attempt)
    events = inlets[A].after("2024-01-01T00:00:00Z").ascending(False).limit(5)
    assert desk.asked == []
    assert len(events) == 2
    assert events[-1].partition_key == "k"
    assert [each.id for each in events[0:1]] == [1]
    (question,) = desk.asked
    assert (question.name, question.uri, question.ascending, question.limit) == ("a", "s3://b/a", False, 5)
    assert len(inlets[1]) == 2
    assert inlets.for_asset_alias(name="x")[1].source_aliases == (AssetAlias("x"),)
    with pytest.raises(KeyError, match="no inlet of this task"):
        inlets[Asset("b")]
    with pytest.raises(IndexError):
        inlets[0]


def test_triggering_events_by_asset_and_alias(attempt: Attempt, desk: Desk) -> None:
    triggering = TriggeringEvents(attempt)
    assert {each.name for each in triggering} == {"a", "b", "x"}
    (event,) = triggering[A]
    assert (event.extra, event.uri, event.source_dag_run.run_id) == ({"n": 1}, "s3://b/a", "r")  # type: ignore[union-attr]
    assert [each.id for each in triggering[AssetAlias("x")]] == [2]
    assert [each.id for each in triggering.for_asset(name="a")] == [1]
    assert isinstance(desk.asked[0], ex.GetAssetEvents)
    with pytest.raises(KeyError):
        triggering[Asset("c")]


def test_asset_dags(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(
        """
from tradewind import Asset, Metadata, asset, task

@asset(schedule="@daily", uri="s3://raw/x", extra={"k": 1}, tags=["t"])
def raw(self, context, outlet_events, limit=10):
    outlet_events[self].extra.update(run=context["run_id"], k=self.extra["k"], limit=limit)

@asset(schedule=raw)
def clean(raw):
    yield Metadata(Asset("clean"), {"from": raw.name})

@asset.multi(schedule=None, outlets=[Asset("p"), Asset("q")])
def both(outlet_events):
    outlet_events[Asset("p")].add_partitions("1")

@asset(schedule=None, name="other", dag_id="another")
@task
def stacked():
    return 2
"""
    )
    loaded = load_dag_file(tmp_path / "f.py", bundle_root=tmp_path, module_name="asset_dags")
    assert not loaded.errors
    assert list(loaded.dags) == ["raw", "clean", "both", "another"]
    clean = compile_dag(loaded.dags["clean"], file="f.py")
    (only,) = clean.tasks
    assert (only.inlets, only.outlets) == ((NameLeaf("raw"),), (AssetLeaf("clean", "clean"),))
    events = {dag_id: dag.test(logical_date=None).world.asset_events for dag_id, dag in loaded.dags.items()}
    told = {dag_id: [(each.name, each.extra, each.partition_key) for each in found] for dag_id, found in events.items()}
    assert told["clean"] == [("clean", {"from": "raw"}, None)]
    assert told["both"] == [("p", {}, "1"), ("q", {}, None)]
    assert told["another"] == [("other", {}, None)]
    assert told["raw"][0][1]["k"] == 1
    assert told["raw"][0][1]["limit"] == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@asset(schedule=None, colour=1)\ndef f(): ...", "unknown argument 'colour'"),
        ("@asset(schedule=None)\ndef f(*x): ...", "cannot take \\*x"),
        ("def g():\n  @asset(schedule=None)\n  def f(): ...\ng()", "top of the file"),
        ("@asset.multi(schedule=None, outlets=[])\ndef f(): ...", "needs outlets"),
    ],
)
def test_wrong_asset_dags(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "f.py").write_text(f"from tradewind import asset\n{text}\n")
    loaded = load_dag_file(tmp_path / "f.py", bundle_root=tmp_path, module_name="wrong_asset_dags")
    (error,) = loaded.errors
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(error.message)


def test_memory_world_filters_events() -> None:
    world = MemoryWorld("d", "r")
    client = MemoryClient(world, ("t", ""))
    assert client.ask(ex.GetAssetEvents(token="t", triggering=True)) == ex.AssetEvents(())
