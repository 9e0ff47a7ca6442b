"""What attackers try: other paths, other headers, names that are programs, tokens that are none, requests in two."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.server.serving import World, running

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.adapters.vault import FernetVault
from tradewind.commands.secrets import set_connection
from tradewind.commands.users import create_user, password_mark, require_user
from tradewind.kernel.clock import SystemClock
from tradewind.store import open_store, schema
from tradewind.wire.execution import ConnectionFacts

PASSWORD = "correct horse battery"
SCRIPT = "<script>alert(1)</script>"
CANARY = "canary-9f2b-secret"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home}/tradewind.db"
    schema.migrate(url)
    from tradewind.kernel.settings import load_settings

    store = open_store(load_settings({}, home).database)
    with running(home, store=store) as world:
        now = SystemClock().now()
        with store.begin() as tx:
            create_user(tx, Argon2Passwords(), now, "root", PASSWORD, "Admin", first_name=SCRIPT)
            vault = FernetVault(world.settings.secrets.key_file)
            set_connection(tx, vault, ConnectionFacts(conn_id="c", conn_type="http", password=CANARY))
        (home / "logs").mkdir(exist_ok=True)
        yield world
    store.close()


@pytest.fixture(scope="module")
def bearer(world: World) -> str:
    body = json.dumps({"username": "root", "password": PASSWORD})
    return f"Bearer {world.client.ask('POST', '/auth/token', body).json()['access_token']}"


@pytest.mark.parametrize(
    "path",
    [
        "/../keys/fernet.key",
        "/..%2fkeys%2ffernet.key",
        "/assets/..%2f..%2f..%2fkeys/fernet.key",
        "/assets/%2e%2e/%2e%2e/keys/fernet.key",
        "/ui/../keys/fernet.key",
        "/api/v2/dags/..%2f..%2fkeys/dagRuns/fernet.key/taskInstances/x/logs/1",
        "/api/v2/dags/d/dagRuns/..%2F..%2F..%2Fkeys/taskInstances/fernet.key/logs/1",
        "/api/v2/dagSources/..%2f..%2fkeys%2ffernet.key",
        "/api/v2/config/section/..%2f/option/x",
        "/..%5c..%5ckeys%5cfernet.key",
        "/%00/keys/fernet.key",
    ],
)
def test_no_path_leads_to_files(world: World, bearer: str, path: str) -> None:
    key = world.settings.secrets.key_file.read_bytes().strip()
    answer = world.client.ask("GET", path, Authorization=bearer)
    assert answer.status in (200, 400, 404, 422)
    assert key not in answer.body
    if answer.status == 200:
        assert answer.headers["content-type"].startswith("text/html"), "the page of the screens, nothing else"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/dags/x%0d%0aSet-Cookie:%20planted=1",
        "/auth/oidc/login?next=%0d%0aSet-Cookie:%20planted=1",
        "/auth/users/x%0d%0aX-Planted:%201",
        "/x%0d%0aX-Planted:%201",
    ],
)
def test_names_do_not_become_headers(world: World, bearer: str, path: str) -> None:
    answer = world.client.ask("GET", path, Authorization=bearer)
    assert "planted" not in answer.headers.get("set-cookie", "")
    assert "x-planted" not in answer.headers


def test_requests_in_two_are_refused(world: World) -> None:
    """Both lengths at once: a proxy before us could see another request than we do."""
    head = b"POST /auth/token HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as line:
        line.sendall(head + b"0\r\n\r\nGET /auth/me HTTP/1.1\r\nHost: h\r\n\r\n")
        line.shutdown(socket.SHUT_WR)
        received = b""
        while data := line.recv(65536):
            received += data
    assert b" 400 " in received.split(b"\r\n")[0]
    assert received.count(b"HTTP/1.1 ") == 1


def test_names_that_are_programs_stay_text(world: World, bearer: str) -> None:
    made = world.client.ask(
        "POST",
        "/api/v2/pools",
        json.dumps({"name": SCRIPT, "slots": 1}),
        Authorization=bearer,
        Content_Type="application/json",
    )
    assert made.status == 201
    for path in ("/api/v2/pools", "/auth/users", "/auth/me", f"/api/v2/dags/{SCRIPT}", "/api/v2/eventLogs"):
        answer = world.client.ask("GET", path, Authorization=bearer, Accept="text/html,*/*")
        assert "json" in answer.headers["content-type"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    page = world.client.ask("GET", "/", Accept="text/html")
    assert (
        "script-src" in page.headers["content-security-policy"]
        or "default-src 'none'" in page.headers["content-security-policy"]
    )
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    assert SCRIPT.encode() not in page.body


@pytest.mark.parametrize("algorithm", ["none", "HS512", "RS256"])
def test_tokens_that_choose_their_own_algorithm_are_none(world: World, algorithm: str) -> None:
    import base64

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    with world.store.read() as tx:
        mark = password_mark(require_user(tx, "root"))
    claims = {"sub": "root", "pwd": mark, "iss": "tradewind", "iat": 1, "exp": 1 << 40}
    token = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}."
    assert world.client.ask("GET", "/auth/me", Authorization=f"Bearer {token}").status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer  ",
        "Basic cm9vdDp4",
        "Bearer \x7f",
        "bearer tw_",
        "Bearer tw_0123456789abcdef_",
        "Token x",
        "Bearer a.b.c.d",
    ],
)
def test_credentials_that_are_none(world: World, authorization: str) -> None:
    assert world.client.ask("GET", "/auth/me", Authorization=authorization).status in (400, 401)


def test_the_canary_is_told_to_nobody(world: World, bearer: str, capfd: pytest.CaptureFixture[str]) -> None:
    said = []
    for method, path, body in (
        ("GET", "/api/v2/connections/c", None),
        ("GET", "/api/v2/connections", None),
        ("PATCH", "/api/v2/connections/c", {"connection_id": "c", "conn_type": "http", "port": "x"}),
        (
            "PATCH",
            "/api/v2/connections/c",
            {"connection_id": "c", "conn_type": "http", "password": CANARY + "2", "odd": 1},
        ),
        (
            "POST",
            "/api/v2/connections/test",
            {"connection_id": "c", "conn_type": "http", "host": "127.0.0.1:9", "password": CANARY},
        ),
        ("POST", "/auth/token", {"username": "root", "password": CANARY}),
        ("POST", "/auth/users", {"username": "x", "password": CANARY, "roles": ["None"]}),
        ("GET", "/api/v2/eventLogs", None),
        ("GET", "/api/v2/config", None),
        ("GET", "/metrics", None),
    ):
        text = None if body is None else json.dumps(body)
        answer = world.client.ask(method, path, text, Authorization=bearer, Content_Type="application/json")
        assert answer.status < 500
        said.append(answer.body.decode())
    with world.store.read() as tx:
        said.append(repr(tx.audit_list(limit=1000)))
    out, err = capfd.readouterr()
    assert CANARY not in "".join((*said, out, err))


def test_keys_and_database_are_for_their_owner_alone(world: World) -> None:
    for path in (Path(world.settings.secrets.key_file),):
        assert path.stat().st_mode & 0o077 == 0
