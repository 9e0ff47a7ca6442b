"""Backfills."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from .base import Answer, Body, Instant


class ReprocessBehavior(StrEnum):
    FAILED = "failed"
    COMPLETED = "completed"
    NONE = "none"


class BackfillPostBody(Body):
    dag_id: str
    from_date: Instant
    to_date: Instant
    run_backwards: bool = False
    dag_run_conf: dict[str, Any] | None = None
    reprocess_behavior: ReprocessBehavior = ReprocessBehavior.NONE
    max_active_runs: int = 10
    run_on_latest_version: bool | None = None


class BackfillResponse(Answer):
    id: Annotated[int, Field(ge=0)]
    dag_id: str
    from_date: datetime
    to_date: datetime
    dag_run_conf: dict[str, Any] | None
    is_paused: bool
    reprocess_behavior: ReprocessBehavior
    max_active_runs: int
    created_at: datetime
    completed_at: datetime | None
    updated_at: datetime
    dag_display_name: str


class BackfillCollectionResponse(Answer):
    backfills: list[BackfillResponse]
    total_entries: int


class DryRunBackfillResponse(Answer):
    logical_date: datetime | None
    partition_key: str | None
    partition_date: datetime | None


class DryRunBackfillCollectionResponse(Answer):
    backfills: list[DryRunBackfillResponse]
    total_entries: int
