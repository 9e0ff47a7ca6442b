"""What people ask of assets: look, make, tell of a change, drop what waits."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tradewind.domain.assets import describe
from tradewind.domain.assets.partitions import mapper_of, needed_keys
from tradewind.kernel.log import get_logger
from tradewind.ports.asset_rows import AssetEventRow, AssetRow, PartitionShareRow
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.assets import AssetEmission, asset_topic, leaves_of, topic_of
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.schedule import PartitionedAssetSchedule
from tradewind.wire.states import DagRunTriggeredBy, DagRunType

from .asset_events import Source, tell_changes
from .documents import Documents
from .runs import check_partition_key, require_dag, trigger_run

log = get_logger("assets")


def require_asset(
    tx: Transaction, *, asset_id: int | None = None, name: str | None = None, uri: str | None = None
) -> AssetRow:
    """The asset with this id, or this name or URI (an active one first). Raises `NotFound` naming the nearest name,
    `BadInput` when nothing is said.
    """
    if asset_id is not None:
        found = tx.asset_get_many([asset_id])
        if not found:
            raise NotFound(f"there is no asset {asset_id}; `tradewind assets list` shows what there is")
        return found[0]
    if name is None and uri is None:
        raise BadInput("name the asset: by its name or its URI")
    rows = tx.asset_find(name=name, uri=uri)
    if not rows:
        near = difflib.get_close_matches(name or uri or "", [row.name for row in tx.asset_list(limit=10_000)], 1)
        hint = f"; did you mean {near[0]!r}?" if near else "; `tradewind assets list` shows what there is"
        raise NotFound(f"there is no asset {(name or uri)!r}{hint}")
    return rows[0]


def create_asset_event(
    tx: Transaction,
    now: datetime,
    asset: AssetRow,
    *,
    extra: dict[str, Any] | None = None,
    partition_key: str | None = None,
    user: str | None = None,
) -> AssetEventRow:
    """A person tells of a change. Raises `BadInput` for a partition key that cannot be one."""
    check_partition_key(partition_key)
    emission = AssetEmission(name=asset.name, uri=asset.uri, extra=extra or {}, partition_key=partition_key)
    (event_id,) = tell_changes(tx, [(Source(person=user or "somebody"), emission)], now)
    (row,) = tx.asset_event_get_many([event_id])
    return row


def materialize_asset(
    tx: Transaction,
    documents: Documents,
    now: datetime,
    new_id: Callable[[], str],
    asset: AssetRow,
    *,
    triggered_by: DagRunTriggeredBy = DagRunTriggeredBy.CLI,
    user: str | None = None,
    **wishes: Any,
) -> RunRow:
    """Run the DAG that makes the asset.

    Parameters:
        wishes: as for `commands.runs.trigger_run` (run_id, conf, note, partition_key, ...).

    Raises:
        NotFound: no DAG makes it.
        Conflict: several do, or what `trigger_run` raises.
    """
    makers = makers_of(tx, asset)
    if not makers:
        raise NotFound(f"no DAG has asset {asset.name!r} among the outlets of a task, so none can make it")
    if len(makers) > 1:
        raise Conflict(f"{len(makers)} DAGs make asset {asset.name!r} ({', '.join(makers)}): trigger one of them")
    return trigger_run(
        tx,
        documents,
        now,
        new_id,
        makers[0],
        run_type=DagRunType.ASSET_MATERIALIZATION,
        triggered_by=triggered_by,
        user=user,
        **wishes,
    )


def makers_of(tx: Transaction, asset: AssetRow) -> list[str]:
    """Ids of the DAGs that have it among the outlets of a task, by its identity or by reference."""
    uses = [
        *tx.asset_use_list(name=asset.name, uri=asset.uri, role="outlet"),
        *(use for use in tx.asset_use_list(name=asset.name, role="outlet") if use.kind == "name"),
        *(use for use in tx.asset_use_list(uri=asset.uri, role="outlet") if use.kind == "uri"),
    ]
    return sorted({use.dag_id for use in uses})


def queued_of_asset(tx: Transaction, asset: AssetRow) -> list[tuple[str, datetime]]:
    """(DAG id, since when) of each DAG for which a change of this asset waits."""
    found = []
    for topic in _topics(asset):
        for cursor in tx.asset_cursor_list(topic=topic):
            times = [each.at for each in tx.asset_waiting(cursor.dag_id) if each.topic == topic]
            if times:
                found.append((cursor.dag_id, min(times)))
    return sorted(dict(sorted(found, reverse=True)).items())


def queued_of_dag(tx: Transaction, dag_id: str) -> list[tuple[AssetRow, datetime]]:
    """(asset, since when) of each asset whose change waits for this DAG. Raises `NotFound`."""
    require_dag(tx, dag_id)
    since: dict[int, datetime] = {}
    waiting = tx.asset_waiting(dag_id)
    events = {row.event_id: row for row in tx.asset_event_get_many({each.event_id for each in waiting})}
    for each in waiting:
        asset_id = events[each.event_id].asset_id
        since[asset_id] = min(each.at, since.get(asset_id, each.at))
    return [(row, since[row.asset_id]) for row in tx.asset_get_many(since)]


def drop_queued(tx: Transaction, *, dag_id: str | None = None, asset: AssetRow | None = None) -> int:
    """Pass over what waits, for a DAG, of an asset, or both; how many pairs of DAG and asset had something waiting.

    Raises `NotFound` (DAG).
    """
    if dag_id is not None:
        require_dag(tx, dag_id, lock=True)
    topics = None if asset is None else _topics(asset)
    dropped = tx.asset_cursor_clear(dag_id=dag_id, topics=topics)
    if dag_id is not None and asset is None:
        tx.partition_share_delete(dag_id)
    return dropped


def note_late_assets(tx: Transaction, now: datetime) -> list[AssetRow]:
    """Assets that were expected to change by now and did not: noted once, until they change. Those newly late.

    What never changed is expected from the moment it was first described.
    """
    late = []
    for row, newest in tx.asset_list_expected():
        assert row.expected_every_seconds is not None
        since = newest or row.created_at or now
        due = since + timedelta(seconds=row.expected_every_seconds)
        if due <= now and row.late_since is None:
            tx.asset_set_late(row.asset_id, due)
            log.warning("asset_late", asset_id=row.asset_id, name=row.name, expected_by=due.isoformat())
            late.append(row)
        elif due > now and row.late_since is not None:
            tx.asset_set_late(row.asset_id, None)
    if late:
        tx.ring("changes")
    return late


def _topics(asset: AssetRow) -> list[str]:
    return [asset_topic(asset.name, asset.uri), f"name:{asset.name}", f"uri:{asset.uri}"]


class PendingPartition(NamedTuple):
    """A partition whose run waits for more events."""

    partition_key: str
    since: datetime
    have: dict[str, list[str]]
    """Name of the asset → upstream keys that have come."""
    missing: dict[str, list[str]]
    """Name of the asset → upstream keys that are still to come; empty where any key does."""


def pending_partitions(tx: Transaction, documents: Documents, dag_id: str) -> list[PendingPartition]:
    """Partitions of a DAG that are being filled, by key. Raises `NotFound`."""
    dag = require_dag(tx, dag_id)
    schedule = documents.get(tx, dag.version_id).document.schedule
    if not isinstance(schedule, PartitionedAssetSchedule):
        return []
    shares: dict[str, list[PartitionShareRow]] = {}
    for share in tx.partition_share_list(dag_id):
        shares.setdefault(share.partition_key, []).append(share)
    return [_pending(schedule, key, rows) for key, rows in sorted(shares.items())]


def _pending(schedule: PartitionedAssetSchedule, key: str, shares: list[PartitionShareRow]) -> PendingPartition:
    have: dict[str, list[str]] = {}
    missing: dict[str, list[str]] = {}
    for leaf in leaves_of(schedule.condition):
        topic = topic_of(leaf)
        came = {share.source_key for share in shares if share.topic == topic}
        needed = needed_keys(mapper_of(schedule, topic), key)
        have[describe(leaf)] = sorted(came)
        missing[describe(leaf)] = sorted(needed - came) if needed is not None else [] if came else [key]
    return PendingPartition(key, min(share.at for share in shares), have, missing)
