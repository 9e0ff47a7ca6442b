"""Everything under /auth: signing in and out, one's own account, users, roles, tokens."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradewind.commands.users import Passwords
from tradewind.kernel.clock import Clock
from tradewind.kernel.settings import Settings
from tradewind.ports.store import Store
from tradewind.ports.vault import Vault
from tradewind.server.database import Database

from . import accounts, browser, fab, tokens
from .bodies import answer
from .checks import PasswordChecks
from .gate import Tokens


class SignIn:
    """The routes under /auth, and the thread that checks passwords."""

    def __init__(
        self,
        store: Store,
        database: Database,
        passwords: Passwords,
        bearer: Tokens,
        clock: Clock,
        settings: Settings,
        vault: Vault,
    ) -> None:
        self._checks = PasswordChecks(store, passwords, clock, allowed=settings.auth.password_sign_in)
        self._bearer = bearer
        self._doorway = browser.Doorway(database, self._checks, clock, settings)
        self._registry = accounts.Registry(database, self._checks, clock)
        self._cli_seconds = settings.auth.cli_token_seconds
        self._vault = vault
        self._settings = settings

    def routes(self) -> list[Route]:
        return [
            *tokens.routes(self._checks, self._bearer, self._cli_seconds),
            *browser.routes(self._doorway),
            *accounts.routes(self._registry),
            *fab.routes(self._registry),
            Route("/auth/providers", self._providers, methods=["GET"]),
            *self._single_sign_on(),
        ]

    def _single_sign_on(self) -> list[Route]:
        if not self._settings.auth.oidc_issuer:
            return []
        from .oidc import SingleSignOn

        return SingleSignOn(self._doorway, self._vault, self._settings).routes()

    async def _providers(self, _request: Request) -> Response:
        """How people may sign in, for the page where they do."""
        auth = self._settings.auth
        oidc = {"name": auth.oidc_name, "url": "/auth/oidc/login"} if auth.oidc_issuer else None
        return answer({"password": auth.password_sign_in, "oidc": oidc})

    def close(self) -> None:
        self._checks.close()
