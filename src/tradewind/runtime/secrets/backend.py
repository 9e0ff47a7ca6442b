"""What a secrets backend is: an object that may know a connection, a variable or a setting. None means: not here.

Classes of other people fit as they are when they have the methods of Airflow's `BaseSecretsBackend`.
"""

from __future__ import annotations

from typing import Any, Protocol

from tradewind.sdk.connections import Connection


class Backend(Protocol):
    """Every method may be missing; what raises is logged and counts as not found."""

    def get_conn_value(self, conn_id: str) -> str | None:
        """A URI or JSON object."""

    def get_variable(self, key: str) -> str | None: ...

    def get_config(self, key: str) -> str | None: ...


def connection_of(backend: Any, conn_id: str) -> Connection | None:
    """The connection that `backend` knows, in whichever way it tells it. Raises what the backend raises."""
    if (ask := getattr(backend, "get_connection", None)) is not None:
        found = ask(conn_id)
        if found is not None:
            return as_connection(conn_id, found)
    if (ask := getattr(backend, "get_conn_value", None)) is not None:
        text = ask(conn_id)
        return as_connection(conn_id, text) if text else None
    return None


def as_connection(conn_id: str, found: Any) -> Connection:
    """A connection from a URI, a JSON text, a dict of fields, or an object with such attributes.

    Raises `InvalidValue` when it cannot be read.
    """
    if isinstance(found, Connection):
        return found
    if isinstance(found, dict):
        return Connection.from_fields(_known(found), conn_id)
    if isinstance(found, str):
        if found.lstrip().startswith("{"):
            import json

            return Connection.from_fields(_known(json.loads(found)), conn_id)
        return Connection(conn_id=conn_id, uri=found)
    return Connection(conn_id=conn_id, **{name: getattr(found, name, None) for name in _FIELDS})


_FIELDS = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")
_OTHER_NAMES = {"conn_uri": "uri", "user": "login", "username": "login", "pass": "password", "type": "conn_type"}


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {_OTHER_NAMES.get(name, name): value for name, value in fields.items() if value is not None}
