"""Parts of assets that providers name: keys, and conditions as one class."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tradewind.sdk.assets import AssetAll, AssetAny


class AssetUniqueKey(NamedTuple):
    """Names an asset."""

    name: str
    uri: str

    @staticmethod
    def from_asset(asset: Any) -> AssetUniqueKey:
        """The key of an asset."""
        return AssetUniqueKey(name=asset.name, uri=asset.uri)

    def to_asset(self) -> Any:
        """The asset."""
        from tradewind.sdk.assets import Asset

        return Asset(name=self.name, uri=self.uri)


class AssetAliasUniqueKey(NamedTuple):
    """Names an alias."""

    name: str


BaseAssetUniqueKey = AssetUniqueKey


class AssetAliasEvent(NamedTuple):
    """An asset that an alias stood for."""

    source_alias_name: str
    dest_asset_key: Any
    dest_asset_extra: dict[str, Any]
    extra: dict[str, Any]


class _Either(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, AssetAll | AssetAny)


class AssetBooleanCondition(metaclass=_Either):
    """All or any of some assets."""


def normalize_noop(parts: Any) -> Any:
    """The parts of a URI as they are."""
    return parts


def _get_normalized_scheme(uri: str) -> str:
    match = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):", uri)
    return match.group(1).lower() if match else ""
