"""Which tasks run again together with those a person chose. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tradewind.wire.document import DagDocument, TaskDocument

_Edges = Mapping[str, Collection[str]]


def tasks_to_clear(
    document: DagDocument, chosen: Iterable[str], *, upstream: bool = False, downstream: bool = False
) -> set[str]:
    """Ids of the chosen tasks, of those before and after them that are wanted too, and of the setups and teardowns that
    go with any of them.

    A setup goes with the tasks between it and one of its teardowns (with all after it, when it has none), and a
    teardown with its setups: what is prepared again is taken down again.

    Parameters:
        chosen: ids of tasks of the document.
        upstream, downstream: whether everything before, after the chosen ones is wanted.
    """
    wanted = related_tasks(document, chosen, upstream=upstream, downstream=downstream)
    return wanted | setup_company(document, wanted)


def related_tasks(
    document: DagDocument, chosen: Iterable[str], *, upstream: bool = False, downstream: bool = False
) -> set[str]:
    """Ids of the chosen tasks, and of all before and after them that are wanted too."""
    before, after = _edges(document)
    wanted = set(chosen)
    for task_id in list(wanted):
        wanted |= (_reached(before, task_id) if upstream else set()) | (
            _reached(after, task_id) if downstream else set()
        )
    return wanted


def setup_company(document: DagDocument, chosen: Iterable[str]) -> set[str]:
    """Ids of the setups and teardowns that go with any of the chosen tasks (see `tasks_to_clear`)."""
    tasks = {task.task_id: task for task in document.tasks}
    before, after = _edges(document)
    return {each for task_id in chosen for each in _company(tasks, before, after, task_id)}


def _edges(document: DagDocument) -> tuple[dict[str, Collection[str]], dict[str, set[str]]]:
    before: dict[str, Collection[str]] = {task.task_id: task.upstream for task in document.tasks}
    after: dict[str, set[str]] = {task_id: set() for task_id in before}
    for task_id, ids in before.items():
        for each in ids:
            after[each].add(task_id)
    return before, after


def _company(tasks: Mapping[str, TaskDocument], before: _Edges, after: _Edges, task_id: str) -> set[str]:
    """Setups around a task with their teardowns; of a setup its teardowns."""
    task = tasks[task_id]
    if task.is_teardown:
        return set()
    if task.is_setup:
        return _teardowns(tasks, task_id)
    company: set[str] = set()
    later = _reached(after, task_id)
    for setup in _reached(before, task_id):
        if tasks[setup].is_setup:
            teardowns = _teardowns(tasks, setup)
            if not teardowns or teardowns & later:
                company |= {setup, *teardowns}
    return company


def _teardowns(tasks: Mapping[str, TaskDocument], setup: str) -> set[str]:
    return {task_id for task_id, task in tasks.items() if task.is_teardown and setup in task.setups}


def _reached(edges: _Edges, start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        task_id = waiting.pop()
        if task_id not in found:
            found.add(task_id)
            waiting.extend(edges[task_id])
    return found
