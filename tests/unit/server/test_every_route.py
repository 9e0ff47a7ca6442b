"""Every route of every face × every role × a foreign DAG. The routes are read from the application, so a new one is
examined as soon as it is there; one that lets somebody in who should stay outside makes this red.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.routing import Mount
from tests.unit.server.public.world import START, World, task

from tradewind.commands.secrets import set_connection, set_variable
from tradewind.domain.roles import ADMIN, OP, USER, VIEWER
from tradewind.ports.people_rows import RoleRow
from tradewind.server.door import Door
from tradewind.server.public.app import make_application
from tradewind.server.public.description import describe
from tradewind.store import schema
from tradewind.wire.execution import ConnectionFacts

OPEN = {
    "GET /",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",  # this machine asks; test_layers has the others
    "GET /auth/providers",
    "POST /auth/token",
    "POST /auth/token/cli",
    "POST /auth/login",
    "GET /api/v2/version",
    "GET /api/v2/monitor/health",
    "GET /api/v2/auth/login",
    "GET /api/v2/auth/logout",
    "GET /api/v2/openapi.json",
    "GET /openapi.json",
}
"""Answered without credentials, on purpose."""
ACROSS = {
    "POST /api/v2/dags/{dag_id}/dagRuns/list",
    "POST /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/list",
}
"""Take ~ for a DAG and nothing else."""
UNKNOWN_FIRST = {
    "GET /api/v2/connections/enqueue-test",
    "POST /api/v2/assets/{asset_id}/materialize",
    "PUT /api/v2/parseDagFile/{file_token}",
}
"""What they name, by a token or a number, has to be there before anything can be asked of it."""
OWN = {"POST /auth/logout", "POST /auth/logout/everywhere", "POST /auth/password", "POST /auth/api-tokens"}
"""What everybody may do with his own account."""
OF_OWN = ("/auth/sessions", "/auth/api-tokens")
STARS = re.compile(r"/api/v2/dags/[^/]+/(un)?favorite$")
ORDER = (VIEWER, USER, OP, ADMIN)
READ_FROM = {
    "/api/v2/connections": OP,
    "/api/v2/variables": OP,
    "/api/v2/config": OP,
    "/api/v2/plugins": OP,
    "/api/v2/providers": OP,
    "/api/v2/eventLogs": ADMIN,
    "/ui/connections": OP,
    "/auth/users": ADMIN,
    "/auth/roles": ADMIN,
    "/auth/fab": ADMIN,
}
WRITE_FROM = {
    "/api/v2/connections": OP,
    "/api/v2/variables": OP,
    "/api/v2/pools": OP,
    "/api/v2/backfills": OP,
    "/auth/users": ADMIN,
    "/auth/roles": ADMIN,
    "/auth/fab": ADMIN,
}
"""The least role, by the beginning of the path; all else: Viewer reads, User writes."""
NAMES = {
    "dag_id": "theirs",
    "dag_run_id": "r1",
    "run_id": "r1",
    "task_id": "extract",
    "map_index": "-1",
    "task_group_id": "group",
    "connection_id": "warehouse",
    "variable_key": "key",
    "pool_name": "default_pool",
    "username": "nobody",
    "name": "nothing",
    "session_id": "0123456789abcdef",
    "token_id": "0123456789abcdef",
    "xcom_key": "return_value",
    "section": "core",
    "option": "parallelism",
}


class Asked(NamedTuple):
    method: str
    path: str
    """With its parameters in braces."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_read(self) -> bool:
        return self.method == "GET" or self.path.endswith(("/list", "/dry_run"))

    def filled(self, **names: str) -> str:
        def name(found: re.Match[str]) -> str:
            return {**NAMES, **names}.get(found[1].partition(":")[0], "1")

        return re.sub(r"{([^}]+)}", name, self.path) + ("?interval=1" if self.path.endswith("/wait") else "")


def every_route(routes: Any, prefix: str = "") -> Iterator[Asked]:
    for route in routes:
        if isinstance(route, Mount):
            inner: Any = route.app.open() if isinstance(route.app, Door) else route.app
            yield from every_route(inner.routes, prefix + route.path)
        elif (router := getattr(route, "original_router", None)) is not None:  # how FastAPI keeps included routers
            yield from every_route(router.routes, prefix)
        else:
            for method in sorted((route.methods or {"GET"}) - {"HEAD", "OPTIONS"}):
                if not route.path.startswith("/api/v1"):  # removed, which it tells everybody
                    yield Asked(method, (prefix + route.path) or "/")


