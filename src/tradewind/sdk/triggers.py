"""Deferral: a task gives its process back and waits for a *trigger*, a small asynchronous object that many thousands
of share a process.

    class Arrived(BaseTrigger):
        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

        def serialize(self) -> tuple[str, dict[str, Any]]:
            return "my_triggers.Arrived", {"path": self.path}

        async def run(self) -> AsyncIterator[TriggerEvent]:
            while not await aiofiles.os.path.exists(self.path):
                await asyncio.sleep(1)
            yield TriggerEvent(self.path)

`self.defer(trigger=Arrived(path), method_name="go_on")` in a task; `go_on(context, event)` is called with the payload
of the first event. A trigger may run more than once (its host died): it must be possible to begin again.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import logging
import traceback
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar

from tradewind.wire.deferral import Deferral, FailureOfWait, Resume
from tradewind.wire.errors import InvalidValue
from tradewind.wire.states import TaskInstanceState

from .exceptions import AirflowException, TaskDeferralError, TaskDeferralTimeout, TaskDeferred
from .shared_stream import SharedStreamProducer
from .values import PatternGate, from_json, to_json

FAIL_METHOD = "__fail__"
"""Name of the method that is called when the wait failed: the task hears of it as an exception."""
ANY_CLASS = PatternGate(patterns=("*",))
"""What a trigger is made with was written by its own task."""


class TriggerFailureReason(StrEnum):
    """Why a deferred task goes on without an event."""

    TRIGGER_TIMEOUT = "Trigger timeout"
    TRIGGER_FAILURE = "Trigger failure"


class TriggerEvent:
    """Ends the wait.

    Parameters:
        payload: handed to the task; what XComs may hold.
    """

    def __init__(self, payload: Any, **kwargs: Any) -> None:
        self.payload = payload
        self.__dict__.update(kwargs)

    def __repr__(self) -> str:
        return f"TriggerEvent<{self.payload!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TriggerEvent) and other.payload == self.payload

    __hash__ = None  # type: ignore[assignment]


class BaseTaskEndEvent(TriggerEvent):
    """Ends the task itself, without a process.

    Parameters:
        xcoms: key → value, what the task leaves.
    """

    task_instance_state: ClassVar[TaskInstanceState]

    def __init__(self, *, xcoms: dict[str, Any] | None = None, **kwargs: Any) -> None:
        if "payload" in kwargs:
            raise ValueError("an event that ends the task takes no payload; hand values on as xcoms")
        super().__init__(payload=str(self.task_instance_state), **kwargs)
        self.xcoms = xcoms


class TaskSuccessEvent(BaseTaskEndEvent):
    """The task succeeded."""

    task_instance_state = TaskInstanceState.SUCCESS


class TaskFailedEvent(BaseTaskEndEvent):
    """The task failed; not tried again."""

    task_instance_state = TaskInstanceState.FAILED


class TaskSkippedEvent(BaseTaskEndEvent):
    """The task is skipped."""

    task_instance_state = TaskInstanceState.SKIPPED


class BaseTrigger(ABC):
    """Base of all triggers: implement `serialize` and `run`."""

    supports_triggerer_queue: ClassVar[bool] = True

    def __init__(self, **kwargs: Any) -> None:
        self.task_instance: Any = None
        self.trigger_id: str | None = None
        self.__dict__.update(kwargs)

    @abstractmethod
    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Dotted path of the class and the arguments to make an equal one with, in another process."""

    @abstractmethod
    def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then yield an event. An asynchronous generator: it must not block."""

    async def cleanup(self) -> None:  # noqa: B027 # most triggers have nothing to clean up
        """Called when the trigger is over, whatever ended it; it may be started again elsewhere."""

    async def on_kill(self) -> None:  # noqa: B027 # nor anything to end
        """Called before `cleanup` when a person or a rule of the run ended the task that waits: end what was started
        elsewhere. Not called when the triggerer itself goes away."""

    @property
    def log(self) -> logging.Logger:
        return logging.getLogger(f"tradewind.task.triggers.{type(self).__module__}.{type(self).__qualname__}")

    @staticmethod
    def repr(classpath: str, kwargs: Mapping[str, Any]) -> str:
        """A trigger for people."""
        shown = ", ".join(f"{name}={value}" for name, value in kwargs.items())
        return f"<{classpath} {shown}>" if shown else f"<{classpath}>"

    def __repr__(self) -> str:
        return self.repr(*self.serialize())


class BaseEventTrigger(BaseTrigger):
    """Base of triggers that assets may watch: they yield events again and again."""

    supports_triggerer_queue: ClassVar[bool] = False

    def shared_stream_key(self) -> Hashable | None:
        """Triggers of one class with equal keys share one poll; None: this one polls by itself, with `run`."""
        return None

    @classmethod
    def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Any]:  # a subclass uses it
        """The poll: yields events for ever. An asynchronous generator; `kwargs` are those of one of the triggers."""
        raise NotImplementedError(f"{cls.__name__} has a shared_stream_key but no open_shared_stream")

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SharedStreamProducer:
        """The poll with acknowledgement, instead of `open_shared_stream`."""
        raise NotImplementedError(f"{cls.__name__} has no create_shared_stream_producer")

    def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """This trigger's events out of those of the poll. An asynchronous generator."""
        raise NotImplementedError(f"{type(self).__name__} has a shared_stream_key but no filter_shared_stream")

    @staticmethod
    def hash(classpath: str, kwargs: Mapping[str, Any]) -> int:
        """The same for equal triggers, in every process."""
        text = f"{classpath}{to_json(dict(sorted(kwargs.items()))).decode()}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


