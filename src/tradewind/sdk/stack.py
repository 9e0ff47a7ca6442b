"""What is being built just now: the DAG, the group and the setup/teardown scope whose `with` blocks are open.

One stack per thread, so that DAG files may build DAGs in threads of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import WrongArgument

if TYPE_CHECKING:
    from .definition import DAG
    from .groups import TaskGroup
    from .setup_teardown import Scope


class _Building(threading.local):
    def __init__(self) -> None:
        self.dags: list[DAG] = []
        self.groups: list[TaskGroup] = []
        self.scopes: list[Scope] = []
        self.collected: list[DAG] | None = None


building = _Building()


def current_dag() -> DAG | None:
    """The DAG whose `with` block is open, innermost first."""
    return building.dags[-1] if building.dags else None


def current_group(dag: DAG | None) -> TaskGroup | None:
    """The group new tasks of `dag` belong to: the innermost open group of that DAG, else its root group."""
    for group in reversed(building.groups):
        if dag is None or group.dag is dag:
            return group
    return dag.task_group if dag is not None else None


def given_place(arguments: Mapping[str, Any]) -> tuple[DAG | None, TaskGroup | None]:
    """The DAG and the group a new task belongs to by its arguments, or by the open blocks. Raises `WrongArgument`."""
    group, dag = arguments.get("task_group"), arguments.get("dag")
    for name, value, mark, words in (("task_group", group, "child_id", "TaskGroup"), ("dag", dag, "task_dict", "DAG")):
        if value is not None and not hasattr(value, mark):
            task = f" of task {arguments['task_id']!r}" if "task_id" in arguments else ""
            raise WrongArgument(f"{name}{task} must be a {words}, not {value!r} of type {type(value).__name__}")
    dag = dag or (group.dag if group is not None else current_dag())
    return dag, group or current_group(dag)


def register(dag: DAG) -> None:
    """Remember a DAG made by a `with` block or `@dag`, when a file is being loaded."""
    if building.collected is not None and not any(dag is known for known in building.collected):
        building.collected.append(dag)


@contextmanager
def collecting() -> Iterator[list[DAG]]:
    """While the block runs, DAGs that register themselves end up in the list."""
    before = building.collected, building.dags, building.groups, building.scopes
    building.collected, building.dags, building.groups, building.scopes = [], [], [], []
    try:
        yield building.collected
    finally:
        # A file that died inside a `with` block must not leave it open for the next one.
        building.collected, building.dags, building.groups, building.scopes = before
