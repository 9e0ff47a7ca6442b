"""Connections, variables, pools."""

from __future__ import annotations

import json

from tests.unit.server.public.world import World

CONNECTION = {
    "connection_id": "warehouse",
    "conn_type": "postgres",
    "host": "db",
    "login": "ann",
    "password": "s3cret-word",
    "port": 5432,
    "schema": "sales",
    "extra": json.dumps({"sslmode": "require", "api_key": "k3y-word"}),
}


def test_connections_are_made_read_changed_and_deleted(world: World) -> None:
    said = world.post("/connections", CONNECTION, 201)
    assert (said["connection_id"], said["schema"], said["password"]) == ("warehouse", "sales", "***")
    assert json.loads(said["extra"]) == {"sslmode": "require", "api_key": "***"}
    world.post("/connections", CONNECTION, 409)
    world.post("/connections", {**CONNECTION, "connection_id": "a b"}, 422)
    world.post("/connections", {**CONNECTION, "connection_id": "x", "extra": "[1]"}, 422)
    assert world.get("/connections/warehouse")["host"] == "db"
    assert world.get("/connections", connection_id_pattern="WARE")["total_entries"] == 1
    assert world.get("/connections", connection_id_prefix_pattern="x")["total_entries"] == 0
    body = {"connection_id": "warehouse", "conn_type": "postgres", "host": "elsewhere"}
    said = world.patch("/connections/warehouse", body, update_mask=["host"])
    assert (said["host"], said["login"], said["password"]) == ("elsewhere", "ann", "***")
    world.patch("/connections/warehouse", body, 400, update_mask=["nonsense"])
    world.patch("/connections/other", body, 400)
    world.get("/connections/other", 404)
    world.delete("/connections/warehouse")
    world.delete("/connections/warehouse", 404)


def test_stars_that_come_back_change_nothing(world: World) -> None:
    world.post("/connections", CONNECTION, 201)
    shown = world.get("/connections/warehouse")
    world.patch("/connections/warehouse", {**shown, "host": "new"})
    with world.store.read() as tx:
        row = tx.connection_get("warehouse")
    assert row is not None
    assert row.password is not None
    assert row.extra is not None
    assert world.vault.open(row.password) == "s3cret-word"
    assert json.loads(world.vault.open(row.extra))["api_key"] == "k3y-word"
    assert row.host == "new"


def test_a_change_of_what_somebody_else_changed_is_refused(world: World) -> None:
    world.post("/connections", CONNECTION, 201)
    tag = world.ask("GET", "/connections/warehouse").headers["etag"]
    body = {"connection_id": "warehouse", "conn_type": "postgres", "password": "other-word"}
    first = world.ask("PATCH", "/connections/warehouse", json=body, headers={"If-Match": tag})
    assert first.status_code == 200
    assert first.headers["etag"] != tag
    assert world.ask("PATCH", "/connections/warehouse", json=body, headers={"If-Match": tag}).status_code == 412
    assert world.ask("DELETE", "/connections/warehouse", headers={"If-Match": tag}).status_code == 412
    assert world.ask("DELETE", "/connections/warehouse", headers={"If-Match": "*"}).status_code == 204


def test_connections_in_bulk_and_defaults(world: World) -> None:
    one = {"connection_id": "one", "conn_type": "http"}
    two = {"connection_id": "two", "conn_type": "http"}
    said = world.patch("/connections", {"actions": [{"action": "create", "entities": [one, two]}]})
    assert said == {"create": {"success": ["one", "two"], "errors": []}, "update": None, "delete": None}
    said = world.patch("/connections", {"actions": [{"action": "create", "entities": [one]}]})
    assert said["create"]["errors"][0]["status_code"] == 409
    changed = {**one, "host": "h"}
    body = {
        "actions": [
            {"action": "create", "entities": [changed], "action_on_existence": "overwrite"},
            {"action": "update", "entities": [{**two, "host": "x"}], "update_mask": ["host"]},
            {"action": "delete", "entities": ["none", "two"], "action_on_non_existence": "skip"},
        ]
    }
    said = world.patch("/connections", body)
    assert (said["create"]["success"], said["update"]["success"], said["delete"]["success"]) == (
        ["one"],
        ["two"],
        ["two"],
    )
    assert world.get("/connections/one")["host"] == "h"
    world.post("/connections/defaults", status=204)
    world.post("/connections/defaults", status=204)
    assert world.get("/connections", order_by="-connection_id")["total_entries"] == 8


