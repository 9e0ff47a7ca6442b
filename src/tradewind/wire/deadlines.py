"""Deadlines as data: until when a run, or a task of it, must have ended, and what is called when it has not."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class DeadlineReference(StrEnum):
    """What a deadline counts from."""

    LOGICAL_DATE = "logical_date"
    QUEUED_AT = "queued_at"
    """When the run was queued; counted anew when a run that was over is queued again."""
    FIXED = "fixed"
    """An instant in the DAG file."""
    AVERAGE_RUNTIME = "average_runtime"
    """The creation of the run, and as long as its runs take on average."""


class DeadlineDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One deadline of a DAG or a task."""

    reference: DeadlineReference
    path: str
    """`module.name` of what is called when it is missed."""
    kwargs: dict[str, Any] = {}
    interval_seconds: float | None = None
    """Added to the reference; may be negative."""
    interval_variable: str | None = None
    """Instead: the name of a variable with a number of seconds, read when the run is created."""
    at: datetime | None = None
    """For `fixed`."""
    runs_max: int = 10
    """For `average_runtime`: over so many of the newest runs that ended."""
    runs_min: int = 10
    """With fewer of them there is no deadline."""
    name: str | None = None
    is_async: bool = False
    executor: str | None = None
