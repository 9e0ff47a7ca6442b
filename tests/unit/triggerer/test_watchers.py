"""Watchers of assets with real hosts: what happens outside becomes events of assets, once each, and starts DAGs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.commands.world import task
from tests.unit.triggerer.test_service import Bench

from tradewind import DAG, Asset, AssetWatcher
from tradewind.commands.publication import ParsedFile, publish_file
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.standard.empty import EmptyOperator
from tradewind.wire.document import FORMAT, DagDocument, encode_document

from .watch_triggers import Letters, Mailbox


class Watched(Bench):
    """A bench with DAGs that watch."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.box = folder / "box"
        self.box.mkdir()

    def publish(self, dag_id: str, *assets: Asset) -> None:
        with DAG(dag_id, schedule=list(assets)) as dag:
            EmptyOperator(task_id="t")
        self._publish(encode_document(compile_dag(dag, file=f"{dag_id}.py")), dag_id)

    def gone(self, dag_id: str) -> None:
        self._publish(None, dag_id)

    def _publish(self, raw: bytes | None, dag_id: str) -> None:
        documents = () if raw is None else (raw,)
        parsed = ParsedFile("local", f"{dag_id}.py", "b1", "d", "", documents)
        with self.store.begin() as tx:
            publish_file(tx, parsed, self.clock.now(), self.world.new_id, paused_at_creation=False)

    def send(self, name: str, text: str) -> None:
        (self.box / f"{name}.part").write_text(text)
        (self.box / f"{name}.part").rename(self.box / f"{name}.message")

    def payloads(self, name: str) -> list[Any]:
        with self.store.read() as tx:
            return [row.extra["payload"] for row in tx.asset_event_list(name=name)]

    def waits(self) -> int:
        with self.store.read() as tx:
            return sum(tx.trigger_count().values())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    for triggerer in made.triggerers:
        triggerer.stop(10)


@pytest.fixture
def watched(bench: Watched) -> Callable[..., Asset]:
    def make(name: str, trigger: Any) -> Asset:
        return Asset(name, watchers=[AssetWatcher("w", trigger)])

    return make


def test_each_message_becomes_one_event_and_is_taken_after_that(bench: Watched, watched: Any) -> None:
    bench.publish("d", watched("inbox", Mailbox(str(bench.box))))
    bench.triggerer()
    for n in range(3):
        bench.send(str(n), f"text {n}")
    bench.until(lambda: len(bench.payloads("inbox")) == 3, "three events")
    assert bench.payloads("inbox") == [{"text": f"text {n}"} for n in range(3)]
    bench.until(lambda: not list(bench.box.glob("*.message")), "the messages are taken")
    with bench.store.read() as tx:
        (event, *_) = tx.asset_event_list(name="inbox")
        assert (event.extra["from_trigger"], event.created_by) == (True, "watcher w")
        assert len(tx.asset_waiting("d")) == 3


def test_a_watcher_that_fails_begins_again(bench: Watched, watched: Any) -> None:
    bench.publish("d", watched("inbox", Mailbox(str(bench.box))))
    bench.triggerer()
    bench.send("1", "bad")
    bench.until(lambda: bench.payloads("inbox") == [{"text": "bad"}], "the second look")


def test_a_host_that_dies_loses_nothing(bench: Watched, watched: Any) -> None:
    bench.publish("d", watched("inbox", Mailbox(str(bench.box))))
    triggerer = bench.triggerer()
    bench.send("1", "one")
    bench.until(lambda: len(bench.payloads("inbox")) == 1, "the first")
    (pid,) = triggerer.hosts.processes
    os.kill(pid, signal.SIGKILL)
    bench.send("2", "two")
    bench.until(lambda: {"text": "two"} in bench.payloads("inbox"), "the second, by another host")


def test_watchers_follow_their_dag(bench: Watched, watched: Any) -> None:
    first = watched("inbox", Mailbox(str(bench.box)))
    bench.publish("d", first)
    bench.publish("other", Asset("inbox"))  # a bare mention changes nothing
    bench.triggerer()
    assert bench.waits() == 1
    (bench.box / "elsewhere").mkdir()
    bench.publish("d", watched("inbox", Mailbox(str(bench.box / "elsewhere"))))
    bench.send("1", "to the old place")
    (bench.box / "elsewhere" / "1.message").write_text("to the new place")
    bench.until(lambda: bench.payloads("inbox") == [{"text": "to the new place"}], "the new watcher")
    bench.gone("d")
    bench.until(lambda: bench.waits() == 0, "nobody describes the watcher")


def test_a_shared_stream_is_polled_once_and_acknowledged_when_all_have_it(bench: Watched, watched: Any) -> None:
    box = str(bench.box)
    bench.publish("d", watched("as", Letters(box, "a")), watched("bs", Letters(box, "b")))
    triggerer = bench.triggerer()
    bench.until(lambda: (bench.box / "polls").exists() and len(triggerer.hosts) == 2, "both hear the poll")
    bench.send("0", "nobody's")
    bench.until(lambda: (bench.box / "acknowledged").exists(), "the first is over")
    for n, text in enumerate(("apple", "bread", "poison", "butter"), 1):
        bench.send(str(n), text)
    bench.until(lambda: len((bench.box / "acknowledged").read_text().splitlines()) == 5, "all are acknowledged")
    assert bench.payloads("as") == ["apple"]
    assert bench.payloads("bs") == ["bread", "butter"]
    assert (bench.box / "polls").read_text() == "x"
    last = (bench.box / "acknowledged").read_text().splitlines()[1:]
    assert last == ["1 2 0 0", "2 2 0 0", "3 0 0 2", "4 2 0 0"]


def test_wrong_watchers() -> None:
    with pytest.raises(WrongArgument, match="must be an event trigger"):
        AssetWatcher("w", object())
    with pytest.raises(WrongValue, match="asset watcher 'w'"):
        AssetWatcher("w", Mailbox(object())).facts()  # type: ignore[arg-type]
    with pytest.raises(WrongArgument, match="must be AssetWatcher objects"):
        Asset("a", watchers=["w"])  # type: ignore[list-item]
    assert DagDocument(format=FORMAT, dag_id="d", file="d.py", tasks=(task("t"),)).assets == ()
