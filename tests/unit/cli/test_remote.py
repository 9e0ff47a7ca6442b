"""Commands over a server say what they say on its own machine."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import NOW, Cli, publish
from tests.unit.server.serving import World, running

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.cli import main as cli_main
from tradewind.cli.remote import split_options, verbs
from tradewind.commands.tokens import create_token
from tradewind.commands.users import create_user
from tradewind.kernel.clock import SystemClock
from tradewind.wire.errors import BadInput

PASSWORD = "correct horse battery"
DAG_FILE = """
from tradewind import dag, task

@dag(schedule="@daily", tags=["money"], description="counts")
def sales():
    @task
    def extract():
        return 1

    @task
    def load(value):
        pass

    load(extract())

sales()
"""


@pytest.fixture
def server(database: Any, home: Path, dags_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    publish(database, dags_folder, "sales.py", DAG_FILE)
    monkeypatch.setenv("TRADEWIND_PROFILES", str(home.parent / "profiles" / "profiles.json"))
    with running(home, store=database) as world:
        with database.begin() as tx:
            create_user(tx, Argon2Passwords(), NOW, "root", PASSWORD, "Admin")
            made = create_token(tx, SystemClock().now(), "root", "cli")
        monkeypatch.setenv("TRADEWIND_TOKEN", made.token)
        yield world


@pytest.fixture
def far(server: World, cli: Cli) -> Cli:
    """The command line, over the server."""
    return lambda *words, **more: cli("--server", f"http://127.0.0.1:{server.port}", *words, **more)


SAME = [
    ("dags", "list"),
    ("dags", "list", "--tag", "money"),
    ("dags", "list", "--paused"),
    ("dags", "errors"),
    ("dags", "source", "sales"),
    ("tasks", "list", "sales"),
    ("runs", "list"),
    ("runs", "list", "sales", "--state", "queued"),
    ("pools", "list"),
    ("pools", "get", "etl"),
    ("pools", "export"),
    ("variables", "list"),
    ("variables", "list", "--show-values"),
    ("variables", "get", "plain"),
    ("variables", "get", "none", "--default", "x"),
    ("connections", "list"),
    ("connections", "get", "warehouse"),
    ("users", "list"),
    ("users", "show", "root"),
    ("roles", "list"),
    ("roles", "show", "Viewer"),
    ("version",),
]


def test_the_same_output_near_and_far(cli: Cli, far: Cli) -> None:
    cli("pools", "set", "etl", "3", "for loading")
    cli("variables", "set", "plain", "value", "--description", "kept")
    cli("connections", "set", "warehouse", "--uri", "postgres://ann:canary@db.example:5433/sales")
    cli("dags", "trigger", "sales", "--run-id", "r1")
    for words in SAME:
        near, there = cli(*words), far(*words)
        assert there.out == near.out, words
        assert "canary" not in there.out
    assert "cli" in far("tokens", "list").out


def test_changes_over_a_server_reach_it_in_the_name_of_the_token(cli: Cli, far: Cli, database: Any) -> None:
    assert "has 5 slots" in far("pools", "set", "etl", "5").out
    assert "has 7 slots" in far("pools", "set", "etl", "7").out
    far("variables", "set", "key", "one")
    far("variables", "set", "key", "two")
    assert cli("variables", "get", "key").out == "two\n"
    far("connections", "set", "web", "--uri", "http://ann:canary@h/x")
    assert json.loads(cli("connections", "get", "web", "--show-secrets", "-o", "json").out)["password"] == "canary"
    assert "is paused" in far("dags", "pause", "sales").out
    assert "already" in far("dags", "pause", "sales").out
    far("dags", "unpause", "sales")
    assert "is queued" in far("dags", "trigger", "sales", "--run-id", "r1", "--conf", '{"a": 1}').out
    assert json.loads(far("runs", "show", "sales", "r1", "-o", "json").out)["conf"] == {"a": 1}
    far("runs", "note", "sales", "latest", "look here")
    assert "run 'r1'" in far("tasks", "why", "sales", "latest", "load", code=4).err
    assert "ends as failed" in far("runs", "cancel", "sales", "r1").out
    far("users", "create", "ann", "-r", "Viewer", "-p", PASSWORD)
    far("users", "set-role", "ann", "-r", "Op")
    far("roles", "create", "Finance", "read:dag@tag:money")
    far("roles", "grant", "Finance", "read:pool")
    for words in (("pools", "delete", "etl"), ("variables", "delete", "key"), ("connections", "delete", "web")):
        far(*words)
    far("users", "delete", "ann", "--yes")
    far("roles", "delete", "Finance")
    rows = json.loads(cli("audit", "list", "--user", "root", "-o", "json", "-n", "100").out)
    assert {row["means"] for row in rows} == {"token"}
    assert {"set_connection", "set_variable", "create_user", "grant", "delete_user"} <= {row["event"] for row in rows}
    assert "canary" not in json.dumps(rows)
    assert far("audit", "list", "--user", "root").out.count("root") >= 10


def test_the_rest_over_a_server(cli: Cli, far: Cli, tmp_path: Path) -> None:
    assert "extract → load" in far("dags", "show", "sales").out
    assert far("dags", "versions", "sales", "-o", "plain").out == cli("dags", "versions", "sales", "-o", "plain").out
    far("dags", "trigger", "sales", "--run-id", "r1")
    dates = ("--from", "2024-01-01T00:00:00+00:00", "--to", "2024-01-03T00:00:00+00:00")
    assert far("backfill", "create", "sales", *dates, "--dry-run", "-o", "plain").out.count("2024-01-0") == 3
    assert "3 runs" in far("backfill", "create", "sales", *dates).out
    made = json.loads(far("backfill", "list", "-o", "json").out)[0]["id"]
    assert "paused" in far("backfill", "pause", str(made)).out
    far("backfill", "show", str(made))
    assert "cancelled" in far("backfill", "cancel", str(made), "--yes").out
    assert far("questions", "list").out == cli("questions", "list").out
    assert far("config", "get", "core.parallelism").out == cli("config", "get", "core.parallelism").out
    assert "core.parallelism" in far("config", "list", "--section", "core").out
    assert "sqlite" in far("connections", "types").out
    (tmp_path / "c.json").write_text('{"pg": "postgres://a/x", "web": "http://h"}')
    assert "2 connections" in far("connections", "import", str(tmp_path / "c.json")).out
    assert "0 connections" in far("connections", "import", str(tmp_path / "c.json"), "--keep").out
    assert "1 variables" in far("variables", "import", _file(tmp_path, '{"a": "b"}')).out
    assert far("variables", "export").out == cli("variables", "export").out
    assert far("assets", "list").out
    assert "does not exist" in far("assets", "show", "none", code=4).err


def _file(folder: Path, text: str) -> str:
    (folder / "v.json").write_text(text)
    return str(folder / "v.json")


def test_what_goes_wrong_there_is_said_here_with_the_same_exit_codes(far: Cli, cli: Cli, server: World) -> None:
    assert "nothing" in far("dags", "pause", "nothing", code=4).err
    assert "default pool" in far("pools", "delete", "default_pool", code=2).err
    assert "'King'" in far("users", "create", "eve", "-r", "King", "-p", PASSWORD, code=2).err
    assert "own machine" in far("connections", "get", "x", "--show-secrets", code=2).err
    assert "only on the machine" in far("dags", "test", "sales", code=2).err
    assert "does not answer" in cli("--server", "http://127.0.0.1:9", "dags", "list", code=6).err
    assert "address" in cli("--server", "nonsense", "dags", "list", code=2).err
    assert "needs a value" in cli("dags", "list", "--server", code=2).err


def test_a_wrong_token_opens_nothing(server: World, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    said = cli("--server", f"http://127.0.0.1:{server.port}", "--token", "-", "dags", "list", code=3)
    assert "wrong" not in said.err


def test_who_sees_only_some_dags_lists_them(far: Cli, cli: Cli, server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    far("roles", "create", "Finance", "read:dag@tag:money")
    far("users", "create", "ann", "-r", "Finance", "-p", PASSWORD)
    made = cli("tokens", "create", "mine", "--user", "ann").out
    monkeypatch.setenv("TRADEWIND_TOKEN", made.split()[-1])
    assert "sales" in far("dags", "list").out
    far("dags", "errors", code=3)


def test_signing_in_keeps_a_profile_that_only_its_owner_reads(
    server: World, cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRADEWIND_TOKEN")
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    address = f"http://127.0.0.1:{server.port}"
    assert "as 'root'" in cli("login", address, "-u", "root", "--password", "-", "--name", "work").out
    path = home.parent / "profiles" / "profiles.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "sales" in cli("dags", "list", "--profile", "work").out
    assert "sales" in cli(f"--server={address}", "dags", "list").out
    assert cli("profiles", "list", "-o", "plain").out == f"work\t{address}\n"
    monkeypatch.setenv("TRADEWIND_PROFILE", "work")
    assert "sales" in cli("dags", "list").out
    monkeypatch.delenv("TRADEWIND_PROFILE")
    cli("profiles", "delete", "work")
    cli("dags", "list", "--profile", "work", code=4)
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong password\n"))
    cli("login", address, "-u", "root", "--password", "-", code=3)


def test_raw_calls(far: Cli) -> None:
    assert json.loads(far("api", "get", "/dags", "-q", "limit=1").out)["total_entries"] == 1
    made = json.loads(far("api", "POST", "pools", "-d", '{"name": "raw", "slots": 2}').out)
    assert made["slots"] == 2
    assert json.loads(far("api", "GET", "/auth/me").out)["username"] == "root"
    said = far("api", "GET", "/dags/none", "-i", code=1)
    assert said.out.startswith("HTTP 404\n")
    assert "tradewind_" in far("api", "GET", "/metrics").out
    far("api", "GET", "/dags", "-q", "limit", code=2)


def test_options_may_stand_anywhere_and_every_remote_verb_exists() -> None:
    assert split_options(["--server=x", "dags", "list", "--profile", "p", "--", "--token", "t"]) == (
        ["dags", "list", "--", "--token", "t"],
        {"server": "x", "profile": "p"},
    )
    with pytest.raises(BadInput):
        split_options(["dags", "--token"])
    for name in verbs():
        noun, _, verb = name.partition(" ")
        found = cli_main._load_noun(noun)
        assert verb in found.verbs or (not verb and found.single is not None), name
