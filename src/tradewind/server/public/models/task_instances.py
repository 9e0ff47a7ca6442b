"""Task instances, their tries, logs and links."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from tradewind.wire.states import TaskInstanceState

from .base import Answer, Body, Instant, Uuid
from .dag_versions import DagVersionResponse
from .installation import JobResponse


class TriggerResponse(Answer):
    id: int
    classpath: str
    kwargs: str
    created_date: datetime
    queue: str | None
    triggerer_id: int | None


class TaskInstanceResponse(Answer):
    id: Uuid
    task_id: str
    dag_id: str
    dag_run_id: str
    map_index: int
    logical_date: datetime | None
    run_after: datetime
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    state: TaskInstanceState | None
    try_number: int
    max_tries: int
    task_display_name: str
    dag_display_name: str
    hostname: str | None
    unixname: str | None
    pool: str
    pool_slots: int
    queue: str | None
    priority_weight: int | None
    operator: str | None
    operator_name: str | None
    queued_when: datetime | None
    scheduled_when: datetime | None
    pid: int | None
    executor: str | None
    executor_config: str
    note: str | None
    rendered_map_index: str | None
    rendered_fields: dict[str, Any] = {}
    trigger: TriggerResponse | None
    triggerer_job: JobResponse | None
    dag_version: DagVersionResponse | None


class TaskInstanceCollectionResponse(Answer):
    task_instances: list[TaskInstanceResponse]
    total_entries: int | None = None
    total_entries_limit: int | None = None
    next_cursor: str | None = None
    previous_cursor: str | None = None


class TaskInstanceHistoryResponse(Answer):
    task_id: str
    dag_id: str
    dag_run_id: str
    map_index: int
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    state: TaskInstanceState | None
    try_number: int
    max_tries: int
    task_display_name: str
    dag_display_name: str
    hostname: str | None
    unixname: str | None
    pool: str
    pool_slots: int
    queue: str | None
    priority_weight: int | None
    operator: str | None
    operator_name: str | None
    queued_when: datetime | None
    scheduled_when: datetime | None
    pid: int | None
    executor: str | None
    executor_config: str
    dag_version: DagVersionResponse | None


class TaskInstanceHistoryCollectionResponse(Answer):
    task_instances: list[TaskInstanceHistoryResponse]
    total_entries: int


class NewTaskResponse(Answer):
    task_id: str
    task_display_name: str


class ClearTaskInstanceCollectionResponse(Answer):
    task_instances: list[TaskInstanceResponse | NewTaskResponse]
    total_entries: int


class ClearTaskInstancesBody(Body):
    dry_run: bool = True
    start_date: Instant | None = None
    end_date: Instant | None = None
    only_failed: bool = True
    only_running: bool = False
    reset_dag_runs: bool = True
    task_ids: list[str | Annotated[list[Any], Field(min_length=2, max_length=2)]] | None = None
    dag_run_id: str | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False
    run_on_latest_version: bool | None = None
    prevent_running_task: bool = False
    note: Annotated[str, Field(max_length=1000)] | None = None


class PatchTaskInstanceBody(Body):
    new_state: TaskInstanceState | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False


class BulkTaskInstanceBody(Body):
    new_state: TaskInstanceState | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False
    task_id: str
    map_index: int | None = None
    dag_id: str | None = None
    dag_run_id: str | None = None


class TaskInstancesBatchBody(Body):
    dag_ids: list[str] | None = None
    dag_run_ids: list[str] | None = None
    task_ids: list[str] | None = None
    state: list[TaskInstanceState | None] | None = None
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
    pool: list[str] | None = None
    queue: list[str] | None = None
    executor: list[str] | None = None
    page_offset: Annotated[int, Field(ge=0)] = 0
    page_limit: Annotated[int, Field(ge=0)] = 100
    order_by: str | None = None


class TaskDependencyResponse(Answer):
    name: str
    reason: str


class TaskDependencyCollectionResponse(Answer):
    dependencies: list[TaskDependencyResponse]


class ExtraLinkCollectionResponse(Answer):
    extra_links: dict[str, str | None]
    total_entries: int


class ExternalLogUrlResponse(Answer):
    url: str


class StructuredLogMessage(Answer):
    timestamp: datetime | None = None
    event: str


class TaskInstancesLogResponse(Answer):
    content: list[StructuredLogMessage] | list[str]
    continuation_token: str | None
