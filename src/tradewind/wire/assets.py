"""Words about assets: what they are, on which of them a DAG runs, and what is told of a change.

A *topic* is what a consumer listens to: an asset, an alias, or a reference by name or URI. Each topic has a log of the
events told to it; each consumer keeps its place in the log of each of its topics.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

NAME_LENGTH_MAX = 1500
"""Characters of a name, URI or group."""


class AssetWatcherFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event trigger that tells of changes from outside."""

    name: str
    trigger: str
    """Import path of the trigger's class."""
    kwargs: dict[str, Any] = {}
    """Its arguments, as its `serialize` gives them."""


class AssetFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An asset as a DAG file describes it. Name and URI together are its identity."""

    name: str
    uri: str
    group: str = "asset"
    extra: dict[str, Any] = {}
    watchers: tuple[AssetWatcherFacts, ...] = ()
    expected_every_seconds: float | None = None
    """Late when no event came for so long."""
    access: dict[str, Any] = {}
    """Teams that may produce and consume."""


class AliasFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A name that stands for assets which are known only when a task runs."""

    name: str
    group: str = "asset"


class AssetLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="asset"):
    """An asset, in a condition or as inlet or outlet."""

    name: str
    uri: str


class AliasLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="alias"):
    name: str


class NameLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="name"):
    """Whichever asset has this name."""

    name: str


class UriLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="uri"):
    """Whichever asset has this URI."""

    uri: str


class AllOf(msgspec.Struct, frozen=True, tag_field="kind", tag="all"):
    """Each of these."""

    of: tuple[AssetCondition, ...]


class AnyOf(msgspec.Struct, frozen=True, tag_field="kind", tag="any"):
    """At least one of these."""

    of: tuple[AssetCondition, ...]


Leaf = AssetLeaf | AliasLeaf | NameLeaf | UriLeaf
"""What a consumer may listen to."""
AssetCondition = AssetLeaf | AliasLeaf | NameLeaf | UriLeaf | AllOf | AnyOf
"""When a DAG runs on assets."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one run of a consumer takes of the events that wait."""

    mode: Literal["all", "every", "latest", "batch"] = "all"
    """all: everything that waits. every: one event of each topic, a run for each. latest: the newest of each topic, the
    older ones are passed over. batch: everything, once enough wait or the oldest has waited long enough."""
    count: int | None = None
    """batch: so many events."""
    seconds: float | None = None
    """batch: or the oldest has waited so long."""


def leaves_of(condition: AssetCondition) -> Iterator[Leaf]:
    """What a condition speaks of, as written."""
    match condition:
        case AllOf(of) | AnyOf(of):
            for each in of:
                yield from leaves_of(each)
        case _:
            yield condition


def topic_of(leaf: Leaf) -> str:
    """The topic under which events for `leaf` are logged."""
    match leaf:
        case AssetLeaf(name, uri):
            return asset_topic(name, uri)
        case AliasLeaf(name):
            return f"alias:{name}"
        case NameLeaf(name):
            return f"name:{name}"
        case UriLeaf(uri):
            return f"uri:{uri}"


def asset_topic(name: str, uri: str) -> str:
    """The topic of an asset. The length tells where the name ends, whatever characters it has."""
    return f"asset:{len(name)}:{name}:{uri}"


def topics_of_event(name: str, uri: str, aliases: tuple[str, ...] = ()) -> list[str]:
    """Every topic that an event of this asset is told to, if somebody listens."""
    return [asset_topic(name, uri), f"name:{name}", f"uri:{uri}", *(f"alias:{alias}" for alias in aliases)]


class AssetEmission(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change that a task tells of when it has succeeded."""

    name: str = ""
    uri: str = ""
    """Name and URI; one of the two for a reference."""
    extra: dict[str, Any] = {}
    alias: str | None = None
    """It came through this alias: the asset need not be known before."""
    group: str = "asset"
    asset_extra: dict[str, Any] = {}
    """With an alias: of the asset, if it is new."""
    partition_key: str | None = None


class AssetEventFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event, as tasks and people see it."""

    event_id: int
    name: str
    uri: str
    at: datetime
    group: str = "asset"
    asset_extra: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_task_id: str | None = None
    source_map_index: int = -1
    aliases: tuple[str, ...] = ()
    partition_key: str | None = None
