"""Listening: the API as a service in a thread of its own, on uvicorn (uvloop, httptools)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

import uvicorn
from starlette.types import ASGIApp

from tradewind.kernel.service import ServiceGroup, ThreadService, run_until_signal
from tradewind.kernel.settings import Settings
from tradewind.wire.errors import InvalidSetting, Unavailable

from .app_factory import Api

KEEP_ALIVE_SECONDS = 120
"""Longer than what proxies and agents rest between requests, so that they end connections, not we under their hands."""
_BACKLOG = 1024
_DRAIN_SECONDS = 5


def listen(settings: Settings) -> socket.socket:
    """A socket that listens on api.host and api.port: taken before anything else starts, so that a clash shows at once.

    Beyond this machine (api.host 0.0.0.0) nothing else is needed: agents always need the execution credential, people
    always need a user, and the first one is made at start. What is missing there is TLS: put a proxy in front.

    Raises:
        Unavailable: the address cannot be used; says which settings to change.
    """
    host, port = settings.api.host, settings.api.port
    _check_tls(settings)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Unavailable(f"cannot listen on {host}: {error.strerror or error}; set api.host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror}; stop what uses it, or set api.port or api.host"
        ) from error
    return listener


def _check_tls(settings: Settings) -> None:
    """Raises `InvalidSetting` when certificate and key cannot be used: at the start, not at the first request."""
    cert, key = settings.api.tls_cert, settings.api.tls_key
    if not cert:
        return
    import ssl

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key or None)
    except OSError as error:  # an SSLError is one too
        raise InvalidSetting(
            f"api.tls_cert {cert} and api.tls_key {key or '(in the same file)'} cannot be used: {error}"
        ) from error


def run_server(make_api: Callable[[], Api], settings: Settings) -> int:
    """The main of a process that serves the API: listen, serve until a signal; the exit code.

    Parameters:
        make_api: makes the application (`app_factory.create_api`) when the port is ours.

    Raises:
        Unavailable: the address cannot be used.
    """
    listener = listen(settings)
    api = make_api()
    return run_until_signal(ServiceGroup("api-server", [ApiServer(api, [listener], api.close, settings)]))


class ApiServer(ThreadService):
    """Serves `app` on sockets that listen already.

    Parameters:
        app: the ASGI application (`app_factory.create_api`).
        sockets: taken over, closed at the end.
        on_stopped: called at the end, in the service's thread.
        settings: TLS and trusted proxies; None: neither.
    """

    def __init__(
        self,
        app: ASGIApp,
        sockets: Sequence[socket.socket],
        on_stopped: Callable[[], None] | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__("api-server")
        self._sockets = list(sockets)
        self._on_stopped = on_stopped
        self._server = _Server(
            _config(app, settings), on_started=self.ready, on_stopping=getattr(app, "end_streams", None)
        )

    def run(self) -> None:
        try:
            self._server.run(self._sockets)
        finally:
            for each in self._sockets:
                each.close()
            if self._on_stopped is not None:
                self._on_stopped()

    def wake(self) -> None:
        self._server.ask_to_exit()


_LAST_REQUEST_SECONDS = 0.2
"""How long a connection that was made before the end may take to send its request."""


class _Server(uvicorn.Server):
    """uvicorn's, but it sleeps until it is asked to stop: the original looks ten times a second."""

    def __init__(
        self, config: uvicorn.Config, on_started: Callable[[], None], on_stopping: Callable[[], None] | None = None
    ) -> None:
        super().__init__(config)
        self._on_stopping = on_stopping
        self._on_started = on_started
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()

    def ask_to_exit(self) -> None:
        """From any thread, also before it has started."""
        self.should_exit = True
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._asked.set)
            except RuntimeError:
                pass  # the loop has closed meanwhile: it has exited

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_started()
        # Asked between the two lines above: then there was no loop to wake.
        if not self.should_exit:
            await self._asked.wait()
        if self._on_stopping is not None:
            self._on_stopping()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, but who was let in a moment ago is heard: a connection without a request would be closed
        at once.
        """
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        if any(getattr(connection, "cycle", None) is None for connection in self.server_state.connections):
            await asyncio.sleep(_LAST_REQUEST_SECONDS)
        await super().shutdown(sockets)


def _config(app: ASGIApp, settings: Settings | None) -> uvicorn.Config:
    api = settings.api if settings is not None else None
    trusted = api.trusted_proxies.strip() if api is not None else ""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # The date is kept up to date by the tick that `_Server` leaves out.
        date_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        ssl_certfile=api.tls_cert or None if api is not None else None,
        ssl_keyfile=api.tls_key or None if api is not None else None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
