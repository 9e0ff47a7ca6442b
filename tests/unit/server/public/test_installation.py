"""XComs, events, errors, warnings, processes, settings."""

from __future__ import annotations

import json

import pytest
from tests.unit.server.public.world import World, task

from tradewind.kernel.ids import uuid7
from tradewind.ports.rows import ComponentRow, FileRow, ImportErrorRow, RunRow
from tradewind.runtime.plugin_probe import PluginFacts, Plugins
from tradewind.wire.execution import XComEntry, XComValue

XCOMS = "/dags/sales/dagRuns/r01/taskInstances/extract/xcomEntries"


@pytest.fixture
def run(world: World) -> RunRow:
    world.publish("sales", task("extract"))
    return world.start(world.put_run(run_id="r01"))


def put(world: World, run: RunRow, key: str, value: bytes) -> None:
    row = world.tasks(run)["extract"]
    with world.store.begin() as tx:
        tx.xcom_put(row, [XComEntry(key, XComValue(data=value, size=len(value)))], world.clock.now())


def test_xcoms_are_listed_read_and_written(world: World, run: RunRow) -> None:
    put(world, run, "return_value", b'{"when": {"$type": "datetime", "$value": "2026-01-01T00:00:00+00:00"}, "n": [1]}')
    put(world, run, "a/b", b'"text"')
    said = world.get(XCOMS)
    assert [each["key"] for each in said["xcom_entries"]] == ["a/b", "return_value"]
    assert said["xcom_entries"][0]["run_after"] == "2026-03-01T12:00:00Z"
    value = world.get(f"{XCOMS}/return_value")["value"]
    assert value == {"when": "2026-01-01T00:00:00+00:00", "n": [1]}
    assert json.loads(world.get(f"{XCOMS}/return_value", stringify=True)["value"])["n"] == [1]
    assert world.get(f"{XCOMS}/a/b", stringify=True)["value"] == "text"
    world.get(f"{XCOMS}/return_value", 400, deserialize=True)
    world.get(f"{XCOMS}/none", 404)
    world.get("/dags/sales/dagRuns/r01/taskInstances/none/xcomEntries/x", 404)
    assert world.post(XCOMS, {"key": "new", "value": {"x": 1}}, 201)["value"] == {"x": 1}
    world.post(XCOMS, {"key": "new", "value": 1}, 409)
    world.post(XCOMS, {"key": "typed", "value": {"$type": "object"}}, 400)
    assert world.patch(f"{XCOMS}/new", {"value": 2})["value"] == 2
    assert world.get(XCOMS, xcom_key_pattern="NE")["total_entries"] == 1
    everywhere = "/dags/~/dagRuns/~/taskInstances/~/xcomEntries"
    assert world.get(everywhere, xcom_key="new", map_index=-1, task_id_pattern="extract")["total_entries"] == 1
    assert world.get(everywhere, run_after_lt="2026-01-01T00:00:00Z")["total_entries"] == 0
    world.delete(f"{XCOMS}/new")
    world.delete(f"{XCOMS}/new", 404)


def test_a_large_value_lies_elsewhere_and_is_read_all_the_same(world: World, run: RunRow) -> None:
    text = "x" * 100_000
    world.post(XCOMS, {"key": "big", "value": text}, 201)
    row = world.tasks(run)["extract"]
    with world.store.read() as tx:
        (stored,) = tx.list_xcoms(row.ti_id)
    assert stored.data is None
    assert world.get(f"{XCOMS}/big")["value"] == text


def test_what_people_do_is_in_the_log(world: World, run: RunRow) -> None:
    world.patch("/dags/sales", {"is_paused": True})
    world.patch("/dags/sales/dagRuns/r01", {"note": "n"})
    said = world.get("/eventLogs", order_by="-when")
    assert said["total_entries"] == 2
    events = {each["event"]: each for each in said["event_logs"]}
    assert all(each["owner"] == "admin" and each["dag_id"] == "sales" for each in events.values())
    assert world.get("/eventLogs", run_id="r01")["total_entries"] == 1
    name = next(iter(events))
    assert world.get("/eventLogs", excluded_events=[name])["total_entries"] == 1
    assert world.get("/eventLogs", included_events=[name], event_pattern=name[:4])["total_entries"] == 1
    assert world.get("/eventLogs", before="2020-01-01T00:00:00Z")["total_entries"] == 0
    one = said["event_logs"][0]["event_log_id"]
    assert world.get(f"/eventLogs/{one}")["event_log_id"] == one
    world.get("/eventLogs/999", 404)