@dataclass
class StartTriggerArgs:
    """How a task begins in the triggerer (`start_from_trigger`).

    Parameters:
        trigger_cls: dotted path of the trigger's class.
        next_method: method of the operator that goes on with the event.
        trigger_kwargs: what the trigger is made with.
        next_kwargs: further arguments of the method.
        timeout: how long to wait.
    """

    trigger_cls: str
    next_method: str
    trigger_kwargs: dict[str, Any] | None = None
    next_kwargs: dict[str, Any] | None = None
    timeout: timedelta | None = None


# --- from and to the wire ---------------------------------------------------------------------------------------------


def deferral_of(task: Any, error: TaskDeferred) -> Deferral:
    """What a task that defers tells the control plane.

    Raises:
        AirflowException: it could not go on: the trigger cannot be made elsewhere, or the method does not exist.
    """
    who = f"task {task.task_id!r}"
    if error.method_name != FAIL_METHOD and not callable(getattr(task, error.method_name, None)):
        raise AirflowException(
            f"{who} wants to go on in {error.method_name!r} after its wait, "
            f"but {type(task).__name__} has no such method"
        )
    classpath, kwargs = _serialized(who, error.trigger)
    timeout = error.timeout.total_seconds() if error.timeout is not None else None
    if timeout is not None and timeout < 0:
        raise AirflowException(f"{who} defers with a negative timeout ({timeout:g} s)")
    queue = task.queue if type(error.trigger).supports_triggerer_queue else None
    return Deferral(
        classpath=classpath,
        kwargs=_stored(f"{who}: the trigger {classpath} cannot be handed on", kwargs),
        method=error.method_name,
        next_kwargs=_stored(f"{who}: kwargs of defer()", error.kwargs),
        timeout_seconds=timeout,
        queue=queue,
    )


def start_deferral(task: Any, arguments: StartTriggerArgs, queue: str) -> Deferral:
    """What a task that begins in the triggerer tells the control plane. Raises `AirflowException`."""
    who = f"task {task.task_id!r}"
    return Deferral(
        classpath=arguments.trigger_cls,
        kwargs=_stored(f"{who}: trigger_kwargs of start_trigger_args", arguments.trigger_kwargs or {}),
        method=arguments.next_method,
        next_kwargs=_stored(f"{who}: next_kwargs of start_trigger_args", arguments.next_kwargs or {}),
        timeout_seconds=arguments.timeout.total_seconds() if arguments.timeout is not None else None,
        queue=queue,
    )


def _serialized(who: str, trigger: Any) -> tuple[str, dict[str, Any]]:
    try:
        classpath, kwargs = trigger.serialize()
    except Exception as error:
        raise AirflowException(
            f"{who} waits for {type(trigger).__name__}, whose serialize() failed: {type(error).__name__}: {error}"
        ) from error
    if "<locals>" in classpath or classpath.startswith("__main__."):
        raise AirflowException(
            f"{who} waits for {classpath}, which cannot be imported elsewhere; "
            "define the trigger's class at the top of a module"
        )
    return classpath, kwargs


