"""Versions, reasons, backfills, assets, questions of tasks and settings of another machine's installation."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from tradewind.cli.output import show_document, show_record, show_rows
from tradewind.cli.remote_client import Client, part, when
from tradewind.cli.remote_dags import run_path
from tradewind.cli.world import confirm, instant, json_value
from tradewind.wire.errors import BadInput, Conflict, NotFound

Facts = dict[str, Any]


def show_dag(client: Client, given: Namespace) -> None:
    tasks = client.get(f"/dags/{part(given.dag_id)}/tasks")["tasks"]
    facts = client.get(f"/dags/{part(given.dag_id)}/details")
    shown = {
        "dag_id": facts["dag_id"],
        "schedule": facts["timetable_summary"],
        "paused": facts["is_paused"],
        "file": facts["relative_fileloc"],
        "tags": [tag["name"] for tag in facts["tags"]],
        "owners": facts["owners"],
        "timezone": facts["timezone"],
        "tasks": [f"{task['task_id']} → {', '.join(task['downstream_task_ids'] or ()) or '(end)'}" for task in tasks],
    }
    show_record(shown if given.output != "table" else {**shown, "tasks": "\n".join(shown["tasks"])}, given.output)


def list_versions(client: Client, given: Namespace) -> None:
    rows = client.pages(
        f"/dags/{part(given.dag_id)}/dagVersions", "dag_versions", given.limit, order_by="-version_number"
    )
    facts = (
        {
            "number": row["version_number"],
            "created_at": when(row["created_at"]),
            "bundle": row["bundle_name"],
            "bundle_version": row["bundle_version"],
        }
        for row in rows
    )
    show_rows(facts, given.output, ("number", "created_at", "bundle", "bundle_version"), "it has no versions")


def why_task(client: Client, given: Namespace) -> None:
    path = f"{run_path(client, given)}/taskInstances/{part(given.task_id)}"
    path += "" if given.map_index is None else f"/{given.map_index}"
    found = client.get(f"{path}/dependencies")["dependencies"]
    state = client.get(path)["state"]
    sentence = "; ".join(each["reason"] for each in found) or f"it is {state or 'without status'}"
    if given.output in ("json", "yaml"):
        show_document({"task_id": given.task_id, "state": state, "why": sentence}, given.output)
    else:
        print(sentence)


def create_backfill(client: Client, given: Namespace) -> None:
    dag_id = given.dag_id or given.of_dag
    if dag_id is None:
        raise BadInput("say which DAG")
    body: Facts = {
        "dag_id": dag_id,
        "from_date": instant(given.start).isoformat(),
        "to_date": instant(given.end).isoformat(),
        "dag_run_conf": json_value(given.conf, "--conf") if given.conf is not None else {},
        "run_backwards": given.backwards,
        "max_active_runs": given.max_active_runs,
        "reprocess_behavior": given.reprocess,
        "run_on_latest_version": not given.keep_version,
    }
    planned = client.ask("POST", "/backfills/dry_run", body)["backfills"]
    if given.dry_run:
        rows = ({"logical_date": when(row["logical_date"])} for row in planned)
        show_rows(rows, given.output, empty="nothing would be done")
        return
    if len(planned) > given.max_active_runs:
        confirm(f"Run DAG {dag_id!r} {len(planned)} times?", given.yes)
    row = client.ask("POST", "/backfills", body)
    if given.output == "table":
        print(f"backfill {row['id']} of DAG {row['dag_id']!r}: {len(planned)} runs")
    else:
        show_document(row, given.output)


def show_backfill(client: Client, given: Namespace) -> None:
    row = client.get(f"/backfills/{given.backfill_id}")
    runs = client.pages(
        f"/dags/{part(row['dag_id'])}/dagRuns", "dag_runs", 1000, run_type="backfill", order_by="logical_date"
    )
    show_record({name: value for name, value in row.items() if value not in (None, {})}, given.output)
    if given.output == "table":
        print()
        dates = ({"logical_date": when(run["logical_date"]), "state": run["state"]} for run in runs)
        show_rows(dates, given.output, empty="it has no dates")


def _asset(client: Client, given: Namespace) -> Facts:
    """The asset that name or URI say. Raises `NotFound`."""
    for row in client.pages("/assets", "assets", name_pattern=given.name, uri_pattern=given.uri):
        if given.name in (None, row["name"]) and given.uri in (None, row["uri"]):
            return row
    raise NotFound(f"asset {given.name or given.uri!r} does not exist")


def show_asset(client: Client, given: Namespace) -> None:
    row = _asset(client, given)
    facts = {
        "id": row["id"],
        "name": row["name"],
        "uri": row["uri"],
        "group": row["group"],
        "extra": row["extra"],
        "made_by": sorted(f"{use['dag_id']}.{use['task_id']}" for use in row["producing_tasks"]),
        "read_by": sorted(f"{use['dag_id']}.{use['task_id']}" for use in row["consuming_tasks"]),
        "starts": sorted(use["dag_id"] for use in row["scheduled_dags"]),
        "last_event": row["last_asset_event"],
    }
    show = show_document if given.output in ("json", "yaml") else show_record
    show(facts, given.output)


def materialize(client: Client, given: Namespace) -> None:
    body: Facts = {"conf": json_value(given.conf, "--conf")} if given.conf is not None else {}
    body |= {name: getattr(given, name) for name in ("partition_key", "note") if getattr(given, name) is not None}
    run = client.ask("POST", f"/assets/{_asset(client, given)['id']}/materialize", body)
    show_record({name: run[name] for name in ("dag_id", "dag_run_id", "state", "run_after")}, given.output)


def tell(client: Client, given: Namespace) -> None:
    body: Facts = {"asset_id": _asset(client, given)["id"]}
    if given.extra is not None:
        body["extra"] = json_value(given.extra, "--extra")
    if given.partition_key is not None:
        body["partition_key"] = given.partition_key
    show_record(_event(client.ask("POST", "/assets/events", body)), given.output)


def list_events(client: Client, given: Namespace) -> None:
    named = given.name is not None or given.uri is not None
    asset_id = _asset(client, given)["id"] if named else None
    rows = client.pages("/assets/events", "asset_events", given.limit, asset_id=asset_id, order_by="-timestamp")
    columns = ("id", "name", "at", "source", "partition_key", "extra")
    show_rows(map(_event, rows), given.output, columns, "there are no events")


def _event(row: Facts) -> Facts:
    source = "/".join(filter(None, (row["source_dag_id"], row["source_run_id"], row["source_task_id"])))
    return {
        "id": row["id"],
        "name": row["name"],
        "at": when(row["timestamp"]),
        "source": source or None,
        "partition_key": row["partition_key"],
        "extra": row["extra"],
    }


def list_questions(client: Client, given: Namespace) -> None:
    rows = client.pages("/dags/~/dagRuns/~/hitlDetails", "hitl_details", 1000, response_received=False)
    show_rows(map(_question, rows), given.output, empty="nobody is asked anything")


def _question(row: Facts) -> Facts:
    task = row["task_instance"]
    index = "" if task["map_index"] == -1 else f"[{task['map_index']}]"
    return {
        "dag_id": task["dag_id"],
        "run_id": task["dag_run_id"],
        "task": f"{task['task_id']}{index}",
        "subject": row["subject"],
        "options": row["options"],
        "asked": when(row["created_at"]),
    }


def answer_question(client: Client, given: Namespace) -> None:
    task_id, _, rest = given.task_id.partition("[")
    place = rest.removesuffix("]") or "-1"
    path = f"{run_path(client, given)}/taskInstances/{part(task_id)}/{place}/hitlDetails"
    subject = client.get(path)["subject"]
    body = {"chosen_options": given.choose, "params_input": dict(map(_field, given.fill))}
    found = client.ask("PATCH", path, body)
    print(f"answered {subject!r}: {', '.join(found['chosen_options'] or ()) or 'no option'}")


def _field(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"--fill takes NAME=VALUE, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def list_settings(client: Client, given: Namespace) -> None:
    if given.changed:
        raise BadInput("--changed works only on the machine of the installation")
    rows = [
        {"setting": f"{section['name']}.{option['key']}", "value": option["value"]}
        for section in client.get("/config", section=given.section)["sections"]
        for option in section["options"]
    ]
    show_rows(rows, given.output, ("setting", "value"))


def get_setting(client: Client, given: Namespace) -> None:
    section, _, key = given.name.partition(".")
    found = client.get(f"/config/section/{part(section)}/option/{part(key)}")["sections"][0]["options"][0]["value"]
    if given.output in ("json", "yaml"):
        show_document({"setting": given.name, "value": found}, given.output)
    else:
        print(found)


def list_types(client: Client, given: Namespace) -> None:
    rows = client.raw("GET", "/ui/connections/hook_meta").json()
    facts = (
        {"conn_type": row["connection_type"], "name": row["hook_name"], "hook": row["hook_class_name"]} for row in rows
    )
    show_rows(facts, given.output)


def import_connections(client: Client, given: Namespace) -> None:
    from tradewind.cli.connections import imported_id
    from tradewind.sdk.memory_client import read_connections

    names = ("conn_type", "description", "host", "schema", "login", "password", "port", "extra")
    found = {imported_id(name): connection for name, connection in read_connections(given.file).items()}
    there = {row["connection_id"] for row in client.pages("/connections", "connections")} if given.keep else set()
    count = 0
    for conn_id, connection in found.items():
        if conn_id in there:
            continue
        body = {"connection_id": conn_id, **{name: getattr(connection, name) for name in names}}
        try:
            client.ask("POST", "/connections", body)
        except Conflict:
            client.ask("PATCH", f"/connections/{part(conn_id)}", body)
        count += 1
    print(f"{count} connections imported")


VERBS = {
    "dags show": show_dag,
    "dags versions": list_versions,
    "tasks why": why_task,
    "backfill create": create_backfill,
    "backfill show": show_backfill,
    "assets show": show_asset,
    "assets materialize": materialize,
    "assets tell": tell,
    "assets events": list_events,
    "questions list": list_questions,
    "questions answer": answer_question,
    "config list": list_settings,
    "config get": get_setting,
    "connections types": list_types,
    "connections import": import_connections,
}
