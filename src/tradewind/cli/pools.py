"""`tradewind pools`: slots that tasks share."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import jsonable, show_record, show_rows
from tradewind.cli.world import database, read_json_file, write_file
from tradewind.ports.rows import PoolRow

NOUN = Noun("pools", "Pools: slots that tasks share")
NOUNS = {NOUN.name: NOUN}
_NAME = argument("name", help="name of the pool")


@NOUN.verb("list", OUTPUT)
def list_pools(given: Namespace) -> None:
    """List pools with their slots and how many are in use."""
    with database() as store, store.read() as tx:
        rows = tx.pool_list()
    show_rows(map(_shown, rows), given.output)


@NOUN.verb("get", _NAME, OUTPUT)
def get_pool(given: Namespace) -> None:
    """Show one pool."""
    from tradewind.commands.pools import require_pool

    with database() as store, store.read() as tx:
        row = require_pool(tx, given.name)
    show_record(_shown(row), given.output)


@NOUN.verb(
    "set",
    _NAME,
    argument("slots", type=int, help="how many task slots; -1 is unlimited, 0 lets nothing start"),
    argument("description", nargs="?", default=None, help="what it is for"),
    argument("--description", dest="text", help="the same as an option"),
    argument("--include-deferred", action="store_true", help="count deferred tasks too"),
)
def set_pool(given: Namespace) -> None:
    """Make or change a pool."""
    from tradewind.commands.pools import set_pool as command

    description = given.text if given.text is not None else given.description or ""
    with database() as store, store.begin() as tx:
        row = command(tx, given.name, given.slots, description, include_deferred=given.include_deferred)
    print(f"pool {row.name!r} has {row.slots} slots")


@NOUN.verb("delete", _NAME)
def delete_pool(given: Namespace) -> None:
    """Remove a pool."""
    from tradewind.commands.pools import delete_pool as command

    with database() as store, store.begin() as tx:
        command(tx, given.name)
    print(f"pool {given.name!r} is deleted")


@NOUN.verb("export", argument("file", nargs="?", default="-", help="file to write; default: standard output"))
def export_pools(given: Namespace) -> None:
    """Write all pools as JSON, as `pools import` reads it."""
    from tradewind.commands.pools import export_pools as command

    with database() as store, store.read() as tx:
        content = command(tx)
    write_file(given.file, json.dumps(jsonable(content), indent=2, ensure_ascii=False))


@NOUN.verb("import", argument("file", help='JSON such as {"name": {"slots": 5}}; - reads standard input'))
def import_pools(given: Namespace) -> None:
    """Make or change pools from a JSON file; all of it or nothing."""
    from tradewind.commands.pools import import_pools as command

    content = read_json_file(given.file)
    with database() as store, store.begin() as tx:
        names = command(tx, content)
    print(f"{len(names)} pools imported")


def _shown(row: PoolRow) -> dict[str, Any]:
    return {
        "pool": row.name,
        "slots": row.slots,
        "used": row.used,
        "description": row.description,
        "include_deferred": row.include_deferred,
    }
