"""The triggerer with real hosts, on a store in memory: whatever becomes of a trigger, its task hears of it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.conformance.store_exam.seeds import new_id, one
from tests.unit.commands.world import World, task

from tradewind.commands.attempts import Settlement
from tradewind.commands.secrets import set_variable
from tradewind.commands.trigger_desk import TriggerDesk
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.kernel.clock import SystemClock
from tradewind.ports.logs import attempt_log
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import TaskMove
from tradewind.ports.trigger_rows import TriggerRow
from tradewind.store.memory import MemoryStore
from tradewind.triggerer.service import Triggerer, TriggererOptions
from tradewind.wire.deferral import Deferral, FailureOfWait
from tradewind.wire.errors import InvalidValue
from tradewind.wire.execution import Outcome
from tradewind.wire.states import TaskInstanceState

S = TaskInstanceState
ROOT = Path(__file__).parents[3]


class Bench:
    """A store, deferred tasks in it, and triggerers in threads of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.world = World()
        self.store = self.world.store = MemoryStore(self.clock)
        self.vault = self.world.vault
        self.rows: dict[str, tuple[TaskRow, TriggerRow]] = {}
        self.triggerers: list[Triggerer] = []

    def defer(self, classpath: str = "tests.unit.triggerer.triggers.Does", /, **kinds: dict[str, Any]) -> None:
        """Tasks by name, each deferred to a trigger that is made with these arguments."""
        self.world.publish("sales", *(task(name, has_callbacks=name == "c") for name in kinds))
        run = self.world.start_run()
        now = self.clock.now()
        for name, kwargs in kinds.items():
            row, token = self.world.queued_task(run, name)
            deferral = Deferral(classpath=classpath, kwargs=json.dumps(kwargs), method="go_on")
            outcome = Outcome(state=S.DEFERRED, deferral=deferral)
            with self.store.begin() as tx:
                settlement = Settlement(tx, self.world.documents, now, DEFAULT_LIMITS, vault=self.vault)
                settlement.start(row, token, agent="agent", hostname="host", pid=1, at=now)
                settlement.end(replace(row, try_number=1), token, outcome)
                assert settlement.write() == {row.ti_id}
                self.rows[name] = (row, tx.trigger_get_many([token])[token])

    def triggerer(self, name: str = "one", **options: Any) -> Triggerer:
        desk = TriggerDesk(self.store, self.clock, self.vault, new_id)
        facts: dict[str, Any] = {
            "name": name,
            "capacity": 100,
            "queues": None,
            "lease_seconds": 1.0,
            "heartbeat_seconds": 0.1,
            "safety_poll_seconds": 0.2,
            "blocked_seconds": 0.3,
            "kill_seconds": 5.0,
            "idle_seconds": 0.0,
            "bundles_root": self.folder,
            "logs_folder": self.folder / "logs",
            "values_url": f"file://{self.folder}/values",
            "line_bytes_max": 10_000,
            "mask_length_min": 5,
            "log_level": "info",
            "environment": {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        }
        made = Triggerer(self.store, self.clock, desk, TriggererOptions(**{**facts, **options}), new_id)
        self.triggerers.append(made)
        made.start()
        assert made.wait_ready(10)
        return made

    def state(self, name: str) -> S | None:
        with self.store.read() as tx:
            return one(tx, self.rows[name][0]).state

    def fired(self, name: str) -> TriggerRow:
        """What the task finds, once it is there."""
        self.until(lambda: self.state(name) is S.SCHEDULED, f"{name} goes on")
        with self.store.read() as tx:
            row = self.rows[name][0]
            return tx.trigger_list_fired([row.ti_id])[row.ti_id]

    def event(self, name: str) -> Any:
        fired = self.fired(name)
        assert fired.event is not None, fired.error
        return json.loads(fired.event)

    def log(self, name: str) -> str:
        row = self.rows[name][0]
        path = attempt_log(self.folder / "logs", row.dag_id, row.run_id, row.task_id, row.map_path, 1)
        return path.read_text() if path.exists() else ""

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.01)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for triggerer in made.triggerers:
        triggerer.stop(10)


