"""A `Fetch` over a dictionary."""

from __future__ import annotations

from typing import Any

from tradewind.sdk.exceptions import XComNotFound


class Reading:
    """Values by task id (key return_value) or by (task id, key); params by name."""

    def __init__(self, values: dict[Any, Any] | None = None, params: dict[str, Any] | None = None) -> None:
        self._values = values or {}
        self._params = params or {}

    def value(self, task_id: str, key: str) -> Any:
        found = self._values.get((task_id, key), self._values.get(task_id) if key == "return_value" else None)
        if found is None:
            raise XComNotFound("d", task_id, key)
        return found

    def param(self, name: str) -> Any:
        return self._params[name]
