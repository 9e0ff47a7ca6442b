"""Changes of assets are told: by tasks that succeeded, by people, by watchers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from tradewind.kernel.log import get_logger
from tradewind.ports.asset_rows import AssetEventRow, AssetRow
from tradewind.ports.store import Transaction
from tradewind.wire.assets import (
    AliasFacts,
    AssetEmission,
    AssetEventFacts,
    AssetFacts,
    AssetLeaf,
    NameLeaf,
    UriLeaf,
    topics_of_event,
)
from tradewind.wire.document import TaskDocument

from . import listening
from .asset_publication import settle_assets

log = get_logger("assets")


class Source(NamedTuple):
    """Who tells of a change."""

    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = -1
    partition_key: str | None = None
    """Of the run: for changes that name none of their own."""
    person: str | None = None


def emissions_of(task: TaskDocument) -> tuple[AssetEmission, ...]:
    """What a task tells that says nothing of its own: one change of each outlet."""
    found = []
    for leaf in task.outlets:
        match leaf:
            case AssetLeaf(name, uri):
                found.append(AssetEmission(name=name, uri=uri))
            case NameLeaf(name):
                found.append(AssetEmission(name=name))
            case UriLeaf(uri):
                found.append(AssetEmission(uri=uri))
            case _:
                pass  # an alias stands for nothing until the task says for what
    return tuple(found)


def tell_changes(tx: Transaction, told: Sequence[tuple[Source, AssetEmission]], now: datetime) -> list[int]:
    """Append these changes to the log, all at once; ids of the events. One of an asset that nobody knows is left out,
    with a line in the log of the service.
    """
    known: dict[tuple[str, str], AssetRow | None] = {}
    events: list[AssetEventRow] = []
    topics: list[list[str]] = []
    for source, emission in told:
        key = (emission.name, emission.uri)
        if known.get(key) is None:
            known[key] = _asset_of(tx, emission, now)
        row = known[key]
        if row is None:
            log.warning("asset_unknown", name=emission.name, uri=emission.uri, dag_id=source.dag_id)
            continue
        aliases = () if emission.alias is None else (emission.alias,)
        events.append(
            AssetEventRow(
                event_id=0,
                asset_id=row.asset_id,
                name=row.name,
                uri=row.uri,
                at=now,
                extra=emission.extra,
                source_dag_id=source.dag_id,
                source_run_id=source.run_id,
                source_task_id=source.task_id,
                source_map_index=source.map_index,
                aliases=aliases,
                partition_key=emission.partition_key or source.partition_key,
                created_by=source.person,
            )
        )
        topics.append(topics_of_event(row.name, row.uri, aliases))
    for row in {row.asset_id: row for row in known.values() if row is not None and row.late_since is not None}.values():
        tx.asset_set_late(row.asset_id, None)
    ids = tx.asset_event_add(events, topics)
    _tell_listeners(tx, ids, events, now)
    return ids


def _tell_listeners(tx: Transaction, ids: Sequence[int], events: Sequence[AssetEventRow], now: datetime) -> None:
    for event_id, event in zip(ids, events, strict=False):
        facts = msgspec.to_builtins(event) | {"event_id": event_id}
        listening.tell(tx, "on_asset_event_emitted", str(event_id), {"asset_event": facts}, now)
        asset = {"name": event.name, "uri": event.uri}
        listening.tell(tx, "on_asset_changed", str(event_id), {"asset": asset}, now)


def _asset_of(tx: Transaction, emission: AssetEmission, now: datetime) -> AssetRow | None:
    found = tx.asset_find(name=emission.name or None, uri=emission.uri or None)
    if found:
        return found[0]
    if emission.alias is None or not (emission.name and emission.uri):
        return None
    facts = AssetFacts(name=emission.name, uri=emission.uri, group=emission.group, extra=emission.asset_extra)
    tx.alias_put([AliasFacts(name=emission.alias)]) if tx.alias_find(emission.alias) is None else None
    (row,) = tx.asset_put([facts], now)
    settle_assets(tx, [(row.name, row.uri)])
    return row


def facts_of_events(tx: Transaction, rows: Sequence[AssetEventRow]) -> list[AssetEventFacts]:
    """Events as tasks see them, with what is known of their assets."""
    assets = {row.asset_id: row for row in tx.asset_get_many({row.asset_id for row in rows})}
    return [
        AssetEventFacts(
            event_id=row.event_id,
            name=row.name,
            uri=row.uri,
            at=row.at,
            group=assets[row.asset_id].group_name if row.asset_id in assets else "asset",
            asset_extra=assets[row.asset_id].extra if row.asset_id in assets else {},
            extra=row.extra,
            source_dag_id=row.source_dag_id,
            source_run_id=row.source_run_id,
            source_task_id=row.source_task_id,
            source_map_index=row.source_map_index,
            aliases=row.aliases,
            partition_key=row.partition_key,
        )
        for row in rows
    ]