def _stored(what: str, value: Mapping[str, Any]) -> str:
    try:
        return to_json(dict(value)).decode()
    except InvalidValue as error:
        raise AirflowException(f"{what}: {error}") from error


def next_call(resume: Resume, gate: Any) -> tuple[str, dict[str, Any]]:
    """Method and arguments with which a task goes on."""
    if resume.failure is not None:
        timed_out = resume.failure is FailureOfWait.TIMEOUT
        reason = TriggerFailureReason.TRIGGER_TIMEOUT if timed_out else TriggerFailureReason.TRIGGER_FAILURE
        return FAIL_METHOD, {"error": reason, "traceback": resume.error.splitlines()}
    kwargs: dict[str, Any] = from_json(resume.kwargs.encode(), gate)
    event = from_json(resume.event.encode(), gate) if resume.event is not None else None
    return resume.method, {**kwargs, "event": event}


def raise_failure(log: logging.Logger, kwargs: Mapping[str, Any]) -> None:
    """The wait failed: say so in the task's log, and raise what the task hears.

    Raises:
        TaskDeferralTimeout, TaskDeferralError
    """
    lines = kwargs.get("traceback") or ()
    if lines:
        log.error("the trigger failed:\n%s", "\n".join(lines))
    error = kwargs.get("error", "Unknown")
    if error == TriggerFailureReason.TRIGGER_TIMEOUT:
        raise TaskDeferralTimeout(str(error))
    last = next((line for line in reversed(lines) if line.strip()), "")
    raise TaskDeferralError(f"{error}: {last}" if last else str(error))


def make_trigger(classpath: str, kwargs: Mapping[str, Any]) -> BaseTrigger:
    """The trigger of a class path.

    Raises:
        AirflowException: there is no such class, or it cannot be made; names what is wrong and the remedy.
    """
    module_name, _, name = classpath.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except Exception as error:
        raise AirflowException(
            f"the trigger {classpath} cannot be imported ({type(error).__name__}: {error}); "
            "put its module beside the DAG file or install it where the triggerer runs"
        ) from error
    if not (isinstance(found, type) and hasattr(found, "run")):
        raise AirflowException(f"{classpath} is no trigger; derive the class from BaseTrigger")
    try:
        made: BaseTrigger = found(**kwargs)
    except Exception as error:
        raise AirflowException(
            f"the trigger {classpath} cannot be made from what its serialize() gave ({type(error).__name__}: {error})"
        ) from error
    return made


async def first_event(trigger: BaseTrigger) -> TriggerEvent:
    """Run a trigger to its first event.

    Raises:
        AirflowException: it ended without one, or yielded something else. What it raises itself comes through.
    """
    running = trigger.run()
    try:
        async for event in running:
            if not isinstance(event, TriggerEvent):
                raise AirflowException(
                    f"the trigger {type(trigger).__name__} yielded {type(event).__name__}; yield a TriggerEvent"
                )
            return event
    finally:
        close = getattr(running, "aclose", None)
        if close is not None:
            await close()
        await trigger.cleanup()
    raise AirflowException(f"the trigger {type(trigger).__name__} ended without an event")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a trigger ended that ran in this process."""

    event: TriggerEvent | None = None
    failure: FailureOfWait | None = None
    error: str = ""


def run_here(trigger: BaseTrigger, timeout_seconds: float | None) -> Ended:
    """Run a trigger to its first event in this process (`dag.test()`)."""

    async def wait() -> TriggerEvent:
        return await asyncio.wait_for(first_event(trigger), timeout_seconds)

    try:
        return Ended(asyncio.run(wait()))
    except TimeoutError as error:
        if timeout_seconds is None:
            return Ended(failure=FailureOfWait.TRIGGER, error="".join(traceback.format_exception(error)))
        return Ended(failure=FailureOfWait.TIMEOUT)
    except Exception as error:
        return Ended(failure=FailureOfWait.TRIGGER, error="".join(traceback.format_exception(error)))
