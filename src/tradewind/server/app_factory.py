"""The API as one ASGI application: the execution face beside the faces for people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tradewind.commands.users import Passwords
from tradewind.kernel.clock import Clock
from tradewind.kernel.settings import Settings
from tradewind.kernel.telemetry import InProcessTelemetry
from tradewind.ports.store import Store
from tradewind.ports.vault import Vault
from tradewind.runtime.plugin_probe import Plugins

from . import former, health, metrics, welcome
from .auth import Gate, SignIn
from .auth.gate import Tokens
from .database import Database
from .door import Door
from .execution import PATH, DeskPool, ExchangeFace
from .execution.desks import Desk
from .headers import SecurityHeaders
from .layers import Limits, Packed, Rooted, across_sites
from .metrics import RequestMeter
from .presence import Presence
from .problems import BugLog, handlers
from .public.office import Office
from .ui.static import Screens


class Api:
    """The ASGI application. `close` when nobody asks any more."""

    def __init__(
        self,
        exchange: ASGIApp,
        faces: ASGIApp,
        presence: Presence,
        closing: tuple[Callable[[], None], ...],
        ending: list[Callable[[], None]],
        gate: Gate,
        root_path: str = "",
        routes: Sequence[BaseRoute] = (),
    ) -> None:
        self._exchange = exchange
        self._faces = faces
        self._presence = presence
        self._closing = closing
        self._ending = ending
        # A proxy may leave the path below which we live, or take it away.
        self._exchange_paths = (PATH, root_path + PATH)
        self.gate = gate
        """Recognises people."""
        self.routes = routes
        """Everything under the faces for people; a face that is loaded late stands behind a `Door`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The hot path passes no layer that it does not need.
        if scope["type"] == "http" and scope["path"].endswith(PATH) and scope["path"] in self._exchange_paths:
            await self._exchange(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._faces(scope, receive, send)

    def end_streams(self) -> None:
        """End the answers that would go on for ever: the server stops. In the loop's thread."""
        for each in self._ending:
            each()

    def close(self) -> None:
        """Free the threads."""
        for each in self._closing:
            each()

    async def _live(self, receive: Receive, send: Send) -> None:
        """From the start of the server to its end."""
        await receive()
        beating = asyncio.create_task(self._presence.keep(), name="presence")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        beating.cancel()
        try:
            await beating
        except asyncio.CancelledError:
            pass  # as asked
        await self._presence.leave()
        await send({"type": "lifespan.shutdown.complete"})


def create_api(
    store: Store,
    make_desk: Callable[[], Desk],
    settings: Settings,
    clock: Clock,
    *,
    credential: str,
    passwords: Passwords,
    tokens: Tokens,
    vault: Vault,
    plugins: Callable[[], Plugins] = Plugins,
) -> Api:
    """The whole API.

    Parameters:
        make_desk: makes an execution desk (`commands.execution.ExecutionDesk`); called once in each of its threads.
        credential: what agents present (`kernel.keys.execution_credential`).
        passwords, tokens: adapters.passwords, adapters.tokens.
        vault: opens connections and variables (adapters.vault).
        plugins: asks a child what plugins there are (app.plugin_watch); may take seconds.
    """
    # As many threads as there are connections that stay open; on SQLite writers take turns, and the threads only wait.
    desks = DeskPool(make_desk, threads=settings.database.pool_size)
    database = Database(store)
    sign_in = SignIn(store, database, passwords, tokens, clock, settings, vault)
    reader = health.HealthReader(database, settings)
    gate = Gate(database, tokens, clock, idle_seconds=settings.auth.session_idle_seconds)
    telemetry = InProcessTelemetry(settings.telemetry.series_max)
    office = Office(store, settings, clock, vault, plugins)

    def make_public() -> ASGIApp:
        from .public.app import create_public

        return create_public(gate, reader, office)

    def make_ui() -> ASGIApp:
        from .ui.face import create_ui

        return create_ui(store, settings, clock, gate, reader, screens, ending)

    # Threads of their own, so that screens never wait for sign-ins and probes, nor the other way round.
    screens = Database(store)
    ending: list[Callable[[], None]] = [office.end_streams]
    routes: list[Route | Mount] = [
        *health.routes(reader),
        *metrics.routes(telemetry, database, reader, settings),
        *welcome.routes(reader, settings),
        *sign_in.routes(),
        *former.routes(),
        Mount("/api/v2", Door(make_public)),
        Mount("/ui", Door(make_ui)),
    ]
    faces = Starlette(routes=routes, exception_handlers=handlers())
    faces.state.gate = gate
    return Api(
        ExchangeFace(desks, credential),
        _layered(Screens(faces), settings, telemetry),
        Presence(database, clock, settings),
        (desks.close, database.close, screens.close, sign_in.close, office.close),
        ending,
        gate,
        "/" + settings.api.root_path.strip("/") if settings.api.root_path.strip("/") else "",
        routes,
    )


def _layered(faces: ASGIApp, settings: Settings, telemetry: InProcessTelemetry) -> ASGIApp:
    """The faces for people, with what lies before them; the first line is nearest to them."""
    api = settings.api
    app: ASGIApp = Limits(faces, api.body_bytes_max, api.body_pause_seconds_max)
    app = Packed(app, api.compress_bytes_min)
    app = across_sites(app, [origin.strip() for origin in api.cors_origins.split(",") if origin.strip()])
    app = RequestMeter(app, telemetry)
    app = SecurityHeaders(BugLog(app), is_tls=bool(api.tls_cert) or api.base_url.startswith("https:"))
    return Rooted(app, api.root_path)
