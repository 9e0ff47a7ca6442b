"""Tasks that decide which others run: branches and short circuits.

The decision is a list of task ids to skip, kept with the attempt and sent with its outcome. Teardowns are never among
them: their own rule decides, so that cleaning up happens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.errors import nearest
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.groups import TaskGroup
from tradewind.sdk.node import Task
from tradewind.sdk.operator import BaseOperator


class SkipMixin:
    """For operators that skip other tasks."""

    def skip(self, ti: Any, tasks: Iterable[Task | str]) -> None:  # noqa: ARG002 - the signature is Airflow's
        """Skip these tasks (or task ids) when this one has succeeded. Raises `AirflowException` outside a running
        task."""
        skip_tasks([task if isinstance(task, str) else task.task_id for task in tasks])

    def skip_all_except(self, ti: Any, branch_task_ids: str | Iterable[str] | None) -> None:
        """Skip the direct downstream tasks that are neither followed nor lie downstream of a followed one.

        Parameters:
            ti: the running task instance.
            branch_task_ids: tasks or groups to follow; None or an empty list: none.

        Raises:
            AirflowException: something that is not a text, or names neither a task nor a group of the DAG, or is not
                directly downstream.
        """
        task = ti.task
        followed = _followed(task, branch_task_ids)
        reached = set(followed)
        for task_id in followed:
            reached |= task.dag.get_task(task_id).get_flat_relative_ids(upstream=False)
        skip_tasks(
            [each.task_id for each in task.downstream_list if each.task_id not in reached and not each.is_teardown]
        )


class BranchMixIn(SkipMixin):
    """For operators that choose a branch."""

    def do_branch(self, context: Any, branches_to_execute: str | Iterable[str] | None) -> str | Iterable[str] | None:
        """Follow these tasks or groups and skip the other direct downstream tasks; returns them unchanged.

        Raises:
            AirflowException: as `SkipMixin.skip_all_except`.
        """
        self.skip_all_except(context["ti"], branches_to_execute)
        return branches_to_execute


class BaseBranchOperator(BranchMixIn, BaseOperator):
    """Base of branch operators: implement `choose_branch(context)`, which returns the id or ids to follow."""

    def choose_branch(self, context: Any) -> str | Iterable[str] | None:
        """Ids of tasks or groups to follow, None for none."""
        raise NotImplementedError(f"{type(self).__name__} does not say which branch to take; implement choose_branch")

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, self.choose_branch(context))


def short_circuit(task: Any, condition: Any, *, ignore_downstream_trigger_rules: bool = True) -> Any:
    """Go on if `condition` is true; otherwise skip what comes after. Returns the condition.

    Parameters:
        task: the running task.
        condition: judged by its truth.
        ignore_downstream_trigger_rules: skip all tasks downstream; False: only the direct ones, the rest follow their
        rules.
    """
    if condition:
        return condition
    ids: Collection[str]
    if ignore_downstream_trigger_rules:
        ids = task.get_flat_relative_ids(upstream=False)
    else:
        ids = task.downstream_task_ids
    skip_tasks(sorted(each for each in ids if not task.dag.get_task(each).is_teardown))
    return condition


def skip_tasks(task_ids: Iterable[str]) -> None:
    """Let these tasks be skipped when the running one has succeeded. Raises `AirflowException` outside a running
    task."""
    attempt = attempt_at_hand()
    if attempt is None:
        raise AirflowException("tasks can be skipped only by a task that is running")
    attempt.skips.update(dict.fromkeys(task_ids))


def _followed(task: Any, chosen: str | Iterable[str] | None) -> set[str]:
    """Ids of the tasks that are followed; a group stands for the tasks it begins with."""
    if chosen is None:
        return set()
    if not isinstance(chosen, str | Iterable):
        raise AirflowException(f"{_owner(task)} must return the id of a task, a list of ids or None, not {chosen!r}")
    followed: set[str] = set()
    for each in [chosen] if isinstance(chosen, str) else chosen:
        if not isinstance(each, str):
            raise AirflowException(
                f"{_owner(task)} must return ids of tasks as texts, not {each!r} of type {type(each).__name__}"
            )
        followed |= _begin(task, each)
    if strangers := sorted(followed - task.downstream_task_ids):
        raise AirflowException(
            f"{_owner(task)} chose {strangers[0]!r}, which is not directly downstream of it; "
            f"choose among {', '.join(sorted(task.downstream_task_ids)) or 'nothing: none is'}"
        )
    return followed


def _begin(task: Any, node_id: str) -> set[str]:
    dag = task.dag
    if node_id in dag.task_dict:
        return {node_id}
    group = dag.task_group_dict.get(node_id)
    if isinstance(group, TaskGroup):
        return {root.task_id for root in group.roots}
    hint = nearest(node_id, [*dag.task_dict, *dag.task_group_dict])
    raise AirflowException(f"{_owner(task)} chose {node_id!r}, but the DAG has no task or group of this id{hint}")


def _owner(task: Any) -> str:
    return f"branch task {task.task_id!r}"
