"""Deadlines of DAGs and tasks: until when they must have ended, and what is called when they have not.

    DAG(
        "sales",
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(hours=1),
            callback=SyncCallback(tell_somebody, kwargs={"channel": "#sales"}),
        ),
    )

The names are Airflow's. A task takes `deadline=` as well: then all its instances must have succeeded, or been skipped,
until then.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NoReturn, TypeVar, overload

import msgspec

from tradewind.wire import deadlines as wire

from .errors import WrongArgument, WrongValue

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class Callback:
    """What is called when a deadline is missed: with `context`, if it takes that, and its arguments.

    Parameters:
        callback_callable: a function at the top of a module, or its dotted path.
        kwargs: its arguments, plain data.

    Raises:
        WrongValue: it is no function at the top of a module, or its arguments are no plain data.
    """

    is_async: ClassVar[bool] = False

    def __init__(self, callback_callable: Callable[..., Any] | str, kwargs: Mapping[str, Any] | None = None) -> None:
        self.path = self.get_callback_path(callback_callable)
        self.kwargs = dict(kwargs or {})
        if "context" in self.kwargs:
            raise ValueError(f"kwargs of callback {self.path!r} must not have 'context': that is given to it")
        try:
            msgspec.json.encode(self.kwargs)
        except (TypeError, msgspec.MsgspecError) as error:
            raise WrongValue(f"kwargs of callback {self.path!r} must be plain data: {error}") from error

    @classmethod
    def get_callback_path(cls, callback: Any) -> str:
        """The dotted path of a function, checked as far as it can be."""
        if callable(callback):
            name = getattr(callback, "__qualname__", type(callback).__name__)
            if "<" in name or "." in name:
                raise WrongValue(f"callback {name} must stand at the top of a module, to be found again later")
            cls.verify_callable(callback)
            return f"{callback.__module__}.{name}"
        path = callback.strip() if isinstance(callback, str) else ""
        if not _PATH.fullmatch(path):
            raise ImportError(f"{callback!r} is no dotted path such as 'my_module.tell'")
        module, _, name = path.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            return path  # it may be there where it is called
        cls.verify_callable(found)
        return path

    @classmethod
    def verify_callable(cls, callback: Callable[..., Any]) -> None:
        """Raises for one that cannot be called so."""
        if not callable(callback):
            raise WrongValue(f"callback {callback!r} cannot be called")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.path))


class AsyncCallback(Callback):
    """An `async def` function. It runs in a process of its own, in an event loop."""

    is_async = True

    @classmethod
    def verify_callable(cls, callback: Callable[..., Any]) -> None:
        super().verify_callable(callback)
        if (
            not inspect.iscoroutinefunction(callback)
            and not isinstance(callback, type)
            and not hasattr(callback, "__await__")
        ):
            raise AttributeError(f"callback {callback!r} is not awaitable: write `async def`, or use SyncCallback")


class SyncCallback(Callback):
    """A plain function.

    Parameters:
        executor: kept for the sake of DAG files of Airflow; callbacks run beside the scheduler, each in a process of
            its own.
    """

    def __init__(
        self,
        callback_callable: Callable[..., Any] | str,
        kwargs: Mapping[str, Any] | None = None,
        executor: str | None = None,
    ) -> None:
        super().__init__(callback_callable, kwargs)
        self.executor = executor


@dataclass(frozen=True)
class VariableInterval:
    """An interval whose seconds are read from a variable when a run is made."""

    key: str


class BaseDeadlineReference:
    """What a deadline counts from."""

    @property
    def reference_name(self) -> str:
        return type(self).__name__

    def serialize_reference(self) -> dict[str, Any]:
        """As data, with its name under `reference_type`."""
        return {"reference_type": self.reference_name}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> BaseDeadlineReference:  # noqa: ARG003 # for others
        return cls()

    def in_document(self) -> dict[str, Any]:
        """What the DAG document says of it.

        Raises:
            NotImplementedError: it is a class of one's own.
        """
        raise NotImplementedError(
            f"deadline reference {self.reference_name!r}: references of one's own are not available yet; use one of "
            "DeadlineReference"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseDeadlineReference):
            return NotImplemented
        return self.serialize_reference() == other.serialize_reference()

    def __hash__(self) -> int:
        return hash(frozenset(self.serialize_reference().items()))


class DagRunLogicalDateDeadline(BaseDeadlineReference):
    """The logical date of the run; a run without one has no such deadline."""

    def in_document(self) -> dict[str, Any]:
        return {"reference": wire.DeadlineReference.LOGICAL_DATE}


class DagRunQueuedAtDeadline(BaseDeadlineReference):
    """When the run was queued."""

    def in_document(self) -> dict[str, Any]:
        return {"reference": wire.DeadlineReference.QUEUED_AT}


class FixedDatetimeDeadline(BaseDeadlineReference):
    """An instant."""

    def __init__(self, _datetime: datetime) -> None:
        if not isinstance(_datetime, datetime):
            raise WrongArgument(f"FIXED_DATETIME takes a datetime, not {_datetime!r}")
        self._datetime = _datetime if _datetime.tzinfo is not None else _datetime.replace(tzinfo=UTC)

    def serialize_reference(self) -> dict[str, Any]:
        return {"reference_type": self.reference_name, "datetime": self._datetime.timestamp()}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> FixedDatetimeDeadline:
        return cls(datetime.fromtimestamp(reference_data["datetime"], UTC))

    def in_document(self) -> dict[str, Any]:
        return {"reference": wire.DeadlineReference.FIXED, "at": self._datetime.astimezone(UTC)}


class AverageRuntimeDeadline(BaseDeadlineReference):
    """The creation of the run, and as long as its DAG takes on average.

    Parameters:
        max_runs: over so many of the newest runs that ended.
        min_runs: with fewer of them there is no deadline; default `max_runs`.
    """

    DEFAULT_LIMIT = 10

    def __init__(self, max_runs: int = DEFAULT_LIMIT, min_runs: int | None = None) -> None:
        self.max_runs = max_runs
        self.min_runs = max_runs if min_runs is None else min_runs
        if self.min_runs < 1:
            raise ValueError("min_runs must be at least 1")

    def serialize_reference(self) -> dict[str, Any]:
        return {"reference_type": self.reference_name, "max_runs": self.max_runs, "min_runs": self.min_runs}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> AverageRuntimeDeadline:
        max_runs = reference_data.get("max_runs", cls.DEFAULT_LIMIT)
        return cls(max_runs, reference_data.get("min_runs", max_runs))

    def in_document(self) -> dict[str, Any]:
        return {
            "reference": wire.DeadlineReference.AVERAGE_RUNTIME,
            "runs_max": self.max_runs,
            "runs_min": self.min_runs,
        }


DeadlineReferenceType = BaseDeadlineReference
DeadlineReferenceTypes = tuple[type[BaseDeadlineReference], ...]
Reference = TypeVar("Reference", bound=type[BaseDeadlineReference])


class DeadlineReference:
    """What a deadline may count from."""

    class TYPES:
        """By when they are known."""

        DAGRUN_CREATED: DeadlineReferenceTypes = (
            DagRunLogicalDateDeadline,
            FixedDatetimeDeadline,
            AverageRuntimeDeadline,
        )
        DAGRUN_QUEUED: DeadlineReferenceTypes = (DagRunQueuedAtDeadline,)
        DAGRUN: DeadlineReferenceTypes = DAGRUN_CREATED + DAGRUN_QUEUED

    DAGRUN_LOGICAL_DATE: ClassVar[BaseDeadlineReference] = DagRunLogicalDateDeadline()
    DAGRUN_QUEUED_AT: ClassVar[BaseDeadlineReference] = DagRunQueuedAtDeadline()

    @classmethod
    def AVERAGE_RUNTIME(cls, max_runs: int = 0, min_runs: int | None = None) -> BaseDeadlineReference:
        """Of the newest `max_runs` (0: ten) runs that ended, at least `min_runs`."""
        return AverageRuntimeDeadline(max_runs or AverageRuntimeDeadline.DEFAULT_LIMIT, min_runs)

    @classmethod
    def FIXED_DATETIME(cls, dt: datetime) -> BaseDeadlineReference:
        """An instant; without a time zone it is meant in UTC."""
        return FixedDatetimeDeadline(dt)

    @classmethod
    def register_custom_reference(
        cls, reference_class: Reference, deadline_reference_type: DeadlineReferenceTypes | None = None
    ) -> Reference:
        """A reference of one's own becomes an attribute of this class. A DAG that uses it is refused for now."""
        if not issubclass(reference_class, BaseDeadlineReference):
            raise ValueError(f"{reference_class!r} must inherit from BaseDeadlineReference")
        setattr(cls, reference_class.__name__, reference_class())
        if deadline_reference_type is cls.TYPES.DAGRUN_QUEUED:
            cls.TYPES.DAGRUN_QUEUED = (*cls.TYPES.DAGRUN_QUEUED, reference_class)
        elif deadline_reference_type in (None, cls.TYPES.DAGRUN_CREATED):
            cls.TYPES.DAGRUN_CREATED = (*cls.TYPES.DAGRUN_CREATED, reference_class)
        else:
            raise ValueError(f"{deadline_reference_type!r} is none of DeadlineReference.TYPES")
        cls.TYPES.DAGRUN = cls.TYPES.DAGRUN_CREATED + cls.TYPES.DAGRUN_QUEUED
        return reference_class


