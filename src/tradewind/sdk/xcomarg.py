"""References to values that do not exist yet: the output of a task, parts of it, and what is made of it lazily.

A reference carries the dependency (who uses it waits for the task) and resolves, when the instance runs, through a
`Fetch`.
Only `map`, `zip` and `concat` change a value on the way; their functions run in the reader, item by item, when an
item is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tradewind.wire.document import Concatenated, FromTask, LengthSource, Zipped

from .edges import Dependable
from .errors import WrongArgument, WrongValue
from .notset import NOTSET, NotSet
from .sequences import ConcatenatedItems, MappedItems, ZippedItems, as_sequence

if TYPE_CHECKING:
    from .node import Task
    from .setup_teardown import Scope

XCOM_RETURN_KEY = "return_value"


class Fetch(Protocol):
    """How one instance reads what others left for it. Made by the execution side."""

    def value(self, task_id: str, key: str) -> Any:
        """The value visible from this instance: of an unmapped upstream, or of the one in the same mapped scope, the
        value
        itself; of a deeper mapped upstream a lazy sequence over its instances in order.

        Raises `sdk.exceptions.XComNotFound` when nothing was pushed.
        """

    def param(self, name: str) -> Any:
        """The param of the run, as the context gives it. Raises KeyError for an unknown one."""


class Resolvable(Protocol):
    """Anything that stands for a value of the running instance."""

    def resolve(self, fetch: Fetch) -> Any: ...


if TYPE_CHECKING:
    # A reference may stand wherever its value may: a class based on Any is accepted for every parameter type, while the
    # number and names of arguments of a decorated function stay checked.
    _StandsForAnything = Any
else:
    _StandsForAnything = object


class XComArg(Dependable, _StandsForAnything):  # type: ignore[misc]
    """A lazy reference to the output of a task. `XComArg(task)` and `XComArg(task, key="x")` make one."""

    def __new__(cls, *_: Any, **__: Any) -> XComArg:
        return object.__new__(PlainXComArg if cls is XComArg else cls)

    def resolve(self, fetch: Fetch) -> Any:
        """The value, for the instance `fetch` reads for."""
        raise NotImplementedError

    def references(self) -> Iterator[tuple[Task, str]]:
        """(task, key) of every output this value is made of."""
        raise NotImplementedError

    def length_source(self) -> LengthSource:
        """Where the number of items comes from, when a task expands over this value. Raises `WrongValue` if it
        cannot."""
        raise NotImplementedError

    iter_references = references

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        """Each item passed through `f`, a plain function, when it is read. An AirflowSkipException from `f` skips the
        instance.

        Raises `WrongArgument` when `f` is a task.
        """
        return MapXComArg(self, f)

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        """Tuples of items of this and the others: as many as the shortest has, or the longest with `fillvalue`."""
        return ZipXComArg((self, *others), fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """The items of this one, then those of the others."""
        return ConcatXComArg((self, *others))

    @property
    def roots(self) -> Sequence[Task]:
        return list(dict.fromkeys(task for task, _ in self.references()))

    @property
    def leaves(self) -> Sequence[Task]:
        return self.roots

    def as_setup(self) -> XComArg:
        """Make the tasks behind this reference setups."""
        for task in self.roots:
            task.as_setup()
        return self

    def as_teardown(self, *, setups: Any = NOTSET, on_failure_fail_dagrun: bool | NotSet = NOTSET) -> XComArg:
        """Make the tasks behind this reference teardowns of `setups` (tasks or references)."""
        for task in self.roots:
            task.as_teardown(setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)
        return self

    def __enter__(self) -> Scope:
        from .setup_teardown import open_scope

        return open_scope(self.roots)

    def __exit__(self, *_: object) -> None:
        from .setup_teardown import close_scope

        close_scope()

    def __iter__(self) -> Iterator[Any]:
        # Without this, Python would iterate through __getitem__ for ever.
        raise TypeError(
            f"{self!r} is not a value yet and cannot be iterated while the DAG is built; use .map() or .expand()"
        )

    def __len__(self) -> int:
        raise TypeError(f"{self!r} is not a value yet: its length is not known while the DAG is built")

    def __bool__(self) -> bool:
        return True


class PlainXComArg(XComArg):
    """One value pushed by a task.

    Parameters:
        operator: the task.
        key: under which the value is pushed.
    """

    def __init__(self, operator: Task, key: str = XCOM_RETURN_KEY) -> None:
        given: Any = key  # authors may have no type checker
        if not isinstance(given, str) or not given:
            raise WrongArgument(
                f"the key of an output of task {operator.task_id!r} must be a non-empty text, not {key!r}"
            )
        self.operator = operator
        self.key = key

    def resolve(self, fetch: Fetch) -> Any:
        from .exceptions import XComNotFound

        try:
            return fetch.value(self.operator.task_id, self.key)
        except XComNotFound:
            if self.key == XCOM_RETURN_KEY:
                return None  # a task that returned None pushed nothing
            raise

    def references(self) -> Iterator[tuple[Task, str]]:
        yield self.operator, self.key

    iter_references = references

    def length_source(self) -> LengthSource:
        if self.key != XCOM_RETURN_KEY:
            raise WrongValue(
                f"cannot expand over output {self.key!r} of task {self.operator.task_id!r}: only return values are "
                "counted; "
                f"let a task in between return it"
            )
        if not self.operator.do_xcom_push:
            raise WrongValue(
                f"cannot expand over the output of task {self.operator.task_id!r}: it has do_xcom_push=False; remove "
                "that"
            )
        return FromTask(self.operator.task_id)

    def __getitem__(self, key: str) -> PlainXComArg:
        if not isinstance(key, str):
            raise WrongValue(
                f"the output of task {self.operator.task_id!r} can only be indexed by the text key of a pushed "
                f"value, not {key!r}"
            )
        return PlainXComArg(self.operator, key)

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        self._refuse_key("zip")
        return super().zip(*others, fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        self._refuse_key("concat")
        return super().concat(*others)

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        self._refuse_key("map")
        return super().map(f)

    def _refuse_key(self, what: str) -> None:
        if self.key != XCOM_RETURN_KEY:
            raise WrongValue(f"cannot {what} output {self.key!r} of task {self.operator.task_id!r}: only return values")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlainXComArg) and self.operator is other.operator and self.key == other.key

    def __hash__(self) -> int:
        return hash((id(self.operator), self.key))

    def __repr__(self) -> str:
        return f"XComArg({self.operator.task_id!r}{'' if self.key == XCOM_RETURN_KEY else f', key={self.key!r}'})"

    def __str__(self) -> str:
        """A template with the same value, so that references work inside f-strings (the dependency must be set by
        hand)."""
        dag = f", dag_id={self.operator.dag.dag_id!r}" if self.operator.has_dag() else ""
        return f"{{{{ task_instance.xcom_pull(task_ids={self.operator.task_id!r}{dag}, key={self.key!r}) }}}}"


class MapXComArg(XComArg):
    """Items of `arg` passed through functions."""

    def __init__(self, arg: XComArg, *functions: Callable[[Any], Any]) -> None:
        for function in functions:
            if getattr(function, "is_task_decorator", False):
                raise WrongArgument(
                    f"map() needs a plain function, {getattr(function, '__name__', function)!r} is a task: pass the "
                    "function without @task"
                )
            if not callable(function):
                raise WrongArgument(f"map() needs a function, not {function!r}")
        self.arg = arg
        self.functions = functions

    def resolve(self, fetch: Fetch) -> Any:
        return MappedItems(as_sequence(self.arg.resolve(fetch), repr(self.arg)), self.functions)

    def references(self) -> Iterator[tuple[Task, str]]:
        return self.arg.references()

    iter_references = references

    def length_source(self) -> LengthSource:
        return self.arg.length_source()

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        return MapXComArg(self.arg, *self.functions, f)

    def __repr__(self) -> str:
        return f"{self.arg!r}.map({', '.join(getattr(f, '__name__', '?') for f in self.functions)})"


class ZipXComArg(XComArg):
    """Tuples of items of several references."""

    def __init__(self, args: tuple[XComArg, ...], fillvalue: Any = NOTSET) -> None:
        _check_references("zip", args)
        self.args = args
        self.fillvalue = fillvalue

    def resolve(self, fetch: Fetch) -> Any:
        return ZippedItems([as_sequence(arg.resolve(fetch), repr(arg)) for arg in self.args], self.fillvalue)

    def references(self) -> Iterator[tuple[Task, str]]:
        for arg in self.args:
            yield from arg.references()

    iter_references = references

    def length_source(self) -> LengthSource:
        return Zipped(tuple(arg.length_source() for arg in self.args), fill=self.fillvalue is not NOTSET)

    def __repr__(self) -> str:
        return f"{self.args[0]!r}.zip({', '.join(map(repr, self.args[1:]))})"


class ConcatXComArg(XComArg):
    """Items of several references, one after another."""

    def __init__(self, args: tuple[XComArg, ...]) -> None:
        _check_references("concat", args)
        self.args = args

    def resolve(self, fetch: Fetch) -> Any:
        return ConcatenatedItems([as_sequence(arg.resolve(fetch), repr(arg)) for arg in self.args])

    def references(self) -> Iterator[tuple[Task, str]]:
        for arg in self.args:
            yield from arg.references()

    iter_references = references

    def length_source(self) -> LengthSource:
        return Concatenated(tuple(arg.length_source() for arg in self.args))

    def concat(self, *others: XComArg) -> ConcatXComArg:
        return ConcatXComArg((*self.args, *others))

    def __repr__(self) -> str:
        return f"{self.args[0]!r}.concat({', '.join(map(repr, self.args[1:]))})"


class Resolved(XComArg):
    """A value that is there already. Marks it as final: what came from a task is not rendered as a template."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def resolve(self, fetch: Fetch) -> Any:  # noqa: ARG002  # the value needs no reading
        return self.value

    def references(self) -> Iterator[tuple[Task, str]]:
        return iter(())

    iter_references = references

    def __repr__(self) -> str:
        return f"Resolved({self.value!r})"


