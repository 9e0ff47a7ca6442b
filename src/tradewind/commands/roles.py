"""Roles that people make: named sets of grants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tradewind.domain.permissions import Grant, parse_grant
from tradewind.domain.roles import BUILT_IN, DESCRIPTIONS, PUBLIC, canonical_role
from tradewind.ports.people import PeopleTx
from tradewind.ports.people_rows import RoleRow
from tradewind.wire.errors import Conflict, NotFound

from .audit import note


def create_role(
    tx: PeopleTx, now: datetime, name: str, grants: Iterable[str] = (), description: str | None = None
) -> RoleRow:
    """Make a role. Raises `BadInput` (name, a grant), `Conflict` when the name is taken."""
    name = canonical_role(name)
    if name in BUILT_IN or tx.role_get(name) is not None:
        raise Conflict(f"role {name!r} exists already")
    row = RoleRow(name=name, description=description, grants=_checked(grants), created_at=now)
    tx.role_put(row)
    note("create_role", thing=f"role {name}", after=_shown(row))
    return row


def grant(tx: PeopleTx, now: datetime, name: str, grants: Iterable[str]) -> RoleRow:
    """Add grants to a role; those it has already stay once. Raises `NotFound`, `BadInput`, `Conflict` (built in)."""
    row = _own(tx, now, name)
    return _change(tx, row, (*row.grants, *_checked(grants)), "grant")


def revoke(tx: PeopleTx, now: datetime, name: str, grants: Iterable[str]) -> RoleRow:
    """Take grants from a role. Raises `NotFound` for one that it has not, `Conflict` (built in)."""
    row = _own(tx, now, name)
    gone = _checked(grants)
    missing = [text for text in gone if text not in row.grants]
    if missing:
        raise NotFound(f"role {name!r} has no grant {missing[0]!r}; it has {', '.join(row.grants) or 'none'}")
    return _change(tx, row, tuple(text for text in row.grants if text not in gone), "revoke")


def delete_role(tx: PeopleTx, name: str) -> None:
    """Remove a role. Raises `NotFound`, `Conflict` (built in; somebody has it)."""
    name = canonical_role(name)
    if name in BUILT_IN:
        raise Conflict(f"role {name!r} is built in and stays")
    row = tx.role_get(name)
    if row is None:
        raise _unknown(tx, name)
    holders = [user.username for user in tx.user_list() if name in user.roles]
    if holders:
        raise Conflict(f"role {name!r} is given to {', '.join(holders[:5])}: give them another role first")
    tx.role_delete(name)
    note("delete_role", thing=f"role {name}", before=_shown(row))


def list_roles(tx: PeopleTx) -> list[dict[str, Any]]:
    """All roles, built-in ones first: name, description, grants as texts, whether it is built in."""
    made = {row.name: row for row in tx.role_list()}
    built_in = [
        {
            "name": name,
            "description": DESCRIPTIONS[name],
            "grants": [*map(grant_text, grants), *(made[name].grants if name in made else ())],
            "built_in": True,
        }
        for name, grants in BUILT_IN.items()
    ]
    return built_in + [
        {"name": row.name, "description": row.description or "", "grants": list(row.grants), "built_in": False}
        for row in made.values()
        if row.name not in BUILT_IN
    ]


def grants_of(tx: PeopleTx, roles: Iterable[str]) -> list[Grant]:
    """The grants of all `roles` together; a role that is gone gives none."""
    found: list[Grant] = []
    for name in roles:
        found += BUILT_IN.get(name, ())
        if name not in BUILT_IN or name == PUBLIC:
            row = tx.role_get(name)
            found += map(parse_grant, row.grants if row is not None else ())
    return found


def grant_text(given: Grant) -> str:
    """A grant as people write it."""
    actions = ",".join(sorted(given.actions))
    resources = ",".join(sorted(given.resources))
    return f"{actions}:{resources}" + (f"@{given.scope}:{given.name}" if given.scope else "")


def _checked(grants: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text.strip() for text in grants))
    for text in found:
        parse_grant(text)
    return found


def _own(tx: PeopleTx, now: datetime, name: str) -> RoleRow:
    name = canonical_role(name)
    row = tx.role_get(name)
    if row is not None:
        return row
    if name == PUBLIC:
        return RoleRow(name=PUBLIC, description=DESCRIPTIONS[PUBLIC], created_at=now)
    if name in BUILT_IN:
        raise Conflict(f"role {name!r} is built in and cannot be changed: make another one, and give people both")
    raise _unknown(tx, name)


def _change(tx: PeopleTx, row: RoleRow, grants: Iterable[str], event: str) -> RoleRow:
    changed = replace(row, grants=tuple(dict.fromkeys(grants)))
    tx.role_put(changed)
    note(event, thing=f"role {row.name}", before=_shown(row), after=_shown(changed))
    return changed


def _shown(row: RoleRow) -> dict[str, Any]:
    return {"name": row.name, "description": row.description, "grants": list(row.grants)}


def _unknown(tx: PeopleTx, name: str) -> NotFound:
    known = [*BUILT_IN, *(row.name for row in tx.role_list() if row.name not in BUILT_IN)]
    return NotFound(f"role {name!r} does not exist; there are {', '.join(known)}")
