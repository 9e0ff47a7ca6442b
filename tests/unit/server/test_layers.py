"""What lies between the network and the faces: limits, packing, other sites, paths, metrics, TLS."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.unit.server.serving import CREDENTIAL, World, make_api, make_settings, running, serving

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.commands.users import create_user
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.telemetry import InProcessTelemetry
from tradewind.server.layers import Limits, Packed
from tradewind.server.metrics import render
from tradewind.server.problems import handlers
from tradewind.server.serving import ApiServer, listen
from tradewind.store.memory import MemoryStore
from tradewind.wire.errors import InvalidSetting
from tradewind.wire.execution import VERSION, VERSION_HEADER

LONG = {"text": "x" * 5000}


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def long(_request: Request) -> Response:
    return JSONResponse(LONG)


async def pieces(_request: Request) -> Response:
    async def each():
        yield b"a" * 2000
        yield b"b" * 2000

    return StreamingResponse(each(), media_type="text/plain")


ROUTES = [Route("/echo", echo, methods=["POST"]), Route("/long", long), Route("/pieces", pieces)]


def test_bodies_that_are_too_large_are_refused_before_and_while_they_come() -> None:
    with serving(Limits(Starlette(routes=ROUTES, exception_handlers=handlers()), 1000, 5)) as (client, port):
        assert client.ask("POST", "/echo", "x" * 1000).json() == {"bytes": 1000}
        assert client.ask("POST", "/echo", "x" * 1001).status == 413
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/echo", iter([b"x" * 600, b"x" * 600]), encode_chunked=True)
        assert connection.getresponse().status == 413
        connection.close()


def test_bodies_that_do_not_come_are_not_waited_for() -> None:
    with (
        serving(Limits(Starlette(routes=ROUTES, exception_handlers=handlers()), 1000, 0.05)) as (_, port),
        socket.create_connection(("127.0.0.1", port)) as line,
    ):
        line.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        assert b" 400 " in line.recv(65536).split(b"\r\n")[0]


def test_long_answers_are_packed_for_those_who_take_it() -> None:
    with serving(Packed(Starlette(routes=ROUTES), 1000)) as (client, _):
        packed = client.ask("GET", "/long", Accept_Encoding="br, gzip")
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept-Encoding"
        assert len(packed.body) == int(packed.headers["content-length"]) < 500
        assert json.loads(gzip.decompress(packed.body)) == LONG
        assert client.ask("GET", "/long").json() == LONG
        assert "content-encoding" not in client.ask("POST", "/echo", "x", Accept_Encoding="gzip").headers
        assert "content-encoding" not in client.ask("GET", "/pieces", Accept_Encoding="gzip").headers


def test_pages_of_other_sites_may_call_only_when_they_are_named(tmp_path: Path) -> None:
    preflight: dict[str, str] = {"Origin": "https://other.example", "Access_Control_Request_Method": "GET"}
    with running(tmp_path) as world:
        assert "access-control-allow-origin" not in world.client.ask("OPTIONS", "/api/v2/version", **preflight).headers
    settings: dict[str, Any] = {"api.cors_origins": "https://other.example"}
    with running(tmp_path, **settings) as world:
        headers = world.client.ask("OPTIONS", "/api/v2/version", **preflight).headers
        assert headers["access-control-allow-origin"] == "https://other.example"
        assert "access-control-allow-credentials" not in headers
        preflight["Origin"] = "https://evil.example"
        assert "access-control-allow-origin" not in world.client.ask("OPTIONS", "/api/v2/version", **preflight).headers


@pytest.mark.parametrize("prefix", ["", "/flows"])
def test_below_a_path_of_a_host_whether_the_proxy_leaves_it_or_not(tmp_path: Path, prefix: str) -> None:
    settings: dict[str, Any] = {"api.root_path": "/flows/"}
    with running(tmp_path, **settings) as world:
        assert world.settings.api.base_url.endswith("/flows")
        assert world.client.ask("GET", f"{prefix}/health/live").status == 200
        assert world.client.ask("GET", f"{prefix}/api/v2/version").status == 200
        given = {"Authorization": f"Bearer {CREDENTIAL}", VERSION_HEADER: VERSION}
        assert world.client.ask("POST", f"{prefix}/execution/exchange", b"?", **given).status == 422
        with world.store.begin() as tx:
            create_user(tx, Argon2Passwords(), SystemClock().now(), "ann", "correct horse battery", "Viewer")
        body = json.dumps({"username": "ann", "password": "correct horse battery"})
        answer = world.client.ask("POST", f"{prefix}/auth/login", body)
        assert "Path=/flows;" in answer.headers["set-cookie"]


def test_addresses_of_callers_are_those_that_trusted_proxies_tell(tmp_path: Path) -> None:
    seen: list[str] = []

    async def who(request: Request) -> Response:
        seen.append(f"{request.client.host if request.client else ''} {request.url.scheme}")
        return Response()

    forwarded = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}
    for trusted in ("", "127.0.0.0/8"):
        settings = make_settings(tmp_path, **{"api.trusted_proxies": trusted})
        with serving_with(Starlette(routes=[Route("/", who)]), settings) as port:
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/", headers={k.replace("_", "-"): v for k, v in forwarded.items()})
            connection.getresponse().read()
            connection.close()
    assert seen == ["127.0.0.1 http", "203.0.113.9 https"]


def test_metrics_for_this_machine_for_readers_of_jobs_and_for_nobody_else(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.client.ask("GET", "/api/v2/version")
        text = world.client.ask("GET", "/metrics").body.decode()
        assert 'tradewind_api_requests_total{face="api",method="GET",status="2xx",worker="' in text
        assert 'tradewind_pool_slots{pool="default_pool"} 128' in text
        assert "tradewind_api_request_seconds_bucket{" in text
        assert world.client.ask("GET", "/metrics", X_Forwarded_For="203.0.113.9").status == 401
        with world.store.begin() as tx:
            create_user(tx, Argon2Passwords(), SystemClock().now(), "ann", "correct horse battery", "Viewer")
        body = json.dumps({"username": "ann", "password": "correct horse battery"})
        token = world.client.ask("POST", "/auth/token", body).json()["access_token"]
        outside = {"X_Forwarded_For": "203.0.113.9", "Authorization": f"Bearer {token}"}
        assert world.client.ask("GET", "/metrics", **outside).status == 200
    for choice, status in (("open", 200), ("off", 404)):
        settings: dict[str, Any] = {"api.metrics": choice}
        with running(tmp_path / choice, **settings) as world:
            assert world.client.ask("GET", "/metrics", X_Forwarded_For="203.0.113.9").status == status


def test_labels_of_metrics_cannot_break_their_lines() -> None:
    telemetry = InProcessTelemetry()
    telemetry.gauge("odd", "A \\ and\na break.", ("name",)).set(1.5, name='a"b\\c\nd')
    assert render(telemetry.samples(), {}) == [
        "# HELP tradewind_odd A \\\\ and\\na break.",
        "# TYPE tradewind_odd gauge",
        'tradewind_odd{name="a\\"b\\\\c\\nd"} 1.5',
    ]


def test_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    settings = make_settings(tmp_path, **{"api.tls_cert": str(cert), "api.tls_key": str(key), "api.port": 1})
    assert settings.api.base_url == "https://127.0.0.1:1"
    assert settings.execution.url == "https://127.0.0.1:1"
    clock = SystemClock()
    values: dict[str, Any] = {"api.tls_cert": str(cert)}
    api, _ = make_api(tmp_path, MemoryStore(clock), clock, **values)
    with serving_with(api, settings) as port:
        context = ssl.create_default_context(cafile=str(cert))
        connection = HTTPSConnection("localhost", port, timeout=30, context=context)
        connection.request("GET", "/health/live")
        response = connection.getresponse()
        assert response.status == 200
        assert response.getheader("Strict-Transport-Security") == "max-age=31536000"
        connection.close()
    wrong = make_settings(tmp_path, **{"api.tls_cert": str(tmp_path / "none.pem")})
    with pytest.raises(InvalidSetting, match="tls_cert"):
        listen(wrong)


class serving_with:  # reads as a function
    """An application on a free port, served as `settings` say."""

    def __init__(self, app: Any, settings: Any) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self.server = ApiServer(app, [listener], getattr(app, "close", None), settings)

    def __enter__(self) -> int:
        self.server.start()
        assert self.server.wait_ready(30)
        return self.port

    def __exit__(self, *_: object) -> None:
        assert self.server.stop(30)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, key


def test_answers_of_the_whole_server_are_packed_and_bounded(world: World) -> None:
    assert world.client.ask("POST", "/api/v2/pools", "x" * (17 << 20)).status in (401, 413)
