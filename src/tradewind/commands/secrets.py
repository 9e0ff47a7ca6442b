"""Connections and variables: encrypted before they reach the store, opened only for who may see them."""

from __future__ import annotations

import difflib
import re
from typing import Any

from msgspec.structs import asdict, replace

from tradewind.ports.rows import ConnectionRow, VariableRow
from tradewind.ports.store import SecretTx
from tradewind.ports.vault import Vault
from tradewind.wire.errors import BadInput, NotFound
from tradewind.wire.execution import ConnectionFacts

from .audit import MASK, note

_CONN_ID_LENGTH_MAX = 250
_CONN_ID = re.compile(rf"[\w#!()\-.:/\\]{{1,{_CONN_ID_LENGTH_MAX}}}")


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def set_connection(tx: SecretTx, vault: Vault, facts: ConnectionFacts) -> None:
    """Insert or replace a connection. Raises `BadInput` for an odd id, an empty type, or a port outside 0..65535."""
    if not _CONN_ID.fullmatch(facts.conn_id):
        raise BadInput(
            f"connection id must have 1 to {_CONN_ID_LENGTH_MAX} letters, digits or signs of _#!()-.:/\\, "
            f"not {facts.conn_id!r}"
        )
    if not facts.conn_type:
        raise BadInput(f"connection {facts.conn_id!r} needs a type, for example sqlite, postgres or http")
    if facts.port is not None and not 0 <= facts.port <= 65535:
        raise BadInput(f"port of connection {facts.conn_id!r} must be between 0 and 65535, not {facts.port}")
    row = ConnectionRow(
        conn_id=facts.conn_id,
        conn_type=facts.conn_type,
        description=facts.description,
        host=facts.host,
        schema=facts.schema,
        login=facts.login,
        password=vault.seal(facts.password) if facts.password is not None else None,
        port=facts.port,
        extra=vault.seal(facts.extra) if facts.extra is not None else None,
    )
    before = tx.connection_get(facts.conn_id)
    tx.connection_put(row)
    note(
        "set_connection",
        thing=f"connection {facts.conn_id}",
        before=_shown_connection(before),
        after=_shown_connection(row),
    )


def connection_facts(tx: SecretTx, vault: Vault, conn_id: str) -> ConnectionFacts:
    """The connection, opened. Raises `NotFound` naming the id and where else it may be defined."""
    row = tx.connection_get(conn_id)
    if row is None:
        near = _nearest(conn_id, [c.conn_id for c in tx.connection_list()])
        raise NotFound(
            f"connection {conn_id!r} does not exist{near} (set it with `tradewind connections set {conn_id} ...` "
            f"or the environment variable TRADEWIND_CONN_{conn_id.upper()})"
        )
    return ConnectionFacts(
        conn_id=row.conn_id,
        conn_type=row.conn_type,
        description=row.description,
        host=row.host,
        schema=row.schema,
        login=row.login,
        password=vault.open(row.password) if row.password is not None else None,
        port=row.port,
        extra=vault.open(row.extra) if row.extra is not None else None,
    )


def delete_connection(tx: SecretTx, conn_id: str) -> None:
    """Raises `NotFound`."""
    before = tx.connection_get(conn_id)
    if not tx.connection_delete(conn_id):
        raise NotFound(
            f"connection {conn_id!r} does not exist{_nearest(conn_id, [c.conn_id for c in tx.connection_list()])}"
        )
    note("delete_connection", thing=f"connection {conn_id}", before=_shown_connection(before))


def set_variable(tx: SecretTx, vault: Vault, key: str, value: str, description: str | None = None) -> None:
    """Insert or replace a variable. Raises `BadInput` for an empty or over-long key."""
    if not key or len(key) > _CONN_ID_LENGTH_MAX:
        raise BadInput(f"key of a variable must have 1 to {_CONN_ID_LENGTH_MAX} characters, not {key!r}")
    before = tx.variable_get(key)
    row = VariableRow(key=key, value=vault.seal(value), description=description)
    tx.variable_put(row)
    note("set_variable", thing=f"variable {key}", before=_shown_variable(before), after=_shown_variable(row))


def variable_value(tx: SecretTx, vault: Vault, key: str) -> str | None:
    """The value, or None when there is no such variable (the caller may have a default)."""
    row = tx.variable_get(key)
    return vault.open(row.value) if row is not None else None


def require_variable(tx: SecretTx, vault: Vault, key: str) -> str:
    """The value. Raises `NotFound` naming the nearest key."""
    value = variable_value(tx, vault, key)
    if value is None:
        raise NotFound(f"variable {key!r} does not exist{_nearest(key, [v.key for v in tx.variable_list()])}")
    return value


def delete_variable(tx: SecretTx, key: str) -> None:
    """Raises `NotFound`."""
    before = tx.variable_get(key)
    if not tx.variable_delete(key):
        raise NotFound(f"variable {key!r} does not exist{_nearest(key, [v.key for v in tx.variable_list()])}")
    note("delete_variable", thing=f"variable {key}", before=_shown_variable(before))


def reseal(tx: SecretTx, vault: Vault) -> int:
    """Seal every connection and variable anew with the first key of the ring; how many. Then older keys may go.

    Raises `InvalidValue` for one that no key opens.
    """
    connections, variables = tx.connection_list(), tx.variable_list()
    for row in connections:
        password = vault.seal(vault.open(row.password)) if row.password is not None else None
        extra = vault.seal(vault.open(row.extra)) if row.extra is not None else None
        tx.connection_put(replace(row, password=password, extra=extra))
    for variable in variables:
        tx.variable_put(replace(variable, value=vault.seal(vault.open(variable.value))))
    note("reseal", connections=len(connections), variables=len(variables))
    return len(connections) + len(variables)


def _shown_connection(row: ConnectionRow | None) -> dict[str, Any]:
    """A connection for the audit log: that there is a secret, not which."""
    if row is None:
        return {}
    return asdict(row) | {name: MASK for name in ("password", "extra") if getattr(row, name) is not None}


def _shown_variable(row: VariableRow | None) -> dict[str, Any]:
    return {} if row is None else {"key": row.key, "value": MASK, "description": row.description}
