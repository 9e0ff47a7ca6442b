"""Rows of backfills. Instants are aware UTC."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Reprocess(StrEnum):
    """What a backfill does with a run that exists already for one of its dates. Airflow's names."""

    NONE = "none"
    """Leaves it alone."""
    FAILED = "failed"
    """Runs it again if it failed."""
    COMPLETED = "completed"
    """Runs it again if it is over, however it ended."""


class BackfillRow(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to run a DAG over a stretch of its past, with a concurrency of its own."""

    backfill_id: int = 0
    """0: the database gives the next one."""
    dag_id: str
    from_date: datetime
    to_date: datetime
    """Logical dates (due times of partitioned runs) from and to, both included."""
    dag_run_conf: dict[str, Any] = {}
    reprocess: Reprocess = Reprocess.NONE
    max_active_runs: int = 10
    """Of this backfill; its runs do not count as runs of the DAG."""
    run_backwards: bool = False
    """The newest date first."""
    newest_version: bool = True
    """Runs that exist and run again follow the newest version of the DAG; new ones do anyway."""
    is_paused: bool = False
    """No further run begins; those that run go on."""
    runs_active: int = 0
    """Counter: its runs in state running. Changed with the runs, in the same transaction."""
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    """All of its runs are over, or it was cancelled. Until then no other backfill of the DAG begins."""
    cancelled_at: datetime | None = None
    triggering_user_name: str | None = None


class BackfillRunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a backfill and what became of it; (backfill_id, ordinal) is unique."""

    backfill_id: int
    ordinal: int
    """Place in the order of the backfill, from 1."""
    logical_date: datetime | None = None
    partition_key: str | None = None
    run_key: str | None = None
    """Its run; None: there is none of this backfill."""
    reason: str | None = None
    """Why there is none: "already exists" (and is not to run again), "in flight" (it is queued or running)."""
