"""What bodies and answers have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

Uuid = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""A UUID as text; ours are made as text and never computed with."""


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


Instant = Annotated[datetime, AfterValidator(_aware)]
"""An instant as somebody sends it; one without a zone is taken as UTC."""


class Answer(BaseModel):
    """What we say."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Body(BaseModel):
    """What we are told. Fields we do not know are refused: a wish that is not understood must not be dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
