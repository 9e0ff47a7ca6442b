"""XCom entries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .base import Answer, Body


class XComResponse(Answer):
    key: str
    timestamp: datetime
    logical_date: datetime | None
    map_index: int
    task_id: str
    dag_id: str
    run_id: str
    dag_display_name: str
    task_display_name: str
    run_after: datetime


class XComCollectionResponse(Answer):
    xcom_entries: list[XComResponse]
    total_entries: int


class XComResponseNative(Answer):
    key: str
    timestamp: datetime
    logical_date: datetime | None
    map_index: int
    task_id: str
    dag_id: str
    run_id: str
    dag_display_name: str
    task_display_name: str
    run_after: datetime
    value: Any


class XComResponseString(Answer):
    key: str
    timestamp: datetime
    logical_date: datetime | None
    map_index: int
    task_id: str
    dag_id: str
    run_id: str
    dag_display_name: str
    task_display_name: str
    run_after: datetime
    value: str | None


class XComCreateBody(Body):
    key: str
    value: Any
    map_index: int = -1


class XComUpdateBody(Body):
    value: Any
    map_index: int = -1
