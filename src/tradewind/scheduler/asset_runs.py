"""The run of a set of events: named after the set, so that there is one of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from tradewind.commands.deadlines import note_deadlines
from tradewind.kernel.log import get_logger
from tradewind.ports.rows import DagRow, RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

log = get_logger("scheduler")


def make_run(
    tx: Transaction,
    dag: DagRow,
    document: DagDocument,
    event_ids: Sequence[int],
    run_after: datetime,
    now: datetime,
    run_key: str,
    partition_key: str | None = None,
    partition_date: datetime | None = None,
) -> bool:
    """The run of a set of events, unless there is one already; whether it was made here."""
    row = RunRow(
        run_key=run_key,
        dag_id=dag.dag_id,
        run_id=run_id_of(event_ids, run_after, partition_key),
        version_id=dag.version_id,
        run_type=DagRunType.ASSET_TRIGGERED,
        triggered_by=DagRunTriggeredBy.ASSET,
        state=DagRunState.QUEUED,
        run_after=run_after,
        queued_at=now,
        bundle_version=dag.bundle_version,
        partition_key=partition_key,
        partition_date=partition_date,
    )
    taken = tx.run_insert(row)
    if taken is not None:
        log.warning("asset_run_exists", dag_id=dag.dag_id, run_id=row.run_id)
        return False
    tx.asset_consume(run_key, dag.dag_id, partition_key, event_ids)
    note_deadlines(tx, document, row, now)
    log.info("asset_run_created", dag_id=dag.dag_id, run_id=row.run_id, events=len(event_ids))
    return True


def run_id_of(event_ids: Sequence[int], run_after: datetime, partition_key: str | None = None) -> str:
    """The name of the run of a set of events: the same set has the same name."""
    words = ",".join(map(str, sorted(event_ids)))
    name = hashlib.sha256(f"{partition_key or ''}|{words}".encode()).hexdigest()[:8]
    return f"{DagRunType.ASSET_TRIGGERED}__{run_after.isoformat()}_{name}"
