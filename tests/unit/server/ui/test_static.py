"""The built app: its files, and its page for every path that no other face has."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.unit.server.serving import serving

from tradewind.server.ui.static import Screens


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<base href="/" /><meta content="__NONCE__">', encoding="utf-8")
    (tmp_path / "assets" / "app-1.js").write_text("let a = 1", encoding="utf-8")
    (tmp_path / "assets" / "app-1.js.gz").write_bytes(gzip.compress(b"let a = 1"))
    (tmp_path.parent / "secret.txt").write_text("secret", encoding="utf-8")
    return tmp_path


def faces() -> Starlette:
    return Starlette(
        routes=[Route("/{rest:path}", lambda _request: PlainTextResponse("a face"), methods=["GET", "POST"])]
    )


def test_a_browser_gets_the_page_everywhere_with_a_nonce_of_its_own(built: Path) -> None:
    with serving(Screens(faces(), built)) as (client, _):
        first = client.ask("GET", "/dags/a%2Fb/grid", None, accept="text/html")
        second = client.ask("GET", "/", None, accept="text/html,*/*")
    assert first.status == second.status == 200
    assert first.body != second.body
    nonce = first.body.decode().split('content="')[1].split('"')[0]
    assert f"'nonce-{nonce}'" in first.headers["content-security-policy"]
    assert "unsafe" not in first.headers["content-security-policy"]


def test_other_faces_and_other_clients_are_left_alone(built: Path) -> None:
    with serving(Screens(faces(), built)) as (client, _):
        for path in ("/api/v2/dags", "/ui/home", "/auth/me", "/health/live", "/execution/exchange"):
            assert client.ask("GET", path, None, accept="text/html").body == b"a face"
        assert client.ask("GET", "/dags", None, accept="application/json").body == b"a face"
        assert client.ask("POST", "/dags", None, accept="text/html").body == b"a face"


def test_assets_are_kept_for_ever_and_come_packed(built: Path) -> None:
    with serving(Screens(faces(), built)) as (client, _):
        plain = client.ask("GET", "/assets/app-1.js")
        packed = client.ask("GET", "/assets/app-1.js", None, accept_encoding="gzip")
        missing = client.ask("GET", "/assets/app-0.js", None, accept="text/html")
    assert "immutable" in plain.headers["cache-control"]
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == b"let a = 1"
    assert missing.body == b"a face"


@pytest.mark.parametrize("path", ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "//secret.txt"])
def test_nothing_outside_the_build_is_served(built: Path, path: str) -> None:
    with serving(Screens(faces(), built)) as (client, _):
        assert b"secret" not in client.ask("GET", path).body


def test_without_a_build_the_faces_answer(tmp_path: Path) -> None:
    with serving(Screens(faces(), tmp_path)) as (client, _):
        assert client.ask("GET", "/", None, accept="text/html").body == b"a face"
