"""Delivery of the outbox with real children: callbacks of DAGs, of lost tasks, by path; failures; questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.commands.world import World, task

from tradewind.commands import outbox, secrets
from tradewind.commands.attempts import Settlement
from tradewind.commands.task_callbacks import facts_of
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.kernel.settings import load_settings
from tradewind.maintenance import OutboxDelivery
from tradewind.ports.outbox_rows import OutboxKind, OutboxRow, OutboxState
from tradewind.wire.errors import NotFound
from tradewind.wire.execution import Outcome

FILE = """
import json, os
from tradewind import DAG, BaseOperator, Variable

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__)))), "out.json")

def told(context):
    ti = context.get("ti")
    with open(OUT, "w") as out:
        json.dump({
            "dag": context["dag"].dag_id, "run": context["run_id"], "reason": context["reason"],
            "state": context["dag_run"].state, "ds": context["ds"], "params": dict(context["params"]),
            "ti": ti and [ti.task_id, ti.try_number, ti.state],
            "secret": Variable.get("api_key"),
        }, out)
    print("the secret is", Variable.get("api_key"))

async def boom(context):
    raise ValueError("no luck")

def by_path(colour, context=None):
    with open(OUT, "w") as out:
        json.dump({"colour": colour, "reason": context["reason"]}, out)

class Extract(BaseOperator):
    def execute(self, context): ...

with DAG("sales", params={"n": 1}, on_failure_callback=[told, boom]):
    Extract(task_id="extract", on_failure_callback=told, on_retry_callback=told)
