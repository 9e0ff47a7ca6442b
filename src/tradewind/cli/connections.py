"""`tradewind connections`: other systems and how to sign in to them."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_document, show_record, show_rows
from tradewind.cli.world import database, json_value, secret, settings, write_file
from tradewind.sdk.connections import ENVIRONMENT_PREFIXES, Connection
from tradewind.wire.errors import BadInput
from tradewind.wire.execution import ConnectionFacts

NOUN = Noun("connections", "Connections to other systems")
NOUNS = {NOUN.name: NOUN}
_ID = argument("conn_id", help="name of the connection")
_FIELDS = ("conn_type", "description", "host", "schema", "login", "password", "port", "extra")
_MASK = "***"


@NOUN.verb("list", OUTPUT)
def list_connections(given: Namespace) -> None:
    """List connections, without their secrets."""
    with database() as store, store.read() as tx:
        rows = tx.connection_list()
    shown = (
        {
            name: getattr(row, name)
            for name in ("conn_id", "conn_type", "host", "port", "schema", "login", "description")
        }
        for row in rows
    )
    show_rows(shown, given.output, empty="there are no connections")


@NOUN.verb("get", _ID, argument("--show-secrets", action="store_true", help="with password and extra"), OUTPUT)
def get_connection(given: Namespace) -> None:
    """Show one connection; its secrets only when asked for."""
    fields = _fields(_read(given.conn_id))
    if not given.show_secrets:
        fields |= {name: _MASK for name in ("password", "extra") if fields[name]}
    show_record(fields, given.output)


@NOUN.verb(
    "set",
    _ID,
    argument("--uri", "--conn-uri", help="everything in one text: postgres://user:password@host:5432/schema"),
    argument("--json", "--conn-json", help='everything as a JSON object: {"conn_type": "http", "host": "..."}'),
    argument("--type", "--conn-type", dest="conn_type", help="kind of system: sqlite, postgres, http, ..."),
    argument("--description", "--conn-description", help="what it is for"),
    argument("--host", "--conn-host"),
    argument("--schema", "--conn-schema", help="database or path"),
    argument("--login", "--conn-login"),
    argument("--password", "--conn-password", help="- reads a line from standard input, which nobody else can see"),
    argument("--port", "--conn-port", type=int),
    argument("--extra", "--conn-extra", help="further options as a JSON object"),
)
def set_connection(given: Namespace) -> None:
    """Make or replace a connection."""
    connection = given_connection(given)
    _write({given.conn_id: connection})
    print(f"connection {given.conn_id!r} is set ({connection.conn_type})")


@NOUN.verb("delete", _ID)
def delete_connection(given: Namespace) -> None:
    """Remove a connection."""
    from tradewind.commands.secrets import delete_connection as command

    with database() as store, store.begin() as tx:
        command(tx, given.conn_id)
    print(f"connection {given.conn_id!r} is deleted")


@NOUN.verb("test", _ID, argument("--timeout", type=float, default=30.0, help="seconds; default 30"))
def test_connection(given: Namespace) -> int:
    """Try whether a connection works; its hook is asked in a process of its own. Exit code 0 only when it does."""
    from tradewind.runtime.connection_check import check_connection

    verdict = check_connection(_found(given.conn_id), given.timeout)
    print(verdict.message)
    return 0 if verdict.ok else 1


@NOUN.verb("types", OUTPUT)
def list_types(given: Namespace) -> None:
    """List the kinds of connections, those of installed providers included."""
    from tradewind.runtime.connection_types import connection_types

    rows = (
        {"conn_type": each.conn_type, "name": each.name, "hook": each.hook, "source": each.source}
        for each in connection_types()
    )
    show_rows(rows, given.output)


@NOUN.verb(
    "export",
    argument("file", nargs="?", default="-", help="file to write; default: standard output"),
    argument("--format", "--file-format", choices=("json", "yaml", "env"), help="default: by the file's name, or json"),
)
def export_connections(given: Namespace) -> None:
    """Write all connections, secrets included, as `connections import` reads them."""
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import connection_facts

    vault = open_vault(settings())
    with database() as store, store.read() as tx:
        found = [_connection(connection_facts(tx, vault, row.conn_id)) for row in tx.connection_list()]
    form = given.format or _form_of(given.file)
    if form == "env":
        prefix = ENVIRONMENT_PREFIXES[0]
        write_file(given.file, "\n".join(f"{prefix}{_upper(each)}={each.get_uri()}" for each in found), private=True)
        return
    content = {each.conn_id: _without_empty(each) for each in found}
    if form == "yaml" and given.file == "-":
        show_document(content, "yaml")
    else:
        # JSON is YAML too, whatever reads it.
        write_file(given.file, json.dumps(content, indent=2, ensure_ascii=False), private=True)


@NOUN.verb(
    "import",
    argument("file", help="JSON, YAML or .env file: id → URI or fields"),
    argument("--keep", action="store_true", help="leave connections alone that exist already"),
    argument("--overwrite", action="store_true", help="replace them, which is the default"),
)
def import_connections(given: Namespace) -> None:
    """Make or replace connections from a file; all of it or nothing."""
    from tradewind.sdk.memory_client import read_connections

    found = {imported_id(name): connection for name, connection in read_connections(given.file).items()}
    if given.keep:
        with database() as store, store.read() as tx:
            there = {row.conn_id for row in tx.connection_list()}
        found = {name: connection for name, connection in found.items() if name not in there}
    _write(found)
    print(f"{len(found)} connections imported")


def given_connection(given: Namespace) -> Connection:
    whole = [name for name in ("uri", "json") if getattr(given, name) is not None]
    single = {name: getattr(given, name) for name in _FIELDS if getattr(given, name) is not None}
    if len(whole) + bool(set(single) - {"description"}) != 1:
        raise BadInput("give a connection either as --uri, as --json, or by --type and single fields")
    if given.uri is not None:
        connection = Connection(conn_id=given.conn_id, uri=secret(given.uri))
    elif given.json is not None:
        connection = Connection.from_fields(json_value(secret(given.json), "--json"), given.conn_id)
    else:
        if given.password is not None:
            single["password"] = secret(given.password)
        if given.extra is not None:
            json_value(given.extra, "--extra")
        connection = Connection(conn_id=given.conn_id, **single)
    if given.description is not None:
        connection.description = given.description
    return connection


def _write(connections: dict[str, Connection]) -> None:
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import set_connection as command

    vault = open_vault(settings())
    with database() as store, store.begin() as tx:
        for conn_id, each in connections.items():
            fields: dict[str, Any] = {name: getattr(each, name) for name in _FIELDS}
            command(tx, vault, ConnectionFacts(conn_id=conn_id, **fields | {"conn_type": each.conn_type or ""}))


def _found(conn_id: str) -> ConnectionFacts:
    """The connection as a task would find it: of the environment, or of the database."""
    from tradewind.sdk.connections import find_connection
    from tradewind.sdk.exceptions import AirflowNotFoundException

    try:
        found = find_connection(conn_id)
    except AirflowNotFoundException:
        return _read(conn_id)
    fields: dict[str, Any] = {name: getattr(found, name) for name in _FIELDS}
    return ConnectionFacts(conn_id=conn_id, **fields | {"conn_type": found.conn_type or ""})


def _read(conn_id: str) -> ConnectionFacts:
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import connection_facts

    vault = open_vault(settings())
    with database() as store, store.read() as tx:
        return connection_facts(tx, vault, conn_id)


def _fields(facts: ConnectionFacts) -> dict[str, Any]:
    return {"conn_id": facts.conn_id, **{name: getattr(facts, name) for name in _FIELDS}}


def _connection(facts: ConnectionFacts) -> Connection:
    return Connection(**_fields(facts))


def _without_empty(connection: Connection) -> dict[str, Any]:
    fields = connection.to_dict(prune_empty=True, validate=False)
    fields.pop("conn_id", None)
    return fields


def _form_of(file: str) -> str:
    ending = file.rpartition(".")[2].lower()
    return {"yml": "yaml", "yaml": "yaml", "env": "env"}.get(ending, "json")


def _upper(connection: Connection) -> str:
    return (connection.conn_id or "").upper()


def imported_id(name: str) -> str:
    """Names of a `.env` file may be those of the environment."""
    for prefix in ENVIRONMENT_PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix).lower()
    return name
