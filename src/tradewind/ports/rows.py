"""Rows of the metadata database as frozen values. Instants are aware UTC, durations seconds, ids UUIDv7 text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tradewind.wire.states import CauseOfDeath, DagRunState, DagRunTriggeredBy, DagRunType, TaskInstanceState


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG file of a bundle as last parsed."""

    bundle: str
    path: str
    """Inside the bundle, `/`-separated; a member of a zip is `archive.zip/member.py`."""
    digest: str = ""
    """Content hash of what was parsed last."""
    bundle_version: str = ""
    parsed_at: datetime | None = None
    parse_seconds: float | None = None
    dag_count: int = 0
    imported: tuple[str, ...] = ()
    """Other files of the bundle that the parse imported: a change of one of them parses this file again."""
    processor: str | None = None
    """Who parses it just now, by lease."""
    leased_until: datetime | None = None


class ImportErrorRow(msgspec.Struct, frozen=True, kw_only=True):
    bundle: str
    path: str
    message: str
    """One line: what is wrong and where."""
    traceback: str
    at: datetime


class DagRow(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG. `next_*` is its next scheduled run, None when there is none."""

    dag_id: str
    bundle: str
    file: str
    version_id: str
    is_paused: bool = False
    is_stale: bool = False
    """Its file no longer defines it: no new runs, not listed by default; history stays."""
    description: str | None = None
    display_name: str | None = None
    schedule_summary: str = ""
    timezone: str = "UTC"
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    max_active_runs: int = 16
    max_consecutive_failed_dag_runs: int = 0
    runs_active: int = 0
    """Counter: runs in state running. Changed with the runs, in the same transaction; never above max_active_runs by
    scheduling.
    """
    next_run_after: datetime | None = None
    next_logical_date: datetime | None = None
    next_interval_start: datetime | None = None
    next_interval_end: datetime | None = None
    parsed_at: datetime | None = None
    pause_reason: str | None = None
    bundle_version: str | None = None
    """Tree that new runs get: the newest one in which its file, and what that depends on, are as they were loaded."""
    file_digest: str | None = None
    """Digest of its file when it was loaded last without fault: what `dag_move_trees` is guarded by."""
    access: tuple[str, ...] = ()
    """What the DAG itself grants to roles (`domain.permissions.access_of_document`)."""


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a DAG."""

    version_id: str
    dag_id: str
    number: int
    hash: str
    bundle: str
    bundle_version: str
    file: str
    document: bytes
    """Canonical encoding (`wire.document`)."""
    source: str
    """Text of the DAG file."""
    created_at: datetime


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG run. (dag_id, run_id) is unique; so is (dag_id, logical_date) where there is one."""

    run_key: str
    dag_id: str
    run_id: str
    version_id: str
    run_type: DagRunType
    triggered_by: DagRunTriggeredBy
    state: DagRunState
    run_after: datetime
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    conf: dict[str, Any] = {}
    owner: str | None = None
    """Scheduler that owns it; None: free to take."""
    epoch: int = 0
    """Rises with every change of owner: the fence."""
    clear_number: int = 0
    note: str | None = None
    reason: str | None = None
    """Why it ended as it did."""
    triggering_user_name: str | None = None
    bundle_version: str | None = None
    """Tree that its tasks run from; None: that of its DAG version."""
    backfill_id: int | None = None
    """The backfill that it belongs to: it takes a run slot of that, none of the DAG."""
    partition_key: str | None = None
    partition_date: datetime | None = None
    """The date behind the key, where it has one."""
    client_key: str | None = None
    """Said by whoever asked for the run: asking again with it gives this run. (dag_id, client_key) is unique."""


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """One task instance: (run_key, task_id, map_path) is unique. It carries its current attempt; earlier ones are
    `AttemptRow`s.
    """

    ti_id: str
    run_key: str
    dag_id: str
    run_id: str
    task_id: str
    map_path: str = ""
    state: TaskInstanceState | None = None
    reason: str | None = None
    """Why it is in this state: one line for people."""
    try_number: int = 0
    max_tries: int = 0
    """Retries allowed in all (tries - 1); clears and infrastructure deaths raise it."""
    infrastructure_tries: int = 0
    attempt_token: str | None = None
    holds_slot: bool = False
    """Counts in pool and limit counters. Set and cleared by the owner together with the counters."""
    pool: str = "default_pool"
    pool_slots: int = 1
    queue: str = "default"
    executor: str | None = None
    priority_weight: int = 1
    operator: str = ""
    due_at: datetime | None = None
    scheduled_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    first_started_at: datetime | None = None
    """Start of the first poke of a rescheduled sensor."""
    ended_at: datetime | None = None
    duration_seconds: float | None = None
    hostname: str | None = None
    agent: str | None = None
    """Incarnation of the agent that runs it."""
    pid: int | None = None
    cause: CauseOfDeath | None = None
    skips: tuple[str, ...] = ()
    xcom_length: int | None = None
    map_index_label: str | None = None
    note: str | None = None
    version_id: str = ""
    updated_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long the attempt took: as its process measured it, or, when that died or was stopped, by the clock."""
        if self.duration_seconds is not None or self.started_at is None or self.ended_at is None:
            return self.duration_seconds
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    """A past attempt of a task instance (retried, cleared or lost): one per (ti_id, try_number)."""

    ti_id: str
    try_number: int
    run_key: str
    dag_id: str
    task_id: str
    map_path: str
    state: TaskInstanceState | None
    reason: str | None
    cause: CauseOfDeath | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    hostname: str | None
    agent: str | None
    pid: int | None
    version_id: str


class XComRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored value: (ti_id, key) is unique."""

    ti_id: str
    run_key: str
    dag_id: str
    run_id: str
    task_id: str
    map_path: str
    key: str
    data: bytes | None
    url: str | None
    size: int
    sha256: str | None
    length: int | None
    at: datetime | None = None


class PoolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pool. `used` is the sum of pool_slots of the instances that hold a slot; slots -1 is unlimited."""

    name: str
    slots: int
    description: str = ""
    include_deferred: bool = False
    used: int = 0


class ComponentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A running process of ours and its heartbeat: kind is scheduler, agent, dag-processor, api-server or triggerer."""

    kind: str
    id: str
    """Incarnation: new with each start."""
    name: str
    """Stable over restarts (host and place)."""
    hostname: str
    pid: int
    started_at: datetime
    heartbeat_at: datetime
    slots: int = 0
    executor: str = ""
    queues: tuple[str, ...] = ()


class ConnectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A connection. `password` and `extra` are ciphertext; only `commands.connections` holds the key."""

    conn_id: str
    conn_type: str
    description: str | None = None
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: bytes | None = None
    port: int | None = None
    extra: bytes | None = None


class VariableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A variable; `value` is ciphertext."""

    key: str
    value: bytes
    description: str | None = None


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    username: str
    password_hash: str
    """Empty: he has none, and signs in elsewhere (`origin`)."""
    roles: tuple[str, ...] = ()
    is_active: bool = True
    created_at: datetime | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    origin: str = "local"
    """Who vouches for him: local (a password) or oidc (single sign-on)."""
    epoch: int = 0
    """Rises when he is signed out everywhere: tokens and sessions of before end."""
    last_login_at: datetime | None = None
    subject: str | None = None
    """How the provider of single sign-on knows him, for ever."""
