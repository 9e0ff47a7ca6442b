"""The tasks of a DAG as a tree of lines, from the first tasks downwards."""

from __future__ import annotations

from collections.abc import Iterator

from tradewind.wire.document import DagDocument, TaskDocument


def task_tree(document: DagDocument) -> Iterator[str]:
    """One line per task below what it waits for. A task with several upstreams is told in full once, and only named
    (`…`) after that, so that the tree stays as long as the DAG."""
    from tradewind.domain.timetables import timetable_for

    tasks = {task.task_id: task for task in document.tasks}
    below: dict[str, list[str]] = {task_id: [] for task_id in tasks}
    for task in document.tasks:
        for upstream in task.upstream:
            below[upstream].append(task.task_id)
    mapped_groups = {group.group_id for group in document.groups if group.mapping is not None}
    told: set[str] = set()
    yield f"{document.dag_id} ({timetable_for(document.schedule).summary})"

    def lines(task_ids: list[str], indent: str) -> Iterator[str]:
        for place, task_id in enumerate(task_ids):
            is_last = place == len(task_ids) - 1
            branch = f"{indent}{'└── ' if is_last else '├── '}"
            if task_id in told:
                yield f"{branch}{task_id} …"
                continue
            told.add(task_id)
            yield f"{branch}{_shown(tasks[task_id], mapped_groups)}"
            yield from lines(sorted(below[task_id]), f"{indent}{'    ' if is_last else '│   '}")

    yield from lines([task.task_id for task in document.tasks if not task.upstream], "")


def _shown(task: TaskDocument, mapped_groups: set[str]) -> str:
    notes = [task.operator]
    if task.mapping is not None or any(_inside(task.group_id, group) for group in mapped_groups):
        notes.append("mapped")
    if task.is_setup:
        notes.append("setup")
    if task.is_teardown:
        notes.append("teardown")
    if task.trigger_rule != "all_success" and not task.is_teardown:
        notes.append(str(task.trigger_rule))
    return f"{task.task_id} ({', '.join(notes)})"


def _inside(group_id: str | None, other: str) -> bool:
    return group_id is not None and (group_id == other or group_id.startswith(f"{other}."))
