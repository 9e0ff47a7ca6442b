"""What a provider of identities claims of somebody, and what follows for us. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tradewind.wire.errors import BadInput

from .roles import BUILT_IN, PUBLIC, canonical_role

_NAME_CLAIMS = ("preferred_username", "email", "sub")


class Claimed(NamedTuple):
    """Somebody as his provider knows him."""

    subject: str
    """Never given to anybody else by that provider."""
    username: str
    email: str | None
    first_name: str | None
    last_name: str | None
    roles: tuple[str, ...]
    """From the mapping, or the default ones; none: he may not come in."""


def read_claims(
    claims: Mapping[str, Any],
    *,
    username_claim: str = "",
    roles_claim: str = "groups",
    role_mapping: Mapping[str, Sequence[str]] | None = None,
    default_roles: Iterable[str] = (),
) -> Claimed:
    """Read the claims of an ID token.

    Parameters:
        username_claim: which one names him; empty: the first that there is of preferred_username, email and sub.
        roles_claim: where his groups stand; dots go into objects (`realm_access.roles`).
        role_mapping: group → roles. Without it, a group that is called like a built-in role is that role.
        default_roles: of those who have no group that is mapped.

    Raises:
        ValueError: there is no subject or no name.
    """
    subject = claims.get("sub")
    names = (username_claim,) if username_claim else _NAME_CLAIMS
    username = next((claims[name] for name in names if isinstance(claims.get(name), str) and claims[name]), None)
    if not isinstance(subject, str) or not subject or username is None:
        raise ValueError(f"the claims name nobody: sub and one of {', '.join(names)} are needed")
    roles = _roles(_texts(_at(claims, roles_claim)), role_mapping)
    return Claimed(
        subject,
        username.strip(),
        _text(claims.get("email")),
        _text(claims.get("given_name")),
        _text(claims.get("family_name")),
        roles or tuple(map(canonical_role, default_roles)),
    )


def _roles(groups: Sequence[str], mapping: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    if mapping is None:
        found = [role for role in map(_built_in, groups) if role is not None]
    else:
        found = [canonical_role(role) for group in groups for role in mapping.get(group, ())]
    return tuple(dict.fromkeys(found))


def _built_in(group: str) -> str | None:
    try:
        role = canonical_role(group)
    except BadInput:
        return None
    return role if role in BUILT_IN and role != PUBLIC else None


def _at(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:  # names of claims may hold dots themselves: https://example.org/roles
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def _text(value: Any) -> str | None:
    return value[:250] if isinstance(value, str) and value.isprintable() else None
