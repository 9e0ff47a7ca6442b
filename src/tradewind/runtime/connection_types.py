"""Kinds of connections and the fields of their forms: those that come in the box, and those of installed providers.

Providers tell theirs through the entry point `apache_airflow_provider`. Their code runs in a child
(`python -m tradewind.runtime.connection_types`), never in a server; what it says is kept as long as the process lives.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

_SECONDS_MAX = 60.0
_STANDARD = ("description", "url_schema", "host", "port", "login", "password")
_OF_FIELD = {"schema": "url_schema"}


class FormField(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field of the form of one kind of connection."""

    hidden: bool = False
    title: str | None = None
    placeholder: str | None = None


class ConnectionType(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of connection."""

    conn_type: str
    name: str
    """For people."""
    hook: str | None = None
    """Path of its hook class."""
    default_conn_id: str | None = None
    fields: dict[str, FormField] = {}
    """Of the standard fields those that look different: hidden, or with another name."""
    extra_fields: dict[str, Any] = {}
    """Further fields by name: a parameter with JSON schema each."""
    source: str = "tradewind"
    """Package that brings it."""


def _extra(description: str, kind: str = "string", secret: bool = False, **schema: Any) -> dict[str, Any]:
    return {
        "value": None,
        "description": description,
        "schema": {"type": [kind, "null"], **({"format": "password"} if secret else {}), **schema},
    }


def _hidden(*names: str, **titles: str) -> dict[str, FormField]:
    return {name: FormField(hidden=True) for name in names} | {
        name: FormField(title=title) for name, title in titles.items()
    }


_SQL = "tradewind.standard.sql.SqlHook"
IN_THE_BOX: tuple[ConnectionType, ...] = (
    ConnectionType(
        conn_type="fs",
        name="File (path)",
        hook="tradewind.standard.files.FSHook",
        default_conn_id="fs_default",
        fields=_hidden("url_schema", "host", "port", "login", "password"),
        extra_fields={"path": _extra("folder that paths start from")},
    ),
    ConnectionType(conn_type="generic", name="Generic"),
    ConnectionType(
        conn_type="http",
        name="HTTP",
        hook="tradewind.standard.http.HttpHook",
        default_conn_id="http_default",
        fields={"url_schema": FormField(title="Protocol", placeholder="http or https")},
    ),
    ConnectionType(
        conn_type="postgres",
        name="Postgres",
        hook=_SQL,
        default_conn_id="postgres_default",
        fields=_hidden(url_schema="Database"),
        extra_fields={"sslmode": _extra("how far TLS is required: require, verify-full, ...")},
    ),
    ConnectionType(
        conn_type="sqlite",
        name="SQLite",
        hook=_SQL,
        default_conn_id="sqlite_default",
        fields={**_hidden("url_schema", "port", "login", "password"), "host": FormField(title="Path of the file")},
    ),
    ConnectionType(
        conn_type="smtp",
        name="SMTP",
        default_conn_id="smtp_default",
        fields=_hidden("url_schema"),
        extra_fields={
            "from_email": _extra("sender of the messages"),
            "disable_ssl": _extra("do not use TLS from the start", "boolean"),
            "disable_tls": _extra("do not use STARTTLS", "boolean"),
        },
    ),
    ConnectionType(
        conn_type="slackwebhook",
        name="Slack Incoming Webhook",
        default_conn_id="slack_default",
        fields={**_hidden("port", "login"), "password": FormField(title="Webhook token")},
    ),
    ConnectionType(
        conn_type="git",
        name="GIT",
        default_conn_id="git_default",
        fields={
            **_hidden("url_schema", "port"),
            "host": FormField(title="Repository URL"),
            "login": FormField(title="User"),
            "password": FormField(title="Access token"),
        },
        extra_fields={"private_key": _extra("SSH key", secret=True), "key_file": _extra("path of an SSH key")},
    ),
)


@functools.cache
def connection_types() -> tuple[ConnectionType, ...]:
    """All kinds, by conn_type; a provider's replaces ours of the same kind. The first call blocks for seconds."""
    found = {each.conn_type: each for each in IN_THE_BOX}
    found |= {each.conn_type: each for each in _of_providers()}
    return tuple(found[name] for name in sorted(found))


def _of_providers() -> list[ConnectionType]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS_MAX,
            start_new_session=True,
            check=False,
        )
        lines = done.stdout.splitlines()
        return msgspec.json.decode(lines[-1], type=list[ConnectionType]) if lines else []
    except (subprocess.TimeoutExpired, msgspec.DecodeError):
        return []


def _main() -> int:
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group="apache_airflow_provider"):
        try:
            info = point.load()()
            package = str(info.get("package-name", point.value))
            found += [type_of_provider(each, package) for each in info.get("connection-types", ())]
        except Exception as error:  # foreign code: one bad provider must not hide the others
            print(f"{point.name}: {type(error).__name__}: {error}", file=sys.stderr)
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(found) + b"\n")
    return 0


def type_of_provider(entry: Mapping[str, Any], package: str) -> ConnectionType:
    """A kind of connection as a provider's `get_provider_info` tells it; what it leaves out is asked of the hook."""
    hook = entry.get("hook-class-name")
    hook_class = None
    if hook and "ui-field-behaviour" not in entry:
        hook_class = _class(hook)
    behaviour = entry.get("ui-field-behaviour") or _behaviour(hook_class)
    return ConnectionType(
        conn_type=entry["connection-type"],
        name=str(entry.get("hook-name") or getattr(hook_class, "hook_name", None) or entry["connection-type"]),
        hook=hook,
        default_conn_id=getattr(hook_class, "default_conn_name", None),
        fields=_fields(behaviour),
        extra_fields=_extras(entry.get("conn-fields")),
        source=package,
    )


def _class(path: str) -> Any:
    import importlib

    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception:  # its library may be missing: the form still has its standard fields
        return None


def _behaviour(hook_class: Any) -> Mapping[str, Any]:
    try:
        return hook_class.get_ui_field_behaviour() or {}
    except Exception:
        return {}


def _fields(behaviour: Mapping[str, Any]) -> dict[str, FormField]:
    hidden = _names(behaviour.get("hidden_fields") or behaviour.get("hidden-fields") or ())
    titles = behaviour.get("relabeling") or {}
    places = behaviour.get("placeholders") or {}
    found = {}
    for name in _STANDARD:
        own = next((key for key, value in _OF_FIELD.items() if value == name), name)
        facts = FormField(
            hidden=name in hidden or own in hidden,
            title=titles.get(own) or titles.get(name),
            placeholder=places.get(own) or places.get(name),
        )
        if facts != FormField():
            found[name] = facts
    return found


def _names(given: Iterable[str]) -> frozenset[str]:
    return frozenset(map(str, given))


def _extras(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return {}
    plain: dict[str, Any] = {}
    for name, facts in given.items():
        if isinstance(facts, Mapping):
            schema = dict(facts.get("schema") or {"type": ["string", "null"]})
            if facts.get("label"):
                schema.setdefault("title", facts["label"])
            plain[str(name)] = {
                "value": schema.get("default"),
                "description": facts.get("description"),
                "schema": schema,
            }
    found: dict[str, Any] = json.loads(json.dumps(plain, default=str))
    return found


if __name__ == "__main__":
    sys.exit(_main())
