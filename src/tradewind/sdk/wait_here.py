"""Waits of `dag.test()`: the trigger runs in this process; of a question the defaults are taken."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tradewind.wire.deferral import Deferral, FailureOfWait, HumanQuestion, Resume
from tradewind.wire.execution import Outcome, XComEntry
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

from .triggers import ANY_CLASS, BaseTaskEndEvent, Ended, make_trigger, run_here
from .values import encode_value, from_json, to_json


def wait_here(deferral: Deferral, question: HumanQuestion | None, now: datetime) -> Resume | Outcome:
    """How the task goes on; an outcome when the trigger ended the task itself."""
    if question is not None:
        return _answer(deferral, question, now)
    try:
        trigger = make_trigger(deferral.classpath, from_json(deferral.kwargs.encode(), ANY_CLASS))
        ended = run_here(trigger, deferral.timeout_seconds)
    except Exception as error:
        ended = Ended(failure=FailureOfWait.TRIGGER, error=f"{type(error).__name__}: {error}")
    if isinstance(ended.event, BaseTaskEndEvent):
        return outcome_of(ended.event)
    event = None if ended.event is None else to_json(ended.event.payload).decode()
    return Resume(
        method=deferral.method, kwargs=deferral.next_kwargs, event=event, failure=ended.failure, error=ended.error
    )


def outcome_of(event: BaseTaskEndEvent) -> Outcome:
    """What an event that ends the task itself means."""
    state = event.task_instance_state
    failed = state is TaskInstanceState.FAILED
    return Outcome(
        state=state,
        cause=CauseOfDeath.FAIL_NOW if failed else None,
        reason=f"its trigger ended it as {state}",
        xcoms=tuple(XComEntry(key, encode_value(value, name=key)) for key, value in (event.xcoms or {}).items()),
    )


def _answer(deferral: Deferral, question: HumanQuestion, now: datetime) -> Resume:
    if question.defaults is None:
        error = f"nobody can answer {question.subject!r} in dag.test(); give it defaults"
        return Resume(method=deferral.method, failure=FailureOfWait.TIMEOUT, error=error)
    fields = msgspec.json.decode(question.params)
    answer = {
        "chosen_options": list(question.defaults),
        "params_input": {name: field.get("value") for name, field in fields.items()},
        "responded_at": now,
        "responded_by_user": None,
        "timedout": True,
    }
    return Resume(method=deferral.method, kwargs=deferral.next_kwargs, event=to_json(answer).decode())
