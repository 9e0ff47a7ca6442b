from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.unit.server.public.world import World, task

from tradewind.ports.people_rows import RoleRow
from tradewind.wire.execution import XComEntry, XComValue


@pytest.fixture
def seeded(world: World) -> World:
    """Ten runs of sales: nine over (the third failed), the tenth queued; one of stock."""
    world.daily("sales", task("extract"), task("load", upstream=("extract",)))
    world.publish("stock")
    for day in range(1, 11):
        run = world.put_run("sales", day, run_id=f"r{day:02}", conf={"day": day, "word": f"w{day}"})
        if day < 10:
            world.clock.advance(60)
            world.start(run)
            world.clock.advance(day)
            world.finish(run, "failed" if day == 3 else "success")
    world.put_run("stock", 1, run_id="s01")
    return world


def ids(said: Any) -> list[str]:
    return [run["dag_run_id"] for run in said["dag_runs"]]


def test_runs_are_listed_filtered_and_ordered(seeded: World) -> None:
    said = seeded.get("/dags/sales/dagRuns")
    assert said["total_entries"] == 10
    assert ids(said)[0] == "r01"
    first = said["dag_runs"][0]
    assert (first["state"], first["duration"], first["dag_display_name"]) == ("success", 1.0, "sales")
    assert first["conf"] == {"day": 1, "word": "w1"}
    assert first["dag_versions"][0]["version_number"] == 1
    assert first["logical_date"] == "2026-03-01T12:00:00Z"

    def asked(**params: Any) -> list[str]:
        return ids(seeded.get("/dags/~/dagRuns", **params))

    assert asked(limit=2, offset=1) == ["r02", "r03"]
    assert asked(order_by="-run_after", limit=2) == ["r10", "r09"]
    assert asked(order_by=["-state", "dag_run_id"], limit=2) == ["r01", "r02"]
    assert asked(state="failed") == ["r03"]
    assert asked(state=["failed", "queued"]) == ["r03", "r10", "s01"]
    assert asked(run_id_pattern="R0_", limit=3) == ["r01", "r02", "r03"]
    assert asked(run_id_prefix_pattern="s") == ["s01"]
    assert asked(dag_id_pattern="stock") == ["s01"]
    assert asked(logical_date_gte="2026-03-09T12:00:00Z", logical_date_lt="2026-03-10T12:00:00Z") == ["r09"]
    assert asked(logical_date_gt="2026-03-09T12:00:00") == ["r10"]
    assert asked(duration_gte=0.5, duration_lt=1.5) == ["r01"]
    assert asked(start_date_lte="2026-03-01T12:01:30Z") == ["r01"]
    assert asked(conf_contains="w7") == ["r07"]
    assert asked(run_type="manual") == []
    assert asked(dag_version=1, bundle_version="b1", limit=1) == ["r01"]
    assert seeded.get("/dags/~/dagRuns")["total_entries"] == 11
    seeded.get("/dags/sales/dagRuns", 422, state="nonsense")
    seeded.get("/dags/sales/dagRuns", 400, order_by="nonsense")
    seeded.get("/dags/sales/dagRuns", 422, limit=-1)
    assert seeded.get("/dags/none/dagRuns", 404)["detail"] == "DAG 'none' does not exist"


@pytest.mark.parametrize("order_by", ["id", "-id", "end_date", "-end_date", "state", "-duration"])
def test_a_list_is_read_from_place_to_place_and_back(seeded: World, order_by: str) -> None:
    whole = ids(seeded.get("/dags/~/dagRuns", order_by=order_by))
    found: list[str] = []
    cursor = ""
    places = []
    while True:
        said = seeded.get("/dags/~/dagRuns", order_by=order_by, limit=4, cursor=cursor)
        assert (said["total_entries"], said["total_entries_limit"]) == (11, 10_000)
        assert (said["previous_cursor"] is None) == (cursor == "")
        found += ids(said)
        places.append(said)
        if said["next_cursor"] is None:
            break
        cursor = said["next_cursor"]
    assert found == whole
    back = seeded.get("/dags/~/dagRuns", order_by=order_by, limit=4, cursor=places[2]["previous_cursor"])
    assert ids(back) == ids(places[1])
    back = seeded.get("/dags/~/dagRuns", order_by=order_by, limit=4, cursor=back["previous_cursor"])
    assert (ids(back), back["previous_cursor"]) == (ids(places[0]), None)


@pytest.mark.parametrize("cursor", ["nonsense", "~", "lqFh", "kcDA"])
def test_a_broken_cursor_is_refused(seeded: World, cursor: str) -> None:
    seeded.get("/dags/~/dagRuns", 400, cursor=cursor)


