"""Everything under /auth: signing in and out, one's own account, users, roles, tokens."""

from __future__ import annotations

from starlette.routing import Route

from tradewind.commands.users import Passwords
from tradewind.kernel.clock import Clock
from tradewind.kernel.settings import Settings
from tradewind.ports.store import Store
from tradewind.server.database import Database

from . import accounts, browser, tokens
from .checks import PasswordChecks
from .gate import Tokens


class SignIn:
    """The routes under /auth, and the thread that checks passwords."""

    def __init__(
        self, store: Store, database: Database, passwords: Passwords, bearer: Tokens, clock: Clock, settings: Settings
    ) -> None:
        self._checks = PasswordChecks(store, passwords, clock)
        self._bearer = bearer
        self._doorway = browser.Doorway(database, self._checks, clock, settings)
        self._registry = accounts.Registry(database, self._checks, clock)
        self._cli_seconds = settings.auth.cli_token_seconds

    def routes(self) -> list[Route]:
        return [
            *tokens.routes(self._checks, self._bearer, self._cli_seconds),
            *browser.routes(self._doorway),
            *accounts.routes(self._registry),
        ]

    def close(self) -> None:
        self._checks.close()
