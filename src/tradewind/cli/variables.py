"""`tradewind variables`: values that tasks may read."""

from __future__ import annotations

import json
from argparse import Namespace

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import as_yaml, show_document, show_rows
from tradewind.cli.world import database, json_value, secret, settings, write_file
from tradewind.wire.errors import BadInput, Conflict

NOUN = Noun("variables", "Variables that tasks may read")
NOUNS = {NOUN.name: NOUN}
_KEY = argument("key", help="name of the variable")


@NOUN.verb("list", argument("--show-values", action="store_true", help="with their values"), OUTPUT)
def list_variables(given: Namespace) -> None:
    """List variables; values are shown only when asked for."""
    from tradewind.app.plugs import open_vault

    vault = open_vault(settings()) if given.show_values else None
    with database() as store, store.read() as tx:
        rows = tx.variable_list()
    show_rows(
        (
            {"key": row.key, **({"value": vault.open(row.value)} if vault else {}), "description": row.description}
            for row in rows
        ),
        given.output,
        empty="there are no variables",
    )


@NOUN.verb(
    "get",
    _KEY,
    argument("--default", help="what to print when there is none; without it that is an error"),
    argument("--json", action="store_true", help="the value is JSON: print it laid out"),
    OUTPUT,
)
def get_variable(given: Namespace) -> None:
    """Print the value of a variable."""
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import require_variable, variable_value

    vault = open_vault(settings())
    with database() as store, store.read() as tx:
        value = variable_value(tx, vault, given.key) if given.default is not None else None
        if value is None:
            value = given.default if given.default is not None else require_variable(tx, vault, given.key)
    if given.json:
        show_document(json_value(value, f"variable {given.key!r}"), "json")
    elif given.output in ("json", "yaml"):
        show_document({"key": given.key, "value": value}, given.output)
    else:
        print(value)


@NOUN.verb(
    "set",
    _KEY,
    argument("value", help="its value; - reads a line from standard input"),
    argument("--json", action="store_true", help="refuse a value that is not JSON"),
    argument("--description", help="what it is for"),
)
def set_variable(given: Namespace) -> None:
    """Make or change a variable."""
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import set_variable as command

    value = secret(given.value)
    if given.json:
        json_value(value, f"variable {given.key!r}")
    vault = open_vault(settings())
    with database() as store, store.begin() as tx:
        command(tx, vault, given.key, value, given.description)
    print(f"variable {given.key!r} is set")


@NOUN.verb("delete", _KEY)
def delete_variable(given: Namespace) -> None:
    """Remove a variable."""
    from tradewind.commands.secrets import delete_variable as command

    with database() as store, store.begin() as tx:
        command(tx, given.key)
    print(f"variable {given.key!r} is deleted")


@NOUN.verb(
    "export",
    argument("file", nargs="?", default="-", help="file to write; default: standard output"),
    argument("--format", "--file-format", choices=("json", "yaml", "env"), help="default: by the file's name, or json"),
)
def export_variables(given: Namespace) -> None:
    """Write all variables with their values, as `variables import` reads them."""
    from tradewind.app.plugs import open_vault

    vault = open_vault(settings())
    with database() as store, store.read() as tx:
        content = {row.key: vault.open(row.value) for row in tx.variable_list()}
    write_variables(content, given)


def write_variables(content: dict[str, str], given: Namespace) -> None:
    """Write variables to the file that was given, in its form. Raises `BadInput`."""
    form = given.format or {"yml": "yaml", "yaml": "yaml", "env": "env"}.get(given.file.rpartition(".")[2], "json")
    if form == "env":
        if several := [key for key, value in content.items() if "\n" in value]:
            raise BadInput(f"variable {several[0]!r} has several lines, which a .env file cannot hold; use json")
        text = "\n".join(f"{key}={value}" for key, value in content.items())
    elif form == "yaml":
        text = as_yaml(content)
    else:
        text = json.dumps(content, indent=2, ensure_ascii=False)
    write_file(given.file, text, private=True)


@NOUN.verb(
    "import",
    argument("file", help="JSON, YAML or .env file: name → value"),
    argument(
        "-a",
        "--action-on-existing-key",
        choices=("overwrite", "skip", "fail"),
        default="overwrite",
        help="what to do with one that exists already; default overwrite",
    ),
)
def import_variables(given: Namespace) -> None:
    """Make or change variables from a file; all of it or nothing."""
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import set_variable as command
    from tradewind.sdk.memory_client import read_variables

    content = read_variables(given.file)
    vault = open_vault(settings())
    with database() as store, store.begin() as tx:
        there = {row.key for row in tx.variable_list()} & content.keys()
        if there and given.action_on_existing_key == "fail":
            raise Conflict(f"variable {min(there)!r} exists already; nothing was imported")
        skipped = there if given.action_on_existing_key == "skip" else set()
        for key, value in content.items():
            if key not in skipped:
                command(tx, vault, key, value)
    print(f"{len(content) - len(skipped)} variables imported")
