"""A world with something of everything, for tours and fuzzing."""

from __future__ import annotations

import msgspec
from tests.unit.server.public.world import World, task

from tradewind.commands.attempts import Settlement
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.domain.timetables import parse_schedule
from tradewind.kernel.ids import uuid7
from tradewind.ports.logs import attempt_log
from tradewind.ports.rows import ComponentRow, ImportErrorRow, RunRow
from tradewind.wire.assets import AliasFacts, AssetFacts, AssetLeaf
from tradewind.wire.deferral import Deferral, HumanQuestion
from tradewind.wire.document import GroupDocument, Literal, Mapping
from tradewind.wire.execution import Outcome, XComEntry, XComValue
from tradewind.wire.schedule import AssetSchedule
from tradewind.wire.states import TaskInstanceState

LEAF = AssetLeaf("orders", "s3://orders")
ORDERS = AssetFacts(name="orders", uri="s3://orders")


def seed(world: World) -> None:
    """DAGs `sales` (run r01 is over, r02 asks a person), `report` (runs on orders), `load` (makes orders), `old`."""
    world.publish(
        "sales",
        task("extract", links={"Query": "_link_Query"}),
        task("g.clean", upstream=("extract",), group_id="g"),
        task("many", mapping=Mapping((("x", Literal(3)),))),
        task("ask"),
        groups=(GroupDocument(group_id="g", label="g"),),
        schedule=parse_schedule("@daily"),
        row={"tags": ("money",), "owners": ("ann",)},
        source="# sales",
    )
    world.publish("load", task("write", outlets=(LEAF,)), assets=(ORDERS,), aliases=(AliasFacts(name="any"),))
    world.publish("report", task("read", inlets=(LEAF,)), assets=(ORDERS,), schedule=AssetSchedule(condition=LEAF))
    world.publish("old")
    first = world.start(world.put_run("sales", 1, run_id="r01"))
    _map(world, first)
    _values(world, first)
    world.finish(first)
    second = world.start(world.put_run("sales", 2, run_id="r02"))
    ask(world, second)
    now = world.clock.now()
    with world.store.begin() as tx:
        tx.import_error_put(
            ImportErrorRow(bundle="local", path="broken.py", message="m", traceback="Traceback ...", at=now)
        )
        tx.component_start(
            ComponentRow(
                kind="scheduler", id=str(uuid7()), name="s", hostname="h", pid=1, started_at=now, heartbeat_at=now
            )
        )


def ask(world: World, run: RunRow, task_id: str = "ask") -> None:
    """The task waits for the answer of a person."""
    row = world.tasks(run)[task_id]
    token = world.queue(row)
    form = {"amount": {"value": 3, "schema": {"type": "integer", "minimum": 1}}}
    question = HumanQuestion(subject="Ship?", options=("yes", "no"), params=msgspec.json.encode(form).decode())
    waits = Deferral(method="go_on", timeout_seconds=60)
    outcome = Outcome(state=TaskInstanceState.AWAITING_INPUT, deferral=waits, question=question)
    now = world.clock.now()
    with world.store.begin() as tx:
        settlement = Settlement(tx, world.documents, now, DEFAULT_LIMITS)
        (current,) = tx.task_get_many([row.ti_id])
        settlement.start(current, token, agent="agent", hostname="host", pid=1, at=now)
        settlement.end(current, token, outcome)
        settlement.write()


def _map(world: World, run: RunRow) -> None:
    with world.store.begin() as tx:
        placeholder = next(row for row in tx.task_list(run.run_key) if row.task_id == "many")
        tx.task_rename(placeholder.ti_id, "0")
    world.put_task(run, "many", "1")
    world.put_task(run, "many", "2")


def _values(world: World, run: RunRow) -> None:
    row = world.tasks(run)["extract"]
    with world.store.begin() as tx:
        entries = [
            XComEntry("return_value", XComValue(data=b"[1, 2]", size=6, length=2)),
            XComEntry("_link_Query", XComValue(data=b'"https://db/query/1"', size=20)),
        ]
        tx.xcom_put(row, entries, world.clock.now())
        tx.rendered_put(row.ti_id, {"sql": "select 1"})
    path = attempt_log(world.settings.logs.folder, "sales", run.run_id, "extract", "", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"t":"2026-03-01T12:00:00Z","l":"info","s":"stdout","m":"hello"}\n')
