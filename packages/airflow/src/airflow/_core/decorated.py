"""`airflow.sdk.bases.decorator`: what decorators of providers (`@task.docker`, ...) are built on."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Collection, Mapping
from importlib import util
from typing import Any, ClassVar, Protocol, TypeVar

from tradewind.sdk import BaseOperator
from tradewind.sdk.mapped import MappedOperator as DecoratedMappedOperator
from tradewind.sdk.stack import current_dag, current_group
from tradewind.sdk.taskflow import TaskDecorator

F = TypeVar("F", bound=Callable[..., Any])
Task = TaskDecorator


class ExpandableFactory(Protocol):
    """What can be mapped."""

    def expand(self, **map_kwargs: Any) -> Any:
        """One instance per item."""

    def partial(self, **kwargs: Any) -> Any:
        """Fix arguments."""


class DecoratedOperator(BaseOperator):
    """Base of operators that run a decorated function by other means.

    Parameters:
        python_callable: the function; op_args, op_kwargs: its arguments, templated.
        kwargs_to_upstream: arguments for the operator class that stands next in line.
        multiple_outputs: whether each key of a returned dict is pushed as well.
    """

    template_fields: Any = ("op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}
    shallow_copy_attrs: Any = ("python_callable", "op_kwargs")
    fills_arguments: ClassVar[bool] = True
    """Subclasses may give the function arguments that its caller does not (`@task.pyspark`: the session)."""

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        task_id: str,
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        kwargs_to_upstream: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("multiple_outputs", None) if not _takes(type(self), "multiple_outputs") else None
        super().__init__(task_id=task_id, **(kwargs_to_upstream or {}), **kwargs)
        self.python_callable = python_callable
        self.op_args = op_args or []
        self.op_kwargs = op_kwargs or {}

    def execute(self, context: Any) -> Any:
        """What the function returns."""
        from tradewind.sdk.callables import call_function

        return call_function(self.python_callable, self.op_args, self.op_kwargs, None, context)

    def _handle_output(self, return_value: Any) -> Any:
        return return_value

    def _hook_apply_defaults(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return args, kwargs

    def get_python_source(self) -> str:
        """The source of the function without its decorators."""
        text = textwrap.dedent(inspect.getsource(inspect.unwrap(self.python_callable)))
        return remove_task_decorator(text, self.custom_operator_name)

    @property
    def decorator_name(self) -> str:
        """Name of the decorator."""
        return self.custom_operator_name


def _takes(cls: type, name: str) -> bool:
    from tradewind.sdk.construction import accepted_arguments

    return name in accepted_arguments(cls)


def is_decorated_task(task: Any) -> bool:
    """Whether a task was made by a decorator."""
    return getattr(task, "task_kind", None) is not None or isinstance(task, DecoratedOperator)


def remove_task_decorator(python_source: str, task_decorator_name: str) -> str:
    """The source without `@task...` (balanced brackets included), `@setup` and `@teardown`."""
    for name in (task_decorator_name, "@setup", "@teardown", "@task.skip_if", "@task.run_if"):
        python_source = _without(python_source, name)
    return python_source


def _without(source: str, decorator: str) -> str:
    match = re.search(rf"^[ \t]*{re.escape(decorator)}\b(?!\.)", source, re.MULTILINE)
    if match is None:
        return source
    end, depth = match.end(), 0
    while end < len(source):
        sign = source[end]
        depth += (sign == "(") - (sign == ")")
        end += 1
        if depth == 0 and (sign == ")" or sign == "\n"):
            break
    return source[: match.start()] + source[end:].lstrip("\n")


def get_unique_task_id(task_id: str, dag: Any = None, task_group: Any = None) -> str:
    """The id, or the first free of `id__1`, `id__2`, ..."""
    dag = dag or current_dag()
    if dag is None:
        return task_id
    group = task_group or current_group(dag)
    prefix = group.child_id("") if group is not None else ""
    return str(dag._free_id(prefix + task_id))[len(prefix) :]


def unwrap_partial(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function inside `functools.partial`s."""
    while isinstance(func, functools.partial):
        func = func.func
    return func


def unwrap_callable(func: Any) -> Any:
    """The function inside decorators and partials."""
    return inspect.unwrap(unwrap_partial(getattr(func, "function", func)))


def is_async_callable(func: Any) -> bool:
    """Whether a call gives a coroutine."""
    inner = unwrap_callable(func)
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(getattr(inner, "__call__", None))  # noqa: B004


class KeywordParameters:
    """Which keyword arguments of a context a function takes."""

    def __init__(self, kwargs: Mapping[str, Any], wildcard: bool) -> None:
        self._kwargs = kwargs
        self._wildcard = wildcard

    @classmethod
    def determine(cls, func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> KeywordParameters:
        """Those of `kwargs` that `func` names beyond its first `len(args)` parameters."""
        parameters = list(inspect.signature(func).parameters.values())
        for parameter, value in zip(parameters, args, strict=False):
            if parameter.name in kwargs and parameter.kind is not parameter.VAR_POSITIONAL:
                raise ValueError(f"The key {parameter.name!r} in args is a part of kwargs and therefore reserved.")
            del value
        if any(one.kind is one.VAR_KEYWORD for one in parameters):
            return cls(kwargs, True)
        names = {
            one.name for one in parameters[len(args) :] if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)
        }
        return cls({key: value for key, value in kwargs.items() if key in names}, False)

    def unpacking(self) -> Mapping[str, Any]:
        """For `**`."""
        return dict(self._kwargs)

    def serializing(self) -> Mapping[str, Any]:
        """For writing down."""
        return dict(self._kwargs)


def determine_kwargs(func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of `kwargs` that `func` takes."""
    return KeywordParameters.determine(func, args, kwargs).unpacking()


def make_kwargs_callable(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function that takes any keyword arguments and hands on those that `func` names."""

    @functools.wraps(func)
    def kwargs_func(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **determine_kwargs(func, args, kwargs))

    return kwargs_func


def apply_defaults(func: F) -> F:
    """The function as it is: defaults are applied without a decorator."""
    from airflow._notes import note_older_form

    note_older_form("@apply_defaults is not needed any more: remove it")
    return func


def fixup_decorator_warning_stack(func: Any) -> None:
    """Nothing."""


def is_venv_installed() -> bool:
    """Whether virtual environments can be made."""
    return any(util.find_spec(name) for name in ("virtualenv", "venv"))


__all__ = ["DecoratedMappedOperator", "DecoratedOperator", "Task", "TaskDecorator"]
