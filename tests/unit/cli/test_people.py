"""Users, roles, tokens and the audit log through the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli

PASSWORD = "correct horse battery"


def read(cli: Cli, *words: str) -> Any:
    return json.loads(cli(*words, "-o", "json").out)


def test_users(cli: Cli, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    cli("users", "create", "ann", "--role", "admin", "--password", "-", "-e", "ann@example.org")
    made = cli("users", "create", "-u", "bob", "-r", "Viewer", "-r", "user", "--use-random-password")
    assert "(shown only now)" in made.out
    assert [row["username"] for row in read(cli, "users", "list")] == ["ann", "bob"]
    assert read(cli, "users", "show", "bob")["roles"] == ["Viewer", "User"]
    assert "hash" not in cli("users", "show", "bob", "-o", "json").out
    cli("users", "create", "ann", "-r", "Viewer", "-p", PASSWORD, code=5)
    assert "guessed" in cli("users", "create", "eve", "-r", "Viewer", "-p", "password1", code=2).err
    assert "'King'" in cli("users", "create", "eve", "-r", "King", "-p", PASSWORD, code=2).err
    cli("users", "set-role", "bob", "-r", "Op")
    cli("users", "disable", "bob")
    assert read(cli, "users", "show", "bob")["is_active"] is False
    cli("users", "enable", "bob")
    cli("users", "sign-out", "bob")
    cli("users", "set-password", "bob", "--password", "another long one")
    assert "last active administrator" in cli("users", "delete", "ann", "--yes", code=5).err
    assert "--yes" in cli("users", "delete", "bob", code=2).err
    cli("users", "delete", "bob", "--yes")
    cli("users", "show", "bob", code=4)


def test_roles(cli: Cli, database: Any) -> None:
    cli("roles", "create", "Finance", "read:dag@tag:finance", "--description", "money")
    assert cli("roles", "grant", "finance", "read:pool", code=4).err
    cli("roles", "grant", "Finance", "read:pool")
    cli("roles", "revoke", "Finance", "read:dag@tag:finance")
    assert read(cli, "roles", "show", "Finance") == {
        "name": "Finance",
        "description": "money",
        "grants": ["read:pool"],
        "built_in": False,
    }
    assert "read:dag.log" in " ".join(read(cli, "roles", "show", "viewer")["grants"]).replace(",", " read:")
    assert "built in" in cli("roles", "grant", "Admin", "read:pool", code=5).err
    cli("roles", "delete", "Finance")
    assert [row["name"] for row in read(cli, "roles", "list")] == ["Admin", "Op", "User", "Viewer", "Public"]


def test_tokens(cli: Cli, database: Any) -> None:
    cli("users", "create", "ann", "-r", "Viewer", "-p", PASSWORD)
    made = cli("tokens", "create", "ci", "--user", "ann", "--scope", "read:dag", "--days", "7").out
    token = made.splitlines()[1]
    (row,) = read(cli, "tokens", "list", "--user", "ann")
    assert token.startswith(f"tw_{row['token_id']}_")
    assert token not in cli("tokens", "list", "-o", "json").out
    cli("tokens", "revoke", row["token_id"])
    assert read(cli, "tokens", "list")[0]["revoked_at"] is not None
    assert "never" in cli("tokens", "create", "x", "--user", "ann", "--days", "never").out
    cli("tokens", "create", "x", "--user", "ann", "--days", "soon", code=2)
    cli("tokens", "create", "x", "--user", "nobody", code=4)
    cli("tokens", "revoke", "0123456789abcdef", code=4)


def test_every_change_is_in_the_audit_log(cli: Cli, database: Any, tmp_path: Path) -> None:
    cli("pools", "set", "etl", "3")
    cli("users", "create", "ann", "-r", "Viewer", "-p", PASSWORD)
    cli("connections", "set", "pg", "--uri", "postgres://ann:canary-secret@db.example/sales")
    cli("variables", "set", "key", "canary-secret")
    cli("pools", "delete", "nothing", code=4)
    rows = read(cli, "audit", "list")
    assert len(rows) == 4
    assert {row["means"] for row in rows} == {"cli"}
    assert [row["event"] for row in read(cli, "audit", "list", "--event", "create_user")] == ["create_user"]
    assert read(cli, "audit", "list", "--until", "2000-01-01") == []
    cli("audit", "export", str(tmp_path / "audit.jsonl"))
    text = (tmp_path / "audit.jsonl").read_text()
    assert len(list(map(json.loads, text.splitlines()))) == 4
    assert "canary" not in text
    assert PASSWORD not in text
