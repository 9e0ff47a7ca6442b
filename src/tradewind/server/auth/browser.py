"""Signing in and out with a browser, and what a person may do with his own account.

The cookie holds a secret that scripts cannot read; every sign-in makes a new one. `GET /auth/me` gives the token that a
page sends back with each change.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradewind.commands.audit import Actor, Deed
from tradewind.commands.roles import grant_text
from tradewind.commands.sessions import NewSession, close_session, csrf_token_of, open_session, session_id_of
from tradewind.commands.users import change_password, require_user, shown_user, sign_out_everywhere
from tradewind.domain.permissions import Action, Resource
from tradewind.kernel.clock import Clock
from tradewind.kernel.settings import Settings
from tradewind.ports.people_rows import SessionRow
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.server.database import Database, act_for, acting_for
from tradewind.wire.errors import Forbidden, NotFound

from .bodies import answer, fields_of, text_of
from .checks import PasswordChecks
from .gate import COOKIE, address_of
from .gate import require_user as who_asks
from .person import Person
from .rules import require


class Doorway(NamedTuple):
    """What signing in needs."""

    database: Database
    checks: PasswordChecks
    clock: Clock
    settings: Settings


def routes(doorway: Doorway) -> list[Route]:
    """`/auth/login`, `/auth/logout`, `/auth/me` and what belongs to one's own account."""

    async def login(request: Request) -> Response:
        require_our_page(request)
        user = await doorway.checks.user_of(request)
        return await enter(doorway, request, user, "password")

    async def logout(request: Request) -> Response:
        person = await who_asks(request)
        if person.session_id is not None:
            session_id = person.session_id
            await doorway.database.write(lambda tx: close_session(tx, session_id))
        return _without_cookie(answer({"signed_out": True}), request, doorway.settings)

    async def logout_everywhere(request: Request) -> Response:
        person = require(await who_asks(request))
        await doorway.database.write(lambda tx: sign_out_everywhere(tx, person.username))
        return _without_cookie(answer({"signed_out": True}), request, doorway.settings)

    async def me(request: Request) -> Response:
        person = await who_asks(request)
        user = await doorway.database.read(lambda tx: tx.user_get(person.username)) if person.is_known else None
        secret = request.cookies.get(COOKIE) if person.means == "session" else None
        return answer(_shown(person, user, secret))

    async def set_own_password(request: Request) -> Response:
        person = require(await who_asks(request))
        fields = await fields_of(request)
        old, new = text_of(fields, "old_password"), text_of(fields, "new_password")
        store = doorway.database.store_for(acting_for())
        passwords = doorway.checks.passwords
        user = await doorway.checks.guarded(
            person.username,
            address_of(request) or "",
            lambda: change_password(store, passwords, person.username, old, new),
        )
        # Every session of the user ended, this one too: whoever changed the password goes on in a new one.
        if person.means == "session":
            return await enter(doorway, request, user, "password")
        return answer({"changed": True})

    async def list_sessions(request: Request) -> Response:
        person = require(await who_asks(request))
        rows = await doorway.database.read(lambda tx: tx.session_list(person.username))
        return answer({"sessions": [_shown_session(row, person) for row in rows]})

    async def end_session(request: Request) -> Response:
        person = require(await who_asks(request))
        short = request.path_params["session_id"]

        def act(tx: Transaction) -> None:
            for row in tx.session_list(person.username):
                if row.session_id.startswith(short) and len(short) >= _SHORT:
                    close_session(tx, row.session_id)
                    return
            raise NotFound(f"session {short!r} does not exist")

        await doorway.database.write(act)
        return Response(status_code=204)

    return [
        Route("/auth/login", login, methods=["POST"]),
        Route("/auth/logout", logout, methods=["POST"]),
        Route("/auth/logout/everywhere", logout_everywhere, methods=["POST"]),
        Route("/auth/me", me, methods=["GET"]),
        Route("/auth/password", set_own_password, methods=["POST"]),
        Route("/auth/sessions", list_sessions, methods=["GET"]),
        Route("/auth/sessions/{session_id}", end_session, methods=["DELETE"]),
    ]


_SHORT = 16


async def enter(
    doorway: Doorway, request: Request, user: UserRow, means: str, response: Response | None = None
) -> Response:
    """Begin a session for `user`; the one this browser had before ends. The cookie goes with `response`, or with what
    `/auth/me` says.
    """
    now, settings = doorway.clock.now(), doorway.settings
    before = request.cookies.get(COOKIE)
    act_for(Actor(user.username, means, None, address_of(request)), Deed("sign_in"))

    def act(tx: Transaction) -> NewSession:
        if before:
            tx.session_delete(session_id_of(before))
        return open_session(
            tx,
            now,
            require_user(tx, user.username),
            settings.auth.session_seconds,
            means=means,
            address=address_of(request),
            user_agent=request.headers.get("user-agent"),
        )

    made = await doorway.database.write(act)
    if response is None:
        response = answer({"username": user.username, "roles": user.roles, "csrf_token": csrf_token_of(made.secret)})
    response.set_cookie(COOKIE, made.secret, max_age=settings.auth.session_seconds, **_cookie(request, settings))
    return response


def require_our_page(request: Request) -> None:
    """Raises `Forbidden` when a page of another site made the browser send this."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    elif origin is not None:
        ours = urlsplit(origin).netloc == request.headers.get("host")
    else:
        ours = True  # no browser, or one so old that it says nothing: there is no cookie to abuse yet
    if not ours:
        raise Forbidden("sign in from a page of this server")


def _cookie(request: Request, settings: Settings) -> dict[str, Any]:
    secure = request.url.scheme == "https" or settings.api.base_url.startswith("https:")
    return {"path": request.scope.get("root_path") or "/", "httponly": True, "samesite": "lax", "secure": secure}


def _without_cookie(response: Response, request: Request, settings: Settings) -> Response:
    response.delete_cookie(COOKIE, **_cookie(request, settings))
    return response


def _shown(person: Person, user: UserRow | None, secret: str | None) -> dict[str, Any]:
    facts = shown_user(user) if user is not None else {"username": "", "roles": person.roles}
    may = {
        resource.value: [action.value for action in Action if person.may_somewhere(action, resource)]
        for resource in Resource
    }
    return {
        **facts,
        "is_anonymous": not person.is_known,
        "means": person.means,
        "grants": [grant_text(grant) for grant in person.powers.grants],
        "permissions": {resource: actions for resource, actions in may.items() if actions},
        "csrf_token": csrf_token_of(secret) if secret else None,
    }


def _shown_session(row: SessionRow, person: Person) -> dict[str, Any]:
    return {
        "session_id": row.session_id[:_SHORT],
        "means": row.means,
        "created_at": row.created_at,
        "seen_at": row.seen_at,
        "expires_at": row.expires_at,
        "address": row.address,
        "user_agent": row.user_agent,
        "is_this": row.session_id == person.session_id,
    }
