"""Connections and tests of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from .base import Answer, Body


class ConnectionBody(Body):
    connection_id: Annotated[str, Field(max_length=200, pattern=r"^[\w.-]+$")]
    conn_type: str
    description: str | None = None
    host: str | None = None
    login: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None
    port: int | None = None
    password: str | None = None
    extra: str | None = None
    team_name: Annotated[str, Field(max_length=50)] | None = None


class ConnectionTestRequestBody(Body):
    connection_id: Annotated[str, Field(max_length=200, pattern=r"^[\w.-]+$")]
    conn_type: str
    description: str | None = None
    host: str | None = None
    login: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None
    port: int | None = None
    password: str | None = None
    extra: str | None = None
    team_name: Annotated[str, Field(max_length=50)] | None = None
    commit_on_success: bool = False
    executor: str | None = None
    queue: str | None = None


class ConnectionResponse(Answer):
    connection_id: str
    conn_type: str
    description: str | None
    host: str | None
    login: str | None
    schema_: Annotated[str | None, Field(alias="schema")]
    port: int | None
    password: str | None
    extra: str | None
    team_name: str | None


class ConnectionCollectionResponse(Answer):
    connections: list[ConnectionResponse]
    total_entries: int


class ConnectionTestResponse(Answer):
    status: bool
    message: str


class ConnectionTestQueuedResponse(Answer):
    token: str
    connection_id: str
    state: str


class AsyncConnectionTestResponse(Answer):
    token: str
    connection_id: str
    state: str
    result_message: str | None = None
    created_at: datetime
