"""`airflow.task.priority_strategy`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

try:
    from tradewind.sdk.weights import PriorityWeightStrategy  # type: ignore[attr-defined,unused-ignore]
except ImportError:

    class PriorityWeightStrategy(ABC):  # type: ignore[no-redef]
        """Base of strategies for weights: implement `get_weight`."""

        @abstractmethod
        def get_weight(self, ti: Any) -> int:
            """The weight of a task instance."""

        @classmethod
        def deserialize(cls, data: dict[str, Any]) -> Any:
            """The strategy that `serialize` wrote."""
            return cls(**data)

        def serialize(self) -> dict[str, Any]:
            """As data."""
            return {}


__all__ = ["PriorityWeightStrategy"]


def validate_and_load_priority_weight_strategy(priority_weight_strategy: Any) -> Any:
    """The strategy itself."""
    return priority_weight_strategy
