"""`airflow.sdk.types`: the shapes that annotations name."""

from __future__ import annotations

from typing import Any, Protocol

WeightRuleParam = Any
OutletEventAccessorProtocol = Any
OutletEventAccessorsProtocol = Any


class WeightRuleProtocol(Protocol):
    """A strategy for weights."""

    def get_weight(self, ti: Any) -> int:
        """The weight of a task instance."""


class DagRunProtocol(Protocol):
    """A run."""

    dag_id: str
    run_id: str


class RuntimeTaskInstanceProtocol(Protocol):
    """A task instance at work."""

    task_id: str
    dag_id: str
    run_id: str