def test_import_errors_and_loading_again(world: World) -> None:
    world.publish("sales")
    with world.store.begin() as tx:
        tx.file_put(FileRow(bundle="local", path="sales.py", digest="d"))
        for path in ("sales.py", "broken.py"):
            tx.import_error_put(
                ImportErrorRow(bundle="local", path=path, message="m", traceback=f"trace {path}", at=world.clock.now())
            )
    said = world.get("/importErrors", order_by="-filename")
    assert [each["filename"] for each in said["import_errors"]] == ["sales.py", "broken.py"]
    one = said["import_errors"][0]
    assert world.get(f"/importErrors/{one['import_error_id']}")["stack_trace"] == "trace sales.py"
    world.get("/importErrors/1", 404)
    assert world.get("/importErrors", filename_pattern="BROK")["total_entries"] == 1
    dag = world.get("/dags/sales")
    assert dag["has_import_errors"] is True
    assert world.get("/dags", has_import_errors=True)["total_entries"] == 1
    world.put(f"/parseDagFile/{dag['file_token']}", status=201)
    world.put("/parseDagFile/nonsense", status=404)


def test_warnings_name_pools_that_are_missing(world: World) -> None:
    world.publish("sales", task("extract", pool="nowhere"), warnings=("start_date is now()",))
    said = world.get("/dagWarnings")
    assert {each["warning_type"] for each in said["dag_warnings"]} == {"runtime varying value", "non-existent pool"}
    assert world.get("/dagWarnings", warning_type="non-existent pool", dag_id="sales")["total_entries"] == 1
    world.get("/dagWarnings", 422, warning_type="nonsense")


def test_processes_are_jobs(world: World) -> None:
    now = world.clock.now()
    with world.store.begin() as tx:
        for kind in ("scheduler", "agent"):
            tx.component_start(
                ComponentRow(
                    kind=kind, id=str(uuid7()), name=kind, hostname="h", pid=1, started_at=now, heartbeat_at=now
                )
            )
    assert world.get("/jobs")["total_entries"] == 2
    (job,) = world.get("/jobs", job_type="SchedulerJob", is_alive=True, hostname="h")["jobs"]
    assert (job["state"], job["end_date"]) == ("running", None)
    world.clock.advance(3600)
    assert world.get("/jobs", is_alive=True)["total_entries"] == 0
    assert world.get("/jobs", end_date_gte="2020-01-01T00:00:00Z")["total_entries"] == 0


def test_settings_providers_and_plugins(world: World) -> None:
    sections = {each["name"]: each["options"] for each in world.get("/config")["sections"]}
    password = [option for option in sections["auth"] if option["key"] == "admin_password"]
    assert password == [{"key": "admin_password", "value": "< hidden >"}]
    (section,) = world.get("/config", section="core")["sections"]
    assert section["name"] == "core"
    world.get("/config", 404, section="none")
    (section,) = world.get("/config/section/core/option/parallelism")["sections"]
    assert section["options"] == [{"key": "parallelism", "value": "32"}]
    world.get("/config/section/core/option/none", 404)
    plain = world.ask("GET", "/config", headers={"Accept": "text/plain"})
    assert "[core]\n" in plain.text
    assert world.get("/providers")["total_entries"] >= 1
    assert world.get("/plugins") == {"plugins": [], "total_entries": 0}
    assert world.get("/plugins/importErrors")["total_entries"] == 0


def test_signing_in_goes_to_the_page(world: World) -> None:
    answer = world.ask("GET", "/auth/login", params={"next": "/dags?x=1"}, token="")
    assert (answer.status_code, answer.headers["location"]) == (307, "/login?next=%2Fdags%3Fx%3D1")
    for bad in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert world.ask("GET", "/auth/login", params={"next": bad}, token="").status_code == 400
    assert world.ask("GET", "/auth/logout").status_code == 307


def test_former_addresses_say_where_to_go(world: World) -> None:
    import asyncio

    import httpx

    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=world.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    answer = asyncio.run(ask("/api/v1/dags"))
    assert answer.status_code == 404
    assert "/api/v2" in answer.json()["detail"]
    assert asyncio.run(ask("/openapi.json")).headers["location"] == "/api/v2/openapi.json"
    assert asyncio.run(ask("/api/v2/openapi.json")).json()["paths"]["/api/v2/version"]


def test_plugins_are_told_as_their_child_tells(world: World) -> None:
    views = {"external_views": [{"name": "Wiki", "href": "https://wiki"}, {"name": "broken"}]}
    facts = PluginFacts(name="mine", source="mine.py", brings={"macros": ["double"]}, views=views)
    world.plugins = Plugins(plugins=(facts,), problems={"bad.py": "SyntaxError"})
    (plugin,) = world.get("/plugins")["plugins"]
    assert (plugin["name"], plugin["macros"], plugin["listeners"]) == ("mine", ["double"], [])
    assert [view["href"] for view in plugin["external_views"]] == ["https://wiki"]
    assert world.get("/plugins/importErrors")["import_errors"] == [{"source": "bad.py", "error": "SyntaxError"}]