def references_of(value: Any) -> Iterator[tuple[Task, str]]:
    """(task, key) of every reference inside `value`: in lists, tuples, sets, dicts, and objects with
    `template_fields`."""
    from .node import Task

    if isinstance(value, XComArg):
        yield from value.references()
    elif isinstance(value, str | bytes | int | float | None):
        return
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references_of(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from references_of(item)
    elif hasattr(value, "template_fields") and not isinstance(value, type | Task):
        for field in value.template_fields:
            yield from references_of(getattr(value, field, None))


def resolve_args(value: Any, fetch: Fetch) -> Any:
    """`value` with every reference in it, however deep in lists, tuples, sets and dicts, replaced by what it stands
    for."""
    if isinstance(value, str | bytes | int | float | None):
        return value
    if isinstance(value, XComArg) or is_resolvable(value):
        return value.resolve(fetch)
    if type(value) is dict:
        return {key: resolve_args(item, fetch) for key, item in value.items()}
    if type(value) in (list, set, frozenset):
        return type(value)(resolve_args(item, fetch) for item in value)
    if isinstance(value, tuple):
        items = [resolve_args(item, fetch) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value


def is_resolvable(value: Any) -> bool:
    """Whether `value` stands for a value of the running instance (a reference or a run parameter)."""
    return isinstance(value, XComArg) or getattr(type(value), "stands_for_value", False)


def _check_references(what: str, args: tuple[XComArg, ...]) -> None:
    for arg in args:
        if not isinstance(arg, XComArg):
            raise WrongArgument(f"{what}() takes outputs of tasks, not {arg!r}")
        if isinstance(arg, PlainXComArg):
            arg._refuse_key(what)


__all__ = ["Fetch", "PlainXComArg", "XComArg", "references_of", "resolve_args"]
