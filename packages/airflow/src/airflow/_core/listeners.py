"""`airflow.listeners`: marks for listener functions, and their manager."""

from __future__ import annotations

from functools import cache
from typing import Any

AssetEvent = Any


class ListenerManager:
    """Knows the listeners."""

    def __init__(self) -> None:
        self._listeners: list[Any] = []

    @property
    def has_listeners(self) -> bool:
        """Whether there are any."""
        return bool(self._listeners)

    def add_listener(self, listener: Any) -> None:
        """Take a listener."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def clear(self) -> None:
        """Forget all."""
        self._listeners.clear()


@cache
def get_listener_manager() -> ListenerManager:
    """The manager of this process."""
    return ListenerManager()
