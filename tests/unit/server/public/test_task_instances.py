from __future__ import annotations

from typing import Any

import pytest
from tests.unit.server.public.world import World, task

from tradewind.ports.rows import RunRow
from tradewind.ports.store import TaskMove
from tradewind.wire.document import GroupDocument, Literal, Mapping
from tradewind.wire.states import TriggerRule

RUN = "/dags/sales/dagRuns/r01"


@pytest.fixture
def run(world: World) -> RunRow:
    """extract → (in group g) clean, load; a mapped task with three instances; all over."""
    world.daily(
        "sales",
        task("extract", display_name="Extract it"),
        task("g.clean", upstream=("extract",), group_id="g"),
        task("g.load", upstream=("g.clean",), group_id="g", trigger_rule=TriggerRule.ALL_DONE),
        task("many", mapping=Mapping((("x", Literal(3)),))),
        groups=(GroupDocument(group_id="g", label="g"),),
    )
    run = world.start(world.put_run("sales", 1, run_id="r01"))
    with world.store.begin() as tx:
        placeholder = next(row for row in tx.task_list(run.run_key) if row.task_id == "many")
        tx.task_rename(placeholder.ti_id, "0")
    world.put_task(run, "many", "1")
    world.put_task(run, "many", "10")
    return run


def names(said: Any) -> list[tuple[str, int]]:
    return [(each["task_id"], each["map_index"]) for each in said["task_instances"]]


def test_instances_are_listed_with_names_and_indexes(world: World, run: RunRow) -> None:
    said = world.get(f"{RUN}/taskInstances")
    assert said["total_entries"] == 6
    assert [index for _, index in names(said)] == [-1, -1, -1, 0, 1, 10]
    (extract,) = [each for each in said["task_instances"] if each["task_id"] == "extract"]
    assert extract["task_display_name"] == "Extract it"
    assert (extract["dag_run_id"], extract["run_after"]) == ("r01", "2026-03-01T12:00:00Z")
    assert (extract["state"], extract["try_number"], extract["executor_config"]) == (None, 0, "{}")
    assert extract["dag_version"]["version_number"] == 1

    def asked(**params: Any) -> list[tuple[str, int]]:
        return names(world.get("/dags/~/dagRuns/~/taskInstances", **params))

    assert asked(task_id="many", map_index=[1, 10]) == [("many", 1), ("many", 10)]
    assert asked(task_group_id="g") == []
    assert names(world.get(f"{RUN}/taskInstances", task_group_id="g")) == [("g.clean", -1), ("g.load", -1)]
    assert asked(state="no_status", task_id="extract") == [("extract", -1)]
    assert asked(state="success") == []
    assert asked(state=["queued", "running"]) == asked(state="failed") == []
    assert asked(operator="@task", order_by="-map_index", limit=1) == [("many", 10)]
    assert asked(run_id_pattern="r01", dag_id_prefix_pattern="sal", version_number=1, limit=1) == [("extract", -1)]
    assert asked(pool="other") == []
    assert asked(pool_name_pattern="DEFAULT", queue="default", try_number=0, limit=1) == [("extract", -1)]
    assert asked(logical_date_lte="2026-03-01T00:00:00Z") == []
    world.get(f"{RUN}/taskInstances", 422, state="nonsense")
    world.get("/dags/sales/dagRuns/none/taskInstances", 404)
    world.get("/dags/none/dagRuns/~/taskInstances", 404)
    body = {"dag_ids": ["sales"], "task_ids": ["many"], "state": [None], "order_by": "-map_index"}
    assert [index for _, index in names(world.post("/dags/~/dagRuns/~/taskInstances/list", body))] == [10, 1, 0]


def test_the_list_goes_from_place_to_place(world: World, run: RunRow) -> None:
    found: list[tuple[str, int]] = []
    cursor: str | None = ""
    while cursor is not None:
        said = world.get(f"{RUN}/taskInstances", cursor=cursor, limit=4, order_by=["-start_date", "map_index"])
        found += names(said)
        cursor = said["next_cursor"]
    assert len(set(found)) == 6


