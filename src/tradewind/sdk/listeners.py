"""Listeners: functions of plugins that hear what happens. One file of signatures.

    from tradewind.sdk.listeners import hookimpl

    @hookimpl
    def on_task_instance_failed(previous_state, task_instance, error): ...

A hook takes the arguments it names. One that raises is logged; the others, and what it heard of, go on.

Hooks of task instances are called in the task's process; those of runs, components, assets and import errors in a
child, through the outbox, a moment later and at least once.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_log = logging.getLogger("tradewind.task")
_MARK = "airflow_impl"


def hookimpl(function: F | None = None, **options: Any) -> Any:
    """Mark a function of a listener as a hook."""

    def mark(one: F) -> F:
        setattr(one, _MARK, options)
        return one

    return mark if function is None else mark(function)


class Hooks:
    """The hooks there are; each is told with the arguments named here."""

    @staticmethod
    def on_starting(component: Any) -> None:
        """A process of ours has started: `component` is its name."""

    @staticmethod
    def before_stopping(component: Any) -> None:
        """A process of ours is about to stop."""

    @staticmethod
    def on_task_instance_running(previous_state: Any, task_instance: Any) -> None:
        """The first line of user code is about to run."""

    @staticmethod
    def on_task_instance_success(previous_state: Any, task_instance: Any) -> None:
        """The task ended well."""

    @staticmethod
    def on_task_instance_failed(previous_state: Any, task_instance: Any, error: Any) -> None:
        """The attempt failed; whether it is tried again stands in its state."""

    @staticmethod
    def on_task_instance_skipped(previous_state: Any, task_instance: Any) -> None:
        """The task skipped itself."""

    @staticmethod
    def on_dag_run_running(dag_run: Any, msg: str) -> None:
        """A run has started."""

    @staticmethod
    def on_dag_run_success(dag_run: Any, msg: str) -> None:
        """A run ended well."""

    @staticmethod
    def on_dag_run_failed(dag_run: Any, msg: str) -> None:
        """A run failed; `msg` says why."""

    @staticmethod
    def on_asset_created(asset: Any) -> None:
        """An asset became known."""

    @staticmethod
    def on_asset_alias_created(asset_alias: Any) -> None:
        """An asset alias became known."""

    @staticmethod
    def on_asset_changed(asset: Any) -> None:
        """An asset was written."""

    @staticmethod
    def on_asset_event_emitted(asset_event: Any) -> None:
        """An event of an asset was recorded."""

    @staticmethod
    def on_new_dag_import_error(filename: str, stacktrace: str) -> None:
        """A DAG file that loaded before, or is new, cannot be loaded."""

    @staticmethod
    def on_existing_dag_import_error(filename: str, stacktrace: str) -> None:
        """A DAG file still cannot be loaded."""


NAMES = tuple(name for name in vars(Hooks) if name.startswith(("on_", "before_")))


def implementations(name: str) -> list[Callable[..., Any]]:
    """Functions of the plugins' listeners for a hook."""
    from .plugins import brought

    found = []
    for listener in brought("listeners"):
        function = getattr(listener, name, None)
        if callable(function) and hasattr(function, _MARK):
            found.append(function)
    return found


def implemented() -> list[str]:
    """Names of the hooks that some listener has."""
    return [name for name in NAMES if implementations(name)]


def tell(name: str, **arguments: Any) -> int:
    """Call every implementation of a hook; how many did not raise."""
    well = 0
    for function in implementations(name):
        try:
            function(**_named(function, arguments))
            well += 1
        except Exception as error:
            _log.warning("listener %s.%s failed: %s", function.__module__, name, error, exc_info=error)
    return well


def tell_plain(name: str, facts: Mapping[str, Any]) -> int:
    """As `tell`, from facts that were written down: mappings become objects with attributes."""
    return tell(name, **{key: _object(value) for key, value in facts.items()})


def _object(value: Any) -> Any:
    return SimpleNamespace(**value) if isinstance(value, Mapping) else value


def _named(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that the function names."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return arguments
    return {p.name: arguments[p.name] for p in parameters if p.name in arguments}
