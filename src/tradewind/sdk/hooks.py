"""Hooks: the classes that speak to other systems through a connection."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from tradewind.sdk import older_forms
from tradewind.sdk.connections import Connection, find_connection, normal_type
from tradewind.sdk.exceptions import AirflowException

_hooks: dict[str, tuple[str, str]] = {
    # By name, so that the SDK does not load what comes in the box: connection type → (class, its connection argument).
    "http": ("tradewind.standard.http:HttpHook", "http_conn_id"),
    "https": ("tradewind.standard.http:HttpHook", "http_conn_id"),
    "fs": ("tradewind.standard.files:FSHook", "fs_conn_id"),
    "sqlite": ("tradewind.standard.sql:SqlHook", "conn_id"),
    "postgres": ("tradewind.standard.sql:SqlHook", "conn_id"),
}


class BaseHook:
    """Base of all hooks.

    Parameters:
        logger_name: of the logger; default: a child of `tradewind.task` with the name of the class.
    """

    conn_name_attr = "conn_id"
    conn_type = ""
    hook_name = ""

    def __init__(self, logger_name: str | None = None) -> None:
        self._logger_name = logger_name

    @property
    def log(self) -> logging.Logger:
        """The logger of this hook."""
        name = getattr(self, "_logger_name", None)
        return logging.getLogger(name or f"tradewind.task.hooks.{type(self).__module__}.{type(self).__name__}")

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        """The connection of this name. Raises `AirflowNotFoundException` naming where it was looked for."""
        return find_connection(conn_id)

    @classmethod
    def get_connections(cls, conn_id: str) -> list[Connection]:
        """Airflow 1.10's form of `get_connection`: a list of one."""
        return [cls.get_connection(conn_id)]

    @classmethod
    def get_hook(cls, conn_id: str, hook_params: dict[str, Any] | None = None) -> Any:
        """A hook that fits the type of the connection. Raises `AirflowException` when none is known."""
        return cls.get_connection(conn_id).get_hook(hook_params=hook_params)

    def get_conn(self) -> Any:
        """The client object of the other system. Subclasses implement it."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to connect; implement get_conn")

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Further fields of the connection form."""
        return {}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """How the connection form shows its fields."""
        return {}


def register_hook(conn_type: str, hook: str, conn_argument: str = "conn_id") -> None:
    """Name the hook class for a type of connection.

    Parameters:
        conn_type: as in the connection record.
        hook: "module:Class", imported when first needed.
        conn_argument: the argument of its constructor that takes the connection id.
    """
    _hooks[normal_type(conn_type)] = (hook, conn_argument)


def hook_for(connection: Connection, hook_params: dict[str, Any]) -> Any:
    """A hook for `connection`. Raises `AirflowException` when no class is known for its type."""
    # A provider that is installed was installed for its hook.
    found = older_forms.find_hook(connection.conn_type or "") or _hooks.get(connection.conn_type or "")
    if found is None:
        raise AirflowException(
            f"no hook is known for connection {connection.conn_id!r} of type {connection.conn_type!r}; "
            f"known types: {', '.join(sorted(_hooks))}; others are added with tradewind.sdk.hooks.register_hook"
        )
    path, argument = found
    module, _, name = path.partition(":")
    hook_class = getattr(importlib.import_module(module), name)
    return hook_class(**{argument: connection.conn_id, **hook_params})
