"""What hooks read and write, collected while a task runs: for lineage readers of plugins.

    get_hook_lineage_collector().add_input_asset(self, uri="s3://bucket/key")

Without a reader nothing is collected.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_log = logging.getLogger("tradewind.task")
ASSETS_MAX = 100
EXTRAS_MAX = 200


@dataclass(frozen=True, slots=True)
class AssetLineageInfo:
    """An asset that was read or written, how often, and by what."""

    asset: Any
    count: int
    context: Any


@dataclass(frozen=True, slots=True)
class ExtraLineageInfo:
    """Something else worth knowing, by a key of the hook's choice."""

    key: str
    value: Any
    count: int
    context: Any


@dataclass(frozen=True, slots=True)
class HookLineage:
    """Everything collected."""

    inputs: list[AssetLineageInfo] = field(default_factory=list)
    outputs: list[AssetLineageInfo] = field(default_factory=list)
    extra: list[ExtraLineageInfo] = field(default_factory=list)

    @property
    def collected(self) -> bool:
        return bool(self.inputs or self.outputs or self.extra)


@dataclass(frozen=True, slots=True)
class NamedAsset:
    """An asset as a hook names it."""

    name: str
    uri: str
    group: str = "asset"
    extra: Mapping[str, Any] = field(default_factory=dict)


class HookLineageCollector:
    """Counts equal entries once; keeps at most 100 assets a side and 200 extras."""

    def __init__(self) -> None:
        self._inputs: dict[str, AssetLineageInfo] = {}
        self._outputs: dict[str, AssetLineageInfo] = {}
        self._extras: dict[str, ExtraLineageInfo] = {}

    def create_asset(
        self,
        *,
        scheme: str | None = None,
        uri: str | None = None,
        name: str | None = None,
        group: str | None = None,
        asset_kwargs: Mapping[str, Any] | None = None,
        asset_extra: Mapping[str, Any] | None = None,
    ) -> Any | None:
        """The asset a hook means; None when it says neither URI, nor name, nor scheme with arguments."""
        if uri is None and scheme is not None and asset_kwargs is not None:
            uri = f"{scheme}://{'/'.join(str(value) for value in asset_kwargs.values())}"
        if uri is None and name is None:
            _log.debug("an asset of a hook needs a uri or a name")
            return None
        return NamedAsset(name or uri or "", uri or name or "", group or "asset", dict(asset_extra or {}))

    def add_input_asset(self, context: Any, **asset: Any) -> None:
        """Note what was read. `asset`: as of `create_asset`."""
        self._add(self._inputs, context, asset)

    def add_output_asset(self, context: Any, **asset: Any) -> None:
        """Note what was written. `asset`: as of `create_asset`."""
        self._add(self._outputs, context, asset)

    def add_extra(self, context: Any, key: str, value: Any) -> None:
        """Note something else. Without key or value nothing is noted."""
        if not key or value is None:
            _log.debug("an extra of a hook needs a key and a value")
            return
        entry = f"{key}/{_text(value)}/{id(context)}"
        known = self._extras.get(entry)
        if known is None and len(self._extras) >= EXTRAS_MAX:
            return
        self._extras[entry] = ExtraLineageInfo(key, value, 1 if known is None else known.count + 1, context)

    def _add(self, into: dict[str, AssetLineageInfo], context: Any, described: dict[str, Any]) -> None:
        asset = self.create_asset(**described)
        if asset is None:
            return
        entry = f"{asset.name}/{asset.uri}/{_text(dict(asset.extra))}/{id(context)}"
        known = into.get(entry)
        if known is None and len(into) >= ASSETS_MAX:
            return
        into[entry] = AssetLineageInfo(asset, 1 if known is None else known.count + 1, context)

    @property
    def collected_assets(self) -> HookLineage:
        return HookLineage(list(self._inputs.values()), list(self._outputs.values()), list(self._extras.values()))

    @property
    def has_collected(self) -> bool:
        return self.collected_assets.collected


class NoOpCollector(HookLineageCollector):
    """Takes everything and keeps nothing."""

    def add_input_asset(self, *_: Any, **__: Any) -> None: ...
    def add_output_asset(self, *_: Any, **__: Any) -> None: ...
    def add_extra(self, *_: Any, **__: Any) -> None: ...


class HookLineageReader:
    """Base of readers in plugins: what was collected, for whoever sends it on."""

    def __init__(self, **_: Any) -> None:
        self.lineage_collector = get_hook_lineage_collector()

    def retrieve_hook_lineage(self) -> HookLineage:
        """Everything collected so far in this task."""
        return self.lineage_collector.collected_assets


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


_collector: HookLineageCollector | None = None


def get_hook_lineage_collector() -> HookLineageCollector:
    """The collector of this process; one that keeps nothing while no plugin has a reader."""
    global _collector
    if _collector is None:
        from .plugins import lineage_readers

        _collector = HookLineageCollector() if lineage_readers() else NoOpCollector()
    return _collector
