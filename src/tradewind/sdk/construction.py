"""How operators are made: defaults filled in, arguments checked where they are named.

A subclass takes its own arguments by keyword and hands the rest up: `def __init__(self, *, table, **kwargs):
super().__init__(**kwargs)`.
Defaults (of the DAG, of groups around, of the `default_args` argument; the later one wins) fill, level by level, the
arguments that
an `__init__` names and did not receive, so that a subclass that computes an argument for its parent is never overruled.
"""

from __future__ import annotations

import functools
import inspect
import sys
from abc import ABCMeta
from collections.abc import Callable, Collection, Mapping, Set
from typing import TYPE_CHECKING, Any, NoReturn

from . import older_forms
from .errors import WrongArgument, nearest
from .params import merged_params
from .stack import given_place

if TYPE_CHECKING:
    from .definition import DAG
    from .groups import TaskGroup
    from .operator import BaseOperator

_ALWAYS_ACCEPTED = frozenset({"self"})
RENAMED = {
    "task_concurrency": "max_active_tis_per_dag",
    "xcom_push": "do_xcom_push",
    "provide_context": "nothing: the context is always passed",
    "execution_date": "logical_date",
}
"""Arguments of earlier days → what to write now."""


class Signature:
    """What one `__init__` takes by name."""

    def __init__(self, init: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(init).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.names = frozenset(p.name for p in named)
        self.required = tuple(p.name for p in named if p.default is p.empty)
        self.open = any(p.kind is p.VAR_KEYWORD for p in parameters)


@functools.cache
def signature_of(init: Callable[..., Any]) -> Signature:
    return Signature(init)


class OperatorMeta(ABCMeta):
    """Wraps each `__init__` so that defaults are filled in and arguments are checked where they are named."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> OperatorMeta:
        cls = super().__new__(mcs, name, bases, namespace, **kwargs)
        init = namespace.get("__init__")
        if init is not None:
            type.__setattr__(cls, "__init__", _filled(init))
        execute = namespace.get("execute")
        if callable(execute):
            type.__setattr__(cls, "execute", _guarded(execute))
        for attribute in ("template_fields", "template_ext"):
            if isinstance(namespace.get(attribute), str):
                raise WrongArgument(
                    f"{name}.{attribute} must be a tuple or list, not the text {namespace[attribute]!r}: write "
                    f"({namespace[attribute]!r},)"
                )
        return cls

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise WrongArgument(
                f"{cls.__name__} takes its arguments by name only, for example {cls.__name__}(task_id={args[0]!r}, ...)"
            )
        dag, group = given_place(kwargs)
        defaults = merged_defaults(dag, group, kwargs.get("default_args"), kwargs.get("task_id"))
        operator = build(cls, kwargs, defaults)
        operator._begin_wiring()
        return operator


def build(cls: type, kwargs: Mapping[str, Any], defaults: Mapping[str, Any], **state: Any) -> Any:
    """An operator, constructed with these defaults; `state` is on it before its `__init__` runs."""
    operator: Any = object.__new__(cls)
    operator.__dict__.update(state, _defaults=defaults)
    operator.__init__(**kwargs)
    if "task_id" not in operator.__dict__:
        raise WrongArgument(f"{cls.__name__}.__init__ did not call super().__init__(**kwargs)")
    del operator.__dict__["_defaults"]
    return operator


def _filled(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def wrapper(self: BaseOperator, *args: Any, **kwargs: Any) -> None:
        if args:
            raise WrongArgument(
                f"{type(self).__name__} takes its arguments by name only: pass super().__init__(**kwargs)"
            )
        signature = signature_of(init)
        defaults = self.__dict__.get("_defaults")
        if defaults:
            for name in signature.names:
                if name not in kwargs and name in defaults:
                    kwargs[name] = defaults[name]
        kwargs = older_forms.task_arguments(type(self), kwargs, accepted_arguments(type(self)).__contains__)
        for name in signature.required:
            if name not in kwargs:
                _refuse_missing(type(self), kwargs.get("task_id"), signature, kwargs.keys())
        if not signature.open:
            unknown = kwargs.keys() - signature.names
            if unknown:
                refuse_unknown(type(self), kwargs.get("task_id"), unknown)
        init(self, **kwargs)

    return wrapper


def _guarded(execute: Callable[..., Any]) -> Callable[..., Any]:
    """`execute`, noticing when it is called inside another task: then nothing of this operator is rendered, retried or
    shown."""

    @functools.wraps(execute)
    def wrapper(self: BaseOperator, *args: Any, **kwargs: Any) -> Any:
        # Looked up, not imported: where nothing runs, running code need not be loaded.
        running = sys.modules.get("tradewind.sdk.execution")
        outer = running.current_operator() if running is not None else None
        if outer is not None and outer is not self:
            message = (
                f"operator {self.task_id!r} is executed inside task {outer.task_id!r}: its templates are not "
                "rendered and its "
                f"failures not retried; make it a task of its own"
            )
            if not self.allow_nested_operators:
                from .exceptions import AirflowException

                raise AirflowException(message)
            self.log.warning(message)
        return execute(self, *args, **kwargs)

    return wrapper


def _refuse_missing(cls: type, task_id: object, signature: Signature, given: Set[str]) -> NoReturn:
    missing = [name for name in signature.required if name not in given]
    where = f"task {task_id!r}" if task_id is not None else f"a {cls.__name__}"
    listed = ", ".join(map(repr, missing))
    needs = f"{where}: {cls.__name__} needs the argument{'s' * (len(missing) > 1)} {listed}"
    unknown = sorted(given - accepted_arguments(cls))
    if unknown:  # most often the missing one, misspelt
        hint = nearest(unknown[0], missing) or f"; add {missing[0]}=..."
        raise WrongArgument(f"{needs} and does not know {', '.join(map(repr, unknown))}{hint}")
    raise WrongArgument(f"{needs}; add {missing[0]}=...")


def refuse_unknown(cls: type, task_id: object, unknown: Collection[str]) -> NoReturn:
    """Raise `WrongArgument` naming class, task, arguments and, for the first, the nearest known one."""
    names = sorted(unknown)
    hint = f"; write {RENAMED[names[0]]}" if names[0] in RENAMED else nearest(names[0], accepted_arguments(cls))
    raise WrongArgument(
        f"task {task_id!r}: {cls.__name__} does not know the argument{'s' * (len(names) > 1)} "
        f"{', '.join(map(repr, names))}{hint}"
    )


@functools.cache
def accepted_arguments(cls: type) -> frozenset[str]:
    """Names of all arguments the class takes, its parents' included as far as it hands arguments up."""
    names: set[str] = set()
    for level in cls.__mro__:
        init = level.__dict__.get("__init__")
        if init is None or level is object:
            continue
        signature = signature_of(getattr(init, "__wrapped__", init))
        names |= signature.names
        if not signature.open:
            break
    return frozenset(names - _ALWAYS_ACCEPTED)


def merged_defaults(
    dag: DAG | None, group: TaskGroup | None, own: Mapping[str, Any] | None, task_id: Any = None
) -> dict[str, Any]:
    """DAG < groups (outer to inner) < own `default_args`."""
    merged: dict[str, Any] = {}
    for source in (dag.default_args if dag else None, group.default_args if group else None, own):
        if source:
            if not isinstance(source, Mapping):
                of = f" of task {task_id!r}" if task_id else ""
                raise WrongArgument(f"default_args{of} must be a dict, not {source!r} of type {type(source).__name__}")
            params = merged_params("params in default_args", merged.get("params"), source.get("params"))
            merged.update(source)
            if params:
                merged["params"] = params
    merged.pop("task_id", None)
    return merged
