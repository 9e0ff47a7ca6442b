"""Small operators for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tradewind.sdk.operator import BaseOperator


class Nothing(BaseOperator):
    """Executes nothing."""

    _is_empty: ClassVar[bool] = True

    def execute(self, context: Any) -> None:
        """Nothing."""


class Shell(BaseOperator):
    """Has templated fields."""

    template_fields: Sequence[str] = ("command", "env")

    def __init__(self, *, command: str, env: dict[str, str] | None = None, silent: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.command = command
        self.env = env
        self.silent = silent

    def execute(self, context: Any) -> str:
        return self.command


def arrows(dag: Any) -> dict[str, list[str]]:
    """Task → those it waits for."""
    return {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}
