"""A published DAG and its assets: what it speaks of, what it listens to, which assets are in use, and which contradict
each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tradewind.domain.assets import find_cycles
from tradewind.kernel.log import get_logger
from tradewind.ports.asset_rows import AssetRow, AssetUseRow
from tradewind.ports.store import Transaction
from tradewind.wire.assets import (
    AliasLeaf,
    AssetFacts,
    AssetLeaf,
    Leaf,
    NameLeaf,
    UriLeaf,
    leaves_of,
    topic_of,
    topics_of_event,
)
from tradewind.wire.document import DagDocument
from tradewind.wire.schedule import AssetSchedule, PartitionedAssetSchedule, Schedule

from . import listening
from .watchers import sync_watchers

log = get_logger("assets")
Identity = tuple[str, str]


def publish_assets(
    tx: Transaction, document: DagDocument, now: datetime, *, paused: bool, other_schedule: bool = True
) -> None:
    """Bring assets, uses and cursors in line with a document that has just become the DAG's newest. With another
    schedule, partitions that were being filled by the old one begin anew.
    """
    uses = uses_of(document, now)
    _tell_listeners(tx, document, now)
    former = _describe(tx, document, now)
    tx.alias_put(document.aliases)
    before = tx.asset_use_put(document.dag_id, uses)
    if uses or before:
        tx.asset_cursor_set(document.dag_id, topics_of(document.schedule), paused=paused)
        if other_schedule:
            tx.partition_share_delete(document.dag_id)
        settle_assets(tx, _identities(before) ^ _identities(uses))
    for name, uri in sorted({identity for identity, names in former.items() if names} | _watched(document)):
        for row in tx.asset_find(name=name, uri=uri):
            sync_watchers(tx, row, now, former.get((name, uri), ()))


def _tell_listeners(tx: Transaction, document: DagDocument, now: datetime) -> None:
    """Of assets and aliases that nobody knew before."""
    if listening.listens("on_asset_created"):
        for asset in document.assets:
            if not tx.asset_find(name=asset.name, uri=asset.uri):
                facts = {"name": asset.name, "uri": asset.uri, "group": asset.group}
                listening.tell(tx, "on_asset_created", f"{asset.name}/{asset.uri}", {"asset": facts}, now)
    if listening.listens("on_asset_alias_created"):
        for alias in document.aliases:
            if tx.alias_find(alias.name) is None:
                listening.tell(tx, "on_asset_alias_created", alias.name, {"asset_alias": {"name": alias.name}}, now)


def retire_assets(tx: Transaction, dag_ids: Iterable[str]) -> None:
    """These DAGs are not defined any more: they listen to nothing, and what only they spoke of is an orphan."""
    for dag_id in sorted(dag_ids):
        before = tx.asset_use_put(dag_id, ())
        if before:
            tx.asset_cursor_set(dag_id, (), paused=False)
            tx.partition_share_delete(dag_id)
            settle_assets(tx, _identities(before))
            for name, uri in sorted(_identities(before)):
                for row in tx.asset_find(name=name, uri=uri):
                    sync_watchers(tx, row, tx.now())


def settle_assets(tx: Transaction, identities: Iterable[Identity]) -> None:
    """Decide anew which of these assets, and of those that share a name or URI with them, are active.

    An asset is active while a DAG speaks of it and no other active one has its name or its URI; who is active already
    stays so, then the older one wins.
    """
    group: dict[int, AssetRow] = {}
    for name, uri in identities:
        for row in (*tx.asset_find(name=name), *tx.asset_find(uri=uri)):
            group[row.asset_id] = row
    names: dict[str, AssetRow] = {}
    uris: dict[str, AssetRow] = {}
    for row in sorted(group.values(), key=lambda each: (not each.is_active, each.asset_id)):
        used = bool(tx.asset_use_list(name=row.name, uri=row.uri))
        rival = (names.get(row.name) or uris.get(row.uri)) if used else None
        conflict = None if rival is None else _conflict(row, rival)
        active = used and rival is None
        if active:
            names[row.name] = uris[row.uri] = row
        if (active, conflict) != (row.is_active, row.conflict):
            tx.asset_set_active(row.asset_id, active, conflict)
            if conflict is not None:
                log.warning("asset_conflict", asset_id=row.asset_id, conflict=conflict)


def topics_of(schedule: Schedule) -> list[str]:
    """What a DAG with this schedule listens to."""
    match schedule:
        case AssetSchedule(condition=condition) | PartitionedAssetSchedule(condition=condition):
            return list(dict.fromkeys(topic_of(leaf) for leaf in leaves_of(condition)))
        case _:
            return []


def uses_of(document: DagDocument, now: datetime) -> list[AssetUseRow]:
    """All that a document speaks of, each once."""
    found: dict[tuple[str, str, str, str, str], AssetUseRow] = {}

    def note(leaf: Leaf, role: str, task_id: str = "") -> None:
        kind, name, uri = _named(leaf)
        found[task_id, role, kind, name, uri] = AssetUseRow(
            dag_id=document.dag_id, task_id=task_id, role=role, kind=kind, name=name, uri=uri, since=now
        )

    match document.schedule:
        case AssetSchedule(condition=condition) | PartitionedAssetSchedule(condition=condition):
            for leaf in leaves_of(condition):
                note(leaf, "schedule")
    for task in document.tasks:
        for leaf in task.inlets:
            note(leaf, "inlet", task.task_id)
        for leaf in task.outlets:
            note(leaf, "outlet", task.task_id)
    return [found[key] for key in sorted(found)]


def asset_cycles(tx: Transaction) -> dict[str, str]:
    """DAG id → a sentence with the circle, for DAGs that trigger themselves through assets, round and round."""
    listeners: dict[str, set[str]] = {}
    makers: dict[str, list[AssetUseRow]] = {}
    for use in tx.asset_use_list():
        if use.role == "schedule":
            listeners.setdefault(topic_of(_leaf(use)), set()).add(use.dag_id)
        elif use.role == "outlet" and use.kind != "alias":
            makers.setdefault(use.dag_id, []).append(use)
    arrows = {
        dag_id: {there for use in uses for topic in _topics_reached(tx, use) for there in listeners.get(topic, ())}
        for dag_id, uses in makers.items()
    }
    told = {}
    for dag_id in sorted(arrows):
        cycle = find_cycles(arrows, dag_id)
        if cycle:
            told[dag_id] = f"assets make these DAGs trigger one another round and round: {' → '.join(cycle)}"
    return told


def _topics_reached(tx: Transaction, use: AssetUseRow) -> list[str]:
    """Topics that a change told of by this outlet comes to."""
    if use.kind == "asset":
        return topics_of_event(use.name, use.uri)
    rows = [row for row in tx.asset_find(name=use.name or None, uri=use.uri or None) if row.is_active][:1]
    return [topic for row in rows for topic in topics_of_event(row.name, row.uri)]


def _leaf(use: AssetUseRow) -> Leaf:
    match use.kind:
        case "asset":
            return AssetLeaf(use.name, use.uri)
        case "alias":
            return AliasLeaf(use.name)
        case "name":
            return NameLeaf(use.name)
        case _:
            return UriLeaf(use.uri)


def _describe(tx: Transaction, document: DagDocument, now: datetime) -> dict[Identity, tuple[str, ...]]:
    """Write what the document says of assets; names of the watchers that each had before. A bare mention says nothing
    of an asset that is known."""
    former: dict[Identity, tuple[str, ...]] = {}
    told = []
    for facts in document.assets:
        known = tx.asset_find(name=facts.name, uri=facts.uri)
        former[facts.name, facts.uri] = tuple(known[0].watchers) if known else ()
        if not known or facts != AssetFacts(name=facts.name, uri=facts.uri):
            told.append(facts)
    tx.asset_put(told, now)
    return former


def _watched(document: DagDocument) -> set[Identity]:
    return {(facts.name, facts.uri) for facts in document.assets if facts.watchers}


def _named(leaf: Leaf) -> tuple[str, str, str]:
    match leaf:
        case AssetLeaf(name, uri):
            return "asset", name, uri
        case AliasLeaf(name):
            return "alias", name, ""
        case NameLeaf(name):
            return "name", name, ""
        case UriLeaf(uri):
            return "uri", "", uri


def _identities(uses: Iterable[AssetUseRow]) -> set[Identity]:
    return {(use.name, use.uri) for use in uses if use.kind == "asset"}


def _conflict(row: AssetRow, rival: AssetRow) -> str:
    if row.name == rival.name:
        return f"asset {row.name!r} has uri {rival.uri!r} already, so that with uri {row.uri!r} is not active"
    return f"uri {row.uri!r} belongs to asset {rival.name!r} already, so that called {row.name!r} is not active"
