"""What bodies and answers have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

Uuid = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""A UUID as text; ours are made as text and never computed with."""


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


Instant = Annotated[datetime, AfterValidator(_aware)]
"""An instant as somebody sends it; one without a zone is taken as UTC."""


class Answer(BaseModel):
    """What we say."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


_WHOLE_MAX = 2**62
Whole = Annotated[int, Field(ge=-_WHOLE_MAX, le=_WHOLE_MAX)]
"""A whole number that databases hold."""
_FREE = frozenset({"value", "conf", "dag_run_conf", "extra", "params_input"})
"""Fields that hold any JSON, kept as such."""


def _check_storable(value: Any) -> None:
    """Raises `ValueError` for what no database holds as a text or a number."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a text must not hold the character NUL")
    elif isinstance(value, list):
        for each in value:
            _check_storable(each)
    elif isinstance(value, int) and abs(value) > _WHOLE_MAX:
        raise ValueError("a whole number must fit into 63 bits")


class Body(BaseModel):
    """What we are told. Fields we do not know are refused: a wish that is not understood must not be dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        if isinstance(given, dict):
            for name, value in given.items():
                if name not in _FREE:
                    _check_storable(value)
        return given