@overload
def deadline_reference(deadline_reference_type: Reference) -> Reference: ...
@overload
def deadline_reference(
    deadline_reference_type: DeadlineReferenceTypes | None = None,
) -> Callable[[Reference], Reference]: ...
def deadline_reference(deadline_reference_type: Any = None) -> Any:
    """Decorates a class, with or without parentheses; see `DeadlineReference.register_custom_reference`."""
    if isinstance(deadline_reference_type, type):
        return DeadlineReference.register_custom_reference(deadline_reference_type)

    def register(reference_class: Reference) -> Reference:
        return DeadlineReference.register_custom_reference(reference_class, deadline_reference_type)

    return register


class DeadlineAlert:
    """One deadline.

    Parameters:
        reference: what it counts from: one of `DeadlineReference`.
        interval: added to that; may be negative; or a `VariableInterval`.
        callback: what is called when it is missed.
        name: for people.

    Raises:
        WrongArgument: an argument is of the wrong type.
    """

    def __init__(
        self,
        reference: BaseDeadlineReference,
        interval: timedelta | VariableInterval,
        callback: Callback,
        name: str | None = None,
    ) -> None:
        if not isinstance(reference, BaseDeadlineReference):
            raise WrongArgument(f"reference of a deadline must be one of DeadlineReference, not {reference!r}")
        if not isinstance(interval, (timedelta, VariableInterval)):
            raise WrongArgument(f"interval of a deadline must be a timedelta or VariableInterval, not {interval!r}")
        if not isinstance(callback, (AsyncCallback, SyncCallback)):
            raise ValueError(f"callback of a deadline must be a SyncCallback or AsyncCallback, not {callback!r}")
        self.reference = reference
        self.interval = interval
        self.callback = callback
        self.name = name

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeadlineAlert):
            return NotImplemented
        return (self.reference, self.interval, self.callback) == (other.reference, other.interval, other.callback)

    def __hash__(self) -> int:
        return hash((self.reference, self.interval, self.callback))


