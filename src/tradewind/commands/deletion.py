"""Removing history for good: instances, runs, DAGs."""

from __future__ import annotations

from collections.abc import Sequence

from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import Conflict, NotFound
from tradewind.wire.states import LIVE_RUN_STATES, DagRunState

from .asset_publication import retire_assets
from .runs import require_dag, require_run, tell_following

_RUNS_BATCH = 500


def delete_run(tx: Transaction, dag_id: str, run_id: str) -> RunRow:
    """Delete a run with its instances, attempts and values; logs stay. Returns it.

    Raises:
        NotFound: there is none.
        Conflict: it is running.
    """
    run = require_run(tx, dag_id, run_id, lock=True)
    if run.state is DagRunState.RUNNING:
        raise Conflict(f"run {run_id!r} of DAG {dag_id!r} is running: cancel it first, or wait for its end")
    tx.run_delete([run.run_key])
    tell_following(tx, run)
    return run


def delete_instances(tx: Transaction, dag_id: str, run_id: str, task_id: str, *, map_path: str | None = None) -> int:
    """Delete an instance of a run that is over, all instances of the task without `map_path`; how many.

    Raises:
        NotFound: there is none.
        Conflict: the run is not over: its owner counts on its instances.
    """
    run = require_run(tx, dag_id, run_id, lock=True)
    if run.state in LIVE_RUN_STATES:
        raise Conflict(f"run {run_id!r} of DAG {dag_id!r} is {run.state}: its instances are deleted when it is over")
    rows = [row for row in tx.task_list(run.run_key, [task_id]) if map_path is None or row.map_path == map_path]
    if not rows:
        index = "" if map_path in (None, "") else f" with index {map_path}"
        raise NotFound(f"run {run_id!r} of DAG {dag_id!r} has no task {task_id!r}{index}")
    return tx.task_delete([row.ti_id for row in rows])


def delete_dag(tx: Transaction, dag_id: str) -> int:
    """Delete a DAG with its versions and all its runs; how many runs went. Logs stay.

    A file that still defines it brings it back, without history, when it is loaded the next time.

    Raises:
        NotFound: there is none.
        Conflict: it has a running run.
    """
    require_dag(tx, dag_id, lock=True)
    live = tx.list_runs(dag_id=dag_id, states=(DagRunState.RUNNING,), limit=1)
    if live:
        raise Conflict(f"DAG {dag_id!r} has a running run {live[0].run_id!r}: wait for it, or cancel it first")
    deleted = 0
    while batch := tx.list_runs(dag_id=dag_id, limit=_RUNS_BATCH):
        deleted += _delete_all(tx, batch)
    retire_assets(tx, [dag_id])
    tx.timetable_forget(dag_id)
    tx.dag_delete(dag_id)
    return deleted


def _delete_all(tx: Transaction, runs: Sequence[RunRow]) -> int:
    gone = tx.run_delete([run.run_key for run in runs])
    if gone != len(runs):
        raise Conflict(f"a run of DAG {runs[0].dag_id!r} has just begun: try again when it is over")
    return gone
