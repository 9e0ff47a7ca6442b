"""`tradewind users`: who may sign in."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from tradewind.cli.commandline import OUTPUT, YES, Noun, argument
from tradewind.cli.output import show_record, show_rows
from tradewind.cli.world import CLOCK, confirm, database, secret
from tradewind.wire.errors import BadInput

NOUN = Noun("users", "Users: who may sign in, and with which roles")
NOUNS = {NOUN.name: NOUN}
_NAME = argument("username", help="name of the user")
_ROLES = argument("-r", "--role", action="append", required=True, help="name of a role; may be given more than once")
_PASSWORD = argument("-p", "--password", help="- reads a line from standard input; default: asked for")
_RANDOM = argument("--use-random-password", action="store_true", help="generate one and print it once")
COLUMNS = ("username", "roles", "is_active", "origin", "email", "last_login_at")


@NOUN.verb("list", OUTPUT)
def list_users(given: Namespace) -> None:
    """List users."""
    from tradewind.commands.users import shown_user

    with database() as store, store.read() as tx:
        rows = tx.user_list()
    show_rows(map(shown_user, rows), given.output, COLUMNS, empty="there are no users")


@NOUN.verb("show", _NAME, OUTPUT)
def show_user(given: Namespace) -> None:
    """Show one user."""
    from tradewind.commands.users import require_user, shown_user

    with database() as store, store.read() as tx:
        row = require_user(tx, given.username)
    show_record(shown_user(row), given.output)


@NOUN.verb(
    "create",
    argument("username", nargs="?", help="name of the user"),
    argument("-u", "--username", dest="name", help="the same as an option"),
    _ROLES,
    _PASSWORD,
    _RANDOM,
    argument("-e", "--email", help="how to reach him"),
    argument("-f", "--firstname", help="first name"),
    argument("-l", "--lastname", help="last name"),
)
def create_user(given: Namespace) -> None:
    """Make a user."""
    from tradewind.adapters.passwords import Argon2Passwords
    from tradewind.commands.users import HashedBefore
    from tradewind.commands.users import create_user as command

    username = given.name or given.username
    if not username:
        raise BadInput("give the name of the user: `tradewind users create NAME --role ROLE`")
    password, generated = chosen_password(given)
    hashed = HashedBefore(Argon2Passwords(), password, username)
    facts: dict[str, Any] = {"email": given.email, "first_name": given.firstname, "last_name": given.lastname}
    with database() as store, store.begin() as tx:
        row = command(tx, hashed, CLOCK.now(), username, password, given.role, **facts)
    print(f"user {row.username!r} is made, with role {', '.join(row.roles)}")
    if generated:
        print(f"password {password} (shown only now)")


@NOUN.verb("delete", _NAME, YES)
def delete_user(given: Namespace) -> None:
    """Remove a user with his tokens; what he did stays in the audit log."""
    from tradewind.commands.users import delete_user as command

    confirm(f"Remove user {given.username!r}?", given.yes)
    with database() as store, store.begin() as tx:
        command(tx, given.username)
    print(f"user {given.username!r} is deleted")


@NOUN.verb("set-password", _NAME, _PASSWORD, _RANDOM)
def set_password(given: Namespace) -> None:
    """Give a user a new password; everything he signed in with before ends."""
    from tradewind.adapters.passwords import Argon2Passwords
    from tradewind.commands.users import HashedBefore
    from tradewind.commands.users import set_password as command

    password, generated = chosen_password(given)
    hashed = HashedBefore(Argon2Passwords(), password, given.username)
    with database() as store, store.begin() as tx:
        command(tx, hashed, given.username, password)
    print(f"user {given.username!r} has a new password")
    if generated:
        print(f"password {password} (shown only now)")


@NOUN.verb("set-role", _NAME, _ROLES)
def set_role(given: Namespace) -> None:
    """Give a user these roles instead of those he has."""
    from tradewind.commands.users import set_roles as command

    with database() as store, store.begin() as tx:
        row = command(tx, given.username, given.role)
    print(f"user {row.username!r} has role {', '.join(row.roles)}")


@NOUN.verb("disable", _NAME)
def disable_user(given: Namespace) -> None:
    """Let a user sign in no more; his tokens rest too."""
    _set_active(given.username, False)


@NOUN.verb("enable", _NAME)
def enable_user(given: Namespace) -> None:
    """Let a user sign in again."""
    _set_active(given.username, True)


@NOUN.verb("sign-out", _NAME)
def sign_out(given: Namespace) -> None:
    """End all browser sign-ins and bearer tokens of a user. API tokens stay: `tradewind tokens revoke` ends them."""
    from tradewind.commands.users import sign_out_everywhere

    with database() as store, store.begin() as tx:
        sign_out_everywhere(tx, given.username)
    print(f"user {given.username!r} is signed out everywhere")


def _set_active(username: str, active: bool) -> None:
    from tradewind.commands.users import set_active

    with database() as store, store.begin() as tx:
        set_active(tx, username, active)
    print(f"user {username!r} is {'enabled' if active else 'disabled'}")


def chosen_password(given: Namespace) -> tuple[str, bool]:
    """The password, and whether it was generated."""
    from tradewind.commands.users import generate_password

    if given.use_random_password:
        return generate_password(), True
    if given.password is not None:
        return secret(given.password), False
    if not sys.stdin.isatty():
        raise BadInput("give a password: --password - reads it from standard input, --use-random-password makes one")
    from getpass import getpass

    first = getpass("password: ")
    if getpass("once more: ") != first:
        raise BadInput("the two are not the same; nothing was done")
    return first, False
