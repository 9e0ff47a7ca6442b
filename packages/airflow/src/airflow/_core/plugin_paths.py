"""Operators, hooks and sensors that plugins of Airflow 1.10 put below `airflow.operators`, `airflow.hooks`, ...

`from airflow.operators.my_plugin import X` and `from airflow.operators import X` are looked up in the plugins folder
(`AIRFLOW__CORE__PLUGINS_FOLDER`, else `$AIRFLOW_HOME/plugins`).
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

_KINDS = ("operators", "hooks", "sensors")


@cache
def _plugins() -> dict[str, type]:
    from airflow._core.configuration import conf
    from airflow._core.plugins import is_valid_plugin

    folder = Path(str(conf.get("core", "plugins_folder", fallback="") or ""))
    found: dict[str, type] = {}
    if not folder.is_dir():
        return found
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    for path in sorted(folder.rglob("*.py")):
        if b"AirflowPlugin" not in path.read_bytes():
            continue
        spec = importlib.util.spec_from_file_location(f"airflow_plugin_{path.stem}", path)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        try:
            spec.loader.exec_module(module)
        except Exception:  # noqa: S112 # a broken plugin is told where plugins are listed, and is not needed here
            continue
        for value in vars(module).values():
            if is_valid_plugin(value) and getattr(value, "name", None):
                found[value.name] = value
    return found


def plugin_module(kind: str, name: str) -> ModuleType | None:
    """The module `airflow.<kind>.<name>` that a plugin of this name gives; None: there is no such plugin."""
    plugin = _plugins().get(name) if kind in _KINDS else None
    if plugin is None:
        return None
    module = ModuleType(f"airflow.{kind}.{name}")
    for each in getattr(plugin, kind, ()) or ():
        setattr(module, each.__name__, each)
    return module


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    for plugin in _plugins().values():
        for kind in _KINDS:
            for each in getattr(plugin, kind, ()) or ():
                if each.__name__ == name:
                    return each
    raise AttributeError(name)
