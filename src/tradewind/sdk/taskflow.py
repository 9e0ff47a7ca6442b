"""`@task`: functions as tasks.

A call of a decorated function makes a task and gives a reference to its output. The kinds (`@task.branch`,
`@task.bash`, ...)
differ in the operator that calls the function; each is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import typing
from collections.abc import Callable, Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from . import older_forms
from .binding import bind, check_names
from .construction import RENAMED, accepted_arguments
from .errors import WrongArgument, nearest
from .expansion import ByArgument, ByDict, Expansion
from .mapped import MappedOperator
from .notset import NOTSET, NotSet
from .operator import BaseOperator
from .stack import given_place
from .xcomarg import PlainXComArg, XComArg

if TYPE_CHECKING:
    from .definition import DAG

P = ParamSpec("P")
R = TypeVar("R")

KINDS = {
    "python": "callables:CallableOperator",
    "branch": "callables_flow:BranchCallableOperator",
    "short_circuit": "callables_flow:ShortCircuitCallableOperator",
    "sensor": "callables_wait:CallableSensor",
    "bash": "callables_shell:CallableBashOperator",
    "virtualenv": "callables_foreign:VirtualenvCallable",
    "external_python": "callables_foreign:ExternalPythonCallable",
    "branch_virtualenv": "callables_foreign:BranchVirtualenvCallable",
    "branch_external_python": "callables_foreign:BranchExternalPythonCallable",
    "stub": "callables_stub:StubOperator",
}
"""Kind of `@task` → "module:class" of the operator behind it."""

NOT_YET = ("docker", "kubernetes", "kubernetes_cmd", "pyspark", "sql", "analytics")
"""Kinds that provider packages bring; known, so that their absence is named."""


class TaskDecorator(Generic[P, R]):
    """A function that makes a task each time it is called.

    Parameters:
        function: the work.
        operator_class: calls it; takes `python_callable`, `op_args`, `op_kwargs`.
        kind: of `@task`, for people.
        arguments: of the operator. `multiple_outputs` left out is inferred from the annotation of what the function
        returns.

    Raises:
        WrongArgument: an argument the operator does not know; the nearest one is named.
    """

    is_task_decorator = True

    def __init__(
        self, function: Callable[P, R], operator_class: type[BaseOperator], kind: str, arguments: dict[str, Any]
    ) -> None:
        name = getattr(function, "__name__", type(function).__name__)
        if isinstance(function, TaskDecorator) or not callable(function):
            raise WrongArgument(f"@{kind} needs a plain function, not {function!r}")
        if isinstance(function, type):
            raise WrongArgument(f"@{kind} needs a function, {name!r} is a class")
        known = accepted_arguments(operator_class)
        arguments = older_forms.task_arguments(operator_class, dict(arguments), known.__contains__)
        unknown = sorted(arguments.keys() - known)
        if unknown:
            hint = RENAMED.get(unknown[0]) and f"; write {RENAMED[unknown[0]]}"
            hint = hint or nearest(unknown[0], accepted_arguments(operator_class))
            raise WrongArgument(f"@{kind} on {name!r} does not know the argument {unknown[0]!r}{hint}")
        self.function = function
        self.operator_class = operator_class
        self.kind = kind
        self.arguments = {"task_id": name, **arguments}
        self.partial_kwargs: dict[str, Any] = {}
        self.is_setup = False
        self.is_teardown = False
        self.on_failure_fail_dagrun = False
        self.is_result = False
        self.__name__ = name
        self.__qualname__ = getattr(function, "__qualname__", name)
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function

    @property
    def multiple_outputs(self) -> bool:
        """Whether each key of a returned dict is pushed as well."""
        given = self.arguments.get("multiple_outputs")
        return _returns_mapping(self.function) if given is None else bool(given)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> XComArg:
        """Make a task. Raises `WrongArgument` when the function cannot be called so."""
        if self.partial_kwargs:
            raise WrongArgument(f"task {self.__name__!r}: after partial() call expand() or expand_kwargs()")
        if not getattr(self.operator_class, "fills_arguments", False):
            bind(self.function, args, kwargs, f"task {self.__name__!r}")
        operator = self.operator_class(
            python_callable=self.function, op_args=args, op_kwargs=kwargs, **self._operator_arguments()
        )
        return self._finished(operator)

    def override(self, **kwargs: Any) -> TaskDecorator[P, R]:
        """The same with other arguments of the operator (`task_id=...`, `retries=...`)."""
        return self._copy({**self.arguments, **kwargs}, self.partial_kwargs)

    def partial(self, **kwargs: Any) -> TaskDecorator[..., R]:
        """Fix some arguments of the function; `expand` gives the rest."""
        check_names(self.function, "partial", kwargs, self.partial_kwargs, f"task {self.__name__!r}")
        return self._copy(self.arguments, {**self.partial_kwargs, **kwargs})

    def expand(self, **kwargs: Any) -> XComArg:
        """One instance per combination of items; each argument takes a list, a dict, or the output of a task."""
        check_names(self.function, "expand", kwargs, self.partial_kwargs, f"task {self.__name__!r}")
        return self._mapped(ByArgument(kwargs, f"task {self.__name__!r}"))

    def expand_kwargs(self, kwargs: Any, *, strict: bool = False) -> XComArg:
        """One instance per dict of arguments: a list of dicts, or the output of a task."""
        expansion = ByDict(kwargs, f"task {self.__name__!r}")
        names = expansion.names()
        if names:
            check_names(
                self.function, "expand_kwargs", names, self.partial_kwargs if strict else (), f"task {self.__name__!r}"
            )
        return self._mapped(expansion, strict=strict)

    def _mapped(self, expansion: Expansion, *, strict: bool = True) -> XComArg:
        arguments = self._operator_arguments()
        fixed = {"python_callable": self.function, "op_kwargs": self.partial_kwargs, **arguments}
        operator = MappedOperator(self.operator_class, fixed, expansion, strict=strict, into="op_kwargs")
        return self._finished(operator)

    def _operator_arguments(self) -> dict[str, Any]:
        arguments = {**self.arguments, "multiple_outputs": self.multiple_outputs}
        arguments["task_id"] = _free_task_id(arguments)
        if self.function.__doc__ and not any(
            arguments.get(f"doc{form}") for form in ("", "_md", "_json", "_yaml", "_rst")
        ):
            arguments["doc_md"] = self.function.__doc__
        return arguments

    def _finished(self, operator: Any) -> XComArg:
        operator.task_kind = f"@{self.kind}"
        if self.is_setup:
            operator.as_setup()
        if self.is_teardown:
            operator.as_teardown(on_failure_fail_dagrun=self.on_failure_fail_dagrun)
        output = PlainXComArg(operator)
        if self.is_result and operator.has_dag():
            operator.dag.add_result(output)
        return output

    def _copy(self, arguments: dict[str, Any], partial_kwargs: Mapping[str, Any]) -> TaskDecorator[P, R]:
        copied = TaskDecorator(self.function, self.operator_class, self.kind, arguments)
        copied.partial_kwargs = dict(partial_kwargs)
        for flag in ("is_setup", "is_teardown", "on_failure_fail_dagrun", "is_result"):
            setattr(copied, flag, getattr(self, flag))
        return copied

    def marked(self, **flags: bool) -> TaskDecorator[P, R]:
        """The same as setup, teardown or result."""
        copied = self._copy(self.arguments, self.partial_kwargs)
        for name, value in flags.items():
            setattr(copied, name, value)
        return copied

    def __repr__(self) -> str:
        return f"<@{self.kind} {self.__name__}>"


class TaskDecoratorCollection:
    """`@task` and its kinds.

    Parameters:
        dag: to which the tasks belong; default the one whose `with` block is open.
    """

    def __init__(self, dag: DAG | None = None) -> None:
        self._dag = dag

    @overload
    def __call__(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def __call__(
        self, python_callable: None = None, *, multiple_outputs: bool | None = None, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def __call__(self, python_callable: Any = None, **kwargs: Any) -> Any:
        return self._decorate("python", "task", python_callable, kwargs)

    @overload
    def python(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def python(
        self, python_callable: None = None, *, multiple_outputs: bool | None = None, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def python(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """Call the function in the task's process."""
        return self._decorate("python", "task.python", python_callable, kwargs)

    @overload
    def branch(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def branch(
        self, python_callable: None = None, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def branch(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """The function returns the task or group id(s) to go on with; other tasks after it are skipped."""
        return self._decorate("branch", "task.branch", python_callable, kwargs)

    @overload
    def short_circuit(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def short_circuit(
        self, python_callable: None = None, *, ignore_downstream_trigger_rules: bool = True, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def short_circuit(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """A result that is false skips what comes after."""
        return self._decorate("short_circuit", "task.short_circuit", python_callable, kwargs)

    @overload
    def sensor(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def sensor(
        self, python_callable: None = None, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def sensor(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """The function is called again and again until it returns True or a PokeReturnValue that is done."""
        return self._decorate("sensor", "task.sensor", python_callable, kwargs)

    @overload
    def bash(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def bash(self, python_callable: None = None, **kwargs: Any) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def bash(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """The text that the function returns is run as a shell command."""
        return self._decorate("bash", "task.bash", python_callable, kwargs)

    @overload
    def virtualenv(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def virtualenv(
        self, python_callable: None = None, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def virtualenv(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """Call the function in a virtual environment with `requirements`."""
        return self._decorate("virtualenv", "task.virtualenv", python_callable, kwargs)

    def external_python(
        self, python_callable: None = None, *, python: str, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]:
        """Call the function with the interpreter `python`."""
        kwargs["python"] = python
        decorate: Any = self._decorate("external_python", "task.external_python", python_callable, kwargs)
        return decorate  # type: ignore[no-any-return]

    @overload
    def branch_virtualenv(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def branch_virtualenv(
        self, python_callable: None = None, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def branch_virtualenv(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """As `virtualenv`; the function returns the id(s) to go on with."""
        return self._decorate("branch_virtualenv", "task.branch_virtualenv", python_callable, kwargs)

    def branch_external_python(
        self, python_callable: None = None, *, python: str, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]:
        """As `external_python`; the function returns the id(s) to go on with."""
        kwargs["python"] = python
        decorate: Any = self._decorate("branch_external_python", "task.branch_external_python", python_callable, kwargs)
        return decorate  # type: ignore[no-any-return]

    @overload
    def stub(self, python_callable: Callable[P, R]) -> TaskDecorator[P, R]: ...
    @overload
    def stub(
        self, python_callable: None = None, *, queue: str | None = None, executor: str | None = None, **kwargs: Any
    ) -> Callable[[Callable[P, R]], TaskDecorator[P, R]]: ...
    def stub(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """A task written in another language: the function is empty."""
        return self._decorate("stub", "task.stub", python_callable, kwargs)

    def run_if(
        self, condition: Callable[[Any], bool | tuple[bool, str | None]], skip_message: str | None = None
    ) -> Callable[[TaskDecorator[P, R]], TaskDecorator[P, R]]:
        """Put above `@task`: skip the task unless `condition(context)` is true. It may give (bool, message)."""
        from .conditions import conditional

        decorate: Any = conditional(condition, skip_message, skip_when=False)
        return decorate  # type: ignore[no-any-return]

    def skip_if(
        self, condition: Callable[[Any], bool | tuple[bool, str | None]], skip_message: str | None = None
    ) -> Callable[[TaskDecorator[P, R]], TaskDecorator[P, R]]:
        """Put above `@task`: skip the task if `condition(context)` is true. It may give (bool, message)."""
        from .conditions import conditional

        decorate: Any = conditional(condition, skip_message, skip_when=True)
        return decorate  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        provided = older_forms.find_kind(name)
        if provided is not None:
            return self._bound(provided)
        if name in NOT_YET:
            raise NotImplementedError(f"@task.{name} is not available yet: install the provider package that has it")
        hint = nearest(name, [*KINDS, "run_if", "skip_if"])
        raise AttributeError(f"there is no @task.{name}{hint}; kinds are {', '.join(KINDS)}")

    def _bound(self, decorator: Any) -> Any:
        """A decorator of a provider, for this collection's DAG."""
        if self._dag is None:
            return decorator
        return lambda function=None, **kwargs: decorator(function, **{"dag": self._dag, **kwargs})

    def _decorate(self, kind: str, shown: str, function: Any, kwargs: dict[str, Any]) -> Any:
        if function is not None and kwargs:
            raise WrongArgument(f"@{shown} takes its arguments by name only: @{shown}(retries=3)")
        if self._dag is not None:
            kwargs.setdefault("dag", self._dag)
        operator_class = operator_class_of(kind)
        if function is not None:
            return TaskDecorator(function, operator_class, shown, kwargs)
        return lambda one: TaskDecorator(one, operator_class, shown, kwargs)


def operator_class_of(kind: str) -> type[BaseOperator]:
    """The operator behind a kind of `@task`."""
    module, _, name = KINDS[kind].partition(":")
    found: type[BaseOperator] = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    return found


def task_decorator_factory(
    python_callable: Callable[..., Any] | None = None,
    *,
    multiple_outputs: bool | None = None,
    decorated_operator_class: type[BaseOperator],
    **kwargs: Any,
) -> Any:
    """Make a decorator for an operator of one's own that takes `python_callable`, `op_args` and `op_kwargs`."""
    if multiple_outputs is not None:
        kwargs["multiple_outputs"] = multiple_outputs
    shown = getattr(decorated_operator_class, "custom_operator_name", decorated_operator_class.__name__).lstrip("@")
    if python_callable is not None:
        return TaskDecorator(python_callable, decorated_operator_class, shown, kwargs)
    return lambda one: TaskDecorator(one, decorated_operator_class, shown, kwargs)


@overload
def setup(func: Callable[P, R]) -> TaskDecorator[P, R]: ...
@overload
def setup(func: TaskDecorator[P, R]) -> TaskDecorator[P, R]: ...


def setup(func: Any) -> Any:
    """Mark a function (decorated with `@task` or not) as a setup."""
    return _as_decorator("setup", func).marked(is_setup=True)


def teardown(func: Any = None, *, on_failure_fail_dagrun: bool | NotSet = NOTSET) -> Any:
    """Mark a function (decorated with `@task` or not) as a teardown.

    Parameters:
        on_failure_fail_dagrun: whether its failure fails the run.
    """

    def mark(one: Any) -> Any:
        fails = on_failure_fail_dagrun is True
        return _as_decorator("teardown", one).marked(is_teardown=True, on_failure_fail_dagrun=fails)

    return mark if func is None else mark(func)


def result(func: TaskDecorator[P, R]) -> TaskDecorator[P, R]:
    """Put above `@task`: what this task returns is the result of the run."""
    marked: TaskDecorator[P, R] = _as_decorator("result", func).marked(is_result=True)
    return marked


def _as_decorator(what: str, func: Any) -> Any:
    from .groups import TaskGroupFactory

    if isinstance(func, TaskGroupFactory):
        raise WrongArgument(f"a task group cannot be marked with @{what}; mark tasks inside it")
    if isinstance(func, TaskDecorator):
        return func
    return TaskDecorator(func, operator_class_of("python"), "task", {})


def _free_task_id(arguments: Mapping[str, Any]) -> str:
    """The task id without the group's prefix: as given, or with `__1`, `__2`, ... when it is used."""
    task_id = str(arguments["task_id"])
    dag, group = given_place(arguments)
    if dag is None or group is None:
        return task_id
    prefix = group.child_id("")
    return str(dag._free_id(prefix + task_id))[len(prefix) :]


def _returns_mapping(function: Callable[..., Any]) -> bool:
    """Whether the annotation of the result says dict, Mapping or a TypedDict."""
    annotation = getattr(function, "__annotations__", {}).get("return")
    if annotation is None:
        return False
    if isinstance(annotation, str):
        if annotation in _PLAIN:
            return annotation in ("dict", "Mapping")
        try:
            annotation = typing.get_type_hints(function).get("return", NoneType)
        except (NameError, TypeError, AttributeError, SyntaxError):
            return annotation.partition("[")[0].rpartition(".")[2] in ("dict", "Dict", "Mapping", "MutableMapping")
    kind = typing.get_origin(annotation) or annotation
    return isinstance(kind, type) and issubclass(kind, Mapping)


_PLAIN = frozenset({"None", "str", "int", "float", "bool", "list", "tuple", "set", "bytes", "dict", "Any", "object"})

task = TaskDecoratorCollection()
"""`@task`"""

__all__ = ["TaskDecorator", "TaskDecoratorCollection", "result", "setup", "task", "task_decorator_factory", "teardown"]
