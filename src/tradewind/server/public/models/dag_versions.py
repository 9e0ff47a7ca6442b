"""Versions of DAGs."""

from __future__ import annotations

from datetime import datetime

from .base import Answer, Uuid


class DagVersionResponse(Answer):
    id: Uuid
    version_number: int
    dag_id: str
    bundle_name: str | None
    bundle_version: str | None
    created_at: datetime
    dag_display_name: str
    bundle_url: str | None


class DAGVersionCollectionResponse(Answer):
    dag_versions: list[DagVersionResponse]
    total_entries: int
