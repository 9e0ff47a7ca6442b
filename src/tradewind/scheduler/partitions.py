"""Partitions that events fill: each event counts towards the keys its own key becomes; a partition that is filled gets
its run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from tradewind.domain.assets import Waiting
from tradewind.domain.assets.partitions import date_in_schedule, downstream_keys, is_ready, mapper_of
from tradewind.kernel.log import get_logger
from tradewind.ports.asset_rows import PartitionShareRow
from tradewind.ports.assets import WAITING_MAX
from tradewind.ports.rows import DagRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.errors import BadInput
from tradewind.wire.schedule import PartitionedAssetSchedule

from .asset_runs import make_run

log = get_logger("scheduler")


def fill(
    tx: Transaction,
    dag: DagRow,
    document: DagDocument,
    schedule: PartitionedAssetSchedule,
    now: datetime,
    new_id: Callable[[], str],
) -> int:
    """Read what waits for a DAG, and make the runs of partitions that are filled; how many."""
    waiting = tx.asset_waiting(dag.dag_id)
    shares = [share for each in waiting for share in _shares(dag, schedule, each)]
    tx.partition_share_put(shares)
    ends: dict[str, int] = {}
    for each in waiting:
        ends[each.topic] = max(each.place, ends.get(each.topic, 0))
    tx.asset_cursor_move(dag.dag_id, ends)
    if max(Counter(each.topic for each in waiting).values(), default=0) >= WAITING_MAX:
        tx.asset_wake(dag.dag_id, now)  # there may be more than was looked at
    keys = sorted({share.partition_key for share in shares})
    return sum(_make_if_ready(tx, dag, document, schedule, key, now, new_id) for key in keys)


def _shares(dag: DagRow, schedule: PartitionedAssetSchedule, event: Waiting) -> list[PartitionShareRow]:
    if event.partition_key is None:
        log.warning("partition_key_missing", dag_id=dag.dag_id, topic=event.topic, event_id=event.event_id)
        return []
    try:
        keys = downstream_keys(mapper_of(schedule, event.topic), event.partition_key)
    except BadInput as error:
        log.warning("partition_key_refused", dag_id=dag.dag_id, event_id=event.event_id, error=str(error))
        return []
    return [
        PartitionShareRow(
            dag_id=dag.dag_id,
            partition_key=key,
            topic=event.topic,
            source_key=event.partition_key,
            event_id=event.event_id,
            at=event.at,
        )
        for key in keys
    ]


def _make_if_ready(
    tx: Transaction,
    dag: DagRow,
    document: DagDocument,
    schedule: PartitionedAssetSchedule,
    key: str,
    now: datetime,
    new_id: Callable[[], str],
) -> bool:
    shares = tx.partition_share_list(dag.dag_id, key)
    arrived: dict[str, set[str]] = {}
    for share in shares:
        arrived.setdefault(share.topic, set()).add(share.source_key)
    if not is_ready(schedule, key, arrived):
        return False
    events = sorted({share.event_id for share in shares})
    at = max(share.at for share in shares)
    made = make_run(tx, dag, document, events, at, now, new_id(), key, date_in_schedule(schedule, key))
    tx.partition_share_delete(dag.dag_id, key)
    return made
