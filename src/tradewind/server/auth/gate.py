"""Who is asking? The gate recognises people by what their request carries, before any handler runs.

Three things open it: a bearer token (POST /auth/token), an API token, the cookie of a browser. With a cookie, whatever
changes something must also carry the token that only pages of ours know. Users, roles and grants are read each time, so
that changes of them work at once.

A handler depends on `require_user`; the gate stands in the application's state (`app.state.gate`), for FastAPI and
Starlette alike.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from starlette.requests import Request

from tradewind.commands.audit import Actor, Deed
from tradewind.commands.roles import grants_of
from tradewind.commands.sessions import csrf_token_of, is_sight_news, session_user, touch_session
from tradewind.commands.tokens import is_use_news, looks_like_token, token_user
from tradewind.commands.users import user_of_token
from tradewind.domain.permissions import ALL_ACTIONS, DAG_RESOURCES, DagScope, Powers, parse_grant
from tradewind.domain.roles import PUBLIC
from tradewind.kernel.clock import Clock, SystemClock
from tradewind.ports.people_rows import ApiTokenRow, SessionRow
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.server.database import Database, act_for
from tradewind.wire.errors import Forbidden, Unauthenticated

from .person import ANONYMOUS, Directory, Person

COOKIE = "tradewind_session"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DIRECTORY_SECONDS = 1.0
_SIGN_IN = "sign in first: this needs a bearer token (POST /auth/token), an API token or a session"


class Facts(Protocol):
    """What a token says; `adapters.tokens.TokenFacts`."""

    @property
    def username(self) -> str: ...
    @property
    def password_mark(self) -> str: ...


class Tokens(Protocol):
    """Issues and reads bearer tokens (`adapters.tokens.BearerTokens`)."""

    seconds: int

    def issue(self, username: str, password_mark: str, seconds: int | None = None) -> str: ...
    def read(self, token: str) -> Facts: ...


class _Found(NamedTuple):
    """What one look into the database tells."""

    user: UserRow | None
    roles: tuple[str, ...]
    powers: Powers
    dags: Mapping[str, DagScope] | None
    """None: not asked for."""
    token: ApiTokenRow | None = None
    session: SessionRow | None = None


class Gate:
    """Recognises people.

    Parameters:
        idle_seconds: after how long without a request the session of a browser ends.
    """

    def __init__(
        self, database: Database, tokens: Tokens, clock: Clock | None = None, *, idle_seconds: float = 86400.0
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock or SystemClock()
        self._idle_seconds = idle_seconds
        self._dags: Mapping[str, DagScope] = {}
        self._dags_read: float | None = None

    async def person(self, authorization: str | None) -> Person:
        """The person behind an Authorization header. Raises `Unauthenticated`."""
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("this needs a bearer token: POST /auth/token gives one")
        now = self._clock.now()
        if looks_like_token(token):
            found = await self._look(lambda tx: _of_api_token(tx, *token_user(tx, now, token)))
            if found.token is not None and is_use_news(found.token, now):
                await self._note_use(found.token.token_id)
            return self._person(found, "token")
        facts = self._tokens.read(token)
        found = await self._look(lambda tx: _of_user(tx, user_of_token(tx, facts.username, facts.password_mark)))
        return self._person(found, "bearer")

    async def recognise(self, request: Request) -> Person:
        """The person behind a request.

        Raises:
            Unauthenticated: nothing opens the gate, and `Public` is granted nothing.
            Forbidden: a change with a cookie, and without the token of a page of ours.
        """
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return await self.person(authorization)
        secret = request.cookies.get(COOKIE)
        if secret:
            return await self.browser(request, secret)
        return await self._nobody(_SIGN_IN)

    async def browser(self, request: Request, secret: str) -> Person:
        """The person behind a cookie. Raises as `recognise`."""
        now = self._clock.now()
        try:
            found = await self._look(lambda tx: _of_session(tx, *session_user(tx, now, secret, self._idle_seconds)))
        except Unauthenticated as error:
            return await self._nobody(str(error))
        if request.method not in SAFE_METHODS:
            check_csrf(request, secret)
        if found.session is not None and is_sight_news(found.session, now):
            session_id = found.session.session_id
            await self._database.write(lambda tx: touch_session(tx, session_id, now))
        return self._person(found, "session")

    async def _nobody(self, reason: str) -> Person:
        found = await self._look(lambda tx: _Found(None, (PUBLIC,), Powers((PUBLIC,), grants_of(tx, (PUBLIC,))), None))
        if not found.powers.grants:
            raise Unauthenticated(reason)
        return self._person(found, "nobody")

    async def _look(self, ask: Callable[[Transaction], _Found]) -> _Found:
        def work(tx: Transaction) -> _Found:
            found = ask(tx)
            if _depends_on_dag(found.powers) and self._directory_is_old():
                return found._replace(dags=Directory(DagScope(*row) for row in tx.dag_scopes()))
            return found

        found = await self._database.read(work)
        if found.dags is not None:
            self._dags, self._dags_read = found.dags, self._clock.monotonic()
        return found

    def _directory_is_old(self) -> bool:
        return self._dags_read is None or self._clock.monotonic() - self._dags_read >= _DIRECTORY_SECONDS

    def _person(self, found: _Found, means: str) -> Person:
        return Person(
            username=found.user.username if found.user else ANONYMOUS,
            roles=found.roles,
            powers=found.powers,
            dags=self._dags if _depends_on_dag(found.powers) else {},
            means=means,
            token_id=found.token.token_id if found.token else None,
            session_id=found.session.session_id if found.session else None,
        )

    async def _note_use(self, token_id: str) -> None:
        from msgspec.structs import replace

        now = self._clock.now()

        def act(tx: Transaction) -> None:
            row = tx.api_token_get(token_id)
            if row is not None:
                tx.api_token_put(replace(row, last_used_at=now))

        await self._database.write(act)


async def require_user(request: Request) -> Person:
    """Dependency of handlers that need to know who is asking; what the request writes is logged in his name.

    Raises:
        Unauthenticated, Forbidden: as `Gate.recognise`.
    """
    gate: Gate = request.app.state.gate
    person = await gate.recognise(request)
    act_for(actor_of(person, request), deed_of(request))
    return person


def actor_of(person: Person, request: Request) -> Actor:
    """Who is written into the audit log."""
    return Actor(person.username or "anonymous", person.means, person.token_id, address_of(request))


def address_of(request: Request) -> str | None:
    """Where a request comes from."""
    return request.client.host if request.client else None


def deed_of(request: Request) -> Deed:
    """What is logged when no command says more: the name of the handler, and what the path names."""
    endpoint = request.scope.get("endpoint")
    names = request.path_params
    return Deed(
        event=getattr(endpoint, "__name__", "").strip("_") or request.method.lower(),
        dag_id=names.get("dag_id"),
        run_id=names.get("dag_run_id") or names.get("run_id"),
        task_id=names.get("task_id"),
        map_path=str(names["map_index"]) if "map_index" in names else None,
        details={"method": request.method, "path": request.url.path},
    )


def check_csrf(request: Request, secret: str) -> None:
    """Raises `Forbidden` unless the request was made by a page of ours."""
    given = request.headers.get(CSRF_HEADER, "")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") or not hmac.compare_digest(
        given.encode(), csrf_token_of(secret).encode()
    ):
        raise Forbidden(
            "a change with a cookie needs the header X-CSRF-Token with the csrf_token that GET /auth/me gives"
        )


def _of_user(tx: Transaction, user: UserRow) -> _Found:
    return _Found(user, user.roles, Powers(user.roles, grants_of(tx, user.roles)), None)


def _of_api_token(tx: Transaction, token: ApiTokenRow, user: UserRow) -> _Found:
    bounds = list(map(parse_grant, token.scopes)) if token.scopes else None
    return _Found(user, user.roles, Powers(user.roles, grants_of(tx, user.roles), bounds), None, token=token)


def _of_session(tx: Transaction, session: SessionRow, user: UserRow) -> _Found:
    return _of_user(tx, user)._replace(session=session)


def _depends_on_dag(powers: Powers) -> bool:
    if powers.bounds is None and any(grant.is_everything for grant in powers.grants):
        return False  # asked at every request: an administrator need not be looked at so closely
    return any(powers.limited(action, resource) for action in ALL_ACTIONS for resource in DAG_RESOURCES)
