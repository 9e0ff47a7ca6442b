"""Connections and variables of the database for a run in this process, handed over in memory, not on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tradewind.kernel.settings import Settings
from tradewind.sdk.connections import Connection
from tradewind.wire.errors import TradewindError

_FIELDS = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")


def stored_values(settings: Settings) -> tuple[dict[str, Connection], dict[str, str]]:
    """Connections and variables by name; none when there is no database, which a test run does not need."""
    from tradewind.app.plugs import existing_database, open_vault
    from tradewind.commands.secrets import connection_facts

    try:
        with existing_database(settings) as store, store.read() as tx:
            vault = open_vault(settings)
            facts = [connection_facts(tx, vault, row.conn_id) for row in tx.connection_list()]
            variables = {row.key: vault.open(row.value) for row in tx.variable_list()}
    except TradewindError:
        return {}, {}
    connections = {
        each.conn_id: Connection(conn_id=each.conn_id, **{name: getattr(each, name) for name in _FIELDS})
        for each in facts
    }
    return connections, variables


@contextmanager
def stored_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """Paths of files with all connections and all variables, as `dag.test()` takes them. They live in memory and
    belong to this process alone."""
    connections, variables = stored_values(settings)
    fields = {
        name: {key: value for key, value in each.to_dict(validate=False).items() if value is not None}
        for name, each in connections.items()
    }
    descriptors = [_in_memory("connections", fields), _in_memory("variables", variables)]
    try:
        yield f"/proc/self/fd/{descriptors[0]}", f"/proc/self/fd/{descriptors[1]}"
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _in_memory(name: str, content: object) -> int:
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    os.write(descriptor, json.dumps(content).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
