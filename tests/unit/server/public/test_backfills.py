from __future__ import annotations

from typing import Any

from tests.unit.server.public.world import World

BODY: dict[str, Any] = {"dag_id": "sales", "from_date": "2026-02-01T00:00:00Z", "to_date": "2026-02-03T00:00:00Z"}


def test_a_backfill_is_planned_made_paused_and_cancelled(world: World) -> None:
    world.daily("sales", display_name="Sales")
    said = world.post("/backfills/dry_run", BODY)
    assert [each["logical_date"][:10] for each in said["backfills"]] == ["2026-02-01", "2026-02-02", "2026-02-03"]
    made = world.post("/backfills", {**BODY, "max_active_runs": 2, "dag_run_conf": {"a": 1}})
    assert (made["dag_id"], made["reprocess_behavior"], made["max_active_runs"]) == ("sales", "none", 2)
    assert made["dag_run_conf"] == {"a": 1}
    path = f"/backfills/{made['id']}"
    assert world.get(path)["completed_at"] is None
    assert world.get("/backfills", dag_id="sales")["total_entries"] == 1
    assert world.get("/dags/sales/dagRuns", run_type="backfill")["total_entries"] == 3
    world.post("/backfills", BODY, 409)
    assert world.put(f"{path}/pause")["is_paused"] is True
    assert world.put(f"{path}/unpause")["is_paused"] is False
    assert world.put(f"{path}/cancel")["completed_at"] is not None
    world.put(f"{path}/cancel", status=409)


def test_what_cannot_be(world: World) -> None:
    world.daily("sales")
    world.post("/backfills", {**BODY, "dag_id": "none"}, 404)
    world.post("/backfills", {**BODY, "to_date": "2026-01-01T00:00:00Z"}, 400)
    world.post("/backfills", {**BODY, "reprocess_behavior": "nonsense"}, 422)
    world.get("/backfills/77", 404)
    world.get("/backfills/-1", 422)
    world.get("/backfills", 422)
    viewer = world.make_user("vera", "Viewer")
    assert world.ask("POST", "/backfills", token=viewer, json=BODY).status_code == 403
    assert world.ask("PUT", "/backfills/77/pause", token=viewer).status_code in (403, 404)
