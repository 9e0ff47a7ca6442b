"""People who may sign in: the first administrator, passwords, and who is asking.

Hashing takes tens of milliseconds on purpose, so it happens outside transactions: hash first, then write.
"""

from __future__ import annotations

import hashlib
import secrets as random_source
from datetime import datetime
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from tradewind.ports.rows import UserRow
from tradewind.ports.store import Store, Transaction
from tradewind.wire.errors import BadInput, Conflict, NotFound, Unauthenticated

ROLES = ("admin", "op", "user", "viewer")
USERNAME_LENGTH_MAX = 250
PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 1024
"""Longer ones would only make the hash slow."""
_GENERATED_BYTES = 15


class Passwords(Protocol):
    """Hashes passwords (`adapters.passwords`)."""

    def hash(self, password: str) -> str: ...

    def fits(self, hashed: str, password: str) -> bool: ...

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with weaker parameters than those of today."""


class FirstAdmin(NamedTuple):
    """The administrator just made."""

    username: str
    generated_password: str | None
    """To be printed once; None when it was given in auth.admin_password."""


def ensure_admin(store: Store, passwords: Passwords, now: datetime, username: str, password: str) -> FirstAdmin | None:
    """Make the first administrator when there is no user at all; None when there is one.

    Parameters:
        username: auth.admin_username.
        password: auth.admin_password; empty: one is generated.

    Raises:
        BadInput: name or password cannot be taken.
    """
    with store.read() as tx:
        if tx.user_count():
            return None
    generated = None if password else random_source.token_urlsafe(_GENERATED_BYTES)
    # A given one is taken at any length: whoever sets it in a setting has decided.
    row = _user_row(username, passwords.hash(generated or password), "admin", now)
    with store.begin() as tx:
        # Several servers may start at once: the row of the pool stands for "one at a time".
        tx.pool_lock(["default_pool"])
        if tx.user_count():
            return None
        tx.user_put(row)
    return FirstAdmin(row.username, generated)


def create_user(
    tx: Transaction, passwords: Passwords, now: datetime, username: str, password: str, role: str
) -> UserRow:
    """Make a user. Raises `BadInput` (name, password, role), `Conflict` when the name is taken."""
    row = _user_row(username, passwords.hash(check_password(password)), role, now)
    if tx.user_get(row.username) is not None:
        raise Conflict(f"user {row.username!r} exists already: choose another name, or set a new password for this one")
    tx.user_put(row)
    return row


def set_password(tx: Transaction, passwords: Passwords, username: str, password: str) -> None:
    """Give a user a new password; tokens issued before are void. Raises `NotFound`, `BadInput`."""
    row = require_user(tx, username)
    tx.user_put(replace(row, password_hash=passwords.hash(check_password(password))))


def require_user(tx: Transaction, username: str) -> UserRow:
    """The user. Raises `NotFound`."""
    row = tx.user_get(username)
    if row is None:
        raise NotFound(f"user {username!r} does not exist")
    return row


def sign_in(store: Store, passwords: Passwords, username: str, password: str) -> UserRow:
    """The user behind these credentials. Takes as long for a name that does not exist.

    Raises:
        Unauthenticated: they do not fit; it does not say which part.
    """
    with store.read() as tx:
        row = tx.user_get(username) if len(username) <= USERNAME_LENGTH_MAX else None
    if len(password) > PASSWORD_LENGTH_MAX:
        raise _wrong()
    if row is None:
        passwords.hash(password)
        raise _wrong()
    if not passwords.fits(row.password_hash, password) or not row.is_active:
        raise _wrong()
    if passwords.is_outdated(row.password_hash):
        row = _rehash(store, row, passwords.hash(password))
    return row


def user_of_token(tx: Transaction, username: str, mark: str) -> UserRow:
    """The user a token was issued to. Raises `Unauthenticated` when he is gone, not active, or has a new password."""
    row = tx.user_get(username)
    if row is None or not row.is_active or password_mark(row) != mark:
        raise Unauthenticated("the bearer token is not valid any more; sign in again (POST /auth/token)")
    return row


def password_mark(row: UserRow) -> str:
    """Tells one password of a user from the next, without telling anything of either."""
    return hashlib.sha256(row.password_hash.encode()).hexdigest()[:16]


def check_password(password: str) -> str:
    """Return `password` if it may be one. Raises `BadInput`."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise BadInput(
            f"a password must have {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters, "
            f"this one has {len(password)}"
        )
    return password


def _rehash(store: Store, row: UserRow, hashed: str) -> UserRow:
    with store.begin() as tx:
        present = tx.user_get(row.username)
        if present != row:
            return row  # changed meanwhile: that password holds, this sign-in is of the one before
        row = replace(row, password_hash=hashed)
        tx.user_put(row)
    return row


def _user_row(username: str, password_hash: str, role: str, now: datetime) -> UserRow:
    if (
        not username
        or len(username) > USERNAME_LENGTH_MAX
        or not username.isprintable()
        or username != username.strip()
    ):
        raise BadInput(
            f"a user name must have 1 to {USERNAME_LENGTH_MAX} printable characters and no spaces around it, "
            f"not {username!r}"
        )
    if role not in ROLES:
        raise BadInput(f"there is no role {role!r}; use one of {', '.join(ROLES)}")
    return UserRow(username=username, password_hash=password_hash, role=role, created_at=now)


def _wrong() -> Unauthenticated:
    return Unauthenticated("user name or password is wrong")
