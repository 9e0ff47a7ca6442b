"""Tasks with dates of their own: `start_date` and `end_date` say for which logical dates a task is there at all.

A task that is not there for a run has no instance in it. What came after it then waits for what came before it, so
that the order of the others stays. A task that expands over one that is not there is not there either. Backfills and
runs without a logical date have all tasks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from tradewind.wire.document import DagDocument, Mapping, TaskDocument, source_tasks
from tradewind.wire.states import DagRunType


def absent_tasks(document: DagDocument, logical_date: datetime | None, run_type: str) -> frozenset[str]:
    """Ids of the tasks that are not there for a run of this date and type."""
    if logical_date is None or run_type == DagRunType.BACKFILL:
        return frozenset()
    absent = {task.task_id for task in document.tasks if not _covers(document, task, logical_date)}
    if not absent:
        return frozenset()
    mappings = {group.group_id: group.mapping for group in document.groups if group.mapping is not None}
    parents = {group.group_id: group.parent_id for group in document.groups}
    grown = True
    while grown:
        grown = False
        for task in document.tasks:
            if task.task_id not in absent and _sources(task, mappings, parents) & absent:
                absent.add(task.task_id)
                grown = True
    return frozenset(absent)


def without(document: DagDocument, absent: Collection[str]) -> DagDocument:
    """The document without these tasks, with arrows around them."""
    if not absent:
        return document
    upstream = {task.task_id: task.upstream for task in document.tasks}

    def present(task_id: str, seen: set[str]) -> set[str]:
        found: set[str] = set()
        for before in upstream[task_id]:
            if before in seen:
                continue
            seen.add(before)
            found |= present(before, seen) if before in absent else {before}
        return found

    kept = [
        msgspec.structs.replace(
            task,
            upstream=tuple(sorted(present(task.task_id, set()))),
            setups=tuple(setup for setup in task.setups if setup not in absent),
            inputs=tuple(each for each in task.inputs if each not in absent),
        )
        for task in document.tasks
        if task.task_id not in absent
    ]
    return msgspec.structs.replace(document, tasks=tuple(kept))


def _covers(document: DagDocument, task: TaskDocument, date: datetime) -> bool:
    # Bounds of the DAG, which tasks share through default_args, bound its schedule, not what a person triggers.
    start = None if task.start_date == document.start_date else task.start_date
    end = None if task.end_date == document.end_date else task.end_date
    return (start is None or start <= date) and (end is None or date <= end)


def _sources(task: TaskDocument, mappings: dict[str, Mapping], parents: dict[str, str | None]) -> set[str]:
    """Tasks that its own mapping, or one of a group around it, expands over."""
    found = set(source_tasks(task.mapping)) if task.mapping is not None else set()
    group = task.group_id
    while group is not None:
        if group in mappings:
            found |= source_tasks(mappings[group])
        group = parents.get(group)
    return found
