"""`airflow.io`: file systems by scheme."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

Properties = dict[str, str]


def has_fs(scheme: str) -> bool:
    """Whether there is a file system for a scheme."""
    import fsspec  # type: ignore[import-untyped,unused-ignore]

    return scheme in fsspec.available_protocols()


def get_fs(scheme: str, conn_id: str | None = None, storage_options: Any = None) -> Any:
    """The file system of a scheme, as the provider's `filesystems` make it, else as fsspec does."""
    from importlib import import_module

    from airflow._core.providers_manager import ProvidersManager

    for name in ProvidersManager().filesystem_module_names:
        try:
            module = import_module(name)
        except ImportError:
            continue
        if scheme in getattr(module, "schemes", ()):
            return module.get_fs(conn_id, storage_options or {})
    import fsspec

    return fsspec.filesystem(scheme, **(storage_options or {}))


class ObjectStore:
    """A place for objects."""

    def __init__(self, protocol: str, conn_id: str | None = None, fs: Any = None, storage_options: Any = None) -> None:
        self.protocol = protocol
        self.conn_id = conn_id
        self._fs = fs
        self.storage_options = storage_options or {}

    @property
    def fs(self) -> Any:
        """Its file system."""
        if self._fs is None:
            self._fs = get_fs(self.protocol, self.conn_id, self.storage_options)
        return self._fs

    @property
    def fsid(self) -> str:
        """Names it."""
        return f"{self.protocol}-{self.conn_id or 'env'}"


_stores: dict[str, ObjectStore] = {}


def attach(
    protocol: str | None = None,
    conn_id: str | None = None,
    alias: str | None = None,
    encryption_type: str | None = "",  # noqa: ARG001
    fs: Any = None,
    **kwargs: Any,
) -> ObjectStore:
    """A store of a protocol (or of an alias that was attached)."""
    if alias and alias in _stores and not protocol:
        return _stores[alias]
    if not protocol:
        raise ValueError(f"No registered store with alias: {alias}")
    store = ObjectStore(protocol, conn_id, fs, kwargs.get("storage_options"))
    _stores[alias or store.fsid] = store
    return store


class stat_result(NamedTuple):  # as os has it
    """What is known of an object."""

    st_mode: int = 0
    st_size: int = 0
    st_mtime: float = 0.0

    def __fspath__(self) -> str:
        return os.fspath("")


def __getattr__(name: str) -> Any:
    if name == "_STORE_CACHE":
        return _stores
    raise AttributeError(name)