def described_routes() -> Iterator[Asked]:
    """What the contract of the public face names."""
    for path, operations in describe(make_application(), "/api/v2")["paths"].items():
        for method in operations.keys() & {"get", "post", "put", "patch", "delete"}:
            yield Asked(method.upper(), path if path.startswith("/api/v2") else f"/api/v2{path}")


class Guarded:
    """A world with DAGs of two teams, and people of every kind."""

    def __init__(self, home: Path) -> None:
        url = f"sqlite:///{home}/tradewind.db"
        schema.migrate(url)
        self.world = World(home, url)
        for dag_id, tag in (("mine", "finance"), ("theirs", "hidden-tag")):
            self.world.publish(dag_id, task("extract"), row={"tags": (tag,)}, source=f"# source of {dag_id}")
            self.world.start(self.world.put_run(dag_id, 1, run_id="r1"))
        with self.world.store.begin() as tx:
            tx.role_put(RoleRow(name="Finance", grants=("*:dag@dag:mine",), created_at=START))
            facts = ConnectionFacts(conn_id="warehouse", conn_type="http", host="h", password="canary-secret")
            set_connection(tx, self.world.vault, facts)
            set_variable(tx, self.world.vault, "key", "canary-secret")
        self.tokens = {role: self.world.make_user(role.lower(), role) for role in (*ORDER, "Finance")}
        found = {*every_route(self.world.api.routes), *described_routes()}
        self.routes = [route for route in sorted(found) if "stream" not in route.path]
        """The stream of news has no end; it asks the same questions as the rest of its face."""

    def ask(self, method: str, path: str, role: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        body: dict[str, Any] = {} if method == "GET" else {"json": body_for(method, path)}

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.world.api)
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30) as client:
                return await client.request(method, path, headers=headers, **body)

        return asyncio.run(go())


def body_for(method: str, path: str) -> Any:
    """A body that gets past the schema, where an empty one does not."""
    for ending, body in BODIES.items():
        verb, _, pattern = ending.partition(" ")
        if verb == method and re.search(pattern, path):
            return body
    return {}


BODIES: dict[str, Any] = {
    r"POST /dagRuns$": {"logical_date": None},
    r"PATCH /dagRuns$": {"actions": []},
    r"POST /clearDagRuns$": {"dag_runs": [{"dag_id": "theirs", "dag_run_id": "r1"}], "dry_run": False},
    r"PATCH /taskInstances$": {"actions": []},
    r"POST /xcomEntries$": {"key": "k", "value": 1},
    r"PATCH /xcomEntries/": {"value": 1},
    r"PUT /state-?store/": {"value": "1"},
    r"PATCH /state-?store/": {"value": "1"},
    r"PATCH /hitlDetails$": {"chosen_options": ["x"]},
    r"PATCH /(connections|variables|pools)$": {"actions": []},
    r"POST /connections$": {"connection_id": "new", "conn_type": "http"},
    r"POST /connections/(test|enqueue-test)$": {"connection_id": "new", "conn_type": "http"},
    r"PATCH /connections/": {"connection_id": "warehouse", "conn_type": "http"},
    r"POST /variables$": {"key": "new", "value": "v"},
    r"PATCH /variables/": {"key": "key", "value": "v"},
    r"POST /pools$": {"name": "new", "slots": 1},
    r"PATCH /pools/": {"slots": 1},
    r"POST /backfills": {"dag_id": "theirs", "from_date": "2026-01-01T00:00:00Z", "to_date": "2026-01-02T00:00:00Z"},
    r"POST /assets/events$": {"asset_id": 1},
    r"PATCH /api/v2/dags(/[^/]+)?$": {"is_paused": True},
    r"PATCH /dagRuns/[^/]+$": {"state": "failed"},
    r"PATCH /task(Group)?Instances/": {"new_state": "failed"},
    r"POST /(clear|clearTaskInstances)$": {"dry_run": False},
    r"POST /clearPartitions$": {"run_id": "r1", "dry_run": False},
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("guarded"))
    yield made
    made.world.close()