def test_variables(world: World) -> None:
    said = world.post("/variables", {"key": "a/b", "value": {"x": [1]}, "description": "d"}, 201)
    assert (said["key"], json.loads(said["value"]), said["is_encrypted"]) == ("a/b", {"x": [1]}, True)
    assert world.post("/variables", {"key": "api_password", "value": "word"}, 201)["value"] == "***"
    assert world.post("/variables", {"key": "flag", "value": None}, 201)["value"] == "null"
    world.post("/variables", {"key": "a/b", "value": "x"}, 409)
    world.post("/variables", {"key": "k" * 251, "value": "x"}, 422)
    assert json.loads(world.get("/variables/a/b")["value"]) == {"x": [1]}
    assert [each["key"] for each in world.get("/variables", order_by="-key")["variables"]] == [
        "flag",
        "api_password",
        "a/b",
    ]
    assert world.get("/variables", variable_key_pattern="pass%")["total_entries"] == 1
    said = world.patch("/variables/a/b", {"key": "a/b", "value": "new"}, update_mask="value")
    assert (said["value"], said["description"]) == ("new", "d")
    world.patch("/variables/a/b", {"key": "other", "value": "new"}, 400)
    world.patch("/variables/none", {"key": "none", "value": "new"}, 404)
    body = {"actions": [{"action": "delete", "entities": ["a/b", "flag"]}]}
    assert world.patch("/variables", body)["delete"]["success"] == ["a/b", "flag"]
    world.delete("/variables/a/b", 404)


def test_pools(world: World) -> None:
    said = world.post("/pools", {"name": "small", "slots": 2, "description": "d"}, 201)
    assert (said["open_slots"], said["occupied_slots"]) == (2, 0)
    assert world.post("/pools", {"name": "endless", "slots": -1}, 201)["open_slots"] == -1
    world.post("/pools", {"name": "small", "slots": 2}, 409)
    world.post("/pools", {"name": "x", "slots": -2}, 422)
    assert [pool["name"] for pool in world.get("/pools")["pools"]] == ["default_pool", "endless", "small"]
    assert world.get("/pools", pool_name_pattern="small")["total_entries"] == 1
    said = world.patch("/pools/small", {"slots": 5}, update_mask="slots")
    assert (said["slots"], said["description"]) == (5, "d")
    world.patch("/pools/small", {"pool": "other"}, 400)
    world.patch("/pools/default_pool", {"description": "mine"}, 400)
    assert world.patch("/pools/default_pool", {"slots": 7}, update_mask=["slots"])["slots"] == 7
    world.delete("/pools/default_pool", 400)
    world.delete("/pools/small")
    world.delete("/pools/small", 404)
    body = {"actions": [{"action": "update", "entities": [{"name": "endless", "slots": 3}]}]}
    assert world.patch("/pools", body)["update"]["success"] == ["endless"]
    assert world.get("/pools/endless")["slots"] == 3


def test_a_pool_tells_how_full_it_is(world: World) -> None:
    world.publish("sales")
    run = world.start(world.put_run())
    row = world.tasks(run)["extract"]
    with world.store.begin() as tx:
        from tradewind.ports.store import TaskMove

        values = {
            "attempt_token": "t" * 32,
            "try_number": 1,
            "queued_at": world.clock.now(),
            "scheduled_at": world.clock.now(),
            "holds_slot": True,
            "executor": None,
            "agent": None,
        }
        assert tx.task_move("queue", [TaskMove(row.ti_id, values=values)], world.clock.now())
    said = world.get("/pools/default_pool")
    assert (said["queued_slots"], said["occupied_slots"], said["open_slots"]) == (1, 1, 127)


def test_viewers_see_pools_and_no_secrets(world: World) -> None:
    viewer = world.make_user("vera", "Viewer")
    assert world.ask("GET", "/pools", token=viewer).status_code == 200
    for path in ("/connections", "/variables", "/connections/none", "/variables/none", "/config", "/eventLogs"):
        assert world.ask("GET", path, token=viewer).status_code == 403
    assert world.ask("POST", "/pools", token=viewer, json={"name": "x", "slots": 1}).status_code == 403


def test_a_connection_is_tried_in_a_process_of_its_own(world: World) -> None:
    sqlite = {"connection_id": "lite", "conn_type": "sqlite", "host": ":memory:"}
    assert world.post("/connections/test", sqlite)["status"] is True
    unknown = {"connection_id": "odd", "conn_type": "no-such-kind", "password": "s3cret-word"}
    said = world.post("/connections/test", unknown)
    assert said["status"] is False
    assert "s3cret-word" not in said["message"]
    queued = world.post("/connections/enqueue-test", {**sqlite, "commit_on_success": True}, 202)
    assert (queued["connection_id"], queued["state"]) == ("lite", "queued")
    token = {"Airflow-Connection-Test-Token": queued["token"]}
    said = world.ask("GET", "/connections/enqueue-test", headers=token).json()
    assert (said["state"], said["connection_id"]) == ("success", "lite")
    assert world.get("/connections/lite")["conn_type"] == "sqlite"
    world.post("/connections/enqueue-test", {**sqlite, "queue": "x"}, 422)
    token = {"Airflow-Connection-Test-Token": "nonsense"}
    assert world.ask("GET", "/connections/enqueue-test", headers=token).status_code == 404
    world.get("/connections/enqueue-test", 422)
