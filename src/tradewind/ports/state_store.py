"""What tasks and assets remember between attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from .state_store_rows import StateRow, StateScope


class StateStoreTx(Protocol):
    """Values by scope, place and key. Expired ones are not seen; they go when they are pruned."""

    def state_get(self, scope: StateScope, place: str, key: str, now: datetime) -> StateRow | None: ...
    def state_put(self, row: StateRow) -> None:
        """Insert or replace."""

    def state_delete(self, scope: StateScope, place: str, key: str) -> bool: ...
    def state_clear(self, scope: StateScope, place: str) -> int:
        """Forget everything of a place; how many values."""

    def state_list(self, scope: StateScope, place: str, now: datetime) -> list[StateRow]:
        """By key."""

    def state_expired(self, now: datetime) -> int:
        """How many values expired and were not pruned yet."""

    def state_prune(self, now: datetime, limit: int) -> int:
        """Delete expired values; how many."""
