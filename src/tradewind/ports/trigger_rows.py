"""Rows of what waits outside of any process."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from tradewind.wire.deferral import FailureOfWait


class TriggerState(StrEnum):
    """Where a wait stands."""

    WAITING = "waiting"
    FIRED = "fired"
    """The event (or the failure) is here; the task goes on with it."""
    CANCELLED = "cancelled"
    """The task does not wait any more; the triggerer that hosts the trigger is to end it."""


class TriggerRow(msgspec.Struct, frozen=True, kw_only=True):
    """The wait of one attempt: for a trigger, or (empty classpath) for a person. Kept until the task has gone on."""

    token: str
    """Of the attempt that waits: the fence of everything that is said for it."""
    ti_id: str
    run_key: str
    dag_id: str
    run_id: str
    task_id: str
    map_path: str = ""
    try_number: int = 1
    version_id: str = ""
    state: TriggerState = TriggerState.WAITING
    classpath: str = ""
    kwargs: str = "{}"
    method: str = "execute"
    next_kwargs: str = "{}"
    queue: str = "default"
    created_at: datetime
    due_at: datetime | None = None
    triggerer: str | None = None
    """Incarnation of the triggerer that hosts it."""
    event: str | None = None
    failure: FailureOfWait | None = None
    error: str | None = None


class TriggerFire(msgspec.Struct, frozen=True, kw_only=True):
    """What a wait ended with: an event, or a failure with its message."""

    token: str
    event: str | None = None
    failure: FailureOfWait | None = None
    error: str | None = None
