"""`@task.run_if` and `@task.skip_if`: conditions that are asked just before a task would work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import WrongArgument
from .taskflow import TaskDecorator

Condition = Callable[[Any], "bool | tuple[bool, str | None]"]


def conditional(
    condition: Condition, message: str | None, *, skip_when: bool
) -> Callable[[TaskDecorator[..., Any]], TaskDecorator[..., Any]]:
    """A decorator for decorated tasks that skips when `condition(context)` is `skip_when`."""

    def decorate(task: TaskDecorator[..., Any]) -> TaskDecorator[..., Any]:
        name = "skip_if" if skip_when else "run_if"
        if not isinstance(task, TaskDecorator):
            raise WrongArgument(f"@task.{name} must stand above @task, not directly on {task!r}")
        before = task.arguments.get("pre_execute")
        return task.override(pre_execute=_check(condition, message, skip_when, before))

    return decorate


def _check(
    condition: Condition, message: str | None, skip_when: bool, before: Callable[[Any], Any] | None
) -> Callable[[Any], None]:
    def check(context: Any) -> None:
        from .exceptions import AirflowSkipException

        if before is not None:
            before(context)
        answer = condition(context)
        met, said = answer if isinstance(answer, tuple) else (answer, None)
        if bool(met) is skip_when:
            reason = said or message or f"condition {getattr(condition, '__name__', 'of the task')} was {bool(met)}"
            raise AirflowSkipException(reason)

    return check
