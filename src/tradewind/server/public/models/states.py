"""State stores of tasks and assets."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue

from .base import Answer, Body, Instant


class AssetStateStoreWriterKind(StrEnum):
    TASK = "task"
    WATCHER = "watcher"
    API = "api"


class AssetStateStoreLastUpdatedBy(Answer):
    kind: AssetStateStoreWriterKind
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None


class AssetStateStoreResponse(Answer):
    key: str
    value: JsonValue
    updated_at: datetime
    last_updated_by: AssetStateStoreLastUpdatedBy | None = None


class AssetStateStoreCollectionResponse(Answer):
    asset_state_store: list[AssetStateStoreResponse]
    total_entries: int


class AssetStateStoreBody(Body):
    value: JsonValue


class TaskStateStoreResponse(Answer):
    key: str
    value: JsonValue
    updated_at: datetime
    expires_at: datetime | None


class TaskStateStoreCollectionResponse(Answer):
    task_state_store: list[TaskStateStoreResponse]
    total_entries: int


class TaskStateStoreBody(Body):
    value: JsonValue
    expires_at: Instant | Literal["default"] | None = "default"


class TaskStateStorePatchBody(Body):
    value: JsonValue