"""


class Delivery:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.world = World()
        environment = {"TRADEWIND__CALLBACKS__TRIES_MAX": "2", "TRADEWIND__CALLBACKS__TIMEOUT_SECONDS": "60"}
        settings = load_settings(environment, home)
        tree = settings.bundles.root / "local" / "b1"
        tree.mkdir(parents=True)
        (tree / "sales.py").write_text(FILE)
        self.version = self.world.publish("sales", task("extract", has_callbacks=True), on_failure_callback_count=2)
        with self.world.store.begin() as tx:
            secrets.set_variable(tx, self.world.vault, "api_key", "hush-hush")
        self.service = OutboxDelivery(self.world.store, self.world.clock, self.world.vault, settings)

    def put(self, number: int) -> None:
        run = self.world.start_run(logical_date=self.world.clock.now())
        facts = {"run": msgspec.to_builtins(facts_of(run)), "run_state": "failed", "reason": "task_failure"}
        with self.world.store.begin() as tx:
            payload = {
                "callback": "on_failure_callback", "number": number, "bundle": "local", "bundle_version": "b1",
                "file": "sales.py",
                "context": {**facts, "ti": {"task_id": "extract", "try_number": 3, "state": "failed"}},
            }  # fmt: skip
            now = self.world.clock.now()
            row = OutboxRow(
                id=self.world.new_id(),
                delivery_key=f"{run.run_key}/{number}",
                kind=OutboxKind.DAG_CALLBACK,
                payload=payload,
                dag_id="sales",
                run_id=run.run_id,
                due_at=now,
                created_at=now,
            )
            tx.outbox_put([row])

    def deliver(self) -> OutboxRow:
        with self.world.store.begin() as tx:
            (row,) = tx.outbox_claim("me", self.world.clock.now(), 60.0, 10)
        self.service.deliver_one(row)
        with self.world.store.read() as tx:
            return next(one for one in tx.outbox_list() if one.id == row.id)

    def out(self) -> dict[str, object]:
        told: dict[str, object] = json.loads((self.home / "out.json").read_text())
        return told


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    return Delivery(tmp_path)


def test_a_callback_of_a_dag_sees_its_run_and_may_ask(delivery: Delivery) -> None:
    delivery.put(0)
    row = delivery.deliver()
    log = delivery.service.log_file(row).read_text()
    assert (row.state, row.error) == (OutboxState.DELIVERED, None), log
    said = delivery.out()
    assert (said["dag"], said["reason"], said["state"]) == ("sales", "task_failure", "failed")
    assert (said["ds"], said["params"], said["ti"]) == ("2026-03-01", {"n": 1}, ["extract", 3, "failed"])
    assert said["secret"] == "hush-hush"
    assert "the secret is ***" in log
    assert "hush" not in log


def test_one_that_raises_is_tried_again_and_then_waits_for_a_person(delivery: Delivery) -> None:
    delivery.put(1)
    row = delivery.deliver()
    assert (row.state, row.tries, row.error) == (OutboxState.PENDING, 1, "ValueError: no luck")
    assert (row.due_at - delivery.world.clock.now()).total_seconds() == 5
    delivery.world.clock.advance(5)
    row = delivery.deliver()
    assert (row.state, row.tries) == (OutboxState.DEAD, 2)
    with delivery.world.store.begin() as tx:
        assert [one.id for one in outbox.list_callbacks(tx, states=(OutboxState.DEAD,))] == [row.id]
        with pytest.raises(NotFound, match="no failed callback 'nobody'"):
            outbox.retry_callbacks(tx, ["nobody"], tx.now())
        assert outbox.retry_callbacks(tx, [], tx.now()) == [row.id]
        assert outbox.require_callback(tx, row.id).state is OutboxState.PENDING


def test_a_callback_by_path_with_arguments(delivery: Delivery) -> None:
    where: dict[str, Any] = {"bundle": "local", "bundle_version": "b1", "file": "sales.py"}
    with delivery.world.store.begin() as tx:
        for _ in range(2):
            outbox.put_callback(
                tx, "d/1", "deadline", "sales.by_path", {"colour": "red"}, {"reason": "late"}, dag_id="sales", **where
            )
    row = delivery.deliver()
    assert row.state is OutboxState.DELIVERED, delivery.service.log_file(row).read_text()
    assert delivery.out() == {"colour": "red", "reason": "late"}


def test_a_callback_that_is_gone_is_named(delivery: Delivery) -> None:
    with delivery.world.store.begin() as tx:
        outbox.put_callback(tx, "k", "deadline", "nowhere.f")
    row = delivery.deliver()
    assert row.error == "NotFound: callback 'nowhere.f' cannot be imported: No module named 'nowhere'"


def test_a_lost_attempt_has_its_callbacks_called_later(delivery: Delivery) -> None:
    world = delivery.world
    run = world.start_run(logical_date=world.clock.now())
    instance, token = world.queued_task(run, max_tries=0, infrastructure_tries=9)
    with world.store.begin() as tx:
        settlement = Settlement(tx, world.documents, world.clock.now(), DEFAULT_LIMITS)
        row = tx.task_by_token([token])[token]
        settlement.start(row, token, agent="a", hostname="h", pid=1, at=None)
        settlement.lose(row, "the agent fell silent")
        settlement.write()
    done = delivery.deliver()
    assert done.state is OutboxState.DELIVERED, delivery.service.log_file(done).read_text()
    assert (done.kind, done.task_id) == (OutboxKind.TASK_CALLBACK, "extract")
    assert delivery.out()["ti"] == ["extract", 1, "failed"]
    assert world.row(instance).state == "failed"


def test_an_attempt_that_said_how_it_ended_called_back_itself(delivery: Delivery) -> None:
    world = delivery.world
    _, token = world.queued_task(world.start_run(logical_date=world.clock.now()))
    with world.store.begin() as tx:
        settlement = Settlement(tx, world.documents, world.clock.now(), DEFAULT_LIMITS)
        row = tx.task_by_token([token])[token]
        settlement.start(row, token, agent="a", hostname="h", pid=1, at=None)
        settlement.end(row, token, Outcome(state="failed", cause="exception", reason="no", duration_seconds=0.1))  # type: ignore[arg-type]
        settlement.write()
        assert tx.outbox_list() == []


def test_the_service_delivers_by_itself_and_stops_at_once(delivery: Delivery) -> None:
    slow = "def wait(mark, context=None):\n    Path(mark).touch()\n    time.sleep(60)\n"
    file = delivery.home / "bundles" / "local" / "b1" / "slow.py"
    file.write_text(f"import time\nfrom pathlib import Path\n{slow}")
    where: dict[str, Any] = {"bundle": "local", "bundle_version": "b1", "file": "sales.py"}
    world, begun = delivery.world, delivery.home / "begun"
    with world.store.begin() as tx:
        outbox.put_callback(
            tx, "quick", "deadline", "sales.by_path", {"colour": "red"}, {"reason": "x"}, dag_id="sales", **where
        )
        outbox.put_callback(tx, "slow", "deadline", "slow.wait", {"mark": str(begun)}, dag_id="sales", **where)
    bell = world.store.listen(["outbox"])
    delivery.service.start()
    with bell:
        for _ in range(600):
            with world.store.read() as tx:
                states = {row.delivery_key: row.state for row in tx.outbox_list()}
            if states["quick"] is OutboxState.DELIVERED and begun.exists():
                break
            bell.wait(0.05)
    assert delivery.service.stop(5)
    with world.store.read() as tx:
        rows = {row.delivery_key: row for row in tx.outbox_list()}
    assert rows["quick"].state is OutboxState.DELIVERED
    assert (rows["slow"].state, rows["slow"].lease_owner) == (OutboxState.PENDING, None)
    assert rows["slow"].error == "its deliverer was stopped"