def deadlines_of(of: str, value: Any) -> tuple[DeadlineAlert, ...]:
    """`deadline=` of a DAG or task: none, one or several. Raises `WrongArgument`."""
    if value is None:
        return ()
    several = (value,) if isinstance(value, DeadlineAlert) else value
    if not isinstance(several, (list, tuple)):
        _refuse(of, value)
    for each in several:
        if not isinstance(each, DeadlineAlert):
            _refuse(of, each)
    return tuple(several)


def deadline_document(alert: DeadlineAlert) -> wire.DeadlineDocument:
    """What the DAG document says of it. Raises `NotImplementedError` for a reference of one's own."""
    fixed = isinstance(alert.interval, timedelta)
    return wire.DeadlineDocument(
        **alert.reference.in_document(),
        path=alert.callback.path,
        kwargs=alert.callback.kwargs,
        interval_seconds=alert.interval.total_seconds() if isinstance(alert.interval, timedelta) else None,
        interval_variable=None if fixed else getattr(alert.interval, "key", None),
        name=alert.name,
        is_async=alert.callback.is_async,
        executor=getattr(alert.callback, "executor", None),
    )


def _refuse(of: str, value: Any) -> NoReturn:
    raise WrongArgument(f"deadline {of} must be a DeadlineAlert or a list of them, not {value!r}")