def test_the_list_with_filters_in_the_body(seeded: World) -> None:
    said = seeded.post("/dags/~/dagRuns/list", {"dag_ids": ["sales"], "states": ["failed"], "order_by": "-run_after"})
    assert ids(said) == ["r03"]
    said = seeded.post("/dags/~/dagRuns/list", {"page_limit": 2, "page_offset": 1})
    assert (ids(said), said["total_entries"]) == (["r02", "r03"], 11)
    seeded.post("/dags/sales/dagRuns/list", {}, 422)
    seeded.post("/dags/~/dagRuns/list", {"nonsense": 1}, 422)


def test_triggering(seeded: World) -> None:
    body = {"dag_run_id": "mine", "logical_date": None, "conf": {"a": 1}, "note": "please"}
    said = seeded.post("/dags/sales/dagRuns", body)
    assert (said["state"], said["run_type"], said["triggered_by"]) == ("queued", "manual", "rest_api")
    assert (said["triggering_user_name"], said["note"], said["conf"]) == ("admin", "please", {"a": 1})
    assert said["logical_date"] is None
    seeded.post("/dags/sales/dagRuns", body, 409)
    seeded.post("/dags/none/dagRuns", body, 404)
    seeded.post("/dags/sales/dagRuns", {}, 422)
    seeded.post("/dags/sales/dagRuns", {"logical_date": None, "data_interval_start": "2026-01-01T00:00:00Z"}, 422)
    seeded.post("/dags/sales/dagRuns", {"logical_date": None, "dag_run_id": "a/b"}, 400)
    interval = {"data_interval_start": "2026-01-01T00:00:00Z", "data_interval_end": "2026-01-02T00:00:00Z"}
    said = seeded.post("/dags/sales/dagRuns", {"logical_date": "2026-01-01T00:00:00Z", **interval})
    assert said["data_interval_end"] == "2026-01-02T00:00:00Z"
    assert said["dag_run_id"] == "manual__2026-01-01T00:00:00+00:00"
    assert seeded.get(f"/dags/sales/dagRuns/{quote(said['dag_run_id'])}")["logical_date"] == "2026-01-01T00:00:00Z"


def test_a_trigger_sent_twice_with_one_key_makes_one_run(seeded: World) -> None:
    def send(key: str, **body: Any) -> Any:
        sent = {"logical_date": None, **body}
        answer = seeded.ask("POST", "/dags/sales/dagRuns", json=sent, headers={"Idempotency-Key": key})
        assert answer.status_code == 200, answer.text
        return answer.json()["dag_run_id"]

    first = send("order-1")
    seeded.clock.advance(5)
    assert send("order-1") == first
    assert send("order-2") != first


def test_one_run_is_changed_and_deleted(seeded: World) -> None:
    assert seeded.get("/dags/sales/dagRuns/r03")["state"] == "failed"
    said = seeded.patch("/dags/sales/dagRuns/r03", {"state": "success", "note": "fixed by hand"})
    assert (said["state"], said["note"]) == ("success", "fixed by hand")
    said = seeded.patch("/dags/sales/dagRuns/r03", {"state": "failed", "note": "x"}, update_mask="note")
    assert (said["state"], said["note"]) == ("success", "x")
    seeded.patch("/dags/sales/dagRuns/r03", {"state": "running"}, 422)
    seeded.patch("/dags/sales/dagRuns/none", {"note": "x"}, 404)
    stale = seeded.ask("PATCH", "/dags/sales/dagRuns/r03", json={"note": "y"}, headers={"If-Match": '"nonsense"'})
    assert stale.status_code == 412
    seeded.delete("/dags/sales/dagRuns/r03")
    seeded.delete("/dags/sales/dagRuns/r03", 404)
    seeded.get("/dags/sales/dagRuns/r03", 404)


def test_runs_in_bulk(seeded: World) -> None:
    body = {
        "actions": [
            {"action": "update", "entities": [{"dag_run_id": "r01", "note": "n"}, {"dag_run_id": "none"}]},
            {"action": "delete", "entities": ["r02", "none"], "action_on_non_existence": "skip"},
        ]
    }
    said = seeded.patch("/dags/sales/dagRuns", body)
    assert said["update"]["success"] == []
    assert said["update"]["errors"][0]["status_code"] == 404
    assert said["delete"] == {"success": ["sales.r02"], "errors": []}
    body = {"actions": [{"action": "update", "entities": [{"dag_run_id": "r01", "dag_id": "sales", "note": "n"}]}]}
    assert seeded.patch("/dags/~/dagRuns", body)["update"]["success"] == ["sales.r01"]
    assert seeded.get("/dags/sales/dagRuns/r01")["note"] == "n"
    seeded.patch("/dags/~/dagRuns", {"actions": [{"action": "delete", "entities": ["r01"]}]}, 400)


