from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from tests.unit.server.serving import World, make_settings, running, serving

from tradewind.server.door import Door
from tradewind.server.headers import SecurityHeaders
from tradewind.server.problems import BugLog, handlers
from tradewind.server.serving import listen
from tradewind.wire.errors import Conflict, Unavailable


def test_the_page_at_the_root_says_what_runs_and_where(world: World) -> None:
    answer = world.client.ask("GET", "/")
    assert answer.status == 200
    page = answer.body.decode()
    assert str(world.settings.core.dags_folder) in page
    for word in ("scheduler", "dag-processor", "agent", "not ready", "/health/ready"):
        assert word in page
    assert "<script" not in page


@pytest.mark.parametrize("path", ["/", "/health/live", "/api/v2/version", "/nothing/here"])
def test_every_answer_forbids_what_we_did_not_mean(world: World, path: str) -> None:
    headers = world.client.ask("GET", path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/v2/nothing", 404),
        ("POST", "/health/ready", 405),
        ("GET", "/auth/token", 405),
        ("DELETE", "/api/v2/version", 405),
    ],
)
def test_what_is_not_there_is_a_problem(world: World, method: str, path: str, status: int) -> None:
    answer = world.client.ask(method, path)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert path in said["detail"]


def test_errors_of_handlers_become_problems_and_bugs_tell_nothing() -> None:
    async def conflict(_request: Request) -> Response:
        raise Conflict("run 'r' exists already")

    async def bug(_request: Request) -> Response:
        raise ValueError("secret detail")

    async def torn(_request: Request) -> Response:
        async def pieces():
            yield b"half"
            raise ValueError("in the middle")

        return StreamingResponse(pieces())

    routes = [Route("/conflict", conflict), Route("/bug", bug), Route("/torn", torn)]
    app = SecurityHeaders(BugLog(Starlette(routes=routes, exception_handlers=handlers())))
    with serving(app) as (client, _):
        answer = client.ask("GET", "/conflict")
        assert answer.status == 409
        assert answer.json() == {
            "type": "about:blank",
            "title": "The thing exists already, or its state does not allow this.",
            "status": 409,
            "detail": "run 'r' exists already",
            "error": "Conflict",
        }
        answer = client.ask("GET", "/bug")
        assert answer.status == 500
        assert b"secret detail" not in answer.body
        with pytest.raises(http.client.IncompleteRead):
            client.ask("GET", "/torn")


def test_a_door_opens_once_and_again_after_a_failure() -> None:
    made: list[str] = []

    def make() -> Starlette:
        made.append("tried")
        if len(made) == 1:
            raise Unavailable("not yet")
        return Starlette(routes=[Route("/", lambda _request: Response("in"))])

    app = Starlette(routes=[Route("/", Door(make))], exception_handlers=handlers())
    with serving(BugLog(app)) as (client, _):
        assert client.ask("GET", "/").status == 503
        for _ in range(3):
            assert client.ask("GET", "/").body == b"in"
    assert len(made) == 2


def test_a_port_in_use_is_said_with_the_settings_to_change(tmp_path: Path, world: World) -> None:
    settings = make_settings(tmp_path, **{"api.port": world.port})
    with pytest.raises(Unavailable, match=rf"port {world.port}: .*api\.port"):
        listen(settings)
    with pytest.raises(Unavailable, match=r"no-such-host\.invalid.*api\.host"):
        listen(make_settings(tmp_path, **{"api.host": "no-such-host.invalid"}))


def test_it_listens_where_the_settings_say(tmp_path: Path, world: World) -> None:
    free = world.port
    world.client.close()
    with running(tmp_path / "other") as other:
        assert other.port != free
    with listen(make_settings(tmp_path, **{"api.port": other.port})) as listener:
        assert listener.getsockname() == ("127.0.0.1", other.port)


def test_what_is_heavy_is_not_loaded_before_it_is_needed() -> None:
    program = (
        "import sys\nimport tradewind.server.serving\nimport tradewind.adapters.vault, tradewind.adapters.tokens\n"
    )
    program += "import tradewind.adapters.passwords\nprint('\\n'.join(sys.modules))"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    heavy = {
        "fastapi",
        "pydantic",
        "jwt",
        "argon2",
        "cryptography",
        "sqlalchemy",
        "tradewind.sdk",
        "jinja2",
        "pendulum",
    }
    assert not heavy & set(output.stdout.split())
