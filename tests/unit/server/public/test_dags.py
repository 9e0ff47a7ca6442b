from __future__ import annotations

from typing import Any

from tests.unit.server.public.world import World


def test_dags_are_listed_with_what_their_version_says(world: World) -> None:
    world.daily("sales", row={"tags": ("money", "daily"), "owners": ("ann",)}, max_active_tasks=3)
    said = world.get("/dags")
    assert said["total_entries"] == 1
    (dag,) = said["dags"]
    assert dag["dag_id"] == dag["dag_display_name"] == "sales"
    assert dag["max_active_tasks"] == 3
    assert dag["tags"] == [
        {"name": "money", "dag_id": "sales", "dag_display_name": "sales"},
        {"name": "daily", "dag_id": "sales", "dag_display_name": "sales"},
    ]
    assert dag["fileloc"].endswith("/dags/sales.py")
    assert dag["timetable_periodic"] is True
    assert dag["last_parsed_time"] == "2026-03-01T12:00:00Z"


def test_filters_and_order(world: World) -> None:
    for dag_id, tags, paused in (("a_one", ("x", "y"), False), ("b_two", ("x",), True), ("a_three", (), False)):
        world.publish(dag_id, row={"tags": tags, "is_paused": paused, "owners": (f"owner_{dag_id}",)})

    def ids(**params: Any) -> list[str]:
        said = world.get("/dags", **params)
        assert said["total_entries"] == len(said["dags"])
        return [dag["dag_id"] for dag in said["dags"]]

    assert ids() == ["a_one", "a_three", "b_two"]
    assert ids(order_by="-dag_id") == ["b_two", "a_three", "a_one"]
    assert ids(dag_id_pattern="A_%") == ["a_one", "a_three"]
    assert ids(dag_id_pattern="one|two") == ["a_one", "b_two"]
    assert ids(dag_id_prefix_pattern="a_") == ["a_one", "a_three"]
    assert ids(dag_id_prefix_pattern="A_") == []
    assert ids(tags="x") == ["a_one", "b_two"]
    assert ids(tags=["x", "y"], tags_match_mode="all") == ["a_one"]
    assert ids(paused=True) == ["b_two"]
    assert ids(owners="owner_b_two") == ["b_two"]
    assert ids(has_import_errors=False) == ["a_one", "a_three", "b_two"]
    assert ids(bundle_name="other") == []
    assert world.get("/dags", limit=1, offset=1)["dags"][0]["dag_id"] == "a_three"
    assert world.get("/dags", limit=1)["total_entries"] == 3
    assert "cannot be ordered" in world.get("/dags", 400, order_by="nonsense")["detail"]


def test_stale_ones_are_left_out_unless_asked_for(world: World) -> None:
    world.publish("old", row={"is_stale": True})
    assert world.get("/dags")["dags"] == []
    assert world.get("/dags", exclude_stale=False)["total_entries"] == 1


def test_the_last_run_filters(world: World) -> None:
    world.publish("sales")
    world.publish("idle")
    run = world.start(world.put_run())
    assert [dag["dag_id"] for dag in world.get("/dags", last_dag_run_state="running")["dags"]] == ["sales"]
    world.finish(run)
    assert world.get("/dags", last_dag_run_state="running")["dags"] == []
    assert [dag["dag_id"] for dag in world.get("/dags", dag_run_state=["success", "failed"])["dags"]] == ["sales"]
    said = world.get("/dags", dag_run_start_date_gte="2026-03-01T00:00:00Z", order_by="-last_run_start_date")
    assert [dag["dag_id"] for dag in said["dags"]] == ["sales"]


