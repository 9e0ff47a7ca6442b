"""DAGs, their tags, source and counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tradewind.wire.states import DagRunState, DagRunType

from .base import Answer, Body
from .dag_versions import DagVersionResponse


class DagTagResponse(Answer):
    name: str
    dag_id: str
    dag_display_name: str


class DAGResponse(Answer):
    dag_id: str
    dag_display_name: str
    is_paused: bool
    is_stale: bool
    last_parsed_time: datetime | None
    last_parse_duration: float | None
    last_expired: datetime | None
    bundle_name: str | None
    bundle_version: str | None
    relative_fileloc: str | None
    fileloc: str
    description: str | None
    timetable_summary: str | None
    timetable_description: str | None
    timetable_partitioned: bool
    timetable_periodic: bool
    tags: list[DagTagResponse]
    max_active_tasks: int
    max_active_runs: int | None
    max_consecutive_failed_dag_runs: int
    has_task_concurrency_limits: bool
    has_import_errors: bool
    next_dagrun_logical_date: datetime | None
    next_dagrun_data_interval_start: datetime | None
    next_dagrun_data_interval_end: datetime | None
    next_dagrun_run_after: datetime | None
    allowed_run_types: list[DagRunType] | None
    owners: list[str]
    is_backfillable: bool
    file_token: str


class DAGDetailsResponse(DAGResponse):
    catchup: bool
    dag_run_timeout: timedelta | None
    asset_expression: dict[str, Any] | None
    doc_md: str | None
    start_date: datetime | None
    end_date: datetime | None
    is_paused_upon_creation: bool | None
    params: dict[str, Any] | None
    render_template_as_native_obj: bool
    template_search_path: list[str] | None
    timezone: str | None
    last_parsed: datetime | None
    default_args: dict[str, Any] | None
    rerun_with_latest_version: bool | None = None
    owner_links: dict[str, str] | None = None
    is_favorite: bool = False
    active_runs_count: int = 0
    concurrency: int
    latest_dag_version: DagVersionResponse | None


class DAGCollectionResponse(Answer):
    dags: list[DAGResponse]
    total_entries: int


class DAGPatchBody(Body):
    is_paused: bool


class DAGTagCollectionResponse(Answer):
    tags: list[str]
    total_entries: int


class DAGSourceResponse(Answer):
    content: str | None
    dag_id: str
    version_number: int | None
    dag_display_name: str


class DagStatsStateResponse(Answer):
    state: DagRunState
    count: int


class DagStatsResponse(Answer):
    dag_id: str
    dag_display_name: str
    stats: list[DagStatsStateResponse]


class DagStatsCollectionResponse(Answer):
    dags: list[DagStatsResponse]
    total_entries: int
