"""Users, roles and permissions in the shapes of Airflow's FAB auth manager, for programs that manage them there:
`/auth/fab/v1/users`, `/roles`, `/permissions`. The same commands and the same permissions as `accounts`.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradewind.commands.roles import create_role, delete_role, grant, grants_of, list_roles, revoke
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
)
from tradewind.domain.foreign_permissions import ACTIONS, grant_of, pairs_of
from tradewind.domain.permissions import Action, Resource
from tradewind.domain.roles import canonical_role
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput, NotFound

from .accounts import Registry
from .bodies import answer, fields_of, text_of
from .gate import require_user as who_asks
from .rules import authorise

PREFIX = "/auth/fab/v1"
_LIMIT_MAX = 1000


def routes(registry: Registry) -> list[Route]:
    """Everything below `PREFIX`."""
    database, clock, passwords = registry.database, registry.clock, registry.checks.passwords

    async def may(request: Request, action: Action, resource: Resource) -> None:
        authorise(await who_asks(request), action, resource)

    async def hashed(password: str, username: str) -> Passwords:
        return await registry.checks.in_turn(lambda: HashedBefore(passwords, password, username))

    async def get_users(request: Request) -> Response:
        await may(request, Action.READ, Resource.USER)
        rows = await database.read(lambda tx: tx.user_list())
        return answer({"users": _page(request, list(map(_user, rows))), "total_entries": len(rows)})

    async def post_user(request: Request) -> Response:
        await may(request, Action.CREATE, Resource.USER)
        fields = await fields_of(request)
        username, password = text_of(fields, "username"), text_of(fields, "password")
        roles, names, ready = _role_names(fields), _names(fields), await hashed(password, username)

        def act(tx: Transaction) -> UserRow:
            create_user(tx, ready, clock.now(), username, password, roles or ["Viewer"])
            return set_names(tx, username, **names)

        return answer(_user(await database.write(act)))

    async def get_user(request: Request) -> Response:
        await may(request, Action.READ, Resource.USER)
        username = request.path_params["username"]
        return answer(_user(await database.read(lambda tx: require_user(tx, username))))

    async def patch_user(request: Request) -> Response:
        await may(request, Action.EDIT, Resource.USER)
        username = request.path_params["username"]
        fields = await fields_of(request)
        mask = request.query_params.get("update_mask")
        if mask:
            fields = {name: value for name, value in fields.items() if name in mask.replace(" ", "").split(",")}
        password = text_of(fields, "password") if "password" in fields else None
        ready = await hashed(password, username) if password is not None else passwords

        def act(tx: Transaction) -> UserRow:
            row = require_user(tx, username)
            if "roles" in fields:
                row = set_roles(tx, username, _role_names(fields))
            if isinstance(fields.get("active"), bool):
                row = set_active(tx, username, fields["active"])
            known = {"email": row.email, "first_name": row.first_name, "last_name": row.last_name}
            row = set_names(tx, username, **{name: _names(fields).get(name) or known[name] for name in known})
            if password is not None:
                set_password(tx, ready, username, password)
            return row

        return answer(_user(await database.write(act)))

    async def remove_user(request: Request) -> Response:
        await may(request, Action.DELETE, Resource.USER)
        username = request.path_params["username"]
        await database.write(lambda tx: delete_user(tx, username))
        return Response(status_code=204)

    async def get_roles(request: Request) -> Response:
        await may(request, Action.READ, Resource.ROLE)

        def ask(tx: Transaction) -> list[dict[str, Any]]:
            return [_role(tx, row["name"]) for row in list_roles(tx)]

        found = await database.read(ask)
        return answer({"roles": _page(request, found), "total_entries": len(found)})

    async def post_role(request: Request) -> Response:
        await may(request, Action.CREATE, Resource.ROLE)
        fields = await fields_of(request)
        name, grants = text_of(fields, "name"), _grants(fields)

        def act(tx: Transaction) -> dict[str, Any]:
            return _role(tx, create_role(tx, clock.now(), name, grants).name)

        return answer(await database.write(act))

    async def get_role(request: Request) -> Response:
        await may(request, Action.READ, Resource.ROLE)
        name = request.path_params["name"]
        return answer(await database.read(lambda tx: _role(tx, name)))

    async def patch_role(request: Request) -> Response:
        await may(request, Action.EDIT, Resource.ROLE)
        name = request.path_params["name"]
        grants = _grants(await fields_of(request))

        def act(tx: Transaction) -> dict[str, Any]:
            _role(tx, name)
            row = tx.role_get(canonical_role(name))
            gone = [text for text in (row.grants if row else ()) if text not in grants]
            if grants or row is None:
                grant(tx, clock.now(), name, grants)
            if gone:
                revoke(tx, clock.now(), name, gone)
            return _role(tx, name)

        return answer(await database.write(act))

    async def remove_role(request: Request) -> Response:
        await may(request, Action.DELETE, Resource.ROLE)
        name = request.path_params["name"]
        await database.write(lambda tx: delete_role(tx, name))
        return Response(status_code=204)

    async def get_permissions(request: Request) -> Response:
        await may(request, Action.READ, Resource.ROLE)
        names = [{"name": name} for name in (*ACTIONS, "menu_access")]
        return answer({"actions": _page(request, names), "total_entries": len(names)})

    return [
        Route(f"{PREFIX}/users", get_users, methods=["GET"]),
        Route(f"{PREFIX}/users", post_user, methods=["POST"]),
        Route(f"{PREFIX}/users/{{username}}", get_user, methods=["GET"]),
        Route(f"{PREFIX}/users/{{username}}", patch_user, methods=["PATCH"]),
        Route(f"{PREFIX}/users/{{username}}", remove_user, methods=["DELETE"]),
        Route(f"{PREFIX}/roles", get_roles, methods=["GET"]),
        Route(f"{PREFIX}/roles", post_role, methods=["POST"]),
        Route(f"{PREFIX}/roles/{{name}}", get_role, methods=["GET"]),
        Route(f"{PREFIX}/roles/{{name}}", patch_role, methods=["PATCH"]),
        Route(f"{PREFIX}/roles/{{name}}", remove_role, methods=["DELETE"]),
        Route(f"{PREFIX}/permissions", get_permissions, methods=["GET"]),
    ]


def _page(request: Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def number(name: str, default: int) -> int:
        text = request.query_params.get(name, str(default))
        if not text.isdigit():
            raise BadInput(f"{name} must be a number of at least 0, not {text!r}")
        return int(text)

    offset = number("offset", 0)
    return rows[offset : offset + min(number("limit", 100), _LIMIT_MAX)]


def _user(row: UserRow) -> dict[str, Any]:
    return {
        "username": row.username,
        "email": row.email or "",
        "first_name": row.first_name or "",
        "last_name": row.last_name or "",
        "active": row.is_active,
        "roles": [{"name": name} for name in row.roles],
        "created_on": row.created_at,
        "changed_on": None,
        "last_login": row.last_login_at,
        "login_count": None,
        "failed_login_count": None,
    }


def _role(tx: Transaction, name: str) -> dict[str, Any]:
    known = {row["name"] for row in list_roles(tx)}
    canonical = canonical_role(name)
    if canonical not in known:
        raise NotFound(f"role {name!r} does not exist")
    pairs = pairs_of(grants_of(tx, [canonical]))
    return {
        "name": canonical,
        "actions": [{"action": {"name": action}, "resource": {"name": resource}} for action, resource in pairs],
    }


def _role_names(fields: dict[str, Any]) -> list[str]:
    given = fields.get("roles") or []
    if not isinstance(given, list) or not all(isinstance(each, dict) and "name" in each for each in given):
        raise BadInput('field "roles" must be a list such as [{"name": "Viewer"}]')
    return [str(each["name"]) for each in given]


def _names(fields: dict[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in ("email", "first_name", "last_name"):
        value = fields.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > 250 or not value.isprintable()):
            raise BadInput(f"field {name!r} must be a printable text of up to 250 characters")
        found[name] = value
    return found


def _grants(fields: dict[str, Any]) -> list[str]:
    given = fields.get("actions") or []
    try:
        pairs = [(str(each["action"]["name"]), str(each["resource"]["name"])) for each in given]
    except (TypeError, KeyError):
        raise BadInput(
            'field "actions" must be a list such as [{"action": {"name": "can_read"}, "resource": {"name": "DAGs"}}]'
        ) from None
    return [text for text in (grant_of(*pair) for pair in pairs) if text is not None]
