"""People who may sign in: the first administrator, accounts, passwords, and who is asking.

Hashing takes tens of milliseconds on purpose, so it happens outside transactions where many may wait: hash first, then
write.
"""

from __future__ import annotations

import hashlib
import secrets as random_source
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol

from msgspec.structs import asdict, replace

from tradewind.domain.roles import ADMIN, BUILT_IN, canonical_role
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Store, Transaction
from tradewind.wire.errors import BadInput, Conflict, NotFound, Unauthenticated

from .audit import note

USERNAME_LENGTH_MAX = 250
PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 1024
"""Longer ones would only make the hash slow."""
NO_PASSWORD = ""
_GENERATED_BYTES = 15
_GUESSED_FIRST = """
password passwort 12345678 123456789 1234567890 qwertyui qwertyuiop qwerty123 password1 password123 iloveyou
admin123 administrator letmein1 welcome1 changeme tradewind airflow123 abcdefgh
"""


class Passwords(Protocol):
    """Hashes passwords (`adapters.passwords`)."""

    def hash(self, password: str) -> str: ...

    def fits(self, hashed: str, password: str) -> bool: ...

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with weaker parameters than those of today."""


class HashedBefore:
    """`Passwords` for a transaction that must not wait for a hash: `password` is hashed when this is made.

    Raises:
        BadInput: it cannot be taken.
    """

    def __init__(self, passwords: Passwords, password: str, username: str = "") -> None:
        self._passwords = passwords
        self._password = check_password(password, username)
        self._hashed = passwords.hash(password)

    def hash(self, password: str) -> str:
        return self._hashed if password == self._password else self._passwords.hash(password)

    def fits(self, hashed: str, password: str) -> bool:
        return self._passwords.fits(hashed, password)

    def is_outdated(self, hashed: str) -> bool:
        return self._passwords.is_outdated(hashed)


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
    generated = None if password else generate_password()
    # A given one is taken at any length: whoever sets it in a setting has decided.
    row = UserRow(
        username=check_username(username),
        password_hash=passwords.hash(generated or password),
        roles=(ADMIN,),
        created_at=now,
    )
    with store.begin() as tx:
        # Several servers may start at once: the row of the pool stands for "one at a time".
        tx.pool_lock(["default_pool"])
        if tx.user_count():
            return None
        tx.user_put(row)
    return FirstAdmin(row.username, generated)


def create_user(
    tx: Transaction,
    passwords: Passwords,
    now: datetime,
    username: str,
    password: str | None,
    roles: str | Iterable[str],
    *,
    email: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    origin: str = "local",
) -> UserRow:
    """Make a user.

    Parameters:
        password: None for somebody who signs in elsewhere.
        roles: one or more names of roles that exist.

    Raises:
        BadInput: name, password or role cannot be taken.
        Conflict: the name is taken.
    """
    check_username(username)
    found = check_roles(tx, [roles] if isinstance(roles, str) else roles)
    hashed = NO_PASSWORD if password is None else passwords.hash(check_password(password, username))
    if tx.user_get(username) is not None:
        raise Conflict(f"user {username!r} exists already: choose another name, or set a new password for this one")
    row = UserRow(
        username=username,
        password_hash=hashed,
        roles=found,
        created_at=now,
        email=email,
        first_name=first_name,
        last_name=last_name,
        origin=origin,
    )
    tx.user_put(row)
    note("create_user", thing=f"user {username}", after=shown_user(row))
    return row


def delete_user(tx: Transaction, username: str) -> None:
    """Remove a user with his tokens and sessions. Raises `NotFound`, `Conflict` (the last administrator)."""
    row = require_user(tx, username)
    _keep_an_admin(tx, row, None)
    tx.user_delete(username)
    note("delete_user", thing=f"user {username}", before=shown_user(row))


def set_roles(tx: Transaction, username: str, roles: Iterable[str]) -> UserRow:
    """Give a user other roles. Raises `NotFound`, `BadInput`, `Conflict` (the last administrator)."""
    row = require_user(tx, username)
    return _change(tx, row, replace(row, roles=check_roles(tx, roles)), "set_roles")


def set_active(tx: Transaction, username: str, active: bool) -> UserRow:
    """Let a user sign in, or not any more: tokens and sessions rest meanwhile. Raises `NotFound`, `Conflict`."""
    row = require_user(tx, username)
    return _change(tx, row, replace(row, is_active=active), "enable_user" if active else "disable_user")


def set_names(
    tx: Transaction, username: str, *, email: str | None, first_name: str | None, last_name: str | None
) -> UserRow:
    """Change how a user is called and reached. Raises `NotFound`."""
    row = require_user(tx, username)
    return _change(tx, row, replace(row, email=email, first_name=first_name, last_name=last_name), "set_names")


def set_password(tx: Transaction, passwords: Passwords, username: str, password: str) -> None:
    """Give a user a new password; tokens and sessions of before are void. Raises `NotFound`, `BadInput`."""
    row = require_user(tx, username)
    hashed = passwords.hash(check_password(password, username))
    tx.user_put(replace(row, password_hash=hashed))
    tx.session_delete_of(username)
    note("set_password", thing=f"user {username}")


def change_password(store: Store, passwords: Passwords, username: str, old: str, new: str) -> UserRow:
    """A user gives himself a new password; the user as he is then.

    Raises:
        BadInput: the present password is wrong; the new one cannot be taken; he signs in elsewhere and has none.
    """
    with store.read() as tx:
        if require_user(tx, username).password_hash == NO_PASSWORD:
            raise BadInput(f"user {username!r} signs in elsewhere and has no password here")
    if old == new:
        raise BadInput("the new password is the old one")
    try:
        sign_in(store, passwords, username, old)
    except Unauthenticated:
        raise BadInput("the present password is wrong") from None
    hashed = HashedBefore(passwords, new, username)
    with store.begin() as tx:
        set_password(tx, hashed, username, new)
        return require_user(tx, username)


def sign_out_everywhere(tx: Transaction, username: str) -> UserRow:
    """End all sessions and bearer tokens of a user; API tokens stay. Raises `NotFound`."""
    row = require_user(tx, username)
    changed = replace(row, epoch=row.epoch + 1)
    tx.user_put(changed)
    tx.session_delete_of(username)
    note("sign_out_everywhere", thing=f"user {username}")
    return changed


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
    if row is None or row.password_hash == NO_PASSWORD:
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
    """Tells one password, and one epoch, of a user from the next, without telling anything of either."""
    return hashlib.sha256(f"{row.password_hash}\n{row.epoch}".encode()).hexdigest()[:16]


def generate_password() -> str:
    """A password nobody can guess, to be shown once."""
    return random_source.token_urlsafe(_GENERATED_BYTES)


def check_password(password: str, username: str = "") -> str:
    """Return `password` if it may be one. Raises `BadInput`."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise BadInput(
            f"a password must have {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters, "
            f"this one has {len(password)}"
        )
    if password.casefold() in _GUESSED_FIRST.split() or len(set(password)) < 4:
        raise BadInput("this password is among the first that are guessed; take another one")
    if username and password.casefold() == username.casefold():
        raise BadInput("a password must not be the user name")
    return password


