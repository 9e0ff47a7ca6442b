"""Users, roles, tokens and the audit log of another machine's installation."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from tradewind.cli.output import show_record, show_rows
from tradewind.cli.remote_client import Client, part, when
from tradewind.cli.users import COLUMNS, chosen_password
from tradewind.cli.world import confirm, instant, write_file
from tradewind.domain.roles import canonical_role
from tradewind.wire.errors import BadInput, NotFound

Facts = dict[str, Any]


def _user(row: Facts) -> Facts:
    return {**row, "created_at": when(row["created_at"]), "last_login_at": when(row["last_login_at"])}


def list_users(client: Client, given: Namespace) -> None:
    show_rows(map(_user, client.get("/auth/users")["users"]), given.output, COLUMNS, empty="there are no users")


def show_user(client: Client, given: Namespace) -> None:
    show_record(_user(client.get(f"/auth/users/{part(given.username)}")), given.output)


def create_user(client: Client, given: Namespace) -> None:
    username = given.name or given.username
    if not username:
        raise BadInput("give the name of the user: `tradewind users create NAME --role ROLE`")
    password, generated = chosen_password(given)
    names = {"email": given.email, "first_name": given.firstname, "last_name": given.lastname}
    body = {"username": username, "password": password, "roles": given.role}
    row = client.ask("POST", "/auth/users", {**body, **{key: value for key, value in names.items() if value}})
    print(f"user {row['username']!r} is made, with role {', '.join(row['roles'])}")
    if generated:
        print(f"password {password} (shown only now)")


def delete_user(client: Client, given: Namespace) -> None:
    confirm(f"Remove user {given.username!r}?", given.yes)
    client.ask("DELETE", f"/auth/users/{part(given.username)}")
    print(f"user {given.username!r} is deleted")


def set_password(client: Client, given: Namespace) -> None:
    password, generated = chosen_password(given)
    client.ask("PATCH", f"/auth/users/{part(given.username)}", {"password": password})
    print(f"user {given.username!r} has a new password")
    if generated:
        print(f"password {password} (shown only now)")


def set_role(client: Client, given: Namespace) -> None:
    row = client.ask("PATCH", f"/auth/users/{part(given.username)}", {"roles": given.role})
    print(f"user {row['username']!r} has role {', '.join(row['roles'])}")


def disable_user(client: Client, given: Namespace) -> None:
    client.ask("PATCH", f"/auth/users/{part(given.username)}", {"is_active": False})
    print(f"user {given.username!r} is disabled")


def enable_user(client: Client, given: Namespace) -> None:
    client.ask("PATCH", f"/auth/users/{part(given.username)}", {"is_active": True})
    print(f"user {given.username!r} is enabled")


def sign_out(client: Client, given: Namespace) -> None:
    client.ask("POST", f"/auth/users/{part(given.username)}/logout")
    print(f"user {given.username!r} is signed out everywhere")


def list_roles(client: Client, given: Namespace) -> None:
    show_rows(client.get("/auth/roles")["roles"], given.output, ("name", "description", "built_in"))


def show_role(client: Client, given: Namespace) -> None:
    rows = {row["name"]: row for row in client.get("/auth/roles")["roles"]}
    name = canonical_role(given.name)
    if name not in rows:
        raise NotFound(f"role {name!r} does not exist; there are {', '.join(rows)}")
    row = rows[name]
    show_record(row if given.output != "table" else {**row, "grants": "\n".join(row["grants"])}, given.output)


def create_role(client: Client, given: Namespace) -> None:
    body = {"name": given.name, "grants": given.grant, "description": given.description or ""}
    row = client.ask("POST", "/auth/roles", body)
    print(f"role {row['name']!r} is made with {len(row['grants'])} grants")


def grant(client: Client, given: Namespace) -> None:
    row = client.ask("PATCH", f"/auth/roles/{part(given.name)}", {"grant": given.grant})
    print(f"role {row['name']!r} has {', '.join(row['grants'])}")


def revoke(client: Client, given: Namespace) -> None:
    row = client.ask("PATCH", f"/auth/roles/{part(given.name)}", {"revoke": given.grant})
    print(f"role {row['name']!r} has {', '.join(row['grants']) or 'no grants'}")


def delete_role(client: Client, given: Namespace) -> None:
    client.ask("DELETE", f"/auth/roles/{part(given.name)}")
    print(f"role {given.name!r} is deleted")


def list_tokens(client: Client, given: Namespace) -> None:
    found = client.raw("GET", "/auth/api-tokens", params={"all": "true"})
    rows = found.json()["tokens"] if found.status_code == 200 else client.get("/auth/api-tokens")["tokens"]
    instants = ("created_at", "expires_at", "revoked_at", "last_used_at")
    kept = [
        {**row, **{name: when(row[name]) for name in instants}} for row in rows if given.user in (None, row["username"])
    ]
    show_rows(kept, given.output, empty="there are no API tokens")


def create_token(client: Client, given: Namespace) -> None:
    from tradewind.cli.tokens import days_of

    me = client.get("/auth/me")["username"]
    if given.user != me:
        raise BadInput(f"over a server everybody makes tokens for himself: --user {me}")
    body = {"name": given.name, "scopes": given.scope, "days": days_of(given.days)}
    row = client.ask("POST", "/auth/api-tokens", body)
    end = row["expires_at"] or "never"
    print(f"token {row['token_id']} of {row['username']!r}, ends {end}")
    print(row["token"])


def revoke_token(client: Client, given: Namespace) -> None:
    client.ask("DELETE", f"/auth/api-tokens/{part(given.token_id)}")
    print(f"token {given.token_id} is revoked")


def _events(client: Client, given: Namespace, limit: int | None) -> list[Facts]:
    rows = client.pages(
        "/eventLogs",
        "event_logs",
        limit,
        owner=given.user,
        event=given.event,
        dag_id=given.dag_id,
        after=instant(given.since).isoformat() if given.since else None,
        before=instant(given.until).isoformat() if given.until else None,
        order_by="-event_log_id",
    )
    return [
        {
            "event_id": row["event_log_id"],
            "at": row["when"],
            "actor": row["owner"],
            "event": row["event"],
            "dag_id": row["dag_id"],
            "run_id": row["run_id"],
            "task_id": row["task_id"],
            "details": row["extra"],
        }
        for row in rows
    ]


def list_audit(client: Client, given: Namespace) -> None:
    columns = ("at", "actor", "event", "dag_id", "run_id", "task_id")
    show_rows(_events(client, given, given.limit), given.output, columns, empty="nothing was changed")


def export_audit(client: Client, given: Namespace) -> None:
    lines = (json.dumps(row, ensure_ascii=False) for row in _events(client, given, None))
    write_file(given.file, "\n".join(lines), private=True)


VERBS = {
    "users list": list_users,
    "users show": show_user,
    "users create": create_user,
    "users delete": delete_user,
    "users set-password": set_password,
    "users set-role": set_role,
    "users disable": disable_user,
    "users enable": enable_user,
    "users sign-out": sign_out,
    "roles list": list_roles,
    "roles show": show_role,
    "roles create": create_role,
    "roles grant": grant,
    "roles revoke": revoke,
    "roles delete": delete_role,
    "tokens list": list_tokens,
    "tokens create": create_token,
    "tokens revoke": revoke_token,
    "audit list": list_audit,
    "audit export": export_audit,
}
