"""`airflow.providers_manager.ProvidersManager`: what installed provider packages declare.

A provider is a distribution with an entry point in the group `apache_airflow_provider`; what it brings stands in the
dict that the entry point gives.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from typing import Any, NamedTuple, ParamSpec, TypeVar

from airflow._core.modules import import_string

P = ParamSpec("P")
T = TypeVar("T")

GROUP = "apache_airflow_provider"


class ProviderInfo(NamedTuple):
    """An installed provider."""

    version: str
    data: dict[str, Any]
    package_or_source: str = "package"

    @property
    def provider_info(self) -> dict[str, Any]:
        """Older name of `data`."""
        return self.data


class HookClassProvider(NamedTuple):
    """Which class reaches which kind of connection."""

    hook_class_name: str
    package_name: str


class HookInfo(NamedTuple):
    """A hook."""

    hook_class: Any
    connection_id_attribute_name: str
    package_name: str
    hook_name: str
    connection_type: str
    connection_testable: bool
    hook_class_name: str = ""
    dialects: tuple[str, ...] = ()
    connection_form_widgets: Any = None
    ui_field_behaviour: Any = None


class DialectInfo(NamedTuple):
    """A dialect of SQL."""

    name: str
    dialect_class_name: str
    provider_name: str


class TriggerInfo(NamedTuple):
    """A trigger."""

    trigger_class_name: str
    package_name: str
    integration_name: str


class PluginInfo(NamedTuple):
    """A plugin."""

    name: str
    plugin_class: str
    provider_name: str


class ConnectionFormWidgetInfo(NamedTuple):
    """A field of a connection form."""

    hook_class_name: str
    package_name: str
    field: Any
    field_name: str
    is_sensitive: bool


@functools.cache
def installed() -> dict[str, ProviderInfo]:
    """Providers by the name of their distribution."""
    found: dict[str, ProviderInfo] = {}
    for distribution in metadata.distributions():
        for point in distribution.entry_points:
            if point.group != GROUP:
                continue
            try:
                data = point.load()()
            except Exception:  # noqa: S112 # a package that cannot be loaded must not hide the others
                continue
            name = distribution.metadata["Name"] or data.get("package-name", "")
            found[name] = ProviderInfo(distribution.version, data)
    return dict(sorted(found.items()))


@functools.cache
def provider_options() -> dict[str, dict[str, str | None]]:
    """Section → option → default, of all installed providers."""
    sections: dict[str, dict[str, str | None]] = {}
    for info in installed().values():
        for section, described in (info.data.get("config") or {}).items():
            options = sections.setdefault(section.lower(), {})
            for name, option in (described.get("options") or {}).items():
                default = option.get("default") if isinstance(option, Mapping) else option
                # Declared as texts for `str.format`: braces are doubled.
                text = None if default is None else str(default).replace("{{", "{").replace("}}", "}")
                options[name.lower()] = text
    return sections


class LazyHooks(Mapping[str, Any]):
    """Connection type → `HookInfo`; a hook class is imported when it is asked for."""

    def __init__(self, declared: Mapping[str, tuple[str, str]]) -> None:
        self._declared = declared
        self._loaded: dict[str, HookInfo | None] = {}

    def __getitem__(self, connection_type: str) -> HookInfo | None:
        if connection_type not in self._loaded:
            self._loaded[connection_type] = _hook_info(connection_type, *self._declared[connection_type])
        return self._loaded[connection_type]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


def _hook_info(connection_type: str, path: str, package: str) -> HookInfo | None:
    try:
        cls = import_string(path)
    except Exception:  # its vendor's package may be missing
        return None
    return HookInfo(
        hook_class=cls,
        connection_id_attribute_name=getattr(cls, "conn_name_attr", "conn_id"),
        package_name=package,
        hook_name=getattr(cls, "hook_name", "") or cls.__name__,
        connection_type=connection_type,
        connection_testable=hasattr(cls, "test_connection"),
        hook_class_name=path,
        connection_form_widgets=None,
    )


class ProvidersManager:
    """What all installed providers declare together. There is one."""

    _instance: ProvidersManager | None = None
    resource_version = "0"

    def __new__(cls) -> ProvidersManager:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    @staticmethod
    def initialized() -> bool:
        """Whether the packages were looked at."""
        return True

    def initialize_providers_list(self) -> None:
        """Nothing: it is made when it is asked for."""

    initialize_providers_hooks = initialize_providers_configuration = initialize_providers_plugins = (
        initialize_providers_list
    )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("initialize_providers_"):
            return self.initialize_providers_list
        raise AttributeError(f"ProvidersManager has no {name!r}")

    @property
    def providers(self) -> dict[str, ProviderInfo]:
        """By package."""
        return installed()

    def _listed(self, key: str) -> Iterator[tuple[str, Any]]:
        for package, info in installed().items():
            for one in info.data.get(key) or ():
                yield package, one

    @functools.cached_property
    def hooks(self) -> LazyHooks:
        """By connection type."""
        return LazyHooks(
            {
                one["connection-type"]: (one["hook-class-name"], package)
                for package, one in self._listed("connection-types")
                if one.get("hook-class-name")
            }
        )

    @functools.cached_property
    def dialects(self) -> dict[str, DialectInfo]:
        """By the name of the dialect."""
        return {
            one["dialect-type"]: DialectInfo(one["dialect-type"], one["dialect-class-name"], package)
            for package, one in self._listed("dialects")
        }

    @functools.cached_property
    def taskflow_decorators(self) -> dict[str, Callable[..., Any]]:
        """By kind of `@task`."""
        return _Lazy({one["name"]: one["class-name"] for _, one in self._listed("task-decorators")})

    @functools.cached_property
    def trigger(self) -> list[TriggerInfo]:
        """Modules with triggers."""
        return [
            TriggerInfo(module, package, one.get("integration-name", ""))
            for package, one in self._listed("triggers")
            for module in one.get("python-modules", ())
        ]

    @functools.cached_property
    def plugins(self) -> list[PluginInfo]:
        """Plugins."""
        return [PluginInfo(one["name"], one["plugin-class"], package) for package, one in self._listed("plugins")]

    def _names(self, key: str, field: str | None = None) -> list[str]:
        return sorted({one[field] if field else one for _, one in self._listed(key)})

    @property
    def extra_links_class_names(self) -> list[str]:
        """Paths of links."""
        return self._names("extra-links")

    @property
    def logging_class_names(self) -> list[str]:
        """Paths of log handlers."""
        return self._names("logging")

    @property
    def secrets_backend_class_names(self) -> list[str]:
        """Paths of secrets backends."""
        return self._names("secrets-backends")

    @property
    def auth_managers(self) -> list[str]:
        """Paths of authentication managers."""
        return self._names("auth-managers")

    @property
    def executor_class_names(self) -> list[str]:
        """Paths of executors."""
        return self._names("executors")

    @property
    def queue_class_names(self) -> list[str]:
        """Paths of message queues."""
        return self._names("queues")

    @property
    def notification(self) -> list[str]:
        """Paths of notifiers."""
        return self._names("notifications")

    @property
    def filesystem_module_names(self) -> list[str]:
        """Modules with file systems."""
        return self._names("filesystems")

    @functools.cached_property
    def asset_uri_handlers(self) -> dict[str, Any]:
        """Scheme → function that checks a URI."""
        return self._asset_functions("handler")

    @functools.cached_property
    def asset_factories(self) -> dict[str, Any]:
        """Scheme → function that makes an asset."""
        return self._asset_functions("factory")

    @functools.cached_property
    def asset_to_openlineage_converters(self) -> dict[str, Any]:
        """Scheme → function that names an asset for OpenLineage."""
        return self._asset_functions("to_openlineage_converter")

    @property
    def dataset_uri_handlers(self) -> dict[str, Any]:
        """As `asset_uri_handlers`."""
        return self.asset_uri_handlers

    @property
    def dataset_factories(self) -> dict[str, Any]:
        """As `asset_factories`."""
        return self.asset_factories

    def _asset_functions(self, key: str) -> dict[str, Any]:
        paths: dict[str, str] = {}
        for kind in ("dataset-uris", "asset-uris"):
            for _, one in self._listed(kind):
                if one.get(key):
                    paths.update(dict.fromkeys(one.get("schemes", ()), one[key]))
        return _Lazy(paths)

    @property
    def provider_configs(self) -> list[tuple[str, dict[str, Any]]]:
        """Options by package."""
        return [(package, info.data["config"]) for package, info in installed().items() if info.data.get("config")]

    @property
    def already_initialized_provider_configs(self) -> list[tuple[str, dict[str, Any]]]:
        """As `provider_configs`."""
        return self.provider_configs

    @functools.cached_property
    def connection_form_widgets(self) -> dict[str, ConnectionFormWidgetInfo]:
        """Fields of connection forms; the server has its own registry."""
        return {}

    @functools.cached_property
    def field_behaviours(self) -> dict[str, dict[str, Any]]:
        """How connection forms show their fields."""
        found = {}
        for connection_type, info in self.hooks.items():
            behaviour = getattr(getattr(info, "hook_class", None), "get_ui_field_behaviour", None)
            if behaviour is not None:
                found[connection_type] = behaviour()
        return found


ProvidersManagerTaskRuntime = ProvidersManager


class _Lazy(dict[str, Any]):
    """Name → dotted path; reading a value imports it."""

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if isinstance(value, str):
            value = self[key] = import_string(value)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - this is the method that would be suggested


def providers_configuration_loaded(func: Callable[P, T]) -> Callable[P, T]:
    """The function as it is: options of providers are known from the start."""
    return func
