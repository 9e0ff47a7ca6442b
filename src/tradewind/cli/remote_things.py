"""Pools, variables, connections, assets, backfills, settings and health of another machine's installation."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from tradewind.cli.output import show_document, show_record, show_rows
from tradewind.cli.remote_client import Client, part, when
from tradewind.cli.world import confirm, json_value, read_json_file, secret, write_file
from tradewind.wire.errors import BadInput, Conflict, NotFound

Facts = dict[str, Any]


def _pool(row: Facts) -> Facts:
    return {
        "pool": row["name"],
        "slots": row["slots"],
        "used": row["occupied_slots"],
        "description": row["description"] or "",
        "include_deferred": row["include_deferred"],
    }


def list_pools(client: Client, given: Namespace) -> None:
    show_rows(map(_pool, client.pages("/pools", "pools", order_by="name")), given.output)


def get_pool(client: Client, given: Namespace) -> None:
    show_record(_pool(client.get(f"/pools/{part(given.name)}")), given.output)


def set_pool(client: Client, given: Namespace) -> None:
    description = given.text if given.text is not None else given.description or ""
    row = _put_pool(client, given.name, given.slots, description, given.include_deferred)
    print(f"pool {row['name']!r} has {row['slots']} slots")


def _put_pool(client: Client, name: str, slots: int, description: str, include_deferred: bool) -> Facts:
    body = {"slots": slots, "description": description, "include_deferred": include_deferred}
    try:
        found: Facts = client.ask("POST", "/pools", {"name": name, **body})
    except Conflict:
        found = client.ask("PATCH", f"/pools/{part(name)}", body)
    return found


def delete_pool(client: Client, given: Namespace) -> None:
    client.ask("DELETE", f"/pools/{part(given.name)}")
    print(f"pool {given.name!r} is deleted")


def export_pools(client: Client, given: Namespace) -> None:
    content = {
        row["name"]: {name: row[name] for name in ("slots", "description", "include_deferred")}
        for row in client.pages("/pools", "pools", order_by="name")
    }
    write_file(given.file, json.dumps(content, indent=2, ensure_ascii=False))


def import_pools(client: Client, given: Namespace) -> None:
    content = read_json_file(given.file)
    if not isinstance(content, dict):
        raise BadInput('pools must be an object such as {"name": {"slots": 5}}')
    for name, facts in content.items():
        _put_pool(client, name, facts["slots"], facts.get("description", ""), facts.get("include_deferred", False))
    print(f"{len(content)} pools imported")


def list_variables(client: Client, given: Namespace) -> None:
    rows = (
        {
            "key": row["key"],
            **({"value": row["value"]} if given.show_values else {}),
            "description": row["description"],
        }
        for row in client.pages("/variables", "variables", order_by="key")
    )
    show_rows(rows, given.output, empty="there are no variables")


def get_variable(client: Client, given: Namespace) -> None:
    try:
        value = client.get(f"/variables/{part(given.key)}")["value"]
    except NotFound:
        if given.default is None:
            raise
        value = given.default
    if given.json:
        show_document(json_value(value, f"variable {given.key!r}"), "json")
    elif given.output in ("json", "yaml"):
        show_document({"key": given.key, "value": value}, given.output)
    else:
        print(value)


def set_variable(client: Client, given: Namespace) -> None:
    value = secret(given.value)
    if given.json:
        json_value(value, f"variable {given.key!r}")
    _put_variable(client, given.key, value, given.description)
    print(f"variable {given.key!r} is set")


def _put_variable(client: Client, key: str, value: str, description: str | None) -> None:
    body = {"key": key, "value": value, "description": description}
    try:
        client.ask("POST", "/variables", body)
    except Conflict:
        client.ask("PATCH", f"/variables/{part(key)}", body)


def delete_variable(client: Client, given: Namespace) -> None:
    client.ask("DELETE", f"/variables/{part(given.key)}")
    print(f"variable {given.key!r} is deleted")


def import_variables(client: Client, given: Namespace) -> None:
    from tradewind.sdk.memory_client import read_variables

    content = read_variables(given.file)
    there = {row["key"] for row in client.pages("/variables", "variables")} & content.keys()
    if there and given.action_on_existing_key == "fail":
        raise Conflict(f"variable {min(there)!r} exists already; nothing was imported")
    skipped = there if given.action_on_existing_key == "skip" else set()
    for key, value in content.items():
        if key not in skipped:
            _put_variable(client, key, value, None)
    print(f"{len(content) - len(skipped)} variables imported")


_CONNECTION = ("conn_type", "host", "port", "schema", "login", "description")


def list_connections(client: Client, given: Namespace) -> None:
    rows = (
        {"conn_id": row["connection_id"], **{name: row[name] for name in _CONNECTION}}
        for row in client.pages("/connections", "connections", order_by="connection_id")
    )
    show_rows(rows, given.output, empty="there are no connections")


def get_connection(client: Client, given: Namespace) -> None:
    if given.show_secrets:
        raise BadInput("a server shows no secrets; `connections get --show-secrets` works only on its own machine")
    row = client.get(f"/connections/{part(given.conn_id)}")
    names = ("conn_type", "description", "host", "schema", "login", "password", "port", "extra")
    fields = {"conn_id": row["connection_id"], **{name: row[name] for name in names}}
    fields |= {name: "***" for name in ("password", "extra") if fields[name]}
    show_record(fields, given.output)


def set_connection(client: Client, given: Namespace) -> None:
    from tradewind.cli.connections import given_connection

    found = given_connection(given)
    names = ("conn_type", "description", "host", "schema", "login", "password", "port", "extra")
    body = {"connection_id": given.conn_id, **{name: getattr(found, name) for name in names}}
    try:
        client.ask("POST", "/connections", body)
    except Conflict:
        client.ask("PATCH", f"/connections/{part(given.conn_id)}", body)
    print(f"connection {given.conn_id!r} is set ({found.conn_type})")


def test_connection(client: Client, given: Namespace) -> int:
    row = client.get(f"/connections/{part(given.conn_id)}")
    body = {name: value for name, value in row.items() if name != "team_name"}
    verdict = client.ask("POST", "/connections/test", body)
    print(verdict["message"])
    return 0 if verdict["status"] else 1


def export_variables(client: Client, given: Namespace) -> None:
    from tradewind.cli.variables import write_variables

    write_variables(
        {row["key"]: row["value"] for row in client.pages("/variables", "variables", order_by="key")}, given
    )


def delete_connection(client: Client, given: Namespace) -> None:
    client.ask("DELETE", f"/connections/{part(given.conn_id)}")
    print(f"connection {given.conn_id!r} is deleted")


def list_assets(client: Client, given: Namespace) -> None:
    rows = (
        {"name": row["name"], "uri": row["uri"], "group": row["group"], "id": row["id"]}
        for row in client.pages("/assets", "assets", order_by="name")
    )
    show_rows(rows, given.output, empty="there are no assets")


def list_backfills(client: Client, given: Namespace) -> None:
    # The API lists those of one DAG at a time.
    ids = [given.dag_id] if given.dag_id else [row["dag_id"] for row in client.pages("/dags", "dags")]
    found = [row for dag_id in ids for row in client.pages("/backfills", "backfills", given.limit, dag_id=dag_id)]
    found = [row for row in found if not given.active or row["completed_at"] is None]
    rows = (
        {
            "id": row["id"],
            "dag_id": row["dag_id"],
            "from_date": when(row["from_date"]),
            "to_date": when(row["to_date"]),
            "paused": row["is_paused"],
            "completed_at": when(row["completed_at"]),
        }
        for row in sorted(found, key=lambda row: row["created_at"], reverse=True)[: given.limit]
    )
    show_rows(rows, given.output, empty="there are no backfills")


def _backfill(given: Namespace) -> str:
    return f"/backfills/{given.backfill_id if hasattr(given, 'backfill_id') else given.id}"


def pause_backfill(client: Client, given: Namespace) -> None:
    row = client.ask("PUT", f"{_backfill(given)}/pause")
    print(f"backfill {row['id']} is paused")


def unpause_backfill(client: Client, given: Namespace) -> None:
    row = client.ask("PUT", f"{_backfill(given)}/unpause")
    print(f"backfill {row['id']} is not paused")


def cancel_backfill(client: Client, given: Namespace) -> None:
    confirm("Cancel this backfill?", given.yes)
    row = client.ask("PUT", f"{_backfill(given)}/cancel")
    print(f"backfill {row['id']} is cancelled")


def version(client: Client, _given: Namespace) -> None:
    print(client.get("/version")["version"])


def health(client: Client, given: Namespace) -> None:
    found = client.get("/monitor/health")
    rows = (
        {"component": name, "status": facts["status"], "latest_heartbeat": facts.get(f"latest_{name}_heartbeat")}
        for name, facts in found.items()
        if facts is not None
    )
    show_rows(rows, getattr(given, "output", "table"))


VERBS = {
    "pools list": list_pools,
    "pools get": get_pool,
    "pools set": set_pool,
    "pools delete": delete_pool,
    "pools export": export_pools,
    "pools import": import_pools,
    "variables list": list_variables,
    "variables get": get_variable,
    "variables set": set_variable,
    "variables delete": delete_variable,
    "variables import": import_variables,
    "connections list": list_connections,
    "connections get": get_connection,
    "connections set": set_connection,
    "connections delete": delete_connection,
    "connections test": test_connection,
    "variables export": export_variables,
    "assets list": list_assets,
    "backfill list": list_backfills,
    "backfill pause": pause_backfill,
    "backfill unpause": unpause_backfill,
    "backfill cancel": cancel_backfill,
    "version": version,
    "info": health,
}
