"""Parts of DAGs: some tasks and their relatives, as a DAG of its own."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .errors import WrongValue

if TYPE_CHECKING:
    from .definition import DAG
    from .node import Task


def subset_of(dag: DAG, task_ids: str | Iterable[str], *, downstream: bool, upstream: bool, direct: bool) -> DAG:
    """A copy of `dag` with the chosen tasks only. The DAG itself stays as it is.

    Parameters:
        task_ids: ids, or a text that chosen ids contain.
        downstream, upstream: whether everything after, before the chosen ones is taken too.
        direct: whether tasks just before the chosen ones are taken too.

    Raises:
        WrongValue: nothing is chosen.
    """
    if isinstance(task_ids, str):
        chosen = [task for task in dag.tasks if task_ids in task.task_id]
    else:
        chosen = [dag.get_task(task_id) for task_id in task_ids]
    if not chosen:
        raise WrongValue(
            f"no task of DAG {dag.dag_id!r} is chosen by {task_ids!r}; tasks are {', '.join(dag.task_ids)}"
        )
    keep = {task.task_id for task in chosen}
    for task in chosen:
        keep |= task.get_flat_relative_ids() if downstream else set()
        keep |= task.get_flat_relative_ids(upstream=True) if upstream else set()
        keep |= task.upstream_task_ids if direct else set()
    part = copy.copy(dag)
    part.task_dict = {task_id: _kept(task, part, keep) for task_id, task in dag.task_dict.items() if task_id in keep}
    part.edge_info = {
        before: {after: info for after, info in targets.items() if after in keep}
        for before, targets in dag.edge_info.items()
        if before in keep
    }
    return part


def _kept(task: Task, part: DAG, keep: set[str]) -> Task:
    copied = object.__new__(type(task))
    copied.__dict__.update(task.__dict__)
    copied._dag = part
    copied.upstream_task_ids = task.upstream_task_ids & keep
    copied.downstream_task_ids = task.downstream_task_ids & keep
    return copied
