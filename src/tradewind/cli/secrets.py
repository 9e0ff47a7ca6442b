"""`tradewind secrets`: the keys that connections and variables are encrypted with, and backends beside the database."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_record
from tradewind.cli.world import database, settings

NOUN = Noun("secrets", "Encryption of connections and variables, and where else they come from")
NOUNS = {NOUN.name: NOUN}


@NOUN.verb(
    "rotate-key",
    argument("--drop-old", action="store_true", help="remove the old keys afterwards: backups made before need them"),
    argument("--no-new-key", action="store_true", help="only encrypt anew with the first key that is there"),
)
def rotate_key(given: Namespace) -> None:
    """Put a new key first, encrypt every connection and variable anew; processes that run notice by themselves."""
    from tradewind.adapters.vault import FernetVault, add_key, drop_old_keys
    from tradewind.commands.secrets import reseal

    path = settings().secrets.key_file
    vault = FernetVault(path)
    with database() as store:
        if not given.no_new_key:
            add_key(path)
        with store.begin() as tx:
            count = reseal(tx, vault)
    print(f"{count} connections and variables are encrypted with {'the first' if given.no_new_key else 'a new'} key")
    if given.drop_old:
        print(f"{drop_old_keys(path)} old keys are removed from {path}")


@NOUN.verb("check", OUTPUT)
def check(given: Namespace) -> None:
    """Say whether every connection and variable can be decrypted, and which backends are asked before."""
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import connection_facts
    from tradewind.runtime.secrets.chain import backend_names

    found = settings()
    vault = open_vault(found)
    with database() as store, store.read() as tx:
        connections, variables = tx.connection_list(), tx.variable_list()
        for row in connections:
            connection_facts(tx, vault, row.conn_id)
        for variable in variables:
            vault.open(variable.value)
    facts = {
        "key_file": str(found.secrets.key_file),
        "connections": len(connections),
        "variables": len(variables),
        "state": "all can be decrypted",
        "backends": backend_names(found.secrets.backend),
    }
    show_record(facts, given.output)


@NOUN.verb(
    "lookup",
    argument("kind", choices=("connection", "variable"), help="what to look for"),
    argument("name", help="its id or key"),
)
def lookup(given: Namespace) -> int:
    """Ask the backends of secrets.backend, as a worker would, and say whether they know it; the value is not shown."""
    from tradewind.runtime.secrets.chain import Chain, make_backends

    found = settings().secrets
    if not found.backend:
        print("secrets.backend names no backend")
        return 1
    chain = Chain(make_backends(found.backend, found.backend_kwargs))
    known = chain.connection(given.name) if given.kind == "connection" else chain.variable(given.name)
    print(f"{given.kind} {given.name!r} is {'known' if known is not None else 'not known'} to {found.backend}")
    return 0 if known is not None else 4
