"""Many changes in one request."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from .base import Answer, Body

Entity = TypeVar("Entity", bound=Body)


class BulkActionOnExistence(StrEnum):
    FAIL = "fail"
    SKIP = "skip"
    OVERWRITE = "overwrite"


class BulkActionNotOnExistence(StrEnum):
    FAIL = "fail"
    SKIP = "skip"


class BulkActionResponse(Answer):
    success: list[str] = []
    errors: list[dict[str, Any]] = []


class BulkResponse(Answer):
    create: BulkActionResponse | None = None
    update: BulkActionResponse | None = None
    delete: BulkActionResponse | None = None


class BulkCreateAction(Body, Generic[Entity]):
    action: Literal["create"]
    entities: list[Entity]
    action_on_existence: BulkActionOnExistence = BulkActionOnExistence.FAIL


class BulkUpdateAction(Body, Generic[Entity]):
    action: Literal["update"]
    entities: list[Entity]
    update_mask: list[str] | None = None
    action_on_non_existence: BulkActionNotOnExistence = BulkActionNotOnExistence.FAIL


class BulkDeleteAction(Body, Generic[Entity]):
    action: Literal["delete"]
    entities: list[str | Entity]
    action_on_non_existence: BulkActionNotOnExistence = BulkActionNotOnExistence.FAIL


class BulkBody(Body, Generic[Entity]):
    actions: list[
        Annotated[
            BulkCreateAction[Entity] | BulkUpdateAction[Entity] | BulkDeleteAction[Entity],
            Field(discriminator="action"),
        ]
    ]
