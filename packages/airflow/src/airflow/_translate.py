"""Arguments of earlier days, put right before the SDK checks them.

Each translation does what the argument did, or says that it has no meaning any more; each is noted with the author's
file and line. `install` gives `translate` to the SDK, which calls it for DAGs and for every level of an operator.
"""

from __future__ import annotations

import os
from datetime import timedelta
from types import ModuleType
from typing import Any

from airflow._notes import note_older_form

RULES = {"dummy": "always", "none_failed_or_skipped": "none_failed_min_one_success"}
"""Trigger rule by its older name → by its present one."""

_DAG_POSITIONS = ("description", "schedule", "start_date", "end_date")
_DAG_RENAMED = {
    "schedule_interval": "schedule",
    "timetable": "schedule",
    "concurrency": "max_active_tasks",
    "fail_stop": "fail_fast",
}
_DAG_DROPPED = {
    "default_view": "each person chooses in the UI",
    "orientation": "each person chooses in the UI",
    "full_filepath": "the file is known",
    "pickle_id": "DAGs are not pickled",
    "is_subdag": "a subdag is a task group",
    "parent_dag": "a subdag is a task group",
    "safe_dag_id": "it follows from the dag_id",
}
_TASK_RENAMED = {
    "task_concurrency": "max_active_tis_per_dag",
    "xcom_push": "do_xcom_push",
}
_TASK_RENAMED_WHERE_KNOWN = {
    "execution_date": "logical_date",
    "use_task_execution_day": "use_task_logical_date",
    "use_task_execution_date": "use_task_logical_date",
    "datasets": "assets",
}
_TASK_DROPPED = {
    "provide_context": "the context is always passed",
    "adhoc": "a task is run by itself with `tradewind tasks test`",
    "execution_date": "a task gets its date from its run",
    "sla": "use a deadline of the DAG",
    "subdag": "a subdag is a task group",
    "run_as_owner": "use run_as_user",
}
_of_providers: dict[str, dict[str, str | None]] = {}
"""Qualified class name → argument of earlier days → present one."""


def remember_arguments(module: ModuleType, classes: dict[str, dict[str, str | None]]) -> None:
    """Note what classes of a provider's module took once."""
    for name, arguments in classes.items():
        _of_providers[f"{module.__name__}.{name}"] = arguments


_MEANT = {
    "schedule_interval": "; a cron there means the moment itself, CronDataIntervalTimetable means what this one does"
}
"""What else changes with the new name of an argument."""


