"""Rows about assets as frozen values. Instants are aware UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class AssetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One asset: (name, uri) is unique."""

    asset_id: int
    """Given by the store."""
    name: str
    uri: str
    group_name: str = "asset"
    extra: dict[str, Any] = {}
    watchers: dict[str, Any] = {}
    """Name → {trigger, kwargs}."""
    access: dict[str, Any] = {}
    expected_every_seconds: float | None = None
    is_active: bool = False
    """Some DAG speaks of it and no other asset has its name or URI."""
    conflict: str | None = None
    """Why it is not active though a DAG speaks of it."""
    late_since: datetime | None = None
    """It was expected to change by then and did not."""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class AliasRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alias."""

    alias_id: int
    """Given by the store."""
    name: str
    group_name: str = "asset"


class AssetUseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG speaks of an asset."""

    dag_id: str
    task_id: str
    """Empty for the schedule."""
    role: str
    """schedule, inlet or outlet."""
    kind: str
    """asset, alias, name or uri: what `name` and `uri` refer to."""
    name: str
    uri: str
    """With kind asset or uri; otherwise empty. Kind uri has no name."""
    since: datetime


class AssetEventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an asset; never changed, only pruned."""

    event_id: int
    """Given by the store, rising."""
    asset_id: int
    name: str
    uri: str
    at: datetime
    extra: dict[str, Any] = {}
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_task_id: str | None = None
    source_map_index: int = -1
    aliases: tuple[str, ...] = ()
    """Through which it came."""
    partition_key: str | None = None
    created_by: str | None = None
    """A person, where no task told of it."""


class AssetCursorRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far a consumer has read the log of a topic."""

    dag_id: str
    topic: str
    place: int
    held: int | None = None
    """While the DAG is paused: events after this place are not collected."""
    skip_from: int | None = None
    """Events after this place and up to `skip_to` came while it was paused."""
    skip_to: int | None = None


class TimetableQuestionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG whose own timetable is to be asked, or was."""

    dag_id: str
    asked_at: datetime | None = None
    """None: there is an answer."""
    leased_by: str | None = None
    leased_until: datetime | None = None
    forecast: tuple[str, ...] = ()
    """The next runs as it said last: ISO instants, for people."""
    answered_at: datetime | None = None


class PartitionShareRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event that counts towards a partition whose run is still to be made."""

    dag_id: str
    partition_key: str
    topic: str
    source_key: str
    event_id: int
    at: datetime
