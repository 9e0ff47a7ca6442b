"""A DAG around one task, run in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tradewind.kernel.clock import VirtualClock
from tradewind.sdk import DAG
from tradewind.sdk.testing import TestedTask, run_dag


class Ran:
    """The end of the one task."""

    def __init__(self, task: TestedTask, value: Any) -> None:
        self.state, self.reason, self.fields, self.value = task.state, task.reason, task.rendered_fields, value


Run = Callable[..., Ran]


@pytest.fixture
def run() -> Run:
    """`run(Operator, argument=...)`: make the task, run its DAG, give its end. Waiting moves a virtual clock."""

    def run_one(operator: Any, *, dag: DAG | None = None, test: dict[str, Any] | None = None, **kwargs: Any) -> Ran:
        clock = VirtualClock()
        dag = dag or DAG("d")
        operator(task_id="t", dag=dag, **kwargs)
        tested = run_dag(dag, clock=clock, pause=clock.advance, **(test or {}))
        task = tested.get_task_instance("t")
        assert task is not None
        return Ran(task, tested.xcom("t"))

    return run_one
