"""`@task.stub`: a place in the graph for a task that is written in another language."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from .callables import CallableOperator
from .errors import WrongArgument
from .exceptions import AirflowFailException


class StubOperator(CallableOperator):
    """Names a task and its place; its queue says who runs it.

    Raises:
        WrongArgument: the function does something, or a `retry_policy` is given, which is Python.
    """

    custom_operator_name = "@task.stub"
    is_stub = True

    def __init__(self, *, python_callable: Callable[..., Any], retry_policy: Any = None, **kwargs: Any) -> None:
        super().__init__(python_callable=python_callable, **kwargs)
        if retry_policy is not None:
            raise WrongArgument(
                f"@task.stub {self.task_id!r} takes no retry_policy: it is Python, and the task is not; use retries"
            )
        _refuse_body(self.task_id, python_callable)

    def execute(self, context: Any) -> Any:  # noqa: ARG002 # nothing of it is run here
        raise AirflowFailException(
            f"task {self.task_id!r} is a stub: it is written in another language, and no worker for that language "
            f"listens on queue {self.queue!r}"
        )


def _refuse_body(task_id: str, function: Callable[..., Any]) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    for statement in definition.body:
        is_value = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not (isinstance(statement, ast.Pass) or is_value):
            raise WrongArgument(
                f"the function of @task.stub {task_id!r} must be empty (`...`): the task is written elsewhere, and "
                f"line {statement.lineno} of it would never run"
            )
