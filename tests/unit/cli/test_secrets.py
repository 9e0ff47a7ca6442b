"""Keys, backends, tests and kinds of connections through the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli

from tradewind.adapters.vault import FernetVault
from tradewind.runtime.connection_types import FormField, type_of_provider
from tradewind.wire.errors import InvalidValue


def read(cli: Cli, *words: str) -> Any:
    return json.loads(cli(*words, "-o", "json").out)


def test_keys_are_rotated_while_others_run(cli: Cli, database: Any, home: Path) -> None:
    cli("connections", "set", "pg", "--uri", "postgres://ann:pw@db.example/sales?a=b")
    cli("variables", "set", "key", "value", "--description", "kept")
    path = home / "keys" / "fernet.key"
    running, old = FernetVault(path), path.read_text()
    running.seal("x")
    cli("secrets", "rotate-key")
    assert path.read_text().splitlines()[1] == old.strip()
    sealed = running.seal("written by a process that runs")
    assert "1 old keys are removed" in cli("rotate-fernet-key", "--drop-old", "--no-new-key").out
    assert old.strip() not in path.read_text()
    assert FernetVault(path).open(sealed) == "written by a process that runs"
    assert read(cli, "connections", "get", "pg", "--show-secrets")["password"] == "pw"
    assert cli("variables", "get", "key").out == "value\n"
    facts = read(cli, "secrets", "check")
    assert (facts["connections"], facts["variables"]) == (1, 1)
    path.write_text(old)
    with pytest.raises(InvalidValue):
        FernetVault(path).open(sealed)
    cli("secrets", "check", code=2)


def test_backends_are_asked_without_showing_what_they_know(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("secrets", "lookup", "variable", "key", code=1)
    (tmp_path / "v.json").write_text('{"key": "canary"}')
    monkeypatch.setenv("TRADEWIND__SECRETS__BACKEND", "file")
    kwargs = {"variables_file_path": str(tmp_path / "v.json")}
    monkeypatch.setenv("TRADEWIND__SECRETS__BACKEND_KWARGS", json.dumps(kwargs))
    assert "canary" not in cli("secrets", "lookup", "variable", "key").out
    cli("secrets", "lookup", "variable", "none", code=4)
    assert str(tmp_path / "v.json") not in cli("config", "list").out


def test_a_connection_is_tried_in_a_process_of_its_own(cli: Cli, database: Any, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "there.db").close()
    cli("connections", "set", "here", "--type", "sqlite", "--host", str(tmp_path / "there.db"))
    cli("connections", "test", "here")
    cli("connections", "set", "away", "--type", "sqlite", "--host", "/nowhere/at/all.db", "--password", "canary")
    said = cli("connections", "test", "away", code=1)
    assert said.out.strip()
    assert "canary" not in said.out
    cli("connections", "set", "odd", "--type", "moon", "--host", "x")
    assert "moon" in cli("connections", "test", "odd", code=1).out
    assert "did not end" in cli("connections", "test", "here", "--timeout", "0.01", code=1).out
    cli("connections", "test", "nothing", code=4)


def test_kinds_of_connections(cli: Cli) -> None:
    kinds = {row["conn_type"]: row for row in read(cli, "connections", "types")}
    assert kinds["http"]["hook"] == "tradewind.standard.http.HttpHook"
    assert {"fs", "generic", "postgres", "sqlite"} <= kinds.keys()


def test_what_a_provider_says_of_its_connections() -> None:
    found = type_of_provider(
        {
            "connection-type": "moon",
            "hook-class-name": "moon.hooks.MoonHook",
            "hook-name": "Moon",
            "ui-field-behaviour": {"hidden-fields": ["port", "schema"], "relabeling": {"login": "Crater"}},
            "conn-fields": {
                "phase": {"label": "Phase", "schema": {"type": ["string", "null"]}, "description": "which"}
            },
        },
        "moon-provider",
    )
    assert found.fields == {
        "url_schema": FormField(hidden=True),
        "port": FormField(hidden=True),
        "login": FormField(title="Crater"),
    }
    assert found.extra_fields["phase"]["schema"] == {"type": ["string", "null"], "title": "Phase"}
    assert found.source == "moon-provider"
    assert type_of_provider({"connection-type": "x", "hook-class-name": "no.such.Hook"}, "p").name == "x"


def test_imports_may_leave_alone_what_is_there(cli: Cli, database: Any, tmp_path: Path) -> None:
    cli("variables", "set", "a", "mine")
    (tmp_path / "v.yaml").write_text("a: theirs\nb: new\n")
    cli("variables", "import", str(tmp_path / "v.yaml"), "-a", "fail", code=5)
    assert "1 variables" in cli("variables", "import", str(tmp_path / "v.yaml"), "-a", "skip").out
    assert cli("variables", "get", "a").out == "mine\n"
    for form in ("json", "yaml", "env"):
        target = tmp_path / f"out.{form}"
        cli("variables", "export", str(target))
        cli("variables", "set", "b", "changed")
        cli("variables", "import", str(target))
        assert cli("variables", "get", "b").out == "new\n", form
    cli("connections", "set", "pg", "--uri", "postgres://mine/x")
    (tmp_path / "c.json").write_text('{"pg": "postgres://theirs/x", "web": "http://h"}')
    assert "1 connections" in cli("connections", "import", str(tmp_path / "c.json"), "--keep").out
    assert read(cli, "connections", "get", "pg")["host"] == "mine"
