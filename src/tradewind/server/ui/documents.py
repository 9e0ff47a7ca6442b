"""DAG documents as the screens need them: the tree of groups and tasks in the order of the work, edges as pairs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument, TaskDocument, decode_document
from tradewind.wire.errors import NotFound

_KEPT_MAX = 256


class Shape:
    """One version: its document, and what is made of it once."""

    def __init__(self, version_id: str, number: int, document: DagDocument) -> None:
        self.version_id = version_id
        self.number = number
        self.document = document
        self.tasks: dict[str, TaskDocument] = {task.task_id: task for task in document.tasks}
        self.order = _order(document)
        self.place = {task_id: place for place, task_id in enumerate(self.order)}
        self._tree: list[list[Any]] | None = None

    def tree(self) -> list[list[Any]]:
        """Rows of the grid, parents first: [id, label, depth, kind, operator, is mapped, marks].

        kind is 0 for a task and 1 for a group; marks are `setup`, `teardown` or empty.
        """
        if self._tree is None:
            self._tree = _tree(self)
        return self._tree

    def edges(self) -> list[int]:
        """Pairs of places in `order`, one after another: from, to, from, to."""
        pairs: list[int] = []
        for task in self.document.tasks:
            for upstream in task.upstream:
                if upstream in self.place:
                    pairs += (self.place[upstream], self.place[task.task_id])
        return pairs


class Shapes:
    """Shapes by version, kept while they are used. Safe for several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Shape] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tx: Transaction, version_id: str) -> Shape:
        """Raises `NotFound` for a version that is not there."""
        with self._lock:
            found = self._kept.get(version_id)
            if found is not None:
                self._kept.move_to_end(version_id)
                return found
        row = tx.version_get(version_id)
        if row is None:
            raise NotFound(f"DAG version {version_id} does not exist")
        shape = Shape(version_id, row.number, decode_document(row.document))
        with self._lock:
            self._kept[version_id] = shape
            if len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return shape


def _order(document: DagDocument) -> list[str]:
    """Task ids, upstream before downstream; among equals those that stand nearer to the beginning, then by name."""
    level: dict[str, int] = {}
    tasks = {task.task_id: task for task in document.tasks}
    waiting = {task_id: sum(up in tasks for up in task.upstream) for task_id, task in tasks.items()}
    downstream: dict[str, list[str]] = {task_id: [] for task_id in tasks}
    for task in document.tasks:
        for upstream in task.upstream:
            if upstream in downstream:
                downstream[upstream].append(task.task_id)
    ready = [task_id for task_id, count in waiting.items() if count == 0]
    for task_id in ready:
        level.setdefault(task_id, 0)
    while ready:
        task_id = ready.pop()
        for below in downstream[task_id]:
            level[below] = max(level.get(below, 0), level[task_id] + 1)
            waiting[below] -= 1
            if waiting[below] == 0:
                ready.append(below)
    return sorted(tasks, key=lambda task_id: (level.get(task_id, 0), task_id))


def _tree(shape: Shape) -> list[list[Any]]:
    groups = {group.group_id: group for group in shape.document.groups}
    children: dict[str | None, list[tuple[int, str, bool]]] = {}
    first: dict[str, int] = {}

    def least(group_id: str | None, place: int) -> None:
        while group_id is not None and group_id in groups:
            first[group_id] = min(first.get(group_id, place), place)
            group_id = groups[group_id].parent_id

    for task_id, place in shape.place.items():
        task = shape.tasks[task_id]
        children.setdefault(task.group_id, []).append((place, task_id, False))
        least(task.group_id, place)
    for group_id, group in groups.items():
        children.setdefault(group.parent_id, []).append((first.get(group_id, len(shape.place)), group_id, True))
    rows: list[list[Any]] = []

    def walk(parent: str | None, depth: int) -> None:
        for _, name, is_group in sorted(children.get(parent, ())):
            if is_group:
                group = groups[name]
                rows.append([name, group.label or name, depth, 1, "", group.mapping is not None, ""])
                walk(name, depth + 1)
            else:
                task = shape.tasks[name]
                rows.append(_task_row(task, parent, depth))

    walk(None, 0)
    return rows


def _task_row(task: TaskDocument, parent: str | None, depth: int) -> list[Any]:
    label = task.display_name or (task.task_id.removeprefix(f"{parent}.") if parent else task.task_id)
    mark = "setup" if task.is_setup else "teardown" if task.is_teardown else ""
    return [task.task_id, label, depth, 0, task.operator, task.mapping is not None, mark]
