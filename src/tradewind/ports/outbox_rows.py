"""Rows of the outbox: callbacks and notices that wait for delivery."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class OutboxState(StrEnum):
    """Where a line of the outbox stands."""

    PENDING = "pending"
    """To be delivered when it is due; also between two tries, and while somebody holds its lease."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; a person may have it tried again."""


class OutboxKind(StrEnum):
    """What a line asks for."""

    DAG_CALLBACK = "dag_callback"
    """on_success_callback or on_failure_callback of a DAG."""
    TASK_CALLBACK = "task_callback"
    """Callbacks of a task whose process could not make the calls itself: its machine was lost."""
    DEADLINE = "deadline"
    """The callback of a missed deadline: a path with arguments."""
    LISTENER = "listener"
    """Hooks of listeners for what happens to runs and assets."""


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be delivered at least once; `delivery_key` is unique, so that the same cause is written once."""

    id: str
    delivery_key: str
    kind: OutboxKind
    state: OutboxState = OutboxState.PENDING
    payload: dict[str, Any] = {}
    """What the delivering child is told: see `wire.callbacks`."""
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    tries: int = 0
    due_at: datetime
    lease_owner: str | None = None
    leased_until: datetime | None = None
    error: str | None = None
    """Why the last try failed: one line."""
    created_at: datetime
    ended_at: datetime | None = None