def test_one_instance_mapped_or_not(world: World, run: RunRow) -> None:
    assert world.get(f"{RUN}/taskInstances/extract")["task_id"] == "extract"
    assert world.get(f"{RUN}/taskInstances/extract/-1")["map_index"] == -1
    assert world.get(f"{RUN}/taskInstances/many/10")["map_index"] == 10
    world.get(f"{RUN}/taskInstances/many", 404)
    world.get(f"{RUN}/taskInstances/many/2", 404)
    world.get(f"{RUN}/taskInstances/nothing", 404)
    world.get(f"{RUN}/taskInstances/many/word", 422)
    assert names(world.get(f"{RUN}/taskInstances/many/listMapped", order_by="-map_index", limit=2)) == [
        ("many", 10),
        ("many", 1),
    ]
    world.get(f"{RUN}/taskInstances/extract/listMapped", 404)
    world.get(f"{RUN}/taskInstances/nothing/listMapped", 404)


def test_what_blocks_an_instance_is_said(world: World, run: RunRow) -> None:
    (said,) = world.get(f"{RUN}/taskInstances/g.clean/dependencies")["dependencies"]
    assert "extract" in said["reason"]
    assert world.get(f"{RUN}/taskInstances/many/1/dependencies")["dependencies"]
    world.finish(run)
    assert world.get(f"{RUN}/taskInstances/extract/dependencies") == {"dependencies": []}


def test_tries_are_told_oldest_first(world: World, run: RunRow) -> None:
    world.finish(run)
    row = world.tasks(run)["extract"]
    with world.store.begin() as tx:
        assert tx.task_move("clear", [TaskMove(row.ti_id, "cleared", None, {"max_tries": 1})], world.clock.now())
    said = world.get(f"{RUN}/taskInstances/extract/tries")
    assert [(each["try_number"], each["state"]) for each in said["task_instances"]] == [(1, "success")]
    assert world.get(f"{RUN}/taskInstances/extract/tries/1")["state"] == "success"
    world.get(f"{RUN}/taskInstances/extract/tries/7", 404)
    assert world.get(f"{RUN}/taskInstances/many/10/tries")["total_entries"] == 1
    assert world.get(f"{RUN}/taskInstances/many/10/tries/1")["map_index"] == 10


def test_marking_with_preview(world: World, run: RunRow) -> None:
    path = f"{RUN}/taskInstances/extract"
    said = world.patch(f"{path}/dry_run", {"new_state": "success", "include_downstream": True})
    assert sorted(names(said)) == [("extract", -1), ("g.clean", -1), ("g.load", -1)]
    assert world.get(path)["state"] is None
    (said,) = world.patch(path, {"new_state": "success", "note": "by hand"})["task_instances"]
    assert (said["state"], said["note"]) == ("success", "by hand")
    world.patch(path, {"new_state": "success"}, 409)
    world.patch(path, {"new_state": "running"}, 400)
    world.patch(path, {"new_state": None}, 422)
    world.patch(path, {"nonsense": 1}, 422)
    (said,) = world.patch(path, {"new_state": "failed", "note": "only"}, update_mask="note")["task_instances"]
    assert (said["state"], said["note"]) == ("success", "only")
    world.patch(f"{RUN}/taskInstances/nothing", {"new_state": "failed"}, 404)
    said = world.patch(f"{RUN}/taskInstances/many/1", {"new_state": "skipped"})
    assert names(said) == [("many", 1)]
    assert names(world.patch(f"{RUN}/taskInstances/many/0/dry_run", {"new_state": "failed"})) == [("many", 0)]
    assert len(names(world.patch(f"{RUN}/taskInstances/many", {"new_state": "success"}))) == 3


