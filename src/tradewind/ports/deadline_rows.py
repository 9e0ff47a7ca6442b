"""Rows of deadlines. Instants are aware UTC."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class DeadlineState(StrEnum):
    """Where a deadline stands."""

    PENDING = "pending"
    MET = "met"
    """What it is about ended in time."""
    MISSED = "missed"
    """It did not; the callback is in the outbox."""
    VOID = "void"
    """It cannot be told: the variable of its interval is no number, or its task is not part of the run any more."""


class DeadlineRow(msgspec.Struct, frozen=True, kw_only=True):
    """One deadline of one run; (run_key, task_id, ordinal) is unique, task_id "" for the run itself."""

    deadline_id: str
    run_key: str
    dag_id: str
    run_id: str
    task_id: str = ""
    ordinal: int
    """Place in the list of the DAG or task."""
    name: str | None = None
    reference: str
    base_at: datetime
    """What the interval is added to."""
    interval_seconds: float | None = None
    interval_variable: str | None = None
    due_at: datetime | None = None
    """None: the variable of the interval has not been read yet."""
    state: DeadlineState = DeadlineState.PENDING
    reason: str | None = None
    """Of a void one: why."""
    path: str
    kwargs: dict[str, Any] = {}
    executor: str | None = None
    created_at: datetime
    settled_at: datetime | None = None
    """When it was found to be met or missed."""
