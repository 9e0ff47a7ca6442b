"""What a metadata database of Airflow tells, as plain facts. Its secrets are open in memory: never log them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tradewind.wire.execution import ConnectionFacts


class AirflowVariable(msgspec.Struct, frozen=True):
    """A variable."""

    key: str
    value: str
    description: str | None


class AirflowPool(msgspec.Struct, frozen=True):
    """A pool."""

    name: str
    slots: int
    description: str
    include_deferred: bool


class AirflowUser(msgspec.Struct, frozen=True):
    """A user of the FAB authentication manager. Passwords are hashed there in another way and do not move."""

    username: str
    email: str | None
    first_name: str | None
    last_name: str | None
    active: bool
    roles: tuple[str, ...]


class AirflowTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task instance that ended."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    max_tries: int
    operator: str
    pool: str
    queue: str
    priority_weight: int
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    hostname: str | None


class AirflowRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that ended, with its task instances."""

    dag_id: str
    run_id: str
    run_type: str
    state: str
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    conf: dict[str, Any]
    tasks: tuple[AirflowTask, ...] = ()


class AirflowFacts(msgspec.Struct, kw_only=True):
    """Everything that may move."""

    level: str
    """Revision of the schema, for people."""
    connections: list[ConnectionFacts] = []
    variables: list[AirflowVariable] = []
    pools: list[AirflowPool] = []
    paused: dict[str, bool] = {}
    """DAG id → whether it is paused."""
    users: list[AirflowUser] = []
    runs: list[AirflowRun] = []
    left: list[str] = []
    """What could not be read, a line each, without secrets."""
