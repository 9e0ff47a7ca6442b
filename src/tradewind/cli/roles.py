"""`tradewind roles`: what people may do."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import counted, show_record, show_rows
from tradewind.cli.world import CLOCK, database
from tradewind.wire.errors import NotFound

NOUN = Noun("roles", "Roles: what people may do")
NOUNS = {NOUN.name: NOUN}
_NAME = argument("name", help="name of the role")
_GRANTS = argument("grant", nargs="+", help="ACTIONS:RESOURCE[@SCOPE], for example read:dag@tag:finance")


@NOUN.verb("list", OUTPUT)
def list_roles(given: Namespace) -> None:
    """List roles, built-in ones first."""
    from tradewind.commands.roles import list_roles as command

    with database() as store, store.read() as tx:
        rows = command(tx)
    columns = ("name", "description", "built_in")
    show_rows(rows, given.output, columns)


@NOUN.verb("show", _NAME, OUTPUT)
def show_role(given: Namespace) -> None:
    """Show what a role is granted."""
    from tradewind.commands.roles import list_roles as command
    from tradewind.domain.roles import canonical_role

    with database() as store, store.read() as tx:
        rows = {row["name"]: row for row in command(tx)}
    name = canonical_role(given.name)
    if name not in rows:
        raise NotFound(f"role {name!r} does not exist; there are {', '.join(rows)}")
    row = rows[name]
    show_record(row if given.output != "table" else {**row, "grants": "\n".join(row["grants"])}, given.output)


@NOUN.verb(
    "create",
    _NAME,
    argument("grant", nargs="*", help="ACTIONS:RESOURCE[@SCOPE], for example read:dag@tag:finance"),
    argument("--description", help="what it is for"),
)
def create_role(given: Namespace) -> None:
    """Make a role."""
    from tradewind.commands.roles import create_role as command

    with database() as store, store.begin() as tx:
        row = command(tx, CLOCK.now(), given.name, given.grant, given.description)
    print(f"role {row.name!r} is made with {counted(len(row.grants), 'grant')}")


@NOUN.verb("grant", _NAME, _GRANTS)
def grant(given: Namespace) -> None:
    """Let those with this role do more."""
    from tradewind.commands.roles import grant as command

    with database() as store, store.begin() as tx:
        row = command(tx, CLOCK.now(), given.name, given.grant)
    print(f"role {row.name!r} has {', '.join(row.grants)}")


@NOUN.verb("revoke", _NAME, _GRANTS)
def revoke(given: Namespace) -> None:
    """Let those with this role do less."""
    from tradewind.commands.roles import revoke as command

    with database() as store, store.begin() as tx:
        row = command(tx, CLOCK.now(), given.name, given.grant)
    print(f"role {row.name!r} has {', '.join(row.grants) or 'no grants'}")


@NOUN.verb("delete", _NAME)
def delete_role(given: Namespace) -> None:
    """Remove a role that nobody has."""
    from tradewind.commands.roles import delete_role as command

    with database() as store, store.begin() as tx:
        command(tx, given.name)
    print(f"role {given.name!r} is deleted")
