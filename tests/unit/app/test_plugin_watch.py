"""Plugins from the point of view of server processes: asked once, in a child; listeners told through the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.commands.world import START, World, task
from tests.unit.scheduler.engine import FAILURE, Engine

from tradewind.app.plugin_watch import PluginWatch, installed_plugins
from tradewind.commands import listening
from tradewind.commands.asset_events import Source, tell_changes
from tradewind.kernel.settings import Settings, load_settings
from tradewind.maintenance import OutboxDelivery
from tradewind.ports.outbox_rows import OutboxKind, OutboxRow, OutboxState
from tradewind.wire.assets import AssetEmission

PLUGIN = """
import sys
from tradewind.sdk.plugins import AirflowPlugin
from tradewind.sdk.listeners import hookimpl

print("loaded")

class Hears:
    @hookimpl
    def on_dag_run_failed(self, dag_run, msg):
        with open(OUT, "a") as out:
            out.write(f"{dag_run.dag_id} {dag_run.state} {msg}\\n")

    @hookimpl
    def on_starting(self, component):
        with open(OUT, "a") as out:
            out.write(f"starting {component}\\n")

class P(AirflowPlugin):
    name = "p"
    listeners = [Hears()]
    external_views = [{"name": "Docs", "href": "https://docs"}]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({}, tmp_path)


@pytest.fixture
def deaf() -> Iterator[None]:
    yield
    listening.listen_for(())


def _plug(settings: Settings) -> Path:
    folder = settings.core.plugins_folder
    folder.mkdir()
    out = folder.parent / "out.txt"
    (folder / "p.py").write_text(f"OUT = {str(out)!r}\n{PLUGIN}")
    return out


def _lines(world: World) -> list[OutboxRow]:
    with world.store.read() as tx:
        return sorted(tx.outbox_list(), key=lambda row: row.id)


def test_without_a_source_nothing_is_started(settings: Settings) -> None:
    assert installed_plugins(settings, {}).plugins == ()


def test_a_child_tells_what_there_is(settings: Settings) -> None:
    _plug(settings)
    (settings.core.plugins_folder / "bad.py").write_text("raise ValueError('no')\n")
    found = installed_plugins(settings)
    (plugin,) = found.plugins
    assert (plugin.name, plugin.brings) == ("p", {"listeners": ["Hears"], "external_views": ["Docs"]})
    assert plugin.views == {"external_views": [{"name": "Docs", "href": "https://docs"}]}
    assert found.hooks == ("on_starting", "on_dag_run_failed")
    assert list(found.problems.values()) == ["ValueError: no, line 1"]


def test_a_plugin_that_ends_its_process_is_a_problem(settings: Settings) -> None:
    settings.core.plugins_folder.mkdir()
    (settings.core.plugins_folder / "dies.py").write_text("import os\nos._exit(9)\n")
    assert "ended with 9" in installed_plugins(settings).problems["plugins"]


def test_the_end_of_a_run_reaches_a_listener(settings: Settings, deaf: None) -> None:
    out = _plug(settings)
    engine = Engine()
    watch = PluginWatch(engine.store, settings, "scheduler")
    watch.start()
    with engine.store.listen(["outbox"]) as bell:
        if not _lines(engine.world):
            bell.wait(30)
    engine.world.publish("sales", task("extract"))
    engine.world.trigger("sales")
    for _ in range(3):
        engine.step()
        engine.work(FAILURE)
    watch.stop(5)
    lines = _lines(engine.world)
    assert [(line.kind, line.payload["path"]) for line in lines] == [
        (OutboxKind.LISTENER, "on_starting"),
        (OutboxKind.LISTENER, "on_dag_run_failed"),
    ]
    service = OutboxDelivery(engine.store, engine.world.clock, engine.world.vault, settings)
    with engine.store.begin() as tx:
        rows = tx.outbox_claim("me", tx.now(), 60.0, 10)
    for row in rows:
        service.deliver_one(row)
    assert [line.state for line in _lines(engine.world)] == [OutboxState.DELIVERED] * 2
    assert out.read_text() == "starting scheduler\nsales failed 'extract' is failed\n"


def test_assets_and_runs_are_told_only_to_those_who_listen(deaf: None) -> None:
    engine = Engine()
    engine.world.publish("sales", task("extract"))
    source = Source(dag_id="sales", run_id="r", task_id="extract")
    emission = AssetEmission(name="orders", uri="orders", alias="x")
    for hooks, told in (((), 0), (("on_asset_changed", "on_asset_event_emitted"), 2)):
        listening.listen_for(hooks)
        with engine.store.begin() as tx:
            tell_changes(tx, [(source, emission)], START + timedelta(seconds=1))
        assert len(_lines(engine.world)) == told
    listening.listen_for(["on_dag_run_running", "on_dag_run_success"])
    engine.world.trigger("sales")
    engine.rounds(3)
    runs = [line for line in _lines(engine.world) if "dag_run" in line.payload["context"]]
    assert [(line.payload["path"], line.payload["context"]["dag_run"]["state"]) for line in runs] == [
        ("on_dag_run_running", "running"),
        ("on_dag_run_success", "success"),
    ]
