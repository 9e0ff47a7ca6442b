"""Machine Learning Engine and AutoML of Google are switched off by Google; files that use them still load."""

from __future__ import annotations

from typing import Any

from tradewind.sdk import BaseOperator

_made: dict[str, type] = {}


class _Gone(BaseOperator):
    """A task that fails: the service behind it is gone."""

    def __init__(self, *, task_id: str, **kwargs: Any) -> None:
        common = {name: kwargs[name] for name in ("dag", "trigger_rule", "retries", "task_group") if name in kwargs}
        super().__init__(task_id=task_id, **common)

    def execute(self, context: Any) -> None:
        """Raises: Google switched the service off."""
        raise NotImplementedError(f"{type(self).__name__}: Google switched this service off; use Vertex AI")


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not name.endswith(("Operator", "Sensor", "Hook")):
        raise AttributeError(name)
    base: Any = object if name.endswith("Hook") else _Gone
    return _made.setdefault(name, type(name, (base,), {"__doc__": "Gone with its service."}))
