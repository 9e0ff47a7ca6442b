"""Assets, questions, states, links."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.server.public.world import World, task

from tradewind.commands.attempts import Settlement
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.ports.rows import RunRow
from tradewind.wire.assets import AliasFacts, AssetFacts, AssetLeaf
from tradewind.wire.deferral import Deferral, HumanQuestion
from tradewind.wire.execution import Outcome, XComEntry, XComValue
from tradewind.wire.schedule import AssetSchedule
from tradewind.wire.states import TaskInstanceState

ORDERS = AssetFacts(name="orders", uri="s3://orders", extra={"team": "x"})
LEAF = AssetLeaf("orders", "s3://orders")


@pytest.fixture
def shop(world: World) -> World:
    """`load` makes orders, `report` runs on them."""
    world.publish("load", task("write", outlets=(LEAF,)), assets=(ORDERS,), aliases=(AliasFacts(name="any"),))
    world.publish("report", task("read", inlets=(LEAF,)), assets=(ORDERS,), schedule=AssetSchedule(condition=LEAF))
    return world


def asset_id(world: World) -> int:
    (asset,) = world.get("/assets")["assets"]
    number: int = asset["id"]
    return number


def test_assets_are_told_with_who_speaks_of_them(shop: World) -> None:
    (asset,) = shop.get("/assets", name_pattern="ORD", uri_prefix_pattern="s3", dag_ids="report,load")["assets"]
    assert (asset["name"], asset["uri"], asset["extra"]) == ("orders", "s3://orders", {"team": "x"})
    assert [each["dag_id"] for each in asset["scheduled_dags"]] == ["report"]
    assert [(each["dag_id"], each["task_id"]) for each in asset["producing_tasks"]] == [("load", "write")]
    assert [(each["dag_id"], each["task_id"]) for each in asset["consuming_tasks"]] == [("report", "read")]
    assert asset["last_asset_event"] == {"id": None, "timestamp": None}
    assert shop.get(f"/assets/{asset['id']}")["id"] == asset["id"]
    assert shop.get("/assets", dag_ids="none")["total_entries"] == 0
    shop.get("/assets/999", 404)
    (alias,) = shop.get("/assets/aliases")["asset_aliases"]
    assert shop.get(f"/assets/aliases/{alias['id']}")["name"] == "any"
    shop.get("/assets/aliases/999", 404)
    (dag,) = shop.get("/dags", has_asset_schedule=True)["dags"]
    assert dag["dag_id"] == "report"
    assert shop.get("/dags", asset_dependency="orders")["total_entries"] == 1
    assert shop.get("/dags", timetable_type="AssetTriggeredTimetable")["dags"][0]["dag_id"] == "report"
    expression = shop.get("/dags/report/details")["asset_expression"]
    assert expression == {"asset": {"uri": "s3://orders", "name": "orders", "group": "asset", "id": asset["id"]}}
    assert shop.get("/dags/~/dagRuns", consuming_asset_pattern="orders")["total_entries"] == 0


def test_a_change_is_told_waits_and_is_dropped(shop: World) -> None:
    number = asset_id(shop)
    event = shop.post("/assets/events", {"asset_id": number, "extra": {"rows": 3}})
    assert event["extra"] == {"rows": 3, "from_rest_api": True}
    assert event["created_dagruns"] == []
    shop.post("/assets/events", {"asset_id": 999}, 404)
    shop.post("/assets/events", {"asset_id": number, "partition_key": " "}, 422)
    said = shop.get("/assets/events", asset_id=number, order_by="-timestamp")
    assert [each["id"] for each in said["asset_events"]] == [event["id"]]
    assert shop.get("/assets/events", timestamp_lt="2020-01-01T00:00:00Z")["total_entries"] == 0
    assert shop.get(f"/assets/{number}")["last_asset_event"]["id"] == event["id"]
    (queued,) = shop.get(f"/assets/{number}/queuedEvents")["queued_events"]
    assert (queued["dag_id"], queued["asset_id"]) == ("report", number)
    assert shop.get("/dags/report/assets/queuedEvents")["total_entries"] == 1
    assert shop.get(f"/dags/report/assets/{number}/queuedEvents")["dag_id"] == "report"
    assert shop.get("/dags/load/assets/queuedEvents")["queued_events"] == []
    assert shop.get("/dags/none/assets/queuedEvents")["queued_events"] == []
    assert shop.get(f"/assets/{number}/queuedEvents", before="2020-01-01T00:00:00Z")["queued_events"] == []
    shop.get(f"/dags/load/assets/{number}/queuedEvents", 404)
    shop.delete(f"/dags/report/assets/{number}/queuedEvents")
    shop.delete(f"/dags/report/assets/{number}/queuedEvents", 404)
    shop.post("/assets/events", {"asset_id": number})
    shop.delete("/dags/report/assets/queuedEvents")
    shop.post("/assets/events", {"asset_id": number})
    shop.delete(f"/assets/{number}/queuedEvents")
    shop.delete(f"/assets/{number}/queuedEvents", 404)


def test_an_asset_is_made_by_its_dag(shop: World) -> None:
    run = shop.post(f"/assets/{asset_id(shop)}/materialize", {"conf": {"a": 1}, "partition_key": "p1"})
    assert (run["dag_id"], run["run_type"], run["partition_key"]) == ("load", "asset_materialization", "p1")
    assert shop.post(f"/assets/{asset_id(shop)}/materialize")["dag_id"] == "load"
    shop.post("/assets/999/materialize", status=404)
    shop.get(f"/dags/load/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")
    assert shop.get("/dags/load/dagRuns", partition_key_pattern="p1")["total_entries"] == 1
    body = {"partition_key": "p1"}
    assert shop.post("/dags/load/clearPartitions", body)["dag_runs_cleared"] == 1
    shop.post("/dags/load/clearPartitions", {**body, "dry_run": False})
    assert shop.get("/dags/load/dagRuns", partition_key_pattern="p1")["total_entries"] == 0
    shop.post("/dags/load/clearPartitions", {}, 400)


def test_assets_remember(shop: World) -> None:
    base = f"/assets/{asset_id(shop)}/state-store"
    shop.put(f"{base}/a/b", {"value": {"x": 1}}, 204)
    said = shop.get(f"{base}/a/b")
    assert (said["value"], said["last_updated_by"]["kind"]) == ({"x": 1}, "api")
    shop.put(f"{base}/c", {"value": None}, 422)
    assert shop.get(base)["total_entries"] == 1
    shop.delete(f"{base}/a/b")
    shop.get(f"{base}/a/b", 404)
    shop.put(f"{base}/c", {"value": 1}, 204)
    shop.delete(base)
    assert shop.get(base)["total_entries"] == 0
    shop.get("/assets/999/state-store", 404)


@pytest.fixture
def run(world: World) -> RunRow:
    world.publish("sales", task("ask", links={"Query": "_link_Query", "Other": "_link_Other"}))
    return world.start(world.put_run(run_id="r01"))


ASK = "/dags/sales/dagRuns/r01/taskInstances/ask"


def test_tasks_remember(world: World, run: RunRow) -> None:
    base = f"{ASK}/state-store"
    world.put(f"{base}/k", {"value": [1]}, 204)
    said = world.get(f"{base}/k")
    assert (said["value"], said["expires_at"]) == ([1], "2026-03-31T12:00:00Z")
    world.put(f"{base}/k", {"value": 2, "expires_at": None}, 204)
    world.patch(f"{base}/k", {"value": 3})
    said = world.get(base)["task_state_store"]
    assert [(each["key"], each["value"], each["expires_at"]) for each in said] == [("k", 3, None)]
    world.patch(f"{base}/none", {"value": 3}, 404)
    world.delete(f"{base}/k")
    world.get(f"{base}/k", 404)
    world.put(f"{base}/k", {"value": 1}, 204)
    world.delete(base, all_map_indices=True)
    assert world.get(base)["total_entries"] == 0
    world.put(f"{base}/big", {"value": "x" * 70_000}, 422)


def test_links_lead_to_addresses_only(world: World, run: RunRow) -> None:
    row = world.tasks(run)["ask"]
    values = {"_link_Query": b'"https://db/query/1"', "_link_Evil": b'"javascript:alert(1)"', "x": b'"https://x"'}
    with world.store.begin() as tx:
        entries = [XComEntry(key, XComValue(data=value, size=len(value))) for key, value in values.items()]
        tx.xcom_put(row, entries, world.clock.now())
    assert world.get(f"{ASK}/links")["extra_links"] == {"Query": "https://db/query/1", "Other": None}
    world.get(f"{ASK}/links", 404, try_number=5)
    assert world.get("/dags/sales/tasks/ask")["extra_links"] == ["Other", "Query"]


def ask(world: World, run: RunRow) -> None:
    """The task waits for an answer."""
    row = world.tasks(run)["ask"]
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


def test_questions_are_listed_and_answered(world: World, run: RunRow) -> None:
    world.get(f"{ASK}/-1/hitlDetails", 404)
    ask(world, run)
    said = world.get("/dags/~/dagRuns/~/hitlDetails", state="awaiting_input", response_received=False)
    (question,) = said["hitl_details"]
    assert (question["subject"], question["options"], question["chosen_options"]) == ("Ship?", ["yes", "no"], None)
    assert question["task_instance"]["task_id"] == "ask"
    assert world.get("/dags/~/dagRuns/~/hitlDetails", subject_search="nothing")["total_entries"] == 0
    assert world.get(f"{ASK}/-1/hitlDetails")["response_received"] is False
    path = f"{ASK}/-1/hitlDetails"
    world.patch(path, {"chosen_options": ["maybe"]}, 400)
    world.patch(path, {"chosen_options": []}, 422)
    said = world.patch(path, {"chosen_options": ["yes"], "params_input": {"amount": 5}})
    assert said["responded_by"] == {"id": "admin", "name": "admin"}
    assert (said["chosen_options"], said["params_input"]) == (["yes"], {"amount": 5})
    world.patch(path, {"chosen_options": ["no"]}, 409)
    assert world.get(f"{path}/tries/1")["response_received"] is True
    world.get(f"{path}/tries/4", 404)
    found = world.get("/dags/~/dagRuns/~/hitlDetails", responded_by_user_name="admin", order_by="-created_at")
    assert found["total_entries"] == 1
    viewer = world.make_user("vera", "Viewer")
    assert world.ask("PATCH", path, token=viewer, json={"chosen_options": ["yes"]}).status_code == 403
