"""`POST /auth/token`: user name and password for a bearer token, as JSON or as a form."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tradewind.commands.users import Passwords, password_mark, sign_in
from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Store
from tradewind.server.problems import TooManyRequests
from tradewind.wire.errors import BadInput, LimitExceeded, Unauthenticated

from .gate import Tokens
from .throttle import Throttle

_BODY_BYTES_MAX = 16 << 10
_BODY_SECONDS_MAX = 10.0
_WAITING_MAX = 16
_FORM = "application/x-www-form-urlencoded"
_log = get_logger("auth")


class SignIn:
    """Signs people in.

    One check of a password at a time: each takes 64 MiB and a core, which a flood of requests must not multiply.
    """

    def __init__(self, store: Store, passwords: Passwords, tokens: Tokens, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._tokens = tokens
        self._throttle = Throttle(clock)
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="password-check")
        self._waiting = 0

    def routes(self) -> list[Route]:
        return [Route("/auth/token", self._token, methods=["POST"])]

    def close(self) -> None:
        self._checks.shutdown(wait=False, cancel_futures=True)

    async def _token(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS_MAX):
                username, password = await _credentials(request)
        except TimeoutError:
            raise BadInput(f"the body of the sign-in did not arrive within {_BODY_SECONDS_MAX:g} s") from None
        address = request.client.host if request.client else ""
        wait = self._throttle.wait_seconds(username, address)
        if wait > 0:
            raise TooManyRequests(f"too many failed attempts to sign in; try again in {max(1, round(wait))} s", wait)
        if self._waiting >= _WAITING_MAX:
            raise TooManyRequests("too many people are signing in just now; try again", 1)
        self._throttle.failed(username, address)
        try:
            row = await self._check(username, password)
        except Unauthenticated:
            _log.warning("sign_in_refused", username=username[:250], address=address)
            raise
        self._throttle.succeeded(username, address)
        token = self._tokens.issue(row.username, password_mark(row))
        answer = {"access_token": token, "token_type": "bearer", "expires_in": self._tokens.seconds}
        return JSONResponse(answer, 201)

    async def _check(self, username: str, password: str) -> UserRow:
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._checks, sign_in, self._store, self._passwords, username, password)
        finally:
            self._waiting -= 1


async def _credentials(request: Request) -> tuple[str, str]:
    """User name and password. Raises `BadInput` for a body that has none."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_BYTES_MAX:
            raise LimitExceeded(f"the body of a sign-in has at most {_BODY_BYTES_MAX} bytes")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == _FORM:
            fields: object = {
                name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()
            }
        else:
            fields = json.loads(body)
    except ValueError:
        fields = None
    if isinstance(fields, dict):
        username, password = fields.get("username"), fields.get("password")
        if isinstance(username, str) and isinstance(password, str) and username:
            return username, password
    raise BadInput(f'send {{"username": "...", "password": "..."}} as JSON, or the same fields as {_FORM}')
