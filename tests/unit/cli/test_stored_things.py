"""Pools, connections, variables, settings and the database through the command line."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli


def read(cli: Cli, *words: str) -> Any:
    return json.loads(cli(*words, "-o", "json").out)


def test_without_a_database_every_command_says_how_to_make_one(cli: Cli, home: Path) -> None:
    said = cli("pools", "list", code=4)
    assert "tradewind standalone" in said.err
    assert "tradewind db migrate" in said.err
    assert not home.exists(), "looking makes nothing"


def test_the_database_is_made_checked_and_dropped(cli: Cli, home: Path) -> None:
    cli("db", "check", code=4)
    cli("db", "migrate")
    assert read(cli, "db", "check")["state"] == "current"
    cli("pools", "set", "etl", "3")
    assert "--yes" in cli("db", "reset", code=2).err
    cli("db", "reset", "--yes")
    assert [row["pool"] for row in read(cli, "pools", "list")] == ["default_pool"]


def test_a_database_of_a_newer_program_is_refused(cli: Cli, database: Any) -> None:
    with database.begin() as tx:
        tx._session.write("UPDATE alembic_version SET version_num = '9999'", {})
    assert "upgrade this Tradewind" in cli("pools", "list", code=5).err


def test_pools(cli: Cli, database: Any, tmp_path: Path) -> None:
    cli("pools", "set", "etl", "3", "for loading", "--include-deferred")
    assert read(cli, "pools", "get", "etl") == {
        "pool": "etl", "slots": 3, "used": 0, "description": "for loading", "include_deferred": True,
    }  # fmt: skip
    assert "etl\t3" in cli("pools", "list", "-o", "plain").out
    cli("pools", "export", str(tmp_path / "pools.json"))
    cli("pools", "delete", "etl")
    assert "did you mean" in cli("pools", "get", "default_pol", code=4).err
    assert "default_pool" in cli("pools", "delete", "default_pool", code=5).err
    assert cli("pools", "import", str(tmp_path / "pools.json")).out == "2 pools imported\n"
    assert read(cli, "pools", "get", "etl")["slots"] == 3
    (tmp_path / "wrong.json").write_text('{"x": {"slots": "many"}}')
    assert "'many'" in cli("pools", "import", str(tmp_path / "wrong.json"), code=2).err
    assert "cannot be read" in cli("pools", "import", str(tmp_path / "missing.json"), code=2).err


def test_connections(cli: Cli, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("connections", "set", "pg", "--uri", "postgres://ann:s%40cret@db.example:5433/sales?sslmode=require")
    shown = read(cli, "connections", "get", "pg")
    assert (shown["host"], shown["port"], shown["schema"], shown["login"]) == ("db.example", 5433, "sales", "ann")
    assert (shown["password"], shown["extra"]) == ("***", "***")
    assert read(cli, "connections", "get", "pg", "--show-secrets")["password"] == "s@cret"
    assert "s@cret" not in cli("connections", "list").out

    monkeypatch.setattr("sys.stdin", io.StringIO("from stdin\n"))
    cli("connections", "set", "web", "--type", "http", "--host", "example.org", "--password", "-")
    assert read(cli, "connections", "get", "web", "--show-secrets")["password"] == "from stdin"
    cli("connections", "add", "three", "--conn-json", '{"conn_type": "sqlite", "host": "/x.db"}')

    for name in ("all.json", "all.yaml", "all.env"):
        file = tmp_path / name
        cli("connections", "export", str(file))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        before = {row["conn_id"]: read(cli, "connections", "get", row["conn_id"], "--show-secrets")
                  for row in read(cli, "connections", "list")}  # fmt: skip
        for conn_id in before:
            cli("connections", "delete", conn_id)
        assert cli("connections", "import", str(file)).out == "3 connections imported\n"
        for conn_id, fields in before.items():
            again = read(cli, "connections", "get", conn_id, "--show-secrets")
            # A URI knows no difference between an empty login and none.
            assert all((again[name] or None) == (value or None) for name, value in fields.items() if name != "extra")
            assert json.loads(again["extra"] or "{}") == json.loads(fields["extra"] or "{}")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--description", "nothing else"),
        ("--uri", "http://x", "--host", "y"),
        ("--uri", "http://x", "--json", "{}"),
        ("--type", "http", "--extra", "{"),
        ("--json", "[1]"),
        ("--host", "without-type"),
        ("--type", "http", "--port", "70000"),
        ("--uri", "not a uri"),
    ],
)
def test_wrong_connections(cli: Cli, database: Any, words: tuple[str, ...]) -> None:
    said = cli("connections", "set", "x", *words, code=2)
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err


def test_variables(cli: Cli, database: Any, tmp_path: Path) -> None:
    cli("variables", "set", "limits", '{"rows": 5}', "--json", "--description", "how many")
    assert "is not JSON" in cli("variables", "set", "bad", "{", "--json", code=2).err
    assert cli("variables", "get", "limits").out == '{"rows": 5}\n'
    assert cli("variables", "get", "limits", "--json").out == '{\n  "rows": 5\n}\n'
    assert cli("variables", "get", "nothing", "--default", "7").out == "7\n"
    assert "did you mean 'limits'" in cli("variables", "get", "limit", code=4).err
    assert read(cli, "variables", "list") == [{"key": "limits", "description": "how many"}]
    assert read(cli, "variables", "list", "--show-values")[0]["value"] == '{"rows": 5}'
    file = tmp_path / "variables.json"
    cli("variables", "export", str(file))
    cli("variables", "delete", "limits")
    cli("variables", "delete", "limits", code=4)
    assert cli("variables", "import", str(file)).out == "1 variables imported\n"
    assert cli("variables", "get", "limits").out == '{"rows": 5}\n'


def test_settings(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND__AUTH__ADMIN_PASSWORD", "hush-hush")
    monkeypatch.setenv("TRADEWIND__DATABASE__URL", "postgresql://ann:s3cret@h/db")
    home.mkdir()
    (home / "tradewind.toml").write_text("[core]\nparallelism = 7\n")
    listed = {row["setting"]: row for row in read(cli, "config", "list")}
    assert listed["core.parallelism"]["value"] == "7"
    assert "tradewind.toml" in listed["core.parallelism"]["source"]
    assert [row["setting"] for row in read(cli, "config", "list", "--changed")] == [
        "core.parallelism", "database.url", "auth.admin_password",
    ]  # fmt: skip
    everything = cli("config", "list").out + cli("config", "get", "auth.admin_password").out
    everything += cli("config", "get", "database.url", "-o", "json").out + cli("info").out
    assert "hush" not in everything
    assert "s3cret" not in everything
    assert cli("config", "get", "core.parallelism").out == "7\n"
    assert cli("config", "get", "core.load_examples").out == "true\n"
    assert cli("config", "get", "core.dags_folder").out == f"{home}/dags\n"
    assert "did you mean core.parallelism?" in cli("config", "get", "core.paralelism", code=4).err
    assert "there is no section 'cor'" in cli("config", "list", "--section", "cor", code=2).err


def test_info_without_anything(cli: Cli, home: Path) -> None:
    facts = read(cli, "info")
    assert facts["home"] == str(home)
    assert facts["components"] == []
    assert "no Tradewind database" in facts["database_state"]
