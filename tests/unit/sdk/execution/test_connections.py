from __future__ import annotations

from typing import Any

import pytest

from tradewind.sdk.attempt import Attempt, working_on
from tradewind.sdk.connections import Connection
from tradewind.sdk.exceptions import AirflowException, AirflowNotFoundException
from tradewind.sdk.hooks import BaseHook, register_hook
from tradewind.sdk.memory_client import MemoryClient
from tradewind.sdk.variables import Variable
from tradewind.wire.errors import InvalidValue, NotFound


@pytest.fixture
def attempt(bench: Any) -> Any:
    made = Attempt(MemoryClient(bench.world, ("t", "")), "t", bench.clock)
    with working_on(made):
        yield made


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        ("postgres://u:p%40w@Host:5432/db?a=1", ("postgres", "Host", "u", "p@w", "db", 5432, {"a": "1"})),
        ("postgresql://host", ("postgres", "host", None, None, None, None, {})),
        ("http://https://example.org", ("http", "https://example.org", None, None, None, None, {})),
        ("HTTP://h", ("http", "h", None, None, None, None, {})),
        ("my-type://u@h/a%2Fb", ("my_type", "h", "u", None, "a/b", None, {})),
        ("sqlite:////tmp/x.db", ("sqlite", None, None, None, "/tmp/x.db", None, {})),
        (
            "fs:///?__extra__=%7B%22path%22%3A%20%22%2Fdata%22%7D",
            ("fs", None, None, None, None, None, {"path": "/data"}),
        ),
    ],
)
def test_a_uri_is_taken_apart_and_put_together(uri: str, fields: tuple[Any, ...]) -> None:
    made = Connection(conn_id="c", uri=uri)
    got = (made.conn_type, made.host, made.login, made.password, made.schema, made.port, made.extra_dejson)
    assert got == fields
    again = Connection(conn_id="c", uri=made.get_uri())
    assert again.extra_dejson == made.extra_dejson
    assert (again.host, again.login, again.password, again.schema) == (
        made.host,
        made.login,
        made.password,
        made.schema,
    )


def test_nested_extra_survives_the_uri_and_json() -> None:
    made = Connection(conn_id="c", conn_type="http", host="h", extra={"headers": {"a": [1]}})
    assert Connection.from_uri(made.get_uri(), "c").extra_dejson == {"headers": {"a": [1]}}
    assert Connection.from_json(made.as_json(), "c") == made


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Connection(conn_id="c", uri="http://h", host="h"), "not both"),
        (lambda: Connection(conn_id="c", port="x"), "port.*number"),
        (lambda: Connection(conn_id="c", uri="http://h:abc"), "cannot be read"),
        (lambda: Connection(conn_id="c", uri="not a uri"), "must begin with the type"),
        (lambda: Connection(conn_id="c", uri="postgres"), "must begin with the type"),
        (lambda: Connection(conn_id="c", uri="://host"), "must begin with the type"),
        (lambda: Connection(conn_id="c", extra="[1]").extra_dejson, "JSON object"),
        (lambda: Connection(conn_id="c", extra="{").extra_dejson, "not JSON"),
        (lambda: Connection.from_json('{"hots": 1}', "c"), "hots"),
        (lambda: Connection.from_json("[]", "c"), "object"),
    ],
)
def test_wrong_connections_are_named(make: Any, words: str) -> None:
    with pytest.raises(InvalidValue, match=words) as caught:
        make()
    assert "'c'" in str(caught.value)


def test_the_environment_comes_first(attempt: Attempt, bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.world.connections["db"] = Connection(conn_id="db", conn_type="sqlite", host="server")
    assert Connection.get("db").host == "server"
    monkeypatch.setenv("AIRFLOW_CONN_DB", "sqlite://airflow-env")
    assert Connection.get("db").host == "airflow-env"
    monkeypatch.setenv("TRADEWIND_CONN_DB", '{"conn_type": "sqlite", "host": "env"}')
    assert BaseHook.get_connection("db").host == "env"


def test_secrets_are_masked_before_they_are_seen(attempt: Attempt, bench: Any) -> None:
    bench.world.connections["db"] = Connection(
        conn_id="db", conn_type="http", password="p@ssword", extra={"api_key": "abcdefgh", "region": "europe"}
    )
    Connection.get("db")
    assert bench.world.secrets == {"p@ssword", "p%40ssword", "abcdefgh"}
    assert attempt.redact("x p@ssword abcdefgh europe") == "x *** *** europe"


def test_unknown_ones_say_where_was_looked(attempt: Attempt) -> None:
    with pytest.raises(AirflowNotFoundException, match=r"'nope'.*AIRFLOW_CONN_NOPE.*on the server") as caught:
        Connection.get("nope")
    assert isinstance(caught.value, NotFound)
    with pytest.raises(AirflowNotFoundException, match=r"'nope'.*TRADEWIND_VAR_NOPE.*on the server"):
        Variable.get("nope")


def test_outside_a_task_only_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowNotFoundException, match="only inside a running task"):
        Connection.get("nope")
    with pytest.raises(KeyError, match="only inside a running task"):
        Variable.get("nope")
    monkeypatch.setenv("TRADEWIND_VAR_NOPE", "yes")
    assert Variable.get("nope") == "yes"
    with pytest.raises(AirflowException, match="running task"):
        Variable.set("x", 1)
    with pytest.raises(AirflowException, match="running task"):
        Variable.delete("x")


def test_variables(attempt: Attempt, bench: Any) -> None:
    Variable.set("plain", 5)
    Variable.set("json", {"password": "swordfish", "n": [1]}, serialize_json=True)
    assert Variable.get("plain") == "5"
    assert Variable.get("json", deserialize_json=True) == {"password": "swordfish", "n": [1]}
    assert "swordfish" in bench.world.secrets
    assert Variable.get("gone", default=None) is None
    assert Variable.get("gone", default_var="x") == "x"
    bench.world.variables["gone_json"] = "{"
    with pytest.raises(InvalidValue, match="'gone_json' is not JSON"):
        Variable.get("gone_json", deserialize_json=True)
    Variable.delete("plain")
    assert Variable.get("plain", default=0) == 0


class EchoHook(BaseHook):
    def __init__(self, echo_conn_id: str, loud: bool = False) -> None:
        super().__init__()
        self.conn_id, self.loud = echo_conn_id, loud


def test_hooks_by_type() -> None:
    register_hook("echo", f"{__name__}:EchoHook", "echo_conn_id")
    import sys

    sys.modules.setdefault(__name__, sys.modules[EchoHook.__module__])
    hook = Connection(conn_id="c", conn_type="echo").get_hook(hook_params={"loud": True})
    assert (hook.conn_id, hook.loud) == ("c", True)
    with pytest.raises(AirflowException, match=r"type 'martian'.*postgres"):
        Connection(conn_id="c", conn_type="martian").get_hook()
