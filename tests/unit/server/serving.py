"""A real server on a free port for tests: the product's application on the memory store, and a plain HTTP client."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.adapters.tokens import BearerTokens
from tradewind.adapters.vault import FernetVault
from tradewind.commands.execution import ExecutionDesk
from tradewind.kernel.clock import Clock, SystemClock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.settings import Settings, load_settings
from tradewind.ports.rows import ComponentRow
from tradewind.ports.store import Store
from tradewind.runtime.plugin_probe import Plugins
from tradewind.server.app_factory import Api, create_api
from tradewind.server.execution.desks import Desk
from tradewind.server.serving import ApiServer
from tradewind.store.memory import MemoryStore
from tradewind.wire.execution import VERSION, VERSION_HEADER

CREDENTIAL = "c" * 64
KEY = b"k" * 32


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        response = self.connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def exchange(self, body: bytes, **headers: str) -> Answer:
        given = {"Authorization": f"Bearer {CREDENTIAL}", VERSION_HEADER: VERSION}
        return self.ask(
            "POST", "/execution/exchange", body, **(given | {k.replace("_", "-"): v for k, v in headers.items()})
        )

    def close(self) -> None:
        self.connection.close()


class World(NamedTuple):
    """A server that runs."""

    client: Client
    store: Store
    settings: Settings
    api: Api
    port: int


def make_settings(home: Path, **values: object) -> Settings:
    return load_settings({}, home).replace(**values)


def make_api(
    home: Path,
    store: Store,
    clock: Clock,
    make_desk: Callable[[], Desk] | None = None,
    *,
    plugins: Callable[[], Plugins] = Plugins,
    **values: object,
) -> tuple[Api, Settings]:
    settings = make_settings(home, **values)
    vault = FernetVault(settings.secrets.key_file)
    api = create_api(
        store,
        make_desk or (lambda: ExecutionDesk(store, clock, vault, lambda: str(uuid7()))),
        settings,
        clock,
        credential=CREDENTIAL,
        passwords=Argon2Passwords(),
        tokens=BearerTokens(KEY, clock, settings.auth.token_seconds),
        vault=vault,
        plugins=plugins,
    )
    return api, settings


@contextmanager
def running(
    home: Path,
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    make_desk: Callable[[], Desk] | None = None,
    api: Api | None = None,
    **values: object,
) -> Iterator[World]:
    """The server, ready; stopped at the end of the block. `api` replaces the application that the rest would make."""
    clock = clock or SystemClock()
    store = store or MemoryStore(clock)
    made, settings = make_api(home, store, clock, make_desk, plugins=Plugins, **values)
    api = api or made
    with serving(api, api.close) as (client, port):
        yield World(client, store, settings, api, port)


@contextmanager
def serving(app: ASGIApp, on_stopped: Callable[[], None] | None = None) -> Iterator[tuple[Client, int]]:
    """Any application on a free port; a client and the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = ApiServer(app, [listener], on_stopped)
    server.start()
    assert server.wait_ready(30)
    client = Client(port)
    try:
        yield client, port
    finally:
        client.close()
        assert server.stop(30)


def beat(store: Store, clock: Clock, *kinds: str) -> None:
    """Have a process of each kind send a heartbeat now."""
    now = clock.now()
    with store.begin() as tx:
        for kind in kinds:
            row = ComponentRow(
                kind=kind,
                id=str(uuid7()),
                name=f"host:{kind}",
                hostname="host",
                pid=1,
                started_at=now,
                heartbeat_at=now,
            )
            tx.component_start(row)
