"""Pools."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Answer, Body


class PoolBody(Body):
    name: Annotated[str, Field(max_length=256)]
    slots: Annotated[int, Field(ge=-1)]
    description: str | None = None
    include_deferred: bool = False
    team_name: Annotated[str, Field(max_length=50)] | None = None


class PoolPatchBody(Body):
    pool: str | None = None
    slots: Annotated[int, Field(ge=-1)] | None = None
    description: str | None = None
    include_deferred: bool | None = None
    team_name: Annotated[str, Field(max_length=50)] | None = None


class PoolResponse(Answer):
    name: str
    slots: Annotated[int, Field(ge=-1)]
    description: str | None = None
    include_deferred: bool
    occupied_slots: int
    running_slots: int
    queued_slots: int
    scheduled_slots: int
    open_slots: int
    deferred_slots: int
    team_name: str | None


class PoolCollectionResponse(Answer):
    pools: list[PoolResponse]
    total_entries: int