def test_one_dag_its_details_and_one_that_is_not(world: World) -> None:
    version_id = world.daily("sales", doc_md="# Sales")
    assert world.get("/dags/sales")["dag_id"] == "sales"
    details = world.get("/dags/sales/details")
    assert (details["doc_md"], details["catchup"], details["timezone"]) == ("# Sales", False, "UTC")
    assert details["latest_dag_version"]["id"] == version_id
    for path in ("/dags/nothing", "/dags/nothing/details"):
        said = world.get(path, 404)
        assert said["detail"] == "DAG 'nothing' does not exist"


def test_pausing_one_and_many(world: World) -> None:
    world.publish("sales")
    world.publish("stock")
    assert world.patch("/dags/sales", {"is_paused": True})["is_paused"] is True
    assert world.patch("/dags/sales", {"is_paused": True}, update_mask="is_paused")["is_paused"] is True
    world.patch("/dags/sales", {"is_paused": True}, 400, update_mask="owners")
    said = world.patch("/dags", {"is_paused": True}, dag_id_pattern="sto")
    assert [(dag["dag_id"], dag["is_paused"]) for dag in said["dags"]] == [("stock", True)]
    said = world.patch("/dags", {"is_paused": True, "nonsense": 1}, 422)
    assert said["detail"][0]["loc"] == ["body", "nonsense"]


def test_favourites(world: World) -> None:
    world.publish("sales")
    world.publish("stock")
    world.post("/dags/sales/favorite", status=204)
    world.post("/dags/sales/favorite", status=204)
    assert [dag["dag_id"] for dag in world.get("/dags", is_favorite=True)["dags"]] == ["sales"]
    assert [dag["dag_id"] for dag in world.get("/dags", is_favorite=False)["dags"]] == ["stock"]
    assert world.get("/dags/sales/details")["is_favorite"] is True
    world.post("/dags/sales/unfavorite", status=204)
    world.post("/dags/sales/unfavorite", status=409)
    world.post("/dags/none/favorite", status=404)


def test_deleting(world: World) -> None:
    world.publish("sales")
    run = world.start(world.put_run())
    world.delete("/dags/sales", 409)
    world.finish(run)
    world.delete("/dags/sales")
    world.delete("/dags/sales", 404)


def test_tags_source_and_counts(world: World) -> None:
    world.publish("sales", row={"tags": ("b", "a")}, source="first")
    world.publish("sales", row={"tags": ("b", "a")}, source="second")
    world.publish("stock", row={"tags": ("c",)})
    assert world.get("/dagTags") == {"tags": ["a", "b", "c"], "total_entries": 3}
    assert world.get("/dagTags", tag_name_pattern="B")["tags"] == ["b"]
    assert world.get("/dagTags", order_by="-name", limit=1)["tags"] == ["c"]
    assert world.get("/dagSources/sales")["content"] == "second"
    assert world.get("/dagSources/sales", version_number=1)["content"] == "first"
    world.get("/dagSources/sales", 404, version_number=9)
    plain = world.ask("GET", "/dagSources/sales", headers={"Accept": "text/plain"})
    assert (plain.text, plain.headers["content-type"]) == ("second", "text/plain; charset=utf-8")
    assert world.ask("GET", "/dagSources/sales", headers={"Accept": "image/png"}).status_code == 406
    run = world.start(world.put_run("sales"))
    world.finish(run, "failed")
    world.put_run("sales", 2)
    (sales,) = world.get("/dagStats")["dags"]
    assert {each["state"]: each["count"] for each in sales["stats"]} == {
        "queued": 1,
        "running": 0,
        "success": 0,
        "failed": 1,
    }
    assert world.get("/dagStats", dag_ids=["stock"])["total_entries"] == 0


def test_nobody_gets_nothing_and_a_viewer_changes_nothing(world: World) -> None:
    world.publish("sales")
    assert world.ask("GET", "/dags", token="").status_code == 401
    viewer = world.make_user("vera", "Viewer")
    assert world.ask("GET", "/dags", token=viewer).status_code == 200
    assert world.ask("PATCH", "/dags/sales", token=viewer, json={"is_paused": True}).status_code == 403
