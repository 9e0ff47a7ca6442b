"""API tokens: made by people for programs, scoped, with an end, revocable, shown once.

A token reads `tw_ID_SECRET`. The id finds its row, the secret is kept as a hash: 32 random bytes need no slow one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as random_source
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from tradewind.domain.permissions import parse_grant
from tradewind.ports.people_rows import ApiTokenRow
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput, NotFound, Unauthenticated

from .audit import note
from .users import require_user

PREFIX = "tw_"
DAYS_MAX = 3660
_FORM = re.compile(r"tw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_USED_SECONDS = 60


class NewToken(NamedTuple):
    """A token just made."""

    row: ApiTokenRow
    token: str
    """To be shown once."""


def create_token(
    tx: Transaction,
    now: datetime,
    username: str,
    name: str,
    *,
    scopes: Iterable[str] = (),
    days: float | None = 90,
) -> NewToken:
    """Make a token for a user.

    Parameters:
        name: what it is used for.
        scopes: grants that bound it (`domain.permissions.parse_grant`); none: whatever its owner may do.
        days: until it ends; None: it does not.

    Raises:
        NotFound: there is no such user.
        BadInput: name, scope or days cannot be taken.
    """
    require_user(tx, username)
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise BadInput(f"the name of a token must have 1 to 200 printable characters, not {name!r}")
    if days is not None and not 0 < days <= DAYS_MAX:
        raise BadInput(f"a token may last up to {DAYS_MAX} days, not {days:g}")
    texts = tuple(dict.fromkeys(scope.strip() for scope in scopes))
    for text in texts:
        parse_grant(text)
    secret = random_source.token_urlsafe(32)
    row = ApiTokenRow(
        token_id=random_source.token_hex(8),
        name=name.strip(),
        username=username,
        secret_hash=_hash(secret),
        scopes=texts,
        created_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    tx.api_token_put(row)
    note("create_token", thing=f"token {row.token_id}", after=shown_token(row))
    return NewToken(row, f"{PREFIX}{row.token_id}_{secret}")


def revoke_token(tx: Transaction, now: datetime, token_id: str, username: str | None = None) -> ApiTokenRow:
    """End a token at once; doing it again changes nothing.

    Parameters:
        username: whose it must be; None: anybody's.

    Raises:
        NotFound: there is none with this id, or it is of somebody else.
    """
    row = tx.api_token_get(token_id)
    if row is None or (username is not None and row.username != username):
        raise NotFound(f"token {token_id!r} does not exist")
    if row.revoked_at is None:
        row = replace(row, revoked_at=now)
        tx.api_token_put(row)
        note("revoke_token", thing=f"token {token_id}", after=shown_token(row))
    return row


def looks_like_token(text: str) -> bool:
    """Whether this is meant to be an API token."""
    return text.startswith(PREFIX)


def token_user(tx: Transaction, now: datetime, text: str) -> tuple[ApiTokenRow, UserRow]:
    """The token and its owner. Raises `Unauthenticated`, in the same words for every reason but the end."""
    found = _FORM.fullmatch(text)
    row = tx.api_token_get(found[1]) if found else None
    # Compared also when there is no row, so that the time tells nothing.
    fits = hmac.compare_digest(row.secret_hash if row else _hash(""), _hash(found[2] if found else "x"))
    if row is None or not fits or row.revoked_at is not None:
        raise Unauthenticated("the API token is not valid; make a new one (`tradewind tokens create`)")
    if row.expires_at is not None and row.expires_at <= now:
        raise Unauthenticated(f"the API token {row.token_id} ended at {row.expires_at.isoformat()}; make a new one")
    user = tx.user_get(row.username)
    if user is None or not user.is_active:
        raise Unauthenticated("the API token is not valid; make a new one (`tradewind tokens create`)")
    return row, user


def is_use_news(row: ApiTokenRow, now: datetime) -> bool:
    """Whether the time of its last use is worth a write."""
    return row.last_used_at is None or (now - row.last_used_at).total_seconds() >= _USED_SECONDS


def shown_token(row: ApiTokenRow) -> dict[str, object]:
    """A token as people may see it."""
    return {
        "token_id": row.token_id,
        "name": row.name,
        "username": row.username,
        "scopes": list(row.scopes),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
    }


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
