"""What the document says about assets: of a task, of a whole DAG."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tradewind.wire.assets import AliasFacts, AssetFacts, Leaf, topic_of

from .assets import Asset, AssetAlias, BaseAsset, objects_of
from .errors import WrongValue

if TYPE_CHECKING:
    from .definition import DAG


def leaves_of(objects: Iterable[Any]) -> tuple[Leaf, ...]:
    """Assets, aliases and references among inlets or outlets, sorted, each once; what else stands there is left out."""
    found: dict[str, Leaf] = {}
    for given in objects:
        if isinstance(given, BaseAsset):
            for each in objects_of(given):
                leaf: Any = each.leaf()
                found[topic_of(leaf)] = leaf
    return tuple(found[topic] for topic in sorted(found))


def facts_of(dag: DAG) -> tuple[tuple[AssetFacts, ...], tuple[AliasFacts, ...]]:
    """All assets and aliases that a DAG speaks of. Raises `WrongValue` when it describes one asset in two ways."""
    assets: dict[tuple[str, str], AssetFacts] = {}
    aliases: dict[str, AliasFacts] = {}
    for each in _all_objects(dag):
        if isinstance(each, Asset):
            facts = each.facts()
            known = assets.setdefault((facts.name, facts.uri), facts)
            if known != facts:
                assets[facts.name, facts.uri] = _joined(dag.dag_id, known, facts)
        elif isinstance(each, AssetAlias):
            aliases.setdefault(each.name, each.facts())
    return tuple(assets[key] for key in sorted(assets)), tuple(aliases[name] for name in sorted(aliases))


def _all_objects(dag: DAG) -> Iterable[BaseAsset]:
    from .timetables import asset_condition_of

    condition = asset_condition_of(dag.schedule)
    if condition is not None:
        yield from objects_of(condition)
    for task in dag.tasks:
        for given in (*task.inlets, *task.outlets):
            if isinstance(given, BaseAsset):
                yield from objects_of(given)


def _joined(dag_id: str, one: AssetFacts, other: AssetFacts) -> AssetFacts:
    """A bare mention of an asset beside its full description is fine; two descriptions are not."""
    bare = AssetFacts(name=one.name, uri=one.uri)
    if bare in (one, other):
        return other if one == bare else one
    raise WrongValue(
        f"DAG {dag_id!r} describes asset {one.name!r} in two ways (group, extra, watchers, access_control or "
        "expected_every differ); describe it once and use that object"
    )