def test_events_ends_and_failures_reach_the_task(bench: Bench) -> None:
    bench.defer(a={"what": "event"}, b={"what": "raise"}, c={"what": "success"}, d={"what": "print"})
    bench.triggerer()
    assert bench.event("a")["task"] == "a"
    failed = bench.fired("b")
    assert failed.failure is FailureOfWait.TRIGGER
    assert "ValueError: no luck" in (failed.error or "")
    bench.until(lambda: bench.state("c") is S.SUCCESS, "the trigger ends the task")
    with bench.store.read() as tx:
        assert [value.key for value in tx.list_xcoms(bench.rows["c"][0].ti_id)] == ["return_value"]
        assert one(tx, bench.rows["c"][0]).xcom_length == 3
    bench.until(lambda: "a warning of the trigger" in bench.log("d"), "lines of the trigger")
    assert len(bench.world.inbox()) == 8, "a line for each wait, and one for each end"
    assert "a line of the trigger" in bench.log("d")
    assert "waits for tests.unit.triggerer.triggers.Does" in bench.log("d")


def test_callbacks_of_a_task_that_its_trigger_ended(bench: Bench) -> None:
    bench.defer(c={"what": "success"})
    bench.triggerer()
    bench.until(lambda: bench.state("c") is S.SUCCESS, "the trigger ends the task")
    with bench.store.read() as tx:
        (line,) = tx.outbox_list((), 10)
    assert line.payload["callback"] == "on_success_callback"
    assert line.payload["context"]["ti"]["state"] == "success"


def test_what_cannot_be_made_fails_with_its_reason(bench: Bench) -> None:
    bench.defer(a={"what": "event", "surprise": 1})
    bench.triggerer()
    assert "cannot be made from what its serialize() gave" in (bench.fired("a").error or "")


def test_what_triggers_are_made_with_is_sealed(bench: Bench) -> None:
    bench.defer(a={"what": "event"}, b={"what": "event"})
    assert all("what" not in wait.kwargs for _, wait in bench.rows.values())
    with bench.store.begin() as tx:
        (wait,) = tx.trigger_get_many([bench.rows["b"][1].token]).values()
        broken = replace(wait, kwargs="spoiled")
        bench.store._data.triggers.put(tx._journal, wait.token, broken)  # type: ignore[attr-defined]
    bench.vault.open = _only_whole  # type: ignore[method-assign]
    bench.triggerer()
    assert bench.event("a")["task"] == "a"
    assert bench.fired("b").error == "no key fits"


def _only_whole(ciphertext: bytes) -> str:
    if not ciphertext.startswith(b"sealed:"):
        raise InvalidValue("no key fits")
    return ciphertext.removeprefix(b"sealed:").decode()[::-1]


def test_a_trigger_asks_for_variables(bench: Bench) -> None:
    with bench.store.begin() as tx:
        set_variable(tx, bench.vault, "colour", "blue", None)
    bench.defer(a={"what": "variable"})
    bench.triggerer()
    assert bench.event("a") == "blue"


def test_no_host_lives_without_triggers(bench: Bench) -> None:
    triggerer = bench.triggerer()
    assert triggerer.hosts.processes == []
    bench.defer(a={"what": "event"})
    assert bench.event("a")["pid"]
    bench.until(lambda: not triggerer.hosts.processes, "the host is let go")


def test_the_task_is_ended_from_outside(bench: Bench) -> None:
    path = bench.folder / "file"
    bench.defer(a={"what": "file", "path": str(path)})
    triggerer = bench.triggerer()
    bench.until(lambda: len(triggerer.hosts) == 1, "it is hosted")
    with bench.store.begin() as tx:
        tx.task_move("mark_failed", [TaskMove(bench.rows["a"][0].ti_id, "a person decided")], bench.clock.now())
    bench.until(Path(f"{path}.killed").exists, "on_kill is called")
    bench.until(Path(f"{path}.cleaned").exists, "cleanup is called")
    with bench.store.read() as tx:
        assert tx.trigger_get_many([bench.rows["a"][1].token]) == {}


