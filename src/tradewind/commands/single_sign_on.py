"""People whom a provider of identities vouches for: found, made at their first visit, given the roles it says."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from tradewind.domain.claims import Claimed
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import Unauthenticated

from .audit import note
from .users import NO_PASSWORD, check_roles, check_username, shown_user

ORIGIN = "oidc"


def user_of_claims(tx: Transaction, now: datetime, claimed: Claimed) -> UserRow:
    """The user behind these claims; names and roles follow the provider at every sign-in.

    Raises:
        Unauthenticated: he has no role here, is switched off, or the name belongs to somebody else.
        BadInput: the name cannot be taken, or a role of the mapping does not exist.
    """
    if not claimed.roles:
        raise Unauthenticated(
            f"user {claimed.username!r} has no role here; ask an administrator to map one of his groups"
        )
    username = check_username(claimed.username)
    roles = check_roles(tx, claimed.roles)
    found = tx.user_get(username)
    if found is None:
        row = UserRow(
            username=username,
            password_hash=NO_PASSWORD,
            roles=roles,
            created_at=now,
            email=claimed.email,
            first_name=claimed.first_name,
            last_name=claimed.last_name,
            origin=ORIGIN,
            subject=claimed.subject,
        )
        tx.user_put(row)
        note("create_user", thing=f"user {username}", after=shown_user(row))
        return row
    # The subject, not the name, is who he is: names are given again when people leave.
    if found.origin != ORIGIN or found.subject != claimed.subject:
        raise Unauthenticated(f"user {username!r} is somebody else here; ask an administrator")
    if not found.is_active:
        raise Unauthenticated(f"user {username!r} is switched off here")
    changed = replace(
        found,
        roles=roles,
        email=claimed.email or found.email,
        first_name=claimed.first_name or found.first_name,
        last_name=claimed.last_name or found.last_name,
    )
    if changed != found:
        tx.user_put(changed)
        note("set_roles", thing=f"user {username}", before=shown_user(found), after=shown_user(changed))
    return changed