def test_the_walk_finds_every_face(guarded: Guarded) -> None:
    paths = {route.path for route in guarded.routes}
    assert len({path for path in paths if path.startswith("/api/v2/")}) >= 88
    for face in ("/ui/dags", "/auth/me", "/health/live"):
        assert face in paths


def test_nobody_comes_in_without_credentials(guarded: Guarded) -> None:
    wrong = {}
    for route in guarded.routes:
        status = guarded.ask(route.method, route.filled(), None).status_code
        if str(route) in OPEN:
            assert status not in (404, 405), f"{route} is not there"
        elif status != 401:
            wrong[str(route)] = status
    assert wrong == {}


def test_a_foreign_dag_is_as_unknown_as_one_that_there_is_not(guarded: Guarded) -> None:
    wrong = {}
    for route in guarded.routes:
        if "{dag_id}" not in route.path or str(route) in ACROSS:
            continue
        foreign, unknown = (
            guarded.ask(route.method, route.filled(dag_id=name), "Finance") for name in ("theirs", "nonexist")
        )
        said = (foreign.status_code, foreign.text.replace("theirs", "X"))
        alike = said == (unknown.status_code, unknown.text.replace("nonexist", "X"))
        # Whoever may see no assets at all is told so, whatever DAG he names.
        if not alike or foreign.status_code != (403 if "queuedEvents" in route.path else 404):
            wrong[str(route)] = (*said, unknown.status_code, unknown.text)
    assert wrong == {}


def test_one_s_own_dag_is_not_hidden(guarded: Guarded) -> None:
    for path in ("/api/v2/dags/mine", "/api/v2/dags/mine/dagRuns/r1", "/api/v2/dagSources/mine", "/ui/dags/mine"):
        assert guarded.ask("GET", path, "Finance").status_code == 200, path


def test_lists_tell_nothing_of_foreign_dags(guarded: Guarded) -> None:
    told = {}
    for route in guarded.routes:
        if not route.is_read:
            continue
        if route.path.endswith("/wait"):
            continue
        path = route.filled(dag_id="~", dag_run_id="~", run_id="~", task_id="~")
        answer = guarded.ask(route.method, path, "Finance")
        assert answer.status_code < 500 or route.path == "/health/ready", (route, answer.text)
        if answer.status_code < 300 and route.path != "/metrics" and re.search("theirs|hidden-tag", answer.text):
            told[str(route)] = answer.text
    assert told == {}


def least_role(route: Asked) -> str:
    if str(route) in OWN or route.path.startswith(OF_OWN) or STARS.search(route.path):
        return VIEWER
    if route.is_read and not (route.path.endswith("/dry_run") and "backfills" in route.path):
        table, otherwise = READ_FROM, VIEWER
    else:
        table, otherwise = WRITE_FROM, USER
        if "xcomEntries" in route.path or "state-store" in route.path:
            return OP
        if "/assets/" in route.path and route.method == "DELETE":
            return OP
    return next((role for start, role in table.items() if route.path.startswith(start)), otherwise)


@pytest.mark.parametrize("role", ORDER[:-1])
def test_what_is_above_a_role_is_refused(guarded: Guarded, role: str) -> None:
    wrong = {}
    for route in guarded.routes:
        if str(route) in OPEN or ORDER.index(least_role(route)) <= ORDER.index(role):
            continue
        status = guarded.ask(route.method, route.filled(), role).status_code
        if status != 403 and not (str(route) in UNKNOWN_FIRST and status in (404, 422)):
            wrong[str(route)] = status
    assert wrong == {}


@pytest.mark.parametrize("role", ORDER)
def test_reading_what_a_role_may_is_not_refused(guarded: Guarded, role: str) -> None:
    wrong = {}
    for route in guarded.routes:
        if route.method != "GET" or route.path.endswith("/wait") or ORDER.index(least_role(route)) > ORDER.index(role):
            continue
        status = guarded.ask("GET", route.filled(), role).status_code
        if status in (401, 403) or (status >= 500 and route.path != "/health/ready"):
            wrong[str(route)] = status
    assert wrong == {}


def test_no_answer_holds_a_secret(guarded: Guarded) -> None:
    told = []
    for route in guarded.routes:
        if (
            route.method == "GET"
            and not route.path.endswith("/wait")
            and not route.path.startswith("/api/v2/variables")
        ):
            told += [str(route)] * ("canary-secret" in guarded.ask("GET", route.filled(), ADMIN).text)
    assert told == []
