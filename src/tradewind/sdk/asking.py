"""A task asks a person and gives its process back until the answer is there (state `awaiting_input`).

`ask` ends the attempt; the operator goes on in the method it names, with the answer as `event`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn

import msgspec

from tradewind.wire.deferral import Deferral, HumanQuestion

from .exceptions import AirflowException
from .values import to_json


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Parameters:
        subject: one line.
        options: to choose from; none: only a form.
        body: Markdown.
        defaults: chosen when nobody answers in time.
        multiple: several options may be chosen.
        params: form: name → {"value", "schema", "description"}.
        assigned_users: id → name of those who may answer; empty: everybody who may.
        timeout: how long to wait.
    """

    subject: str
    options: Sequence[str] = ()
    body: str | None = None
    defaults: Sequence[str] | None = None
    multiple: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    assigned_users: Mapping[str, str] = field(default_factory=dict)
    timeout: timedelta | None = None


class TaskAwaitsInput(BaseException):
    """The task waits for a person and goes on in another method.

    Parameters:
        question: what is asked.
        method_name: method of the operator that is called with the answer.
    """

    def __init__(self, question: Question, method_name: str) -> None:
        super().__init__(f"asks {question.subject!r}, resumes in {method_name}")
        self.question = question
        self.method_name = method_name


def ask(question: Question, method_name: str) -> NoReturn:
    """End this attempt and wait for the answer. Raises `TaskAwaitsInput`, which is not to be caught."""
    raise TaskAwaitsInput(question, method_name)


def question_of(task: Any, error: TaskAwaitsInput) -> tuple[Deferral, HumanQuestion]:
    """What a task that asks tells the control plane. Raises `AirflowException` when it could not go on."""
    asked = error.question
    if not callable(getattr(task, error.method_name, None)):
        raise AirflowException(
            f"task {task.task_id!r} wants to go on in {error.method_name!r} after the answer, but "
            f"{type(task).__name__} has no such method"
        )
    timeout = None if asked.timeout is None else asked.timeout.total_seconds()
    question = HumanQuestion(
        subject=asked.subject,
        options=tuple(asked.options),
        body=asked.body,
        defaults=None if asked.defaults is None else tuple(asked.defaults),
        multiple=asked.multiple,
        params=plain_json(asked.params),
        assigned_users=tuple((str(user), str(name)) for user, name in asked.assigned_users.items()),
    )
    return Deferral(method=error.method_name, timeout_seconds=timeout), question


def plain_json(value: Mapping[str, Any]) -> str:
    """A form as JSON for people: what has no plain form is shown as text."""
    try:
        return msgspec.json.encode(dict(value)).decode()
    except (TypeError, ValueError):
        return to_json(dict(value)).decode()
