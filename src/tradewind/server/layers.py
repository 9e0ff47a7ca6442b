"""What lies between the network and the faces: where we are mounted, who may call across sites, how large and slow a
request may be, and how answers are packed."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewind.wire.errors import BadInput, LimitExceeded

from .problems import problem

_PACKED_IN_THREAD_BYTES = 256 << 10
_PACKABLE = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")
_NEVER_PACKED = ("text/event-stream",)
_GZIP_LEVEL = 5


class Rooted:
    """ASGI layer for a server that lives under a path of a host (api.root_path), behind a proxy that leaves the path
    as it is or takes it away."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root = "/" + root_path.strip("/") if root_path.strip("/") else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._root and scope["type"] == "http":
            path: str = scope["path"]
            if path != self._root and not path.startswith(self._root + "/"):
                path = self._root + path
            scope = {**scope, "path": path, "root_path": self._root}
        await self._app(scope, receive, send)


class Limits:
    """ASGI layer: a body that is too large or too slow ends the request.

    Parameters:
        bytes_max: largest body.
        pause_seconds_max: longest wait for the next part of a body.
    """

    def __init__(self, app: ASGIApp, bytes_max: int, pause_seconds_max: float) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._pause_seconds_max = pause_seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > self._bytes_max:
            await problem(self._too_large())(scope, receive, send)
            return
        received = 0
        ended = answered = False

        async def bounded() -> Message:
            nonlocal received, ended
            if ended:
                return await receive()
            try:
                async with asyncio.timeout(self._pause_seconds_max):
                    message = await receive()
            except TimeoutError:
                raise BadInput(
                    f"the next part of the body did not arrive within {self._pause_seconds_max:g} s"
                ) from None
            received += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if received > self._bytes_max:
                raise self._too_large()
            return message

        async def noting(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, bounded, noting)
        except (LimitExceeded, BadInput) as error:
            if answered:
                raise
            await problem(error)(scope, receive, send)

    def _too_large(self) -> LimitExceeded:
        return LimitExceeded(f"the body of a request has at most {self._bytes_max} bytes (api.body_bytes_max)")


class Packed:
    """ASGI layer: answers that are whole, long enough and worth it are compressed for those who take it. What comes in
    pieces (events, logs, lines as they arise) is passed on as it comes.

    Parameters:
        bytes_min: shorter ones stay as they are.
    """

    def __init__(self, app: ASGIApp, bytes_min: int) -> None:
        self._app = app
        self._bytes_min = bytes_min

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def packing(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                if "content-length" not in Headers(raw=message["headers"]):
                    await send(message)  # it comes in pieces: its head must not wait for the first
                    return
                start = message
                return
            if start is not None and message["type"] == "http.response.body":
                head, start = start, None
                headers = MutableHeaders(scope=head)
                if self._worth_it(headers, message):
                    body = message["body"]
                    message = {**message, "body": await _pack(body)}
                    headers["Content-Encoding"] = "gzip"
                    headers["Content-Length"] = str(len(message["body"]))
                headers.add_vary_header("Accept-Encoding")
                await send(head)
            await send(message)

        await self._app(scope, receive, packing)

    def _worth_it(self, headers: Headers, message: Message) -> bool:
        kind = headers.get("content-type", "")
        return (
            not message.get("more_body", False)
            and len(message.get("body", b"")) >= self._bytes_min
            and "content-encoding" not in headers
            and "content-range" not in headers
            and kind.startswith(_PACKABLE)
            and not kind.startswith(_NEVER_PACKED)
        )


async def _pack(body: bytes) -> bytes:
    if len(body) < _PACKED_IN_THREAD_BYTES:
        return gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL, mtime=0)


def across_sites(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """`app` as pages of these origins may call it (CORS), with bearer tokens; the cookie stays with our own pages."""
    if not origins:
        return app
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "If-None-Match"],
        expose_headers=["ETag", "Retry-After"],
        allow_credentials=False,
        max_age=600,
    )
