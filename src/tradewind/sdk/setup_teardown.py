"""`with setup >> teardown:` blocks: tasks made inside are put between the setups and the teardowns.

A block inside another one counts as work of the outer: its setups and teardowns stand between the outer's. Setups and
teardowns
that are only made inside a block, without one of their own, keep to the arrows drawn for them, as in Airflow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .errors import WrongValue
from .stack import building

if TYPE_CHECKING:
    from .edges import Dependable
    from .node import Task


class Scope:
    """An open block: whose it is, and the tasks made in it so far."""

    def __init__(self, setups: list[Task], teardowns: list[Task]) -> None:
        self.setups = setups
        self.teardowns = teardowns
        self.work: list[Task] = []
        self.nested: set[Task] = set()
        """Setups and teardowns of blocks inside this one."""

    def add_task(self, task: Dependable) -> None:
        """Take a task (or the task behind an output) that was made outside of the block."""
        for one in task.roots:
            self.add(one)

    def add(self, task: Task) -> None:
        if task not in self.work and task not in self.setups and task not in self.teardowns:
            self.work.append(task)

    def draw(self) -> None:
        """Put the work between the setups and the teardowns."""
        inside = {task.task_id for task in self.work}
        for task in self.work:
            if (task.is_setup or task.is_teardown) and task not in self.nested:
                continue
            if not (task.upstream_task_ids & inside):
                for setup in self.setups:
                    setup.link_downstream(task)
            if not (task.downstream_task_ids & inside):
                for teardown in self.teardowns:
                    task.link_downstream(teardown)


def open_scope(tasks: Iterable[Task]) -> Scope:
    """Begin a block for setups, teardowns, or both. Raises `WrongValue` when `tasks` are neither."""
    setups: dict[Task, None] = {}
    teardowns: dict[Task, None] = {}
    for task in tasks:
        if task.is_teardown:
            teardowns[task] = None
            setups |= dict.fromkeys(before for before in task.upstream_list if before.is_setup)
        elif task.is_setup:
            setups[task] = None
            teardowns |= dict.fromkeys(after for after in task.downstream_list if after.is_teardown)
        else:
            raise WrongValue(
                f"task {task.task_id!r} cannot open a with-block: only setups and teardowns can; call .as_setup() or "
                ".as_teardown()"
            )
    scope = Scope(list(setups), list(teardowns))
    if building.scopes:
        outer = building.scopes[-1]
        for task in (*scope.setups, *scope.teardowns):
            outer.add(task)
            outer.nested.add(task)
    building.scopes.append(scope)
    return scope


def close_scope() -> None:
    """End the innermost block and draw its arrows."""
    scope = building.scopes.pop()
    scope.draw()
    if building.scopes:
        for task in scope.work:
            building.scopes[-1].add(task)
        building.scopes[-1].nested |= scope.nested


def note_task(task: Task) -> None:
    """A task was made: it is work of the innermost open block."""
    if building.scopes:
        building.scopes[-1].add(task)
