"""`SubDagOperator`: a DAG inside a DAG becomes a task group of the DAG around it.

The tasks of the inner DAG enter the outer one under the id of the operator (`parent.section.task`), with their arrows,
and what stands before and after the operator stands before and after the group. So the inner tasks run in the outer
run, with its dates, limits and history. The schedule of the inner DAG has no meaning; its default arguments were
applied when its tasks were made.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from tradewind.sdk import TaskGroup
from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.stack import current_dag


class SkippedStatePropagationOptions(Enum):
    """What happens inside when the operator is skipped: skips pass through the arrows anyway."""

    ALL_LEAVES = "all_leaves"
    ROOTS_ONLY = "roots_only"


class SubDagOperator:
    """Puts the tasks of `subdag` into the DAG as a group; calling it gives the group.

    Parameters:
        task_id: of the operator; the group's id.
        subdag: a DAG whose id is `<dag_id>.<task_id>`.
        dag: the DAG around it; default the one whose `with` block is open.

    Raises:
        WrongArgument: there is no subdag or no DAG around it, or the ids do not fit.
    """

    def __new__(cls, *, task_id: str = "", subdag: Any = None, dag: Any = None, **kwargs: Any) -> Any:
        from airflow._notes import note_older_form

        note_older_form(f"SubDagOperator {task_id!r} is a task group now: write `with TaskGroup({task_id!r})`")
        outer = dag or current_dag()
        if subdag is None or outer is None:
            raise WrongArgument(f"SubDagOperator {task_id!r} needs subdag=, and a DAG around it")
        expected = f"{outer.dag_id}.{task_id}"
        if subdag.dag_id != expected:
            raise WrongArgument(
                f"the subdag's dag_id should have the form '{{parent_dag_id}}.{{this_task_id}}': expected "
                f"{expected!r}, not {subdag.dag_id!r}"
            )
        group = TaskGroup(group_id=task_id, dag=outer, parent_group=kwargs.get("task_group"))
        adopt(subdag, group)
        return group


def adopt(subdag: Any, group: TaskGroup) -> None:
    """Move the tasks and groups of a DAG into a group of another."""
    outer = group.dag
    renamed = {task_id: group.child_id(task_id) for task_id in subdag.task_dict}
    tasks = list(subdag.task_dict.values())
    places: dict[int, TaskGroup] = {id(subdag.task_group): group}
    for inner in subdag.task_group.iter_groups():
        parent = places.get(id(inner.parent_group), group)
        inner.dag, inner.parent_group = outer, parent
        inner.group_id = group.child_id(str(inner.group_id))
        inner.children = {}
        outer._enter_group(inner, parent)
        places[id(inner)] = inner
    for task in tasks:
        place = places.get(id(task.task_group), group)
        task._dag = task._group = None
        task.task_id = renamed[task.task_id]
        task.upstream_task_ids = {renamed[one] for one in task.upstream_task_ids}
        task.downstream_task_ids = {renamed[one] for one in task.downstream_task_ids}
        outer._enter_task(task, place)
        task._dag, task._group = outer, place
    for before, labels in subdag.edge_info.items():
        for after, info in labels.items():
            outer.set_edge_info(renamed.get(before, before), renamed.get(after, after), info)
    for name, value in (subdag.user_defined_macros or {}).items():
        outer.user_defined_macros = {name: value, **(outer.user_defined_macros or {})}
    subdag.task_dict.clear()
    subdag.group_dict.clear()
    subdag.task_group.children.clear()
    subdag.auto_register = False
    subdag.absorbed_by = outer
