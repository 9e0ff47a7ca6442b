"""A seam for arguments of earlier days: whoever knows them (the distribution `tradewind-airflow`) registers here, and
they are put right before they are checked. Without it nothing is translated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DagArguments = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]
TaskArguments = Callable[[type, dict[str, Any], Callable[[str], bool]], dict[str, Any]]
FindKind = Callable[[str], Any]
FindHook = Callable[[str], tuple[str, str] | None]

_dag: DagArguments | None = None
_task: TaskArguments | None = None
_kind: FindKind | None = None
_hook: FindHook | None = None


def use(
    *, dag_arguments: DagArguments, task_arguments: TaskArguments, find_kind: FindKind, find_hook: FindHook
) -> None:
    """Register the translations of this process.

    Parameters:
        dag_arguments: (positional, named) of `DAG` → the same as it takes them.
        task_arguments: (class, named, whether the class knows a name) of an operator → the same as it takes them.
        find_kind: name of a kind of `@task` that is not built in → its decorator, or None.
        find_hook: connection type → ("module:Class", its connection argument) of an installed provider, or None.
    """
    global _dag, _task, _kind, _hook
    _dag, _task, _kind, _hook = dag_arguments, task_arguments, find_kind, find_hook


def forget() -> None:
    """Translate nothing from now on."""
    global _dag, _task, _kind, _hook
    _dag = _task = _kind = _hook = None


def dag_arguments(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What `DAG`, or a class derived from it, is called with."""
    return (args, kwargs) if _dag is None or not hasattr(cls, "renamed_arguments") else _dag(args, kwargs)


def task_arguments(cls: type, kwargs: dict[str, Any], takes: Callable[[str], bool]) -> dict[str, Any]:
    """What one level of an operator is called with."""
    return kwargs if _task is None else _task(cls, kwargs, takes)


def find_kind(name: str) -> Any:
    """A decorator for `@task.<name>` that is not built in; None: there is none."""
    return None if _kind is None else _kind(name)


def find_hook(conn_type: str) -> tuple[str, str] | None:
    """The hook that an installed provider gives for a type of connection; None: there is none."""
    return None if _hook is None else _hook(conn_type)
