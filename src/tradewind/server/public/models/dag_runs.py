"""DAG runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

from .base import Answer, Body, Instant
from .dag_versions import DagVersionResponse


class DagRunMutableStates(StrEnum):
    QUEUED = "queued"
    SUCCESS = "success"
    FAILED = "failed"


class DAGRunResponse(Answer):
    dag_run_id: str
    dag_id: str
    logical_date: datetime | None
    queued_at: datetime | None
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime
    last_scheduling_decision: datetime | None
    run_type: DagRunType
    state: DagRunState
    triggered_by: DagRunTriggeredBy | None
    triggering_user_name: str | None
    conf: dict[str, Any] | None
    note: str | None
    dag_versions: list[DagVersionResponse]
    bundle_version: str | None
    dag_display_name: str
    partition_key: str | None
    partition_date: datetime | None


class DAGRunCollectionResponse(Answer):
    dag_runs: list[DAGRunResponse]
    total_entries: int | None = None
    total_entries_limit: int | None = None
    next_cursor: str | None = None
    previous_cursor: str | None = None


class DAGRunPatchBody(Body):
    state: DagRunMutableStates | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None


class DAGRunClearBody(Body):
    dry_run: bool = True
    only_failed: bool = False
    only_new: bool = False
    run_on_latest_version: bool | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None


class DAGRunsBatchBody(Body):
    order_by: str | None = None
    page_offset: Annotated[int, Field(ge=0)] = 0
    page_limit: Annotated[int, Field(ge=0)] = 100
    dag_ids: list[str] | None = None
    states: list[DagRunState | None] | None = None
    run_after_gte: Instant | None = None
    run_after_gt: Instant | None = None
    run_after_lte: Instant | None = None
    run_after_lt: Instant | None = None
    logical_date_gte: Instant | None = None
    logical_date_gt: Instant | None = None
    logical_date_lte: Instant | None = None
    logical_date_lt: Instant | None = None
    start_date_gte: Instant | None = None
    start_date_gt: Instant | None = None
    start_date_lte: Instant | None = None
    start_date_lt: Instant | None = None
    end_date_gte: Instant | None = None
    end_date_gt: Instant | None = None
    end_date_lte: Instant | None = None
    end_date_lt: Instant | None = None
    duration_gte: float | None = None
    duration_gt: float | None = None
    duration_lte: float | None = None
    duration_lt: float | None = None
    conf_contains: str | None = None


class TriggerDAGRunPostBody(Body):
    dag_run_id: str | None = None
    data_interval_start: Instant | None = None
    data_interval_end: Instant | None = None
    logical_date: Instant | None
    run_after: Instant | None = None
    conf: dict[str, Any] | None = None
    note: str | None = None
    partition_key: str | None = None


class BulkDAGRunBody(Body):
    dag_run_id: str
    dag_id: str | None = None
    state: DagRunMutableStates | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None


class BulkDAGRunClearBody(Body):
    partition_key: str | None = None
    partition_date_start: Instant | None = None
    partition_date_end: Instant | None = None
    dry_run: bool = True
    only_failed: bool = False
    only_new: bool = False
    run_on_latest_version: bool | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None
    dag_runs: list[BulkDAGRunBody] = []


class ClearPartitionsBody(Body):
    partition_key: str | None = None
    partition_date_start: Instant | None = None
    partition_date_end: Instant | None = None
    run_id: str | None = None
    clear_task_instances: bool = False
    dry_run: bool = True


class ClearPartitionsResponse(Answer):
    dag_runs_cleared: int
    task_instances_cleared: int
    dry_run: bool
