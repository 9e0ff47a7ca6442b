"""Which task instances of a run a person means when they say what to clear."""

from __future__ import annotations

from collections.abc import Sequence

from tradewind.domain.relatives import tasks_to_clear
from tradewind.ports.rows import TaskRow
from tradewind.wire.document import DagDocument
from tradewind.wire.errors import BadInput, NotFound
from tradewind.wire.states import TaskInstanceState

_FAILED = frozenset({TaskInstanceState.FAILED, TaskInstanceState.UPSTREAM_FAILED})


def rows_to_clear(
    document: DagDocument,
    rows: Sequence[TaskRow],
    task_ids: Sequence[str],
    *,
    map_path: str | None = None,
    only_failed: bool = False,
    upstream: bool = False,
    downstream: bool = False,
) -> list[TaskRow]:
    """Of the chosen tasks the instances that are meant; of the tasks that go along all instances.

    Parameters:
        rows: all instances of the run.
        task_ids: none: all tasks.
        map_path: of the chosen tasks only this index.
        only_failed: of the chosen tasks only what failed, or could not run because something before it failed.
        upstream, downstream: whether everything before, after the chosen ones goes along.

    Raises:
        NotFound: the run has no such task, or no such index of it.
        BadInput: an index without a task.
    """
    present = {row.task_id for row in rows}
    for task_id in task_ids:
        if task_id not in present:
            raise NotFound(f"the run has no task {task_id!r}; it has {', '.join(sorted(present)) or 'none yet'}")
    if map_path is not None and not task_ids:
        raise BadInput("--map-index needs the id of a task")
    meant = [row for row in rows if not task_ids or row.task_id in task_ids]
    if map_path is not None:
        meant = [row for row in meant if row.map_path == map_path]
        if not meant:
            raise NotFound(f"{', '.join(task_ids)}: there is no index {map_path}")
    if only_failed:
        meant = [row for row in meant if row.state in _FAILED]
    chosen = {row.task_id for row in meant}
    # A run may have instances of tasks that its document does not: removed ones of an older version.
    known = chosen & {task.task_id for task in document.tasks}
    along = tasks_to_clear(document, known, upstream=upstream, downstream=downstream) - chosen
    return [*meant, *(row for row in rows if row.task_id in along)]
