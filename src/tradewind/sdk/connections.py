"""Connections: where other systems are and how to sign in to them.

Looked for in the environment first (`TRADEWIND_CONN_<ID>`, `AIRFLOW_CONN_<ID>`: a URI, or JSON), then asked of the
server by the
running task. Passwords and what else looks like a secret are masked before user code sees them.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.exceptions import AirflowNotFoundException
from tradewind.sdk.lookups import look_up
from tradewind.wire.errors import InvalidValue, NotFound
from tradewind.wire.execution import ConnectionFacts, GetConnection

ENVIRONMENT_PREFIXES = ("TRADEWIND_CONN_", "AIRFLOW_CONN_")
EXTRA_KEY = "__extra__"
"""Parameter of a URI that holds an `extra` which is not a flat set of texts, as JSON."""
_FIELDS = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")


class Connection:
    """A connection record.

    Parameters:
        conn_id: name; None for one that was not given a name yet.
        conn_type: kind of system ("postgres", "http", ...).
        description: for people.
        host, login, password, schema: as the system understands them.
        port: number.
        extra: JSON text or a dict.
        uri: all of the above in one text, instead of them.

    Raises:
        InvalidValue: both a uri and fields were given, or a uri that cannot be read.
    """

    EXTRA_KEY = EXTRA_KEY

    def __init__(
        self,
        conn_id: str | None = None,
        conn_type: str | None = None,
        description: str | None = None,
        host: str | None = None,
        login: str | None = None,
        password: str | None = None,
        schema: str | None = None,
        port: int | str | None = None,
        extra: str | dict[str, Any] | None = None,
        uri: str | None = None,
    ) -> None:
        self.conn_id = conn_id
        self.description = description
        if uri is not None:
            if any(each is not None for each in (conn_type, host, login, password, schema, port, extra)):
                raise InvalidValue(f"connection {conn_id!r}: give either a uri or the single fields, not both")
            conn_type, host, login, password, schema, port, extra = _split_uri(uri, conn_id)
        self.conn_type = normal_type(conn_type) if conn_type else conn_type
        self.host = host
        self.login = login
        self.password = password
        self.schema = schema
        self.port = _port(port, conn_id)
        self.extra = json.dumps(extra) if isinstance(extra, dict) else extra

    @classmethod
    def get(cls, conn_id: str) -> Connection:
        """The connection of this name. Raises `AirflowNotFoundException` naming where it was looked for."""
        return find_connection(conn_id)

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """`extra` as a dict; empty when there is none. Raises `InvalidValue` when it is not a JSON object."""
        if not self.extra:
            return {}
        try:
            value = json.loads(self.extra)
        except ValueError as error:
            raise InvalidValue(f"extra of connection {self.conn_id!r} is not JSON: {error}; correct it") from error
        if not isinstance(value, dict):
            raise InvalidValue(
                f"extra of connection {self.conn_id!r} must be a JSON object, not {type(value).__name__}"
            )
        return value

    def get_extra_dejson(self, nested: bool = False) -> dict[str, Any]:
        """`extra` as a dict; with `nested`, texts in it that are JSON are read as well."""
        extra = self.extra_dejson
        return {key: _maybe_json(value) for key, value in extra.items()} if nested else extra

    def get_uri(self) -> str:
        """The whole record as one text, from which `Connection(uri=...)` makes it again."""
        scheme = (self.conn_type or "").replace("_", "-")
        protocol, mark, host = (self.host or "").rpartition("://")
        text = f"{scheme}://" + (f"{protocol}{mark}" if mark else "")
        if self.login or self.password:
            text += quote(self.login or "", safe="")
            text += f":{quote(self.password, safe='')}@" if self.password else "@"
        text += quote(host, safe="")
        text += f":{self.port}" if self.port else ""
        if self.schema:
            text += f"/{quote(self.schema, safe='')}"
        return text + self._extra_query()

    def _extra_query(self) -> str:
        if not self.extra:
            return ""
        try:
            extra = self.extra_dejson
        except InvalidValue:
            return "/?" + urlencode({EXTRA_KEY: self.extra})
        query = urlencode(extra)
        flat = all(isinstance(value, str) and value for value in extra.values())
        return ("?" if self.schema else "/?") + (query if flat else urlencode({EXTRA_KEY: self.extra}))

    def to_dict(self, *, prune_empty: bool = False, validate: bool = True) -> dict[str, Any]:
        """The fields by name, `extra` as a dict. `prune_empty` leaves out the empty ones; with `validate` a
        wrong extra raises.
        """
        fields: dict[str, Any] = {"conn_id": self.conn_id} | {name: getattr(self, name) for name in _FIELDS}
        if self.extra and (validate or self.extra.lstrip().startswith("{")):
            fields["extra"] = self.extra_dejson
        return {key: value for key, value in fields.items() if value} if prune_empty else fields

    def as_json(self) -> str:
        """The fields that are not empty, without the id, as JSON."""
        fields = self.to_dict(prune_empty=True)
        fields.pop("conn_id", None)
        return json.dumps(fields)

    @classmethod
    def from_json(cls, value: str, conn_id: str | None = None) -> Connection:
        """The record behind `as_json`. Raises `InvalidValue` for what is not a JSON object or has unknown fields."""
        try:
            fields = json.loads(value)
        except ValueError as error:
            raise InvalidValue(f"connection {conn_id!r} is not JSON: {error}") from error
        return cls.from_fields(fields, conn_id)

    @classmethod
    def from_fields(cls, fields: Any, conn_id: str | None) -> Connection:
        """The record of a dict of fields; `uri` is one of them. Raises `InvalidValue` naming what is wrong."""
        if not isinstance(fields, dict):
            raise InvalidValue(f"connection {conn_id!r} must be a JSON object, not {type(fields).__name__}")
        known = {"conn_id", "uri", *_FIELDS}
        if unknown := sorted(fields.keys() - known):
            raise InvalidValue(
                f"connection {conn_id!r} has the unknown field {unknown[0]!r}; known: {', '.join(sorted(known))}"
            )
        return cls(**{**fields, "conn_id": conn_id or fields.get("conn_id")})

    @classmethod
    def from_uri(cls, uri: str, conn_id: str | None = None) -> Connection:
        """The record behind `get_uri`."""
        return cls(conn_id=conn_id, uri=uri)

    def get_hook(self, *, hook_params: dict[str, Any] | None = None) -> Any:
        """A hook for this kind of connection. Raises `AirflowException` when none is known."""
        from tradewind.sdk.hooks import hook_for

        return hook_for(self, hook_params or {})

    def test_connection(self) -> tuple[bool, str]:
        """Ask the hook whether the system answers: (ok, message)."""
        hook = self.get_hook()
        if not hasattr(hook, "test_connection"):
            return False, f"hook {type(hook).__name__} has no way to test a connection"
        result: tuple[bool, str] = hook.test_connection()
        return result

    def __repr__(self) -> str:
        return f"Connection(conn_id={self.conn_id!r}, conn_type={self.conn_type!r}, host={self.host!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Connection):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in ("conn_id", *_FIELDS))

    def __hash__(self) -> int:
        return hash((self.conn_id, self.conn_type, self.host))


def find_connection(conn_id: str) -> Connection:
    """The connection of this name, its secrets masked. Raises `AirflowNotFoundException` naming where it was
    looked for.
    """
    found = _from_environment(conn_id) or _from_server(conn_id)
    attempt = attempt_at_hand()
    if attempt is not None:
        attempt.mask(found.password)
        if found.password:
            attempt.mask(quote(found.password, safe=""))
        if found.extra and found.extra.lstrip().startswith("{"):
            attempt.mask_sensitive(found.extra_dejson)
    return found


def _from_environment(conn_id: str) -> Connection | None:
    for prefix in ENVIRONMENT_PREFIXES:
        if text := os.environ.get(prefix + conn_id.upper()):
            if text.lstrip().startswith("{"):
                return Connection.from_json(text, conn_id)
            return Connection(conn_id=conn_id, uri=text)
    return None


def _from_server(conn_id: str) -> Connection:
    attempt = attempt_at_hand()
    names = ", ".join(prefix + conn_id.upper() for prefix in ENVIRONMENT_PREFIXES)
    if attempt is None:
        fields = look_up("connection", conn_id)
        if fields is not None:
            return Connection(conn_id=conn_id, **{name: fields.get(name) for name in _FIELDS})
        raise AirflowNotFoundException(
            f"connection {conn_id!r} is not defined: looked in the environment ({names}); the server is asked "
            "only inside a running task"
        )
    try:
        facts = attempt.client.ask(GetConnection(attempt.token, conn_id))
    except NotFound as error:
        raise AirflowNotFoundException(
            f"connection {conn_id!r} is not defined: looked in the environment ({names}) and on the server; "
            f"create it (tradewind connections set {conn_id} ...)"
        ) from error
    assert isinstance(facts, ConnectionFacts)
    return Connection(conn_id=facts.conn_id, **{name: getattr(facts, name) for name in _FIELDS})


def normal_type(conn_type: str) -> str:
    """The usual spelling of a connection type: postgresql is postgres, dashes are underscores."""
    return "postgres" if conn_type == "postgresql" else conn_type.replace("-", "_")


def _port(port: int | str | None, conn_id: str | None) -> int | None:
    try:
        return int(port) if port not in (None, "") else None
    except ValueError:
        raise InvalidValue(f"port of connection {conn_id!r} must be a number, not {port!r}") from None


_SCHEME = re.compile(r"[a-zA-Z][\w.+-]*")
_Parts = tuple[str | None, str | None, str | None, str | None, str | None, int | None, str | None]


def _split_uri(uri: str, conn_id: str | None) -> _Parts:
    pieces = uri.split("://")
    if len(pieces) > 3:
        raise InvalidValue(
            f"uri of connection {conn_id!r} has more than two '://'; encode those inside values as %3A%2F%2F"
        )
    # "http://https://example.org": the kind of connection, then a host that brings its own protocol.
    protocol = pieces[1].rpartition("@")[2] if len(pieces) == 3 else None
    prefix, _, rest = uri.partition("://")
    if not _SCHEME.fullmatch(prefix) or prefix == uri:
        raise InvalidValue(
            f"uri of connection {conn_id!r} must begin with the type of the connection, for example "
            "postgres://user@host:5432/schema"
        )
    if len(pieces) == 3:
        rest = f"{pieces[1][: -len(protocol)] if protocol else pieces[1]}{pieces[2]}"
    try:
        parts = urlsplit(f"scheme://{rest}")
        port = parts.port
    except ValueError as error:
        raise InvalidValue(
            f"uri of connection {conn_id!r} cannot be read: {error}; encode special signs as %XX"
        ) from error
    host = unquote(_host_as_written(parts.netloc)) or None
    if host and protocol:
        host = f"{protocol}://{host}"
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra = query[EXTRA_KEY] if EXTRA_KEY in query else json.dumps(query) if query else None
    schema = unquote(parts.path.removeprefix("/")) or None
    login = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return (prefix.lower(), host, login, password, schema, port, extra)


def _host_as_written(netloc: str) -> str:
    """The host with its capitals, which `urlsplit().hostname` lowers."""
    address = netloc.rpartition("@")[2]
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]


def _maybe_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
