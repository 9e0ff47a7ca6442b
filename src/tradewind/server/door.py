"""A face that is heavy to import is loaded when somebody first asks for it, in a thread, while others are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class Door:
    """An ASGI application made at its first request.

    Parameters:
        make: imports and builds the face. Called once, unless it raises.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None
        self._opening = asyncio.Lock()

    def open(self) -> ASGIApp:
        """The face, loaded now: for whoever looks at it without a request."""
        if self._app is None:
            self._app = self._make()
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None:
            async with self._opening:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._make)
                app = self._app
        await app(scope, receive, send)
