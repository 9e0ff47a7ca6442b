"""Parameters that many lists share: ranges of instants and numbers."""

from __future__ import annotations

from pydantic import BaseModel

from .base import Instant


class RunAfterRange(BaseModel):
    run_after_gte: Instant | None = None
    run_after_gt: Instant | None = None
    run_after_lte: Instant | None = None
    run_after_lt: Instant | None = None


class LogicalDateRange(BaseModel):
    logical_date_gte: Instant | None = None
    logical_date_gt: Instant | None = None
    logical_date_lte: Instant | None = None
    logical_date_lt: Instant | None = None


class StartDateRange(BaseModel):
    start_date_gte: Instant | None = None
    start_date_gt: Instant | None = None
    start_date_lte: Instant | None = None
    start_date_lt: Instant | None = None


class EndDateRange(BaseModel):
    end_date_gte: Instant | None = None
    end_date_gt: Instant | None = None
    end_date_lte: Instant | None = None
    end_date_lt: Instant | None = None


class UpdatedAtRange(BaseModel):
    updated_at_gte: Instant | None = None
    updated_at_gt: Instant | None = None
    updated_at_lte: Instant | None = None
    updated_at_lt: Instant | None = None


class DurationRange(BaseModel):
    duration_gte: float | None = None
    duration_gt: float | None = None
    duration_lte: float | None = None
    duration_lt: float | None = None


class TimestampRange(BaseModel):
    timestamp_gte: Instant | None = None
    timestamp_gt: Instant | None = None
    timestamp_lte: Instant | None = None
    timestamp_lt: Instant | None = None


class CreatedAtRange(BaseModel):
    created_at_gte: Instant | None = None
    created_at_gt: Instant | None = None
    created_at_lte: Instant | None = None
    created_at_lt: Instant | None = None


class DagRunStartRange(BaseModel):
    dag_run_start_date_gte: Instant | None = None
    dag_run_start_date_gt: Instant | None = None
    dag_run_start_date_lte: Instant | None = None
    dag_run_start_date_lt: Instant | None = None


class DagRunEndRange(BaseModel):
    dag_run_end_date_gte: Instant | None = None
    dag_run_end_date_gt: Instant | None = None
    dag_run_end_date_lte: Instant | None = None
    dag_run_end_date_lt: Instant | None = None
