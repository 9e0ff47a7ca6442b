"""Runs that assets trigger: exactly one for each set of events, with any number of schedulers.

Whoever tells of a change wakes the consumers in the same transaction. A consumer is looked at under the lock of its DAG
row. The run, its cursor and the events it takes are written in one transaction; the run is named after the set of its
events, and an event is taken once per DAG, so that even a mistake here could not make a second run of one set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from tradewind.commands.documents import Documents
from tradewind.domain.assets import Waiting, decide
from tradewind.kernel.log import get_logger
from tradewind.ports.assets import WAITING_MAX
from tradewind.ports.rows import DagRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.schedule import AssetSchedule, PartitionedAssetSchedule

from . import partitions
from .asset_runs import make_run

log = get_logger("scheduler")

RUNS_PER_LOOK = 100
"""Runs made for one consumer at once; it is looked at again when more may be due."""


def create_asset_runs(
    tx: Transaction, documents: Documents, now: datetime, new_id: Callable[[], str], limit: int
) -> int:
    """Look at the consumers that were woken; how many runs were made."""
    made = 0
    for dag in tx.asset_claim_consumers(now, limit):
        if dag.is_paused or dag.is_stale:
            continue  # a paused one is woken again when it is not
        document = documents.get(tx, dag.version_id).document
        match document.schedule:
            case AssetSchedule() as schedule:
                made += _consume(tx, dag, document, schedule, now, new_id)
            case PartitionedAssetSchedule() as schedule:
                made += partitions.fill(tx, dag, document, schedule, now, new_id)
    if made:
        tx.ring("runs", "changes")
    return made


def _consume(
    tx: Transaction,
    dag: DagRow,
    document: DagDocument,
    schedule: AssetSchedule,
    now: datetime,
    new_id: Callable[[], str],
) -> int:
    waiting = tx.asset_waiting(dag.dag_id)
    plain = [each for each in waiting if each.partition_key is None]
    passed_over = len(plain) < len(waiting) and _pass_over_keyed(tx, dag.dag_id, waiting)
    made = 0
    while made < RUNS_PER_LOOK:
        verdict = decide(schedule, plain, now)
        if verdict.taking is None:
            again_at = now if (made or passed_over) and _has_more(waiting) else verdict.again_at
            if again_at is not None:
                tx.asset_wake(dag.dag_id, again_at)
            return made
        taking = verdict.taking
        make_run(tx, dag, document, taking.event_ids, taking.at, now, new_id())
        tx.asset_cursor_move(dag.dag_id, taking.places)
        made += 1
        plain = [each for each in plain if each.place > taking.places.get(each.topic, 0)]
    tx.asset_wake(dag.dag_id, now)
    return made


def _has_more(waiting: Sequence[Waiting]) -> bool:
    """Whether a topic may have more than was looked at."""
    return max(Counter(each.topic for each in waiting).values(), default=0) >= WAITING_MAX


def _pass_over_keyed(tx: Transaction, dag_id: str, waiting: Sequence[Waiting]) -> bool:
    """Changes of a partition mean nothing to a consumer that knows no partitions; they must not pile up. Whether there
    were topics with nothing else."""
    ends: dict[str, int] = {}
    plain = {each.topic for each in waiting if each.partition_key is None}
    for each in waiting:
        if each.topic not in plain:
            ends[each.topic] = max(each.place, ends.get(each.topic, 0))
    tx.asset_cursor_move(dag_id, ends)
    return bool(ends)
