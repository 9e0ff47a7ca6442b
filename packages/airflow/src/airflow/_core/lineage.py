"""`airflow.sdk.lineage`: what hooks tell about the data they touch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T", bound=Callable[..., Any])
MAX_COLLECTED_ASSETS = 100
MAX_COLLECTED_EXTRA = 200
AUTO = "auto"
PIPELINE_OUTLETS = "pipeline_outlets"
PIPELINE_INLETS = "pipeline_inlets"


class AssetLineageInfo(NamedTuple):
    """How often an asset was touched, and by what."""

    asset: Any
    count: int  # type: ignore[assignment]
    context: Any


class ExtraLineageInfo(NamedTuple):
    """Something else that was told."""

    key: str
    value: Any
    count: int  # type: ignore[assignment]
    context: Any


class HookLineage:
    """All that was told."""

    def __init__(self, inputs: Any = None, outputs: Any = None, extra: Any = None) -> None:
        self.inputs = list(inputs or [])
        self.outputs = list(outputs or [])
        self.extra = list(extra or [])


class HookLineageCollector:
    """Takes what hooks tell; nothing is kept while no plugin reads it."""

    def __init__(self, **_: Any) -> None:
        pass

    def add_input_asset(self, context: Any, *_: Any, **__: Any) -> None:
        """An asset was read."""

    def add_output_asset(self, context: Any, *_: Any, **__: Any) -> None:
        """An asset was written."""

    def add_extra(self, context: Any, *_: Any, **__: Any) -> None:
        """Anything else."""

    add_input_dataset = add_input_asset
    add_output_dataset = add_output_asset

    def create_asset(self, **kwargs: Any) -> Any:
        """An asset of what a hook knows."""
        from tradewind.sdk import Asset  # type: ignore[attr-defined,unused-ignore]

        uri = kwargs.get("uri")
        return Asset(uri=uri, name=kwargs.get("name")) if uri or kwargs.get("name") else None

    create_dataset = create_asset

    @property
    def collected_assets(self) -> HookLineage:
        """What was told."""
        return HookLineage()

    @property
    def has_collected(self) -> bool:
        """Whether anything was."""
        return False


NoOpCollector = HookLineageCollector
DatasetLineageInfo = AssetLineageInfo


class HookLineageReader:
    """Reads what hooks told; for plugins."""

    def __init__(self, **_: Any) -> None:
        self.lineage_collector = get_hook_lineage_collector()

    def retrieve_hook_lineage(self) -> HookLineage:
        """What was told."""
        return self.lineage_collector.collected_assets


@functools.cache
def get_hook_lineage_collector() -> HookLineageCollector:
    """The collector of this process."""
    return HookLineageCollector()


class LineageBackend:
    """Base of lineage backends of Airflow 2; never called."""

    def send_lineage(self, operator: Any = None, inlets: Any = None, outlets: Any = None, context: Any = None) -> None:
        """Take the inlets and outlets of a task."""
        raise NotImplementedError


def apply_lineage(func: T) -> T:
    """The function as it is."""
    return func


def prepare_lineage(func: T) -> T:
    """The function as it is."""
    return func


def get_backend() -> None:
    """No backend."""


class _Entity:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self.__dict__.items())})"


class File(_Entity):
    """A file as inlet or outlet."""

    template_fields = ("url",)

    def __init__(self, url: str = "", type_hint: str | None = None, **fields: Any) -> None:
        super().__init__(url=url, type_hint=type_hint, **fields)


class User(_Entity):
    """A person."""


class Tag(_Entity):
    """A mark."""


class Column(_Entity):
    """A column of a table."""


class Table(_Entity):
    """A table as inlet or outlet."""

    template_fields = ("database", "cluster", "name", "tags", "description")