def test_marking_a_group(world: World, run: RunRow) -> None:
    path = f"{RUN}/taskGroupInstances/g"
    assert names(world.patch(f"{path}/dry_run", {"new_state": "success"})) == [("g.clean", -1), ("g.load", -1)]
    said = world.patch(path, {"new_state": "success"})
    assert {each["state"] for each in said["task_instances"]} == {"success"}
    world.patch(path, {"new_state": "success"}, 409)
    world.patch(f"{RUN}/taskGroupInstances/none", {"new_state": "success"}, 404)


def test_clearing_is_a_preview_unless_asked_otherwise(world: World, run: RunRow) -> None:
    world.finish(run)
    body = {"dag_run_id": "r01", "task_ids": ["extract"], "only_failed": False, "include_downstream": True}
    said = world.post("/dags/sales/clearTaskInstances", body)
    assert sorted(names(said)) == [("extract", -1), ("g.clean", -1), ("g.load", -1)]
    assert world.get(f"{RUN}/taskInstances/extract")["state"] == "success"
    said = world.post("/dags/sales/clearTaskInstances", {**body, "dry_run": False})
    assert {each["state"] for each in said["task_instances"]} == {None}
    assert world.get(RUN)["state"] == "queued"
    body = {"dag_run_id": "r01", "task_ids": [["many", 1]], "only_failed": False, "dry_run": False}
    assert names(world.post("/dags/sales/clearTaskInstances", body)) == [("many", 1)]
    world.post("/dags/sales/clearTaskInstances", {"dag_run_id": "none"}, 404)
    world.post("/dags/none/clearTaskInstances", {}, 404)
    world.post("/dags/sales/clearTaskInstances", {"dag_run_id": "r01", "start_date": "2026-01-01T00:00:00Z"}, 400)
    world.post("/dags/sales/clearTaskInstances", {"task_ids": [[1, 2]]}, 422)


def test_instances_in_bulk_and_deleting(world: World, run: RunRow) -> None:
    entity = {"task_id": "many", "map_index": 1, "new_state": "success"}
    said = world.patch(f"{RUN}/taskInstances", {"actions": [{"action": "update", "entities": [entity]}]})
    assert said["update"] == {"success": ["sales.r01.many[1]"], "errors": []}
    assert world.get(f"{RUN}/taskInstances/many/1")["state"] == "success"
    said = world.patch(f"{RUN}/taskInstances", {"actions": [{"action": "create", "entities": [entity]}]})
    assert said["create"]["errors"][0]["status_code"] == 409
    world.delete(f"{RUN}/taskInstances/extract", 409)
    world.finish(run)
    world.delete(f"{RUN}/taskInstances/many", 200, map_index=10)
    world.get(f"{RUN}/taskInstances/many/10", 404)
    said = world.patch(f"{RUN}/taskInstances", {"actions": [{"action": "delete", "entities": ["extract"]}]})
    assert said["delete"]["success"] == ["sales.r01.extract"]


def test_tasks_and_versions(world: World, run: RunRow) -> None:
    said = world.get("/dags/sales/tasks")
    assert [each["task_id"] for each in said["tasks"]] == ["extract", "g.clean", "g.load", "many"]
    clean = world.get("/dags/sales/tasks/g.clean")
    assert (clean["downstream_task_ids"], clean["is_mapped"]) == (["g.load"], False)
    assert clean["retry_delay"] == {"__type": "TimeDelta", "days": 0, "seconds": 300, "microseconds": 0}
    assert world.get("/dags/sales/tasks/many")["is_mapped"] is True
    assert world.get("/dags/sales/tasks", order_by="-task_id")["tasks"][0]["task_id"] == "many"
    world.get("/dags/sales/tasks", 400, order_by="nonsense")
    world.get("/dags/sales/tasks/nothing", 404)
    world.get("/dags/none/tasks", 404)
    world.publish("sales")
    said = world.get("/dags/sales/dagVersions", order_by="-version_number")
    assert [each["version_number"] for each in said["dag_versions"]] == [2, 1]
    assert world.get("/dags/~/dagVersions", version_number=1)["total_entries"] == 1
    assert world.get("/dags/sales/dagVersions/2")["bundle_name"] == "local"
    world.get("/dags/sales/dagVersions/9", 404)
