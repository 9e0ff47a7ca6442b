"""Connections and variables in files on the worker: JSON, YAML or `.env`, read anew when they change."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from tradewind.sdk.connections import Connection
from tradewind.sdk.memory_client import read_connections, read_variables

T = TypeVar("T")


class LocalFilesystemBackend:
    """A backend of two files.

    Parameters:
        variables_file_path, connections_file_path: None or empty: there are none of these here.
    """

    def __init__(
        self, variables_file_path: str | None = None, connections_file_path: str | None = None, **_others: Any
    ) -> None:
        self._variables = _File(variables_file_path, read_variables)
        self._connections = _File(connections_file_path, read_connections)

    def get_connection(self, conn_id: str) -> Connection | None:
        return self._connections.get(conn_id)

    def get_variable(self, key: str) -> str | None:
        return self._variables.get(key)


class _File(Generic[T]):
    """A file, kept as long as it stays the same."""

    def __init__(self, path: str | None, read: Callable[[str], dict[str, T]]) -> None:
        self._path = os.path.expanduser(path) if path else None
        self._read = read
        self._stamp: tuple[int, int] | None = None
        self._content: dict[str, T] = {}

    def get(self, name: str) -> T | None:
        if self._path is None:
            return None
        facts = os.stat(self._path)
        stamp = (facts.st_mtime_ns, facts.st_size)
        if stamp != self._stamp:
            self._content, self._stamp = self._read(self._path), stamp
        return self._content.get(name)
