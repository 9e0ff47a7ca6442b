"""What the screens ask of the database beside the lists everybody uses: read models, offered by the SQL store only.

Instants are milliseconds since 1970 here: they go to a browser, which counts so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from .rows import TaskRow
from .store import Transaction

STATE_CODES = (
    None,
    "removed",
    "skipped",
    "success",
    "scheduled",
    "queued",
    "deferred",
    "up_for_reschedule",
    "awaiting_input",
    "restarting",
    "running",
    "up_for_retry",
    "upstream_failed",
    "failed",
)
"""States of task instances as numbers: the greater, the more it wants to be seen. The UI has the same list."""
CODE_OF = {state: code for code, state in enumerate(STATE_CODES)}


class DagLine(NamedTuple):
    """A DAG as the list shows it."""

    dag_id: str
    display_name: str | None
    description: str | None
    is_paused: bool
    pause_reason: str | None
    schedule: str
    tags: tuple[str, ...]
    owners: tuple[str, ...]
    next_run_after: int | None
    version_id: str
    file: str
    runs_active: int
    max_active_runs: int


class RunLine(NamedTuple):
    """A run as strips, columns and lists show it."""

    dag_id: str
    run_key: str
    run_id: str
    run_type: str
    triggered_by: str
    state: str
    run_after: int
    logical_date: int | None
    queued_at: int | None
    started_at: int | None
    ended_at: int | None
    version_id: str
    note: str | None
    reason: str | None
    user: str | None


class FailureLine(NamedTuple):
    """A failed (or retried) instance."""

    ti_id: str
    run_key: str
    dag_id: str
    run_id: str
    task_id: str
    map_path: str
    state: str
    reason: str | None
    cause: str | None
    operator: str
    try_number: int
    max_tries: int
    ended_at: int | None


class StuckLine(NamedTuple):
    """An instance that is ready and does not run."""

    ti_id: str
    dag_id: str
    run_id: str
    task_id: str
    map_path: str
    state: str
    reason: str | None
    since: int | None


class CellLine(NamedTuple):
    """All instances of one task in one run."""

    run_key: str
    task_id: str
    code: int
    """The worst state (see `STATE_CODES`)."""
    try_number: int
    instances: int


class TaskLine(NamedTuple):
    """A task instance as tables, timelines and graphs show it."""

    ti_id: str
    run_key: str
    dag_id: str
    run_id: str
    task_id: str
    map_path: str
    state: str | None
    try_number: int
    max_tries: int
    scheduled_at: int | None
    queued_at: int | None
    started_at: int | None
    ended_at: int | None
    seconds: float | None
    operator: str
    reason: str | None
    label: str | None
    pool: str
    updated_at: int | None


class UiReads(Protocol):
    """Read models of the screens."""

    def ui_dags(self, dag_ids: Sequence[str] | None = None) -> list[DagLine]:
        """DAGs that are not stale, by id."""

    def ui_newest_runs(self, dag_ids: Sequence[str], count: int) -> list[RunLine]:
        """The newest runs of each DAG, newest first within a DAG."""

    def ui_latest(self) -> dict[str, tuple[str, int]]:
        """State and due time of the newest run of each DAG that has one."""

    def ui_dag_counts(self) -> tuple[int, int]:
        """How many DAGs there are, and how many of them are paused."""

    def ui_run_times(self, count: int) -> list[tuple[str, int]]:
        """State and begin (or due time) of the newest runs of all DAGs."""

    def ui_runs(self, dag_id: str | None, count: int, before: str | None = None) -> list[RunLine]:
        """Newest first; `before` is a run key."""

    def ui_live_runs(self) -> list[RunLine]:
        """Runs that are queued or running."""

    def ui_runs_of_keys(self, run_keys: Iterable[str]) -> list[RunLine]: ...
    def ui_failures(self, since: datetime, count: int) -> list[FailureLine]:
        """Instances in state failed that ended since then, newest first, and those that wait for a retry."""

    def ui_verdicts(self, run_keys: Iterable[str], task_ids: Iterable[str]) -> list[CellLine]:
        """How these tasks ended in these runs."""

    def ui_stuck(self, before: datetime, count: int) -> list[StuckLine]:
        """Ready or queued since before then, oldest first."""

    def ui_waiting(self, count: int) -> list[StuckLine]:
        """Instances that wait for a person's answer."""

    def ui_pulse(self) -> dict[str, int]:
        """How many instances of live runs are in which state (`none` without one)."""

    def ui_cells(self, run_keys: Iterable[str]) -> list[CellLine]: ...
    def ui_tasks(
        self, run_keys: Iterable[str], *, since: datetime | None = None, task_id: str | None = None, count: int = 20_000
    ) -> list[TaskLine]:
        """Instances of these runs; `since`: changed since then."""

    def ui_task_find(self, dag_id: str, run_id: str, task_id: str, map_path: str) -> TaskRow | None: ...
    def ui_task_list(
        self, states: Sequence[str], dag_id: str | None, task_id: str | None, count: int, before: str | None
    ) -> list[TaskLine]:
        """Instances over all runs, newest run first; `before` is a run key."""

    def ui_task_history(self, dag_id: str, task_id: str, count: int) -> list[TaskLine]:
        """A task over its newest runs."""


class UiTransaction(Transaction, UiReads, Protocol):
    """What transactions of the SQL store are."""
