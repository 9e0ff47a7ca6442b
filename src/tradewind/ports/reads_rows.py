"""What lists for programs are made of beside the rows themselves."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from .hitl_rows import HitlRow
from .rows import DagRow, TaskRow, XComRow


class DagView(NamedTuple):
    """A DAG with what stands elsewhere about its file."""

    dag: DagRow
    parse_seconds: float | None
    has_import_errors: bool


class TaskView(NamedTuple):
    """A task instance with the dates of its run."""

    task: TaskRow
    logical_date: datetime | None
    run_after: datetime


class XComView(NamedTuple):
    """An entry with the dates of its run."""

    xcom: XComRow
    logical_date: datetime | None
    run_after: datetime


class QuestionView(NamedTuple):
    """A question to a person with the instance that asked, as it is now."""

    question: HitlRow
    task: TaskRow
    logical_date: datetime | None
    run_after: datetime


class VersionHead(NamedTuple):
    """A version without its document and source."""

    version_id: str
    dag_id: str
    number: int
    bundle: str
    bundle_version: str
    file: str
    created_at: datetime
