"""The audit log, import errors and warnings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from .base import Answer


class EventLogResponse(Answer):
    event_log_id: int
    when: datetime
    dag_id: str | None
    task_id: str | None
    run_id: str | None
    map_index: int | None
    try_number: int | None
    event: str
    logical_date: datetime | None
    owner: str | None
    extra: str | None
    dag_display_name: str | None = None
    task_display_name: str | None = None


class EventLogCollectionResponse(Answer):
    event_logs: list[EventLogResponse]
    total_entries: int


class ImportErrorResponse(Answer):
    import_error_id: int
    timestamp: datetime
    filename: str
    bundle_name: str | None
    stack_trace: str


class ImportErrorCollectionResponse(Answer):
    import_errors: list[ImportErrorResponse]
    total_entries: int


class DagWarningType(StrEnum):
    ASSET_CONFLICT = "asset conflict"
    NON_EXISTENT_POOL = "non-existent pool"
    RUNTIME_VARYING_VALUE = "runtime varying value"


class DAGWarningResponse(Answer):
    dag_id: str
    warning_type: DagWarningType
    message: str
    timestamp: datetime
    dag_display_name: str


class DAGWarningCollectionResponse(Answer):
    dag_warnings: list[DAGWarningResponse]
    total_entries: int
