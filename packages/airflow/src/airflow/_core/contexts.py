"""`airflow.utils.context` and `airflow.sdk.execution_time.context`: around the variables of a running task."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Protocol

from airflow._core.exceptions import AirflowContextDeprecationWarning
from tradewind.sdk.context import current_context as _current_context
from tradewind.sdk.context import parsing_context as _airflow_parsing_context_manager

DEFAULT_FORMAT_PREFIX = "airflow.ctx."
ENV_VAR_FORMAT_PREFIX = "AIRFLOW_CTX_"

AIRFLOW_VAR_NAME_FORMAT_MAPPING = {
    f"AIRFLOW_CONTEXT_{name}": {
        "default": f"{DEFAULT_FORMAT_PREFIX}{name.lower()}",
        "env_var_format": f"{ENV_VAR_FORMAT_PREFIX}{name}",
    }
    for name in (
        "DAG_ID",
        "TASK_ID",
        "LOGICAL_DATE",
        "EXECUTION_DATE",
        "TRY_NUMBER",
        "DAG_RUN_ID",
        "DAG_OWNER",
        "DAG_EMAIL",
    )
}

KNOWN_CONTEXT_KEYS: set[str] = {
    "conn", "dag", "dag_run", "data_interval_end", "data_interval_start", "ds", "ds_nodash", "expanded_ti_count",
    "exception", "inlets", "inlet_events", "logical_date", "macros", "map_index_template", "outlets", "outlet_events",
    "params", "partition_key", "prev_data_interval_start_success", "prev_data_interval_end_success",
    "prev_start_date_success", "prev_end_date_success", "reason", "run_id", "start_date", "task",
    "task_reschedule_count", "task_instance", "task_instance_key_str", "task_state_store", "templates_dict",
    "test_mode", "ti", "triggering_asset_events", "ts", "ts_nodash", "ts_nodash_with_tz", "try_number", "var",
}  # fmt: skip


class OutletEventAccessorsProtocol(Protocol):
    """`outlet_events` of the context."""

    def __getitem__(self, key: Any) -> Any:
        """What is known of an asset's event."""


OutletEventAccessor = Any
OutletEventAccessors = Any
InletEventsAccessors = Any


def context_merge(context: MutableMapping[str, Any], *args: Any, **kwargs: Any) -> None:
    """`context.update(...)`."""
    context.update(*args, **kwargs)


def context_update_for_unmapped(context: MutableMapping[str, Any], task: Any) -> None:
    """Put an unmapped task in its place in the context."""
    from tradewind.sdk.context import merged_params

    context["task"] = context["ti"].task = task
    context["params"] = merged_params(task, dict(context["dag_run"].conf or {}))


def context_copy_partial(source: Mapping[str, Any], keys: Container[str]) -> dict[str, Any]:
    """Those variables of the context that are asked for."""
    return {key: source[key] for key in source if key in keys}


def context_get_outlet_events(context: Mapping[str, Any]) -> Any:
    """The `outlet_events` of the context; an empty dict when there are none."""
    try:
        return context["outlet_events"]
    except KeyError:
        return {}


def context_to_airflow_vars(context: Mapping[str, Any], in_env_var_format: bool = False) -> dict[str, str]:
    """What tells another process which task started it.

    Parameters:
        in_env_var_format: names for environment variables; else dotted names.
    """
    found: dict[str, Any] = {}
    task, ti, run = context.get("task"), context.get("ti"), context.get("dag_run")
    if task is not None:
        email = getattr(task, "email", None)
        if isinstance(email, str):
            found["DAG_EMAIL"] = email
        elif email:
            found["DAG_EMAIL"] = ",".join(email)
        owner = getattr(task, "owner", None)
        if owner:
            found["DAG_OWNER"] = owner
    if ti is not None:
        found.update(DAG_ID=ti.dag_id, TASK_ID=ti.task_id, TRY_NUMBER=ti.try_number)
    logical_date = context.get("logical_date")
    if logical_date is not None:
        found["LOGICAL_DATE"] = logical_date.isoformat()
    if run is not None:
        found["DAG_RUN_ID"] = run.run_id
    form = "env_var_format" if in_env_var_format else "default"
    return {
        AIRFLOW_VAR_NAME_FORMAT_MAPPING[f"AIRFLOW_CONTEXT_{name}"][form]: str(value)
        for name, value in found.items()
        if value is not None
    }


@contextmanager
def set_current_context(context: Any) -> Iterator[Any]:
    """Make `context` the answer of `get_current_context` while the block runs, and tell other processes."""
    names = context_to_airflow_vars(context, in_env_var_format=True)
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        with _current_context(context) as current:
            yield current
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def render_template(template: Any, context: Any, *, native: bool) -> Any:
    """A template with a context."""
    from airflow._core.helpers import render_template as render

    return render(template, context, native=native)


def render_template_as_native(template: Any, context: Any) -> Any:
    """A template as the Python value it stands for."""
    return render_template(template, context, native=True)


def render_template_to_string(template: Any, context: Any) -> str:
    """A template as a text."""
    return str(render_template(template, context, native=False))


__all__ = ["AirflowContextDeprecationWarning", "_airflow_parsing_context_manager"]
