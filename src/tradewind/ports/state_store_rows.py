"""Rows of the state store: what tasks and assets remember from one attempt, or one run, to the next."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class StateScope(StrEnum):
    """Whose memory it is."""

    TASK = "task"
    ASSET = "asset"


class StateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One value: (scope, place, key) is unique."""

    scope: StateScope
    place: str
    """Of a task: `dag_id/run_id/task_id/map_path`; of an asset: its name, or its URI where it has no name."""
    key: str
    value: str
    """JSON text."""
    ti_id: str | None = None
    """The task instance: with it the value goes."""
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_path: str | None = None
    updated_at: datetime
    expires_at: datetime | None = None
    """None: never."""


def task_place(dag_id: str, run_id: str, task_id: str, map_path: str) -> str:
    """The place of a task instance. Ids of DAGs and tasks hold no slash, so that no two instances share one."""
    return f"{dag_id}/{run_id}/{task_id}/{map_path}"
