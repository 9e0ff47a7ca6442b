"""Mapped operators: `Op.partial(...).expand(...)`, and how one instance of any task becomes an operator of its own."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from tradewind.wire.ids import MapPath

from . import older_forms
from .arguments import checked_arguments
from .construction import accepted_arguments, build, merged_defaults, refuse_unknown, signature_of
from .errors import WrongArgument, WrongValue, checked_id, nearest
from .expansion import ByArgument, ByDict, Expansion, MappedArgument, deep_ids
from .groups import MappedTaskGroup
from .node import Task
from .operator import BaseOperator, instance_of
from .params import merged_params
from .stack import given_place
from .xcomarg import ConcatXComArg, Fetch, MapXComArg, Resolved, XComArg, ZipXComArg, references_of

_PLACE = ("dag", "task_group", "default_args", "task_id")


@functools.cache
def common_defaults() -> dict[str, Any]:
    """The arguments every task takes, with their defaults."""
    signature = inspect.signature(BaseOperator.__init__)
    return {
        name: p.default for name, p in signature.parameters.items() if p.kind is p.KEYWORD_ONLY and name not in _PLACE
    }


class OperatorPartial:
    """An operator with some arguments fixed, waiting for `expand` or `expand_kwargs`.

    Parameters:
        operator_class: what will be made.
        kwargs: the fixed arguments, task_id among them.

    Raises:
        WrongArgument: an argument the operator does not know.
    """

    def __init__(self, operator_class: type[BaseOperator], kwargs: dict[str, Any]) -> None:
        self.operator_class = operator_class
        self.task_id = checked_id("task id", kwargs["task_id"])
        kwargs = older_forms.task_arguments(operator_class, kwargs, accepted_arguments(operator_class).__contains__)
        unknown = kwargs.keys() - accepted_arguments(operator_class)
        if unknown:
            refuse_unknown(operator_class, self.task_id, unknown)
        self.kwargs = kwargs
        self._expanded = False

    def expand(self, **mapped_kwargs: Any) -> MappedOperator:
        """One instance per combination of items; each argument takes a list, a dict, or the output of a task.

        Raises:
            WrongArgument: an argument is unknown, fixed already, or common to all tasks (`retries`, `pool`, ...).
        """
        for name in mapped_kwargs:
            self._check_mappable(name, "expand")
        return self._mapped(ByArgument(mapped_kwargs, f"task {self.task_id!r}"), strict=True)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> MappedOperator:
        """One instance per dict of arguments.

        Parameters:
            kwargs: list of dicts, or the output of a task.
            strict: refuse items that give an argument that `partial` fixed; else the item wins.
        """
        expansion = ByDict(kwargs, f"task {self.task_id!r}")
        if strict:
            for name in expansion.names() or ():
                self._check_mappable(name, "expand_kwargs")
        return self._mapped(expansion, strict=strict)

    def _check_mappable(self, name: str, what: str) -> None:
        if name in self.kwargs:
            raise WrongArgument(
                f"task {self.task_id!r}: {what}() gives {name!r}, which partial() fixed already; give it once"
            )
        if name in common_defaults() or name in _PLACE:
            raise WrongArgument(
                f"task {self.task_id!r}: {name!r} is the same for all instances and cannot be mapped; give it to "
                "partial()"
            )
        if name not in accepted_arguments(self.operator_class):
            hint = nearest(name, accepted_arguments(self.operator_class))
            raise WrongArgument(
                f"task {self.task_id!r}: {self.operator_class.__name__} has no argument {name!r} to map{hint}"
            )

    def _mapped(self, expansion: Expansion, *, strict: bool) -> MappedOperator:
        self._expanded = True
        return MappedOperator(self.operator_class, self.kwargs, expansion, strict=strict)

    def __del__(self) -> None:
        if not self.__dict__.get("_expanded", True):
            warnings.warn(f"task {self.task_id!r} was given to partial() but never expanded", stacklevel=1)

    def __repr__(self) -> str:
        return f"<OperatorPartial({self.operator_class.__name__}): {self.task_id}>"


class MappedOperator(Task):
    """A task that runs once per item.

    Parameters:
        operator_class: what each instance is.
        kwargs: arguments common to all instances, task_id among them.
        expansion: what the instances differ in.
        strict: whether an item may not give what `kwargs` gives.
        into: name of a dict argument that takes the items (`op_kwargs` of task functions); None: they are arguments
        themselves.
    """

    is_mapped: ClassVar[bool] = True

    def __init__(
        self,
        operator_class: type[BaseOperator],
        kwargs: Mapping[str, Any],
        expansion: Expansion,
        *,
        strict: bool = True,
        into: str | None = None,
    ) -> None:
        dag, group = given_place(kwargs)
        self._operator_class = operator_class
        self.expansion = expansion
        self.strict = strict
        self.into = into
        self._defaults = merged_defaults(dag, group, kwargs.get("default_args"), kwargs.get("task_id"))
        self.partial_kwargs = {name: value for name, value in kwargs.items() if name not in _PLACE}
        self.task_id = checked_id("task id", kwargs["task_id"])
        self._check_required()
        self._take_common()
        self.upstream_task_ids, self.downstream_task_ids = set(), set()
        self._dag = self._group = None
        self._place(dag, group)
        for field in self.template_fields:
            self._wire(self.partial_kwargs.get(field))
        for task, _ in expansion.references():
            task.link_downstream(self)

    def _take_common(self) -> None:
        common = common_defaults()
        given = {**common}
        given |= {name: value for name, value in self._defaults.items() if name in common}
        given |= {name: value for name, value in self.partial_kwargs.items() if name in common}
        given["params"] = merged_params(
            f"params of task {self.task_id!r}", self._defaults.get("params"), self.partial_kwargs.get("params")
        )
        checked = checked_arguments(self.task_id, given)
        self.has_hooks = bool(checked.pop("pre_execute")) | bool(checked.pop("post_execute"))
        self._task_display_name = checked.pop("task_display_name")
        self.__dict__.update(checked)

    def _check_required(self) -> None:
        init = type.__getattribute__(self._operator_class, "__init__")
        names = self.expansion.names()
        if names is None:
            return  # known only when it runs
        given = {*self.partial_kwargs, *self._defaults, "task_id", *([self.into] if self.into else names)}
        missing = [name for name in signature_of(getattr(init, "__wrapped__", init)).required if name not in given]
        if missing:
            raise WrongArgument(
                f"task {self.task_id!r}: {self._operator_class.__name__} needs the argument {missing[0]!r}; "
                f"give it to partial() or expand()"
            )

    def _wire(self, value: Any) -> None:
        for task, _ in references_of(value):
            task.link_downstream(self)

    @property
    def operator_class(self) -> type[BaseOperator]:
        return self._operator_class

    @property
    def template_fields(self) -> Any:  # type: ignore[override]
        return self._operator_class.template_fields

    @property
    def template_ext(self) -> Any:  # type: ignore[override]
        return self._operator_class.template_ext

    @property
    def template_fields_renderers(self) -> Any:  # type: ignore[override]
        return self._operator_class.template_fields_renderers

    @property
    def ui_color(self) -> Any:  # type: ignore[override]
        return self._operator_class.ui_color

    @property
    def ui_fgcolor(self) -> Any:  # type: ignore[override]
        return self._operator_class.ui_fgcolor

    @property
    def task_display_name(self) -> str:  # type: ignore[override]
        return self._task_display_name or self.task_id

    def get_dag(self) -> Any:
        return self._dag

    def instance(self, index: int, fetch: Fetch) -> BaseOperator:
        """The operator of one instance. Raises what the expansion raises, or `WrongArgument` for items that do not
        fit."""
        items, final = self.expansion.items(index, fetch)
        kwargs = dict(self.partial_kwargs)
        if self.into is not None:
            own = dict(kwargs.get(self.into) or {})
            self._refuse_doubles(items, own)
            kwargs[self.into] = own | items
        else:
            self._refuse_doubles(items, kwargs)
            kwargs |= items
        unknown = kwargs.keys() - accepted_arguments(self._operator_class)
        if unknown:
            refuse_unknown(self._operator_class, self.task_id, unknown)
        operator: BaseOperator = build(
            self._operator_class,
            {**kwargs, "task_id": self.label},
            self._defaults,
            _dag=self._dag,
            _group=self._group,
        )
        operator.task_id = self.task_id
        operator.upstream_task_ids, operator.downstream_task_ids = self.upstream_task_ids, self.downstream_task_ids
        operator.is_setup, operator.is_teardown = self.is_setup, self.is_teardown
        operator.on_failure_fail_dagrun, operator.trigger_rule = self.on_failure_fail_dagrun, self.trigger_rule
        _replace_in_fields(
            operator, lambda value: Resolved(value) if id(value) in final and _is_text_or_box(value) else value
        )
        return operator

    def _refuse_doubles(self, items: Mapping[str, Any], kwargs: Mapping[str, Any]) -> None:
        doubled = items.keys() & kwargs.keys()
        if doubled and self.strict:
            raise WrongArgument(
                f"task {self.task_id!r}: expand_kwargs() gives {sorted(doubled)[0]!r}, which partial() fixed already; "
                f"give it once, or pass strict=False"
            )


def instance_operator(task: Task, map_path: MapPath, fetch: Fetch) -> BaseOperator:
    """The operator of one instance, free to be rendered and executed: nothing of the DAG is touched by that.

    References that only mean something here (the items of a mapped task or group) are values afterwards; in templated
    fields
    they are wrapped as `xcomarg.Resolved`, because a value that came from a task is never rendered as a template. Other
    references stay, for rendering to resolve.

    Parameters:
        task: from the DAG.
        map_path: index of the instance, outermost mapped scope first.
        fetch: how this instance reads what others left.

    Raises:
        WrongValue: `map_path` does not fit the task.
        Anything a `.map()` function raises, AirflowSkipException for one.
    """
    groups = list(task.iter_mapped_task_groups())[::-1]
    depth = len(groups) + task.is_mapped
    if len(map_path) != depth:
        raise WrongValue(
            f"task {task.task_id!r} stands in {depth} mapped scopes, the path {map_path!r} has {len(map_path)}"
        )
    scoped = _ScopedFetch(fetch, dict(zip(groups, map_path, strict=False)))
    if isinstance(task, MappedOperator):
        operator = task.instance(map_path[-1], scoped)
    elif isinstance(task, BaseOperator):
        operator = instance_of(task)
    else:
        raise WrongValue(f"{task!r} is not an operator")
    if groups:
        _replace_in_fields(operator, lambda value: Resolved(value.resolve(scoped)) if _in_group(value) else value)
    return operator


class _ScopedFetch:
    """A `Fetch` that also knows which items of the mapped groups around the instance are its own."""

    def __init__(self, fetch: Fetch, indexes: dict[MappedTaskGroup, int]) -> None:
        self._fetch = fetch
        self._indexes = indexes
        self._read: dict[tuple[str, str], Any] = {}

    def value(self, task_id: str, key: str) -> Any:
        # Several arguments often expand over one output: it is read once.
        if (task_id, key) not in self._read:
            self._read[task_id, key] = self._fetch.value(task_id, key)
        return self._read[task_id, key]

    def param(self, name: str) -> Any:
        return self._fetch.param(name)

    def group_index(self, group: MappedTaskGroup) -> int:
        if group not in self._indexes:
            raise WrongValue(
                f"an item of task group {group.group_id!r} is used outside of it; return it from a task in the group"
            )
        return self._indexes[group]


def _in_group(value: Any) -> bool:
    """Whether a reference contains an item of a mapped group."""
    if isinstance(value, MappedArgument):
        return True
    if isinstance(value, MapXComArg):
        return _in_group(value.arg)
    return isinstance(value, ZipXComArg | ConcatXComArg) and any(map(_in_group, value.args))


def _is_text_or_box(value: Any) -> bool:
    """What rendering would look into: texts, containers, objects. Numbers and None are shared by Python and never
    rendered."""
    return not isinstance(value, bool | int | float | None)


def _replace_in_fields(operator: BaseOperator, change: Any) -> None:
    """Put `change(value)` in place of values in templated fields, at any depth, without touching shared containers."""
    for field in operator.template_fields:
        value = operator.__dict__.get(field)
        changed = _replaced(value, change)
        if changed is not value:
            operator.__dict__[field] = changed


def _replaced(value: Any, change: Any) -> Any:
    changed = change(value)
    if changed is not value:
        return changed
    if isinstance(value, XComArg):
        return value
    if type(value) is dict:
        copied: Any = {key: _replaced(item, change) for key, item in value.items()}
        return copied if any(copied[key] is not item for key, item in value.items()) else value
    if type(value) in (list, tuple):
        copied = [_replaced(item, change) for item in value]
        return type(value)(copied) if any(a is not b for a, b in zip(copied, value, strict=True)) else value
    return value


__all__ = ["MappedOperator", "OperatorPartial", "deep_ids", "instance_operator"]
