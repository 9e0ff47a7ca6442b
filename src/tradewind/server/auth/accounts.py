"""Users, roles and API tokens over HTTP: for those who may manage them, and everybody's own tokens."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradewind.commands.roles import create_role, delete_role, grant, list_roles, revoke
from tradewind.commands.tokens import create_token, revoke_token, shown_token
from tradewind.commands.users import (
    HashedBefore,
    Passwords,
    create_user,
    delete_user,
    require_user,
    set_active,
    set_names,
    set_password,
    set_roles,
    shown_user,
    sign_out_everywhere,
)
from tradewind.domain.permissions import Action, Resource
from tradewind.kernel.clock import Clock
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.server.database import Database
from tradewind.wire.errors import BadInput, Forbidden

from .bodies import answer, fields_of, text_of, texts_of
from .checks import PasswordChecks
from .gate import require_user as who_asks
from .person import Person
from .rules import authorise, require


class Registry(NamedTuple):
    """What managing people needs."""

    database: Database
    checks: PasswordChecks
    clock: Clock


def routes(registry: Registry) -> list[Route]:
    """`/auth/users`, `/auth/roles`, `/auth/api-tokens`."""
    return [*_user_routes(registry), *_role_routes(registry), *_token_routes(registry)]


async def _manager(request: Request, action: Action, resource: Resource) -> Person:
    person = await who_asks(request)
    authorise(person, action, resource)
    return person


def _user_routes(registry: Registry) -> list[Route]:
    database, passwords = registry.database, registry.checks.passwords

    async def hashed(password: str, username: str) -> Passwords:
        return await registry.checks.in_turn(lambda: HashedBefore(passwords, password, username))

    async def get_users(request: Request) -> Response:
        await _manager(request, Action.READ, Resource.USER)
        rows = await database.read(lambda tx: tx.user_list())
        return answer({"users": list(map(shown_user, rows)), "total_entries": len(rows)})

    async def post_user(request: Request) -> Response:
        await _manager(request, Action.CREATE, Resource.USER)
        fields = await fields_of(request)
        username, roles = text_of(fields, "username"), texts_of(fields, "roles")
        password = text_of(fields, "password")

        names, ready = _names(fields), await hashed(password, username)

        def act(tx: Transaction) -> UserRow:
            row = create_user(tx, ready, registry.clock.now(), username, password, roles)
            return set_names(tx, username, **{**_names_of(row), **names}) if names else row

        return answer(shown_user(await database.write(act)), 201)

    async def get_user(request: Request) -> Response:
        await _manager(request, Action.READ, Resource.USER)
        username = request.path_params["username"]
        return answer(shown_user(await database.read(lambda tx: require_user(tx, username))))

    async def patch_user(request: Request) -> Response:
        await _manager(request, Action.EDIT, Resource.USER)
        username = request.path_params["username"]
        fields = await fields_of(request)
        names = _names(fields)
        password = text_of(fields, "password") if "password" in fields else None
        ready = await hashed(password, username) if password is not None else passwords

        def act(tx: Transaction) -> UserRow:
            row = require_user(tx, username)
            if "roles" in fields:
                row = set_roles(tx, username, texts_of(fields, "roles"))
            if "is_active" in fields:
                row = set_active(tx, username, _flag(fields, "is_active"))
            if names:
                row = set_names(tx, username, **{**_names_of(row), **names})
            if password is not None:
                set_password(tx, ready, username, password)
            return row

        return answer(shown_user(await database.write(act)))

    async def remove_user(request: Request) -> Response:
        person = await _manager(request, Action.DELETE, Resource.USER)
        username = request.path_params["username"]
        if username == person.username:
            raise BadInput("nobody removes himself; ask another administrator")
        await database.write(lambda tx: delete_user(tx, username))
        return Response(status_code=204)

    async def sign_out_user(request: Request) -> Response:
        await _manager(request, Action.EDIT, Resource.USER)
        username = request.path_params["username"]
        await database.write(lambda tx: sign_out_everywhere(tx, username))
        return Response(status_code=204)

    return [
        Route("/auth/users", get_users, methods=["GET"]),
        Route("/auth/users", post_user, methods=["POST"]),
        Route("/auth/users/{username}", get_user, methods=["GET"]),
        Route("/auth/users/{username}", patch_user, methods=["PATCH"]),
        Route("/auth/users/{username}", remove_user, methods=["DELETE"]),
        Route("/auth/users/{username}/logout", sign_out_user, methods=["POST"]),
    ]


def _role_routes(registry: Registry) -> list[Route]:
    database, clock = registry.database, registry.clock

    async def get_roles(request: Request) -> Response:
        await _manager(request, Action.READ, Resource.ROLE)
        found = await database.read(list_roles)
        return answer({"roles": found, "total_entries": len(found)})

    async def post_role(request: Request) -> Response:
        await _manager(request, Action.CREATE, Resource.ROLE)
        fields = await fields_of(request)
        name, description = text_of(fields, "name"), text_of(fields, "description", "")
        grants = texts_of(fields, "grants")
        row = await database.write(lambda tx: create_role(tx, clock.now(), name, grants, description))
        return answer(row, 201)

    async def patch_role(request: Request) -> Response:
        await _manager(request, Action.EDIT, Resource.ROLE)
        name = request.path_params["name"]
        fields = await fields_of(request)
        more, less = texts_of(fields, "grant"), texts_of(fields, "revoke")
        if not more and not less:
            raise BadInput('give {"grant": ["read:dag@tag:finance"]}, or "revoke", or both')

        def act(tx: Transaction) -> object:
            row: object = None
            if more:
                row = grant(tx, clock.now(), name, more)
            if less:
                row = revoke(tx, clock.now(), name, less)
            return row

        return answer(await database.write(act))

    async def remove_role(request: Request) -> Response:
        await _manager(request, Action.DELETE, Resource.ROLE)
        name = request.path_params["name"]
        await database.write(lambda tx: delete_role(tx, name))
        return Response(status_code=204)

    return [
        Route("/auth/roles", get_roles, methods=["GET"]),
        Route("/auth/roles", post_role, methods=["POST"]),
        Route("/auth/roles/{name}", patch_role, methods=["PATCH"]),
        Route("/auth/roles/{name}", remove_role, methods=["DELETE"]),
    ]


def _token_routes(registry: Registry) -> list[Route]:
    database, clock = registry.database, registry.clock

    def may_manage(person: Person, action: Action) -> bool:
        return person.may(action, Resource.TOKEN)

    async def get_api_tokens(request: Request) -> Response:
        person = require(await who_asks(request))
        everybody = request.query_params.get("all") == "true"
        if everybody:
            authorise(person, Action.READ, Resource.TOKEN)
        rows = await database.read(lambda tx: tx.api_token_list(None if everybody else person.username))
        return answer({"tokens": list(map(shown_token, rows)), "total_entries": len(rows)})

    async def post_api_token(request: Request) -> Response:
        person = require(await who_asks(request))
        if person.means == "token":
            raise Forbidden("an API token makes no further ones; sign in for that")
        fields = await fields_of(request)
        name, scopes, days = text_of(fields, "name"), texts_of(fields, "scopes"), fields.get("days", 90)
        if days is not None and (isinstance(days, bool) or not isinstance(days, int | float)):
            raise BadInput("field 'days' must be a number, or null for a token without end")
        made = await database.write(
            lambda tx: create_token(tx, clock.now(), person.username, name, scopes=scopes, days=days)
        )
        return answer({**shown_token(made.row), "token": made.token}, 201)

    async def remove_api_token(request: Request) -> Response:
        person = require(await who_asks(request))
        owner = None if may_manage(person, Action.DELETE) else person.username
        token_id = request.path_params["token_id"]
        await database.write(lambda tx: revoke_token(tx, clock.now(), token_id, owner))
        return Response(status_code=204)

    return [
        Route("/auth/api-tokens", get_api_tokens, methods=["GET"]),
        Route("/auth/api-tokens", post_api_token, methods=["POST"]),
        Route("/auth/api-tokens/{token_id}", remove_api_token, methods=["DELETE"]),
    ]


def _names(fields: dict[str, Any]) -> dict[str, str | None]:
    given: dict[str, str | None] = {}
    for name in ("email", "first_name", "last_name"):
        if name in fields:
            value = fields[name]
            if value is not None and (not isinstance(value, str) or len(value) > 250 or not value.isprintable()):
                raise BadInput(f"field {name!r} must be a printable text of up to 250 characters")
            given[name] = value
    return given


def _names_of(row: UserRow) -> dict[str, str | None]:
    return {"email": row.email, "first_name": row.first_name, "last_name": row.last_name}


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise BadInput(f"field {name!r} must be true or false")
    return value
