"""Who is asking? The gate recognises people by what their request carries, before any handler runs.

A handler depends on `require_user`; the gate stands in the application's state (`app.state.gate`), for FastAPI and
Starlette alike.
"""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request

from tradewind.commands.users import user_of_token
from tradewind.domain.permissions import Powers
from tradewind.domain.roles import BUILT_IN, canonical_role
from tradewind.server.database import Database
from tradewind.wire.errors import Unauthenticated

from .person import Person


class Facts(Protocol):
    """What a token says; `adapters.tokens.TokenFacts`."""

    @property
    def username(self) -> str: ...
    @property
    def password_mark(self) -> str: ...


class Tokens(Protocol):
    """Issues and reads bearer tokens (`adapters.tokens.BearerTokens`)."""

    seconds: int

    def issue(self, username: str, password_mark: str) -> str: ...
    def read(self, token: str) -> Facts: ...


class Gate:
    """Recognises people by their bearer token; looks the user up each time, so that changes of users work at once."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def person(self, authorization: str | None) -> Person:
        """The person behind an Authorization header. Raises `Unauthenticated`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("this needs a bearer token: POST /auth/token gives one")
        facts = self._tokens.read(token.strip())
        row = await self._database.read(lambda tx: user_of_token(tx, facts.username, facts.password_mark))
        role = canonical_role(row.role)
        return Person(row.username, (role,), Powers((role,), BUILT_IN.get(role, ())))


async def require_user(request: Request) -> Person:
    """Dependency of handlers that need to know who is asking. Raises `Unauthenticated`."""
    gate: Gate = request.app.state.gate
    return await gate.person(request.headers.get("authorization"))