def check_username(username: str) -> str:
    """Return `username` if it may be one. Raises `BadInput`."""
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
    return username


def check_roles(tx: Transaction, roles: Iterable[str]) -> tuple[str, ...]:
    """The roles in their canonical spelling, without doubles. Raises `BadInput` for one that there is not."""
    found = tuple(dict.fromkeys(map(canonical_role, roles)))
    for role in found:
        if role not in BUILT_IN and tx.role_get(role) is None:
            known = [*BUILT_IN, *(row.name for row in tx.role_list())]
            raise BadInput(f"there is no role {role!r}; use one of {', '.join(dict.fromkeys(known))}")
    return found


def shown_user(row: UserRow) -> dict[str, object]:
    """A user as people may see him: without the hash."""
    fields = asdict(row)
    del fields["password_hash"], fields["epoch"]
    return fields


def _change(tx: Transaction, before: UserRow, after: UserRow, event: str) -> UserRow:
    _keep_an_admin(tx, before, after)
    tx.user_put(after)
    note(event, thing=f"user {after.username}", before=shown_user(before), after=shown_user(after))
    return after


def _keep_an_admin(tx: Transaction, before: UserRow, after: UserRow | None) -> None:
    def rules(row: UserRow | None) -> bool:
        return row is not None and row.is_active and ADMIN in row.roles

    if rules(before) and not rules(after) and sum(map(rules, tx.user_list())) <= 1:
        raise Conflict(
            f"user {before.username!r} is the last active administrator: give somebody else the role {ADMIN} first"
        )


def _rehash(store: Store, row: UserRow, hashed: str) -> UserRow:
    with store.begin() as tx:
        present = tx.user_get(row.username)
        if present != row:
            return row  # changed meanwhile: that password holds, this sign-in is of the one before
        row = replace(row, password_hash=hashed)
        tx.user_put(row)
    return row


def _wrong() -> Unauthenticated:
    return Unauthenticated("user name or password is wrong")
