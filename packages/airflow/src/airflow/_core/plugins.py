"""`airflow.plugins_manager`: the class that plugins derive from."""

from __future__ import annotations

from typing import Any

from tradewind.sdk.plugins import AirflowPlugin


class AirflowPluginException(Exception):
    """A plugin cannot be loaded."""


plugins: list[Any] | None = None
import_errors: dict[str, str] = {}


def ensure_plugins_loaded() -> None:
    """Nothing: plugins are loaded by the processes that use them."""


def is_valid_plugin(plugin_obj: Any) -> bool:
    """Whether this is a plugin class."""
    return isinstance(plugin_obj, type) and issubclass(plugin_obj, AirflowPlugin) and plugin_obj is not AirflowPlugin


def __getattr__(name: str) -> Any:
    if name in ("AirflowPluginSource", "PluginsDirectorySource", "EntryPointSource"):
        return object
    if name.startswith(("initialize_", "integrate_", "load_")):
        return lambda *_, **__: None
    raise AttributeError(name)
