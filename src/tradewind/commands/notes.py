"""Notes of people on runs and task instances."""

from __future__ import annotations

from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput, NotFound

from .runs import require_run

NOTE_LENGTH_MAX = 1000


def check_note(note: str | None) -> None:
    """Raises `BadInput` for one that is too long."""
    if note is not None and len(note) > NOTE_LENGTH_MAX:
        raise BadInput(f"the note has {len(note)} characters; at most {NOTE_LENGTH_MAX} are kept")


def set_run_note(tx: Transaction, dag_id: str, run_id: str, note: str | None) -> None:
    """Write, change or (None) remove the note of a run. Raises `NotFound`, `BadInput`."""
    check_note(note)
    tx.run_set_note(require_run(tx, dag_id, run_id).run_key, note)
    tx.ring("changes")


def set_task_note(
    tx: Transaction, dag_id: str, run_id: str, task_id: str, note: str | None, *, map_path: str | None = None
) -> int:
    """Write, change or remove the note of an instance, of all instances of a task without `map_path`; how many.

    Raises `NotFound`, `BadInput`.
    """
    check_note(note)
    run = require_run(tx, dag_id, run_id)
    rows = [row for row in tx.task_list(run.run_key, [task_id]) if map_path is None or row.map_path == map_path]
    if not rows:
        index = "" if map_path in (None, "") else f" with index {map_path}"
        raise NotFound(f"run {run_id!r} of DAG {dag_id!r} has no task {task_id!r}{index}")
    for row in rows:
        tx.task_set_note(row.ti_id, note)
    return len(rows)
