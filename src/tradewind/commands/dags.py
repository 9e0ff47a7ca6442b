"""What people ask of DAGs: look, pause, unpause. Deleting stands in `deletion`."""

from __future__ import annotations

from datetime import datetime

from tradewind.ports.rows import DagRow
from tradewind.ports.store import Transaction

from .audit import note
from .documents import Documents
from .runs import require_dag
from .schedules import following_run

_REASON_LENGTH_MAX = 1000


def get_dag(tx: Transaction, dag_id: str) -> DagRow:
    """The DAG, also one that no file defines any more. Raises `NotFound` naming the nearest id."""
    return require_dag(tx, dag_id)


def pause_dag(tx: Transaction, dag_id: str, reason: str | None = None) -> bool:
    """Switch its schedule off: no further scheduled runs; those that run go on, people may still trigger it.

    Whether it was switched by this call. Raises `NotFound`.
    """
    row = require_dag(tx, dag_id, lock=True)
    if row.is_paused:
        return False
    tx.dag_set_paused(dag_id, True, reason[:_REASON_LENGTH_MAX] if reason else None)
    note("pause_dag", dag_id=dag_id, before={"is_paused": False}, after={"is_paused": True}, reason=reason)
    tx.ring("dags", "changes")
    return True


def unpause_dag(tx: Transaction, documents: Documents, now: datetime, dag_id: str) -> bool:
    """Switch its schedule on. With catchup, what was missed meanwhile is made up. Without it, the next run is chosen
    anew as the timetable says: at most the latest of what was missed.

    Whether it was switched by this call. Raises `NotFound`.
    """
    row = require_dag(tx, dag_id, lock=True)
    if not row.is_paused:
        return False
    tx.dag_set_paused(dag_id, False)
    note("unpause_dag", dag_id=dag_id, before={"is_paused": True}, after={"is_paused": False})
    document = documents.get(tx, row.version_id).document
    if row.next_run_after is None or not document.catchup:
        tx.dag_set_next(dag_id, following_run(tx, document, now))
    # Queued scheduled runs waited as well.
    tx.ring("dags", "runs", "changes")
    return True
