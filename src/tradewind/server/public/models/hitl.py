"""Questions to people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from .base import Answer
from .task_instances import TaskInstanceHistoryResponse, TaskInstanceResponse


class HITLUser(Answer):
    id: str
    name: str


class HITLDetail(Answer):
    options: Annotated[list[str], Field(min_length=1)]
    subject: str
    body: str | None = None
    defaults: list[str] | None = None
    multiple: bool = False
    params: dict[str, Any] = {}
    assigned_users: list[HITLUser] = []
    created_at: datetime
    responded_by_user: HITLUser | None = None
    responded_at: datetime | None = None
    chosen_options: list[str] | None = None
    params_input: dict[str, Any] = {}
    response_received: bool = False
    task_instance: TaskInstanceResponse


class HITLDetailHistory(Answer):
    options: Annotated[list[str], Field(min_length=1)]
    subject: str
    body: str | None = None
    defaults: list[str] | None = None
    multiple: bool = False
    params: dict[str, Any] = {}
    assigned_users: list[HITLUser] = []
    created_at: datetime
    responded_by_user: HITLUser | None = None
    responded_at: datetime | None = None
    chosen_options: list[str] | None = None
    params_input: dict[str, Any] = {}
    response_received: bool = False
    task_instance: TaskInstanceHistoryResponse


class HITLDetailCollection(Answer):
    hitl_details: list[HITLDetail]
    total_entries: int


class HITLDetailResponse(Answer):
    responded_by: HITLUser
    responded_at: datetime
    chosen_options: Annotated[list[str], Field(min_length=1)]
    params_input: dict[str, Any] = {}


class UpdateHITLDetailPayload(Answer):
    chosen_options: Annotated[list[str], Field(min_length=1)]
    params_input: dict[str, Any] = {}
