"""Variables."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from .base import Answer, Body


class VariableBody(Body):
    key: Annotated[str, Field(max_length=250)]
    value: JsonValue
    description: str | None = None
    team_name: Annotated[str, Field(max_length=50)] | None = None


class VariableResponse(Answer):
    key: str
    value: str | None = None
    description: str | None
    is_encrypted: bool
    team_name: str | None


class VariableCollectionResponse(Answer):
    variables: list[VariableResponse]
    total_entries: int
