"""Checks of passwords: slowed down for who guesses, and one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request

from tradewind.commands.users import Passwords, sign_in
from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Store
from tradewind.server.problems import TooManyRequests
from tradewind.wire.errors import BadInput, Forbidden, Unauthenticated

from .bodies import FORM, fields_of
from .gate import address_of
from .throttle import Throttle

T = TypeVar("T")
_WAITING_MAX = 16
_log = get_logger("auth")


class PasswordChecks:
    """Finds the user behind a name and a password.

    One check at a time: each takes 64 MiB and a core, which a flood of requests must not multiply.
    """

    def __init__(self, store: Store, passwords: Passwords, clock: Clock, *, allowed: bool = True) -> None:
        self._store = store
        self._allowed = allowed
        self.passwords = passwords
        self._throttle = Throttle(clock)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="password-check")
        self._waiting = 0

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def user_of(self, request: Request) -> UserRow:
        """Who signs in with the body of this request.

        Raises:
            Unauthenticated: name and password do not fit.
            Forbidden: passwords are not taken here at all.
            BadInput: the body holds none.
            TooManyRequests: failed too often, or too many sign in just now.
        """
        if not self._allowed:
            raise Forbidden("nobody signs in with a password here; use single sign-on (/auth/oidc/login)")
        username, password = await _credentials(request)
        address = address_of(request) or ""
        return await self.guarded(username, address, lambda: sign_in(self._store, self.passwords, username, password))

    async def guarded(self, username: str, address: str, check: Callable[[], T]) -> T:
        """What `check`, which hashes a password, answers; a failure of it counts as a guess. Raises as `user_of`."""
        wait = self._throttle.wait_seconds(username, address)
        if wait > 0:
            raise TooManyRequests(f"too many failed attempts to sign in; try again in {max(1, round(wait))} s", wait)
        self._throttle.failed(username, address)
        try:
            found = await self.in_turn(check)
        except (Unauthenticated, BadInput):
            _log.warning("sign_in_refused", username=username[:250], address=address)
            raise
        self._throttle.succeeded(username, address)
        return found

    async def in_turn(self, work: Callable[[], T]) -> T:
        """What `work`, which hashes a password, answers, when it is its turn."""
        if self._waiting >= _WAITING_MAX:
            raise TooManyRequests("too many people are signing in just now; try again", 1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


async def _credentials(request: Request) -> tuple[str, str]:
    """User name and password. Raises `BadInput` for a body that has none."""
    try:
        fields = await fields_of(request)
    except BadInput:
        fields = {}
    username, password = fields.get("username"), fields.get("password")
    if isinstance(username, str) and isinstance(password, str) and username:
        return username, password
    raise BadInput(f'send {{"username": "...", "password": "..."}} as JSON, or the same fields as {FORM}')
