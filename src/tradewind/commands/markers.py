"""Tasks of other DAGs that run again with what is cleared: those that an `ExternalTaskMarker` among it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import TaskDocument

from .documents import Documents

DEPTH_MAX = 10
"""Through how many markers a clear goes on: as many as a marker says by default."""
_MARKER = "ExternalTaskMarker"

Choose = Callable[[RunRow, str], Sequence[TaskRow]]
"""The instances of a run that run again when a task of it does: the task and everything after it."""


def follow_markers(
    tx: Transaction, documents: Documents, cleared: Iterable[tuple[RunRow, Sequence[TaskRow]]], choose: Choose
) -> dict[str, tuple[RunRow, dict[str, TaskRow]]]:
    """All that is cleared: what was given, and what its markers name, theirs too; by run key, instances by id."""
    found = {run.run_key: (run, {row.ti_id: row for row in rows}) for run, rows in cleared}
    fresh = [(run, list(rows.values())) for run, rows in found.values()]
    for _ in range(DEPTH_MAX):
        following: list[tuple[RunRow, list[TaskRow]]] = []
        for run, rows in fresh:
            for target, task_id in _named(tx, documents, run, rows):
                _, known = found.setdefault(target.run_key, (target, {}))
                more = [row for row in choose(target, task_id) if row.ti_id not in known]
                known.update({row.ti_id: row for row in more})
                if more:
                    following.append((target, more))
        fresh = following
        if not fresh:
            break
    return found


def _named(tx: Transaction, documents: Documents, run: RunRow, rows: Sequence[TaskRow]) -> list[tuple[RunRow, str]]:
    """Runs and tasks that the markers among these instances name; what is not there is left out."""
    tasks = documents.get(tx, run.version_id).tasks
    targets: list[tuple[RunRow, str]] = []
    for row in rows:
        task = tasks.get(row.task_id)
        if task is None or task.operator != _MARKER:
            continue
        said = _arguments(tx, row, task)
        at = _instant(said.get("logical_date"), run)
        if at is None:
            continue
        of_date = tx.run_list_window(said.get("external_dag_id", ""), at, at)
        task_id = said.get("external_task_id", "")
        targets += [(target, task_id) for target in of_date if target.logical_date == at]
    return targets


def _arguments(tx: Transaction, row: TaskRow, task: TaskDocument) -> dict[str, str]:
    """As it was rendered, where it has run; else as it is written."""
    written = {name: value.strip("'\"") for name, value in task.arguments.items()}
    rendered = tx.get_rendered(row.ti_id) or {}
    return written | {name: str(value) for name, value in rendered.items() if value is not None}


def _instant(text: str | None, run: RunRow) -> datetime | None:
    """The logical date of the run that is meant; a template that was never rendered means that of this run."""
    if not text or text == "None" or "{{" in text:
        return run.logical_date
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
