"""Sessions of browsers: kept by the server, so that they can be ended; the cookie holds only their secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets as random_source
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from tradewind.ports.people_rows import SessionRow
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import Unauthenticated

from .audit import note
from .users import password_mark

SECRET_LENGTH = 43
_SEEN_SECONDS = 60
_PRUNE_MAX = 100
_SESSIONS_MAX = 50
"""Of one user; a further sign-in ends the oldest."""


class NewSession(NamedTuple):
    """A session just made."""

    row: SessionRow
    secret: str
    """For the cookie; told to nobody else."""


def open_session(
    tx: Transaction,
    now: datetime,
    user: UserRow,
    seconds: float,
    *,
    means: str = "password",
    address: str | None = None,
    user_agent: str | None = None,
) -> NewSession:
    """Begin a session, always with a new secret: one that somebody planted in the browser before is worth nothing.

    Parameters:
        seconds: how long it lasts at most (auth.session_seconds).
    """
    tx.session_prune(now, _PRUNE_MAX)
    for old in tx.session_list(user.username)[_SESSIONS_MAX - 1 :]:
        tx.session_delete(old.session_id)
    secret = random_source.token_urlsafe(32)
    row = SessionRow(
        session_id=session_id_of(secret),
        username=user.username,
        mark=password_mark(user),
        means=means,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(seconds=seconds),
        address=address,
        user_agent=user_agent[:300] if user_agent else None,
    )
    tx.session_put(row)
    tx.user_put(replace(user, last_login_at=now))
    note("sign_in", thing=f"user {user.username}", means=means)
    return NewSession(row, secret)


def session_user(tx: Transaction, now: datetime, secret: str, idle_seconds: float) -> tuple[SessionRow, UserRow]:
    """The session of a cookie and its user. Raises `Unauthenticated` when it ended, for whatever reason."""
    row = tx.session_get(session_id_of(secret)) if len(secret) == SECRET_LENGTH else None
    if row is None or row.expires_at <= now or row.seen_at + timedelta(seconds=idle_seconds) <= now:
        raise _over()
    user = tx.user_get(row.username)
    if user is None or not user.is_active or password_mark(user) != row.mark:
        raise _over()
    return row, user


def is_sight_news(row: SessionRow, now: datetime) -> bool:
    """Whether the time it was seen last is worth a write."""
    return (now - row.seen_at).total_seconds() >= _SEEN_SECONDS


def touch_session(tx: Transaction, session_id: str, now: datetime) -> None:
    """It was seen just now; one that ended meanwhile stays ended."""
    row = tx.session_get(session_id)
    if row is not None:
        tx.session_put(replace(row, seen_at=now))


def close_session(tx: Transaction, session_id: str) -> None:
    """End a session; ending it twice changes nothing."""
    if tx.session_delete(session_id):
        note("sign_out")


def session_id_of(secret: str) -> str:
    """What the database knows a session by."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_token_of(secret: str) -> str:
    """What a page of ours sends back with every change, and a page of others cannot know: made from the cookie that
    scripts cannot read, so nothing needs to be kept."""
    return hmac.digest(secret.encode(), b"csrf", hashlib.sha256).hex()


def _over() -> Unauthenticated:
    return Unauthenticated("the session is over; sign in again")
