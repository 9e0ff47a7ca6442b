"""Checks of a call against a function's signature, with messages for authors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .errors import WrongArgument, nearest

CONTEXT_NAMES = frozenset(
    """
    conn dag dag_run data_interval_start data_interval_end ds ds_nodash ts ts_nodash ts_nodash_with_tz
    logical_date run_id params var macros task task_instance ti task_instance_key_str try_number test_mode
    map_index_template expanded_ti_count inlets outlets inlet_events outlet_events triggering_asset_events
    partition_key partition_date prev_data_interval_start_success prev_data_interval_end_success
    prev_start_date_success prev_end_date_success exception reason templates_dict task_reschedule_count
    task_state_store asset_state_store
    execution_date next_execution_date prev_execution_date prev_execution_date_success next_ds next_ds_nodash prev_ds
    prev_ds_nodash tomorrow_ds tomorrow_ds_nodash yesterday_ds yesterday_ds_nodash triggering_dataset_events
    """.split()  # noqa: SIM905 # words read better than texts
)
"""Variables of the context, those of Airflow 2 last; a task function gets those it names as parameters."""


@functools.lru_cache(maxsize=4096)
def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """The signature, remembered."""
    return inspect.signature(function)


@functools.lru_cache(maxsize=4096)
def _task_signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature with context variables optional: they are filled in when the task runs."""
    parameters = []
    for parameter in signature_of(function).parameters.values():
        if parameter.name in CONTEXT_NAMES and parameter.default is parameter.empty and _is_named(parameter):
            parameter = parameter.replace(default=None)
        parameters.append(parameter)
    # A required parameter after an optional one is fine for binding by name, which `replace` would refuse.
    return inspect.Signature(parameters, __validate_parameters__=False)


def bind(function: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any], owner: str) -> None:
    """Check that `function` can be called so. Raises `WrongArgument` naming the owner and what does not fit."""
    try:
        _task_signature(function).bind(*args, **kwargs)
    except TypeError as error:
        unknown = [name for name in kwargs if name not in signature_of(function).parameters]
        hint = nearest(unknown[0], signature_of(function).parameters) if unknown else ""
        raise WrongArgument(f"{owner}: {error}{hint}; the function is {_shown(function)}") from None


def check_names(
    function: Callable[..., Any], what: str, kwargs: Collection[str], taken: Collection[str], owner: str
) -> None:
    """Check names given to `partial` or `expand`. Raises `WrongArgument`."""
    signature = signature_of(function)
    is_open = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for name in kwargs:
        if name in taken:
            raise WrongArgument(f"{owner}: argument {name!r} of {what}() is given by partial() already; give it once")
        if name not in signature.parameters and not is_open:
            hint = nearest(name, signature.parameters)
            raise WrongArgument(
                f"{owner}: {what}() got an unknown argument {name!r}{hint}; the function is {_shown(function)}"
            )


def call_arguments(
    function: Callable[..., Any], args: Collection[Any], own: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Any]:
    """The keyword arguments of a call: the author's `own`, and of the context what the function asks for.

    A function with `**kwargs` gets the whole context. Its own arguments win over variables of the same name.
    """
    parameters = signature_of(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        taken = [p.name for p in parameters if _is_named(p) or p.kind is p.POSITIONAL_ONLY][: len(args)]
        found = dict(context.items())  # as they are: what costs a question is not asked for here
        for name in taken:
            found.pop(name, None)
    else:
        found = {}
        taken = []
    named = [p.name for p in parameters if _is_named(p)]
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][: len(args)]
    for name in named:
        if name not in own and name not in positional and name in context:
            found[name] = context[name]
    return {**found, **own}


def _is_named(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


def _shown(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__name__', 'function')}{signature_of(function)}"