def dag_arguments(positional: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of `DAG` as it takes them today."""
    if len(positional) > 1:
        note_older_form("DAG takes only the dag_id by position: name the other arguments")
        for name, value in zip(_DAG_POSITIONS, positional[1:], strict=False):
            if isinstance(value, dict) and name == "description":
                name = "default_args"  # a common slip that Airflow took for a description
            kwargs.setdefault(name, value)
        positional = positional[:1]
    intervals = "schedule_interval" in kwargs or _wants_intervals()
    for old, new in _DAG_RENAMED.items():
        if old in kwargs:
            _rename(kwargs, old, new, "DAG")
    if intervals and "schedule" in kwargs:
        kwargs["schedule"] = _with_intervals(kwargs["schedule"], kwargs)
    for old, why in _DAG_DROPPED.items():
        if old in kwargs:
            kwargs.pop(old)
            note_older_form(f"DAG({old}=) has no meaning any more: {why}")
    if kwargs.get("sla_miss_callback") is not None:
        note_older_form("DAG(sla_miss_callback=) is never called: use deadline=")
    limit = kwargs.get("max_active_runs")
    if isinstance(limit, str) and limit.isdigit():
        kwargs["max_active_runs"] = int(limit)
    return positional, kwargs


def _wants_intervals() -> bool:
    """Whether the installation keeps what a cron text meant in Airflow 2."""
    name = "AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS"
    return os.environ.get(name, "").strip().lower() in ("t", "true", "1")


def _with_intervals(schedule: Any, kwargs: dict[str, Any]) -> Any:
    """A cron text or length of time as `schedule_interval` meant it: a run after each interval, dated with its
    start."""
    from tradewind.sdk import CronDataIntervalTimetable, DeltaDataIntervalTimetable

    if isinstance(schedule, timedelta) or type(schedule).__name__ == "relativedelta":
        return DeltaDataIntervalTimetable(schedule)
    if not isinstance(schedule, str) or schedule in ("@once", "@continuous", "@none", "None", ""):
        return None if schedule in ("@none", "None", "") else schedule
    zoned = kwargs.get("start_date") or (kwargs.get("default_args") or {}).get("start_date")
    zone = getattr(zoned, "tzinfo", None)
    return CronDataIntervalTimetable(schedule, timezone=zone if zone is not None else _default_zone())


def _default_zone() -> str:
    from tradewind.sdk.defaults import authoring_defaults

    return authoring_defaults().timezone


def _rename(kwargs: dict[str, Any], old: str, new: str, of: str) -> None:
    value = kwargs.pop(old)
    note_older_form(f"{of}({old}=) is called {new} now{_MEANT.get(old, '')}")
    if value is not None or new == "schedule":
        kwargs.setdefault(new, value)


def task_arguments(cls: type, kwargs: dict[str, Any], takes: Any) -> dict[str, Any]:
    """Arguments of one level of an operator as it takes them today.

    Parameters:
        cls: the operator's class; takes: whether it knows an argument by name.
    """
    for old, new in _TASK_RENAMED.items():
        if old in kwargs and not takes(old):
            _rename(kwargs, old, new, cls.__name__)
    for old, new in _TASK_RENAMED_WHERE_KNOWN.items():
        if old in kwargs and takes(new) and not takes(old):
            _rename(kwargs, old, new, cls.__name__)
    for old, why in _TASK_DROPPED.items():
        if old in kwargs and (not takes(old) or old == "sla") and kwargs.pop(old) is not None:
            note_older_form(f"{cls.__name__}({old}=) has no meaning any more: {why}")
    rule = kwargs.get("trigger_rule")
    renamed = RULES.get(str(getattr(rule, "value", rule))) if rule is not None else None
    if renamed is not None:
        note_older_form(f"trigger_rule {rule!r} is called {renamed!r} now")
        kwargs["trigger_rule"] = renamed
    weight = kwargs.get("weight_rule")
    if isinstance(weight, str) and "." in weight:
        kwargs["weight_rule"] = _strategy(weight)
    if _of_providers:
        _provider_arguments(cls, kwargs, takes)
    return kwargs


def _strategy(path: str) -> Any:
    """The weight strategy of a dotted path, as plugins name theirs."""
    from airflow._core.modules import import_string

    found = import_string(path)
    return found() if isinstance(found, type) else found


def _provider_arguments(cls: type, kwargs: dict[str, Any], takes: Any) -> None:
    for level in cls.__mro__:
        for old, new in _of_providers.get(f"{level.__module__}.{level.__qualname__}", {}).items():
            if old not in kwargs or takes(old):
                continue
            value = kwargs.pop(old)
            if new is None:
                note_older_form(f"{cls.__name__}({old}=) has no meaning any more")
                continue
            note_older_form(f"{cls.__name__}({old}=) is called {new} now")
            kwargs.setdefault(new, _VALUES.get((old, new), lambda one: one)(value))


def _finish_action(delete: Any) -> str:
    return "delete_pod" if delete else "keep_pod"


_VALUES = {("is_delete_operator_pod", "on_finish_action"): _finish_action}


def install() -> None:
    """Give the translations to the SDK."""
    from tradewind.sdk import older_forms

    older_forms.use(
        dag_arguments=dag_arguments,
        task_arguments=task_arguments,
        find_kind=_kind_of_provider,
        find_hook=_hook_of_provider,
    )


def _kind_of_provider(name: str) -> Any:
    """The decorator that an installed provider gives for `@task.<name>`; None: there is none."""
    from airflow._core.providers_manager import ProvidersManager

    return ProvidersManager().taskflow_decorators.get(name)


def _hook_of_provider(conn_type: str) -> tuple[str, str] | None:
    """("module:Class", its connection argument) for a type of connection that an installed provider knows."""
    from airflow._core.providers_manager import ProvidersManager

    info = ProvidersManager().hooks.get(conn_type)
    if info is None:
        return None
    module, _, name = info.hook_class_name.rpartition(".")
    return f"{module}:{name}", info.connection_id_attribute_name
