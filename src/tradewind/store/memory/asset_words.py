"""Rows about assets that only the memory has."""

from __future__ import annotations

from datetime import datetime

import msgspec

UseKey = tuple[str, str, str, str, str, str]
ShareKey = tuple[str, str, str, str, int]


class Wake(msgspec.Struct, frozen=True):
    """A consumer is to be looked at."""

    line: int
    dag_id: str
    due_at: datetime


class Consumed(msgspec.Struct, frozen=True):
    """An event that a run took."""

    dag_id: str
    partition_key: str
    event_id: int
    run_key: str
