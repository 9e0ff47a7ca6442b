"""Plugins: what an installation adds to Tradewind, from a folder or from installed packages.

A plugin is a subclass of `AirflowPlugin`. Sources: the Python files of `core.plugins_folder` (HOME/plugins), and entry
points of the groups `tradewind.plugins` and `airflow.plugins`. Loaded once per process, and only where user code runs
(parsing children, task children, callbacks): never in a server process.

One that cannot be imported is left out and named in `problems()`; the others work.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

from .defaults import authoring_defaults
from .entry_points import entry_points
from .tracebacks import short_traceback

GROUPS = ("tradewind.plugins", "airflow.plugins")
_log = logging.getLogger("tradewind.plugins")


class AirflowPlugin:
    """Base of plugins. Subclasses set a name and whatever they bring; lists may stay empty.

    What is served by the web server (`fastapi_apps`, `fastapi_root_middlewares`, `external_views`, `react_apps`) is
    described to people; the views of earlier versions (`flask_blueprints`, `appbuilder_views`,
    `appbuilder_menu_items`, `menu_links`, `admin_views`) are taken and have no effect.
    """

    name: ClassVar[str | None] = None
    source: ClassVar[Any] = None
    macros: ClassVar[list[Any]] = []
    """Functions for templates: `{{ macros.PLUGIN.function(...) }}`."""
    listeners: ClassVar[list[Any]] = []
    """Modules or objects with hooks, see `sdk.listeners`."""
    timetables: ClassVar[list[Any]] = []
    partition_mappers: ClassVar[list[Any]] = []
    windows: ClassVar[list[Any]] = []
    deadline_references: ClassVar[list[Any]] = []
    priority_weight_strategies: ClassVar[list[Any]] = []
    operator_extra_links: ClassVar[list[Any]] = []
    """Links for the operator classes each of them names in `operators`."""
    global_operator_extra_links: ClassVar[list[Any]] = []
    """Links for every operator."""
    hook_lineage_readers: ClassVar[list[Any]] = []
    fastapi_apps: ClassVar[list[Any]] = []
    fastapi_root_middlewares: ClassVar[list[Any]] = []
    external_views: ClassVar[list[Any]] = []
    react_apps: ClassVar[list[Any]] = []
    flask_blueprints: ClassVar[list[Any]] = []
    appbuilder_views: ClassVar[list[Any]] = []
    appbuilder_menu_items: ClassVar[list[Any]] = []
    menu_links: ClassVar[list[Any]] = []
    admin_views: ClassVar[list[Any]] = []

    @classmethod
    def validate(cls) -> None:
        """Raises `ValueError` for a plugin without a name."""
        if not cls.name:
            raise ValueError(f"plugin {cls.__module__}.{cls.__qualname__} needs a name: set the class attribute `name`")

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:
        """Called once when the plugin was loaded, in every process that loads it."""


KINDS = tuple(
    name for name, value in vars(AirflowPlugin).items() if isinstance(value, list) and not name.startswith("_")
)
"""What plugins may bring, by the name of the attribute."""


@dataclass(slots=True)
class Loaded:
    """The plugins of this process."""

    plugins: list[type[AirflowPlugin]] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    """Name of a plugin → where it comes from."""
    problems: dict[str, str] = field(default_factory=dict)
    """Source → what is wrong, with the place."""


_loaded: Loaded | None = None


def load_plugins() -> Loaded:
    """The plugins, loaded when first asked for."""
    global _loaded
    if _loaded is None:
        _loaded = Loaded()
        for source, value in _found(_loaded):
            _take(_loaded, source, value)
        _join_macros(_loaded)
    return _loaded


def forget_plugins() -> None:
    """Load anew the next time; for tests."""
    global _loaded
    _loaded = None


def problems() -> dict[str, str]:
    """Sources that could not be loaded, and why."""
    return dict(load_plugins().problems)


def brought(kind: str) -> list[Any]:
    """Everything the plugins bring of a kind (`macros`, `listeners`, ...), in the order of loading."""
    return [each for plugin in load_plugins().plugins for each in getattr(plugin, kind) or ()]


def plugin_links(operator_class: type) -> Iterator[Any]:
    """Links that plugins add to operators of a class."""
    yield from brought("global_operator_extra_links")
    for link in brought("operator_extra_links"):
        if any(operator_class is one or issubclass(operator_class, one) for one in getattr(link, "operators", ())):
            yield link


def lineage_readers() -> list[Any]:
    """Readers of what hooks collect."""
    return brought("hook_lineage_readers")


def plugins_folder() -> Path:
    """Where plugin files lie: core.plugins_folder."""
    given = authoring_defaults().plugins_folder
    home = os.environ.get("TRADEWIND_HOME")
    return Path(given) if given else Path(home or Path.home() / "tradewind") / "plugins"


def has_sources() -> bool:
    """Whether there is anything to load; looks at names only, imports nothing."""
    folder = plugins_folder()
    return (folder.is_dir() and any(_files(folder))) or any(_entry_points())


def _found(loaded: Loaded) -> Iterator[tuple[str, Any]]:
    for point in _entry_points():
        source = f"{point.value} of {point.dist.name if point.dist is not None else 'an installed package'}"
        try:
            yield source, point.load()
        except Exception as error:  # whatever a plugin raises at import is its own fault, and only its own
            _note(loaded, source, error, point.value)
    folder = plugins_folder()
    if not folder.is_dir():
        return
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    for file in _files(folder):
        try:
            module = _import(folder, file)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            _note(loaded, str(file), error, str(file))
            continue
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield str(file), value


def _entry_points() -> list[Any]:
    return [point for group in GROUPS for point in entry_points(group)]


def _files(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*.py")
        if not any(part.startswith((".", "__")) for part in file.relative_to(folder).parts)
    )


def _import(folder: Path, file: Path) -> ModuleType:
    name = ".".join(file.relative_to(folder).with_suffix("").parts)
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _take(loaded: Loaded, source: str, value: Any) -> None:
    if not _is_plugin(value) or any(value is one for one in loaded.plugins):
        return
    try:
        value.validate()
        if value.name in loaded.sources:
            raise ValueError(f"there is a plugin {value.name!r} already, from {loaded.sources[value.name]}")
        value.on_load()
    except Exception as error:
        _note(loaded, source, error, source)
        return
    loaded.plugins.append(value)
    loaded.sources[str(value.name)] = source


def _is_plugin(value: Any) -> bool:
    """A subclass of ours, or one of the same shape (plugins of the façade's base class)."""
    return isinstance(value, type) and issubclass(value, AirflowPlugin) and value is not AirflowPlugin


def _note(loaded: Loaded, source: str, error: BaseException, file: str) -> None:
    text, line = short_traceback(error, file)
    where = f", line {line}" if line else ""
    loaded.problems[source] = f"{type(error).__name__}: {error}{where}"
    _log.error("plugin %s cannot be loaded%s and is left out: %s\n%s", source, where, error, text)


def _join_macros(loaded: Loaded) -> None:
    from . import macros

    for plugin in loaded.plugins:
        functions = {function.__name__: function for function in plugin.macros or ()}
        if functions:
            setattr(macros, str(plugin.name), SimpleNamespace(**functions))
