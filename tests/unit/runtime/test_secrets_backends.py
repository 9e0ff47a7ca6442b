"""Secrets backends: files, Vault over HTTP, the chain, and the process they live in."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tradewind.kernel.clock import SystemClock
from tradewind.runtime.loop import Loop
from tradewind.runtime.secrets.backend import as_connection
from tradewind.runtime.secrets.chain import Chain, make_backends, read_arguments
from tradewind.runtime.secrets.client import SecretsClient, SecretsSettings
from tradewind.runtime.secrets.host_words import Found, Kind
from tradewind.runtime.secrets.vault import VaultBackend
from tradewind.wire.errors import InvalidSetting, Unavailable


class FakeVault(ThreadingHTTPServer):
    """Speaks the part of Vault's API that backends use."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.secrets: dict[str, Any] = {}
        self.tokens = {"root"}
        self.requests: list[tuple[str, str, str | None]] = []
        self.namespaces: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: FakeVault

    def do_GET(self) -> None:
        token = self.headers.get("X-Vault-Token")
        self.server.requests.append(("GET", self.path, token))
        self.server.namespaces.add(self.headers.get("X-Vault-Namespace"))
        if token not in self.server.tokens:
            self._say(403, {"errors": ["permission denied"]})
        elif self.path.removeprefix("/v1/") in self.server.secrets:
            self._say(200, self.server.secrets[self.path.removeprefix("/v1/")])
        else:
            self._say(404, {"errors": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(("POST", self.path, None))
        right = {
            "/v1/auth/approle/login": {"role_id": "r", "secret_id": "s"},
            "/v1/auth/userpass/login/ann": {"password": "p"},
            "/v1/auth/k8s/login": {"role": "etl", "jwt": "jwt"},
        }
        if right.get(self.path) != body:
            self._say(400, {"errors": ["invalid"]})
            return
        token = f"token-{len(self.server.tokens)}"
        self.server.tokens.add(token)
        self._say(200, {"auth": {"client_token": token}})

    def _say(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    server = FakeVault()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_vault_version_2_with_a_token(vault: FakeVault) -> None:
    vault.secrets = {
        "secret/data/connections/pg": {"data": {"data": {"conn_uri": "postgres://ann:pw@db/sales"}}},
        "secret/data/connections/fields": {"data": {"data": {"conn_type": "http", "host": "h", "extra": {"a": 1}}}},
        "secret/data/variables/key": {"data": {"data": {"value": "v"}}},
        "secret/data/variables/json": {"data": {"data": {"value": {"a": [1]}}}},
        "secret/data/variables/odd": {"data": {"data": {"other": "v"}}},
    }
    backend = VaultBackend(url=vault.url, token="root", namespace="team")
    found = backend.get_connection("pg")
    assert found is not None
    assert (found.conn_type, found.login, found.password, found.schema) == ("postgres", "ann", "pw", "sales")
    fields = backend.get_connection("fields")
    assert fields is not None
    assert fields.extra_dejson == {"a": 1}
    assert backend.get_connection("none") is None
    assert [backend.get_variable(key) for key in ("key", "json", "odd", "none")] == ["v", '{"a": [1]}', None, None]
    assert vault.namespaces == {"team"}


def test_vault_version_1_other_paths_and_kinds_that_are_elsewhere(vault: FakeVault) -> None:
    vault.secrets = {"kv/flows/vars/key": {"data": {"value": "v"}}}
    backend = VaultBackend(
        url=vault.url,
        token="root",
        mount_point="kv",
        variables_path="flows/vars",
        connections_path=None,
        kv_engine_version=1,
    )
    assert backend.get_variable("key") == "v"
    assert backend.get_connection("pg") is None
    assert len(vault.requests) == 1
    whole = VaultBackend(
        url=vault.url, token="root", mount_point=None, variables_path="kv/flows/vars", kv_engine_version=1
    )
    assert whole.get_variable("key") == "v"


@pytest.mark.parametrize("auth", ["approle", "userpass", "kubernetes"])
def test_ways_to_sign_in_to_vault_and_again_when_the_token_ended(vault: FakeVault, auth: str, tmp_path: Path) -> None:
    (tmp_path / "jwt").write_text("jwt\n")
    facts: dict[str, dict[str, Any]] = {
        "approle": {"role_id": "r", "secret_id": "s"},
        "userpass": {"username": "ann", "password": "p"},
        "kubernetes": {
            "kubernetes_role": "etl", "kubernetes_jwt_path": str(tmp_path / "jwt"), "auth_mount_point": "k8s"
        },
    }  # fmt: skip
    vault.secrets = {"secret/data/variables/key": {"data": {"data": {"value": "v"}}}}
    backend = VaultBackend(url=vault.url, auth_type=auth, **facts[auth])
    assert backend.get_variable("key") == "v"
    assert backend.get_variable("none") is None
    vault.tokens.clear()
    assert backend.get_variable("key") == "v"
    assert sum(method == "POST" for method, _, _ in vault.requests) == 2


def test_a_vault_that_refuses_or_is_away_is_said_without_secrets(vault: FakeVault) -> None:
    with pytest.raises(Unavailable, match="403"):
        VaultBackend(url=vault.url, token="canary").get_variable("key")
    with pytest.raises(Unavailable, match="refused to sign in") as refused:
        VaultBackend(url=vault.url, auth_type="approle", role_id="r", secret_id="canary").get_variable("key")
    assert "canary" not in str(refused.value)
    with pytest.raises(Unavailable, match="cannot be asked"):
        VaultBackend(url="http://127.0.0.1:9", token="canary").get_variable("key")
    for wrong in ({}, {"auth_type": "approle"}, {"auth_type": "magic"}, {"url": "file:///etc", "token": "t"}):
        with pytest.raises(InvalidSetting):
            VaultBackend(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["v.json", "v.yaml", "v.env"])
def test_files_are_read_anew_when_they_change(tmp_path: Path, name: str) -> None:
    texts = {"v.json": '{"key": "%s"}', "v.yaml": "key: %s\n", "v.env": "key=%s\n"}
    path = tmp_path / name
    path.write_text(texts[name] % "one")
    (tmp_path / "c.json").write_text('{"pg": "postgres://h/x", "web": {"conn_type": "http", "host": "w"}}')
    kwargs = json.dumps({"variables_file_path": str(path), "connections_file_path": str(tmp_path / "c.json")})
    chain = Chain(make_backends("file", kwargs))
    assert chain.variable("key") == "one"
    assert chain.variable("none") is None
    path.write_text(texts[name] % "three")
    assert chain.variable("key") == "three"
    found = chain.connection("web")
    assert found is not None
    assert (found.conn_type, found.host) == ("http", "w")


class Custom:
    """A backend as people write them for Airflow."""

    def __init__(self, answer: str = "") -> None:
        self.answer = answer

    def get_conn_value(self, conn_id: str) -> str | None:
        return f"http://{self.answer}" if conn_id == "here" else None

    def get_variable(self, key: str) -> str | None:
        if key == "broken":
            raise RuntimeError("canary")
        return self.answer if key == "here" else None


CUSTOM = f"{__name__}.Custom"


def test_several_backends_are_asked_in_turn_and_a_broken_one_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"here": "file", "broken": "file", "only": "file"}')
    kwargs = {CUSTOM: {"answer": "custom"}, "file": {"variables_file_path": str(tmp_path / "v.json")}}
    chain = Chain([Custom("custom"), *make_backends("file", json.dumps(kwargs["file"]))])
    assert [chain.variable(key) for key in ("here", "broken", "only", "none")] == ["custom", "file", "file", None]
    found = chain.connection("here")
    assert found is not None
    assert found.host == "custom"
    assert read_arguments([CUSTOM, "file"], json.dumps(kwargs)) == [kwargs[CUSTOM], kwargs["file"]]


@pytest.mark.parametrize(
    ("backend", "kwargs"),
    [
        ("magic", ""),
        ("no.such.Class", ""),
        ("file", "canary"),
        ("file", "[]"),
        ("a,b", '{"a": 1}'),
        ("json.JSONDecoder", '{"x": 1}'),
    ],
)
def test_settings_that_make_no_backend(backend: str, kwargs: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        make_backends(backend, kwargs)
    assert "canary" not in str(refused.value)


def test_connections_in_whatever_form() -> None:
    assert as_connection("c", {"conn_uri": "http://h"}).host == "h"
    assert as_connection("c", {"user": "ann", "type": "http"}).login == "ann"
    assert as_connection("c", '{"conn_type": "http", "host": "h"}').host == "h"


class Asker:
    """Asks a client on a loop, and waits for the answer."""

    def __init__(self, settings: SecretsSettings) -> None:
        self.loop = Loop()
        self.client = SecretsClient(self.loop, settings, SystemClock())

    def ask(self, kind: Kind, name: str) -> Found:
        answers: list[Found] = []
        self.client.ask(kind, name, answers.append)
        while not answers:
            self.loop.turn()
        return answers[0]

    def close(self) -> None:
        self.client.close()
        self.loop.close()


def test_the_host_answers_keeps_and_survives_its_own_death(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text('{"key": "one"}')
    (tmp_path / "c.json").write_text('{"pg": "postgres://ann:pw@h/x"}')
    kwargs = {"variables_file_path": str(path), "connections_file_path": str(tmp_path / "c.json")}
    asker = Asker(SecretsSettings("file", json.dumps(kwargs), cache_seconds=3600))
    try:
        assert asker.ask("variable", "key").text == "one"
        facts = asker.ask("connection", "pg").connection
        assert facts is not None
        assert (facts.conn_id, facts.password) == ("pg", "pw")
        path.write_text('{"key": "another"}')
        assert asker.ask("variable", "key").text == "one", "kept"
        assert asker.ask("variable", "none").text is None
        process = asker.client._process
        assert process is not None
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes() + Path(f"/proc/{process.pid}/environ").read_bytes()
        assert os.fsencode(path) not in command, "what a backend is told is in no argument and no environment"
        process.kill()
        process.wait()
        asker.client._kept.clear()
        # The one that was asked of the dead process knows nothing; the next is asked of a new one.
        answers = [asker.ask("variable", "key").text for _ in range(2)]
        assert answers[-1] == "another"
    finally:
        asker.close()


def test_a_backend_that_hangs_or_cannot_be_made_does_not_hold_anybody_up(tmp_path: Path) -> None:
    fifo = tmp_path / "hangs.json"
    os.mkfifo(fifo)
    asker = Asker(SecretsSettings("file", json.dumps({"variables_file_path": str(fifo)}), timeout_seconds=1.5))
    try:
        assert asker.ask("variable", "key").text is None
    finally:
        asker.close()
    asker = Asker(SecretsSettings("vault", "{}"))
    try:
        assert "token" in (asker.ask("variable", "key").problem or "")
    finally:
        asker.close()