def test_clearing_previews_and_clears(seeded: World) -> None:
    said = seeded.post("/dags/sales/dagRuns/r01/clear", {})
    assert sorted(each["task_id"] for each in said["task_instances"]) == ["extract", "load"]
    assert seeded.get("/dags/sales/dagRuns/r01")["state"] == "success"
    said = seeded.post("/dags/sales/dagRuns/r01/clear", {"dry_run": False, "note": "again"})
    assert (said["state"], said["note"]) == ("queued", "again")
    seeded.post("/dags/sales/dagRuns/none/clear", {}, 404)
    said = seeded.post("/dags/sales/clearDagRuns", {"dag_runs": [{"dag_run_id": "r04"}, {"dag_run_id": "r05"}]})
    assert said["total_entries"] == 4
    runs = [{"dag_run_id": "r04", "dag_id": "sales"}]
    said = seeded.post("/dags/~/clearDagRuns", {"dag_runs": runs, "dry_run": False})
    assert [(run["dag_run_id"], run["state"]) for run in said["dag_runs"]] == [("r04", "queued")]
    seeded.post("/dags/~/clearDagRuns", {"dag_runs": [{"dag_run_id": "r04"}]}, 400)


def test_waiting_tells_the_state_and_results(seeded: World) -> None:
    run = seeded.start(seeded.put_run("stock", 2, run_id="s02"))
    row = seeded.tasks(run)["extract"]
    with seeded.store.begin() as tx:
        tx.xcom_put(row, [XComEntry("return_value", XComValue(data=b'{"a": [1]}', size=9))], seeded.clock.now())
    seeded.finish(run)
    answer = seeded.ask("GET", "/dags/stock/dagRuns/s02/wait", params={"interval": 0.01, "result": "extract"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[-1] == {"state": "success", "results": {"extract": {"a": [1]}}}
    seeded.get("/dags/stock/dagRuns/s02/wait", 422)
    seeded.get("/dags/stock/dagRuns/none/wait", 404, interval=1)


def test_what_belongs_to_a_dag_one_may_not_see_is_not_there(seeded: World) -> None:
    nobody = seeded.make_user("paul", "Public")
    for method, path in (("GET", "/dags/sales/dagRuns/r01"), ("DELETE", "/dags/sales/dagRuns/r01")):
        assert seeded.ask(method, path, token=nobody).status_code in (403, 404)
    viewer = seeded.make_user("vera", "Viewer")
    assert seeded.ask("GET", "/dags/~/dagRuns", token=viewer).json()["total_entries"] == 11
    assert seeded.ask("POST", "/dags/sales/dagRuns", token=viewer, json={"logical_date": None}).status_code == 403


def test_a_wildcard_gives_the_rows_one_may_see(seeded: World) -> None:
    with seeded.store.begin() as tx:
        tx.role_put(RoleRow(name="Stock", grants=("*:dag@dag:stock",), created_at=seeded.clock.now()))
    token = seeded.make_user("sam", "Stock")

    def asked(path: str, **params: Any) -> Any:
        answer = seeded.ask("GET", path, token=token, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert ids(asked("/dags/~/dagRuns")) == ["s01"]
    assert asked("/dags/~/dagRuns/~/taskInstances")["total_entries"] == 0
    assert [dag["dag_id"] for dag in asked("/dags")["dags"]] == ["stock"]
    assert asked("/dagStats", dag_ids=["sales", "stock"])["total_entries"] == 1
    assert asked("/dags/~/dagVersions")["total_entries"] == 1
    said = seeded.ask("POST", "/dags/~/dagRuns/list", token=token, json={"dag_ids": ["sales", "stock"]}).json()
    assert ids(said) == ["s01"]
    body = {"actions": [{"action": "delete", "entities": [{"dag_run_id": "r01", "dag_id": "sales"}]}]}
    said = seeded.ask("PATCH", "/dags/~/dagRuns", token=token, json=body)
    assert said.status_code == 404 or said.json()["delete"]["success"] == []
    assert seeded.get("/dags/sales/dagRuns/r01")["dag_run_id"] == "r01"
    for path in ("/dags/sales", "/dags/sales/dagRuns", "/dags/sales/dagRuns/r01", "/dagSources/sales"):
        hidden = seeded.ask("GET", path, token=token)
        assert hidden.status_code == 404
        assert hidden.json()["detail"] == "DAG 'sales' does not exist"


def test_waiting_ends_when_the_server_stops(seeded: World) -> None:
    from tradewind.server.public.office import Office
    from tradewind.server.public.waiting import wait_for_run

    office = Office(seeded.store, seeded.settings, seeded.clock, seeded.vault)

    async def listen() -> list[bytes]:
        lines = []
        async for line in wait_for_run(office, "sales", "r10", 3600, ()):
            lines.append(line)
            office.end_streams()
        return lines

    try:
        assert asyncio.run(listen()) == [b'{"state":"queued"}\n']
    finally:
        office.close()