def test_one_that_blocks_is_named_and_moved(bench: Bench) -> None:
    release, other = bench.folder / "release", bench.folder / "other"
    bench.defer(bad={"what": "block", "path": str(release)}, good={"what": "file", "path": str(other)})
    triggerer = bench.triggerer()
    bench.until(lambda: "begins again in a process of its own" in bench.log("bad"), "it is moved")
    assert "has blocked the event loop" in bench.log("bad")
    assert "triggers.py" in bench.log("bad")
    other.touch()
    assert bench.event("good") == "the file is there"
    assert bench.state("bad") is S.DEFERRED
    assert len(triggerer.hosts.processes) >= 1
    release.touch()
    assert bench.event("bad") == "blocked until now"


def test_one_that_kills_its_host_harms_no_other(bench: Bench) -> None:
    other = bench.folder / "other"
    names = {f"good{n}": {"what": "file", "path": str(other)} for n in range(3)}
    bench.defer(**names, bad={"what": "crash"})
    bench.triggerer()
    failed = bench.fired("bad")
    assert "died 3 times" in (failed.error or "")
    other.touch()
    assert [bench.event(name) for name in names] == ["the file is there"] * 3


def test_a_host_that_is_killed_is_made_again(bench: Bench) -> None:
    path = bench.folder / "file"
    bench.defer(a={"what": "file", "path": str(path)})
    triggerer = bench.triggerer(idle_seconds=30.0)
    bench.until(lambda: triggerer.hosts.processes, "it is hosted")
    (pid,) = triggerer.hosts.processes
    os.kill(pid, signal.SIGKILL)
    bench.until(lambda: triggerer.hosts.processes not in ([], [pid]), "there is another")
    path.touch()
    assert bench.event("a") == "the file is there"


def test_several_share_and_the_next_takes_over(bench: Bench) -> None:
    path = bench.folder / "file"
    bench.defer(**{f"t{n}": {"what": "file", "path": str(path)} for n in range(6)})
    first = bench.triggerer("one", capacity=4)
    bench.until(lambda: len(first.hosts) == 4, "as many as it can")
    second = bench.triggerer("two")
    bench.until(lambda: len(second.hosts) == 2, "the other takes the rest")
    assert first.stop(10)
    bench.until(lambda: len(second.hosts) == 6, "it takes over what the first gave back")
    path.touch()
    assert [bench.event(name) for name in bench.rows] == ["the file is there"] * 6


def test_one_that_was_declared_lost_begins_anew(bench: Bench) -> None:
    path = bench.folder / "file"
    bench.defer(a={"what": "file", "path": str(path)})
    triggerer = bench.triggerer()
    bench.until(lambda: len(triggerer.hosts) == 1, "it is hosted")
    with bench.store.begin() as tx:
        (before,) = tx.component_list("triggerer")
        tx.component_stop("triggerer", before.id)
    bench.until(lambda: [row.id for row in _alive(bench)] not in ([], [before.id]), "another incarnation")
    path.touch()
    assert bench.event("a") == "the file is there"


def _alive(bench: Bench) -> Any:
    with bench.store.read() as tx:
        return tx.component_list("triggerer")


def test_triggers_of_a_dag_file_come_from_its_tree(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = bench.folder / "tree"
    tree.mkdir()
    (tree / "own_triggers.py").write_text(
        "from tradewind.sdk.triggers import BaseTrigger, TriggerEvent\n"
        "class Own(BaseTrigger):\n"
        "    def serialize(self): return 'own_triggers.Own', {}\n"
        "    async def run(self): yield TriggerEvent(__file__)\n"
    )
    monkeypatch.setattr(Triggerer, "_place", lambda *_: (str(tree), "dag.py"))
    bench.defer("own_triggers.Own", a={})
    bench.triggerer()
    assert bench.event("a") == str(tree / "own_triggers.py")
    assert "own_triggers" not in sys.modules
