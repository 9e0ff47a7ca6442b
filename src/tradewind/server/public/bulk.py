"""Many changes in one request: each action is done wholly or, with its fault in the answer, not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from tradewind.wire.errors import BadInput, Conflict, Forbidden, NotFound, TradewindError

from .models.base import Body
from .models.bulk import (
    BulkActionNotOnExistence,
    BulkActionOnExistence,
    BulkActionResponse,
    BulkBody,
    BulkCreateAction,
    BulkResponse,
    BulkUpdateAction,
)

Entity = TypeVar("Entity", bound=Body)
Entity_contra = TypeVar("Entity_contra", bound=Body, contravariant=True)


class Things(Protocol[Entity_contra]):
    """A kind of thing that can be changed in bulk, inside one transaction."""

    noun: str

    def key(self, entity: Entity_contra | str) -> str:
        """What it is called in the answer. Raises `BadInput` for one that names nothing."""
        ...

    def exists(self, entity: Entity_contra | str) -> bool: ...
    def create(self, entity: Entity_contra, *, overwrite: bool) -> None: ...
    def update(self, entity: Entity_contra, mask: Sequence[str] | None) -> None: ...
    def delete(self, entity: Entity_contra | str) -> None: ...


def carry_out(things: Things[Entity], body: BulkBody[Entity]) -> BulkResponse:
    """Every action in order."""
    done: dict[str, BulkActionResponse] = {}
    for action in body.actions:
        if isinstance(action, BulkCreateAction):
            said = _create(things, action.entities, action.action_on_existence)
        elif isinstance(action, BulkUpdateAction):
            update = functools.partial(_update, things, action.update_mask)
            said = _present(things, action.entities, action.action_on_non_existence, update)
        else:
            said = _present(things, action.entities, action.action_on_non_existence, things.delete)
        before = done.get(action.action)
        done[action.action] = said if before is None else _both(before, said)
    return BulkResponse(**done)


def _create(
    things: Things[Entity], entities: Sequence[Entity], on_existence: BulkActionOnExistence
) -> BulkActionResponse:
    there = {things.key(each) for each in entities if things.exists(each)}
    if there and on_existence is BulkActionOnExistence.FAIL:
        return _failed(Conflict(f"{things.noun} with these names exist already: {', '.join(sorted(there))}"))
    wanted = [
        each for each in entities if on_existence is not BulkActionOnExistence.SKIP or things.key(each) not in there
    ]
    return _each(things, wanted, lambda each: things.create(each, overwrite=things.key(each) in there))


def _update(things: Things[Entity], mask: Sequence[str] | None, entity: Entity) -> None:
    things.update(entity, mask)


def _present(
    things: Things[Entity],
    entities: Sequence[Any],
    on_absence: BulkActionNotOnExistence,
    act: Callable[[Any], None],
) -> BulkActionResponse:
    absent = {things.key(each) for each in entities if not things.exists(each)}
    if absent and on_absence is BulkActionNotOnExistence.FAIL:
        return _failed(NotFound(f"{things.noun} with these names do not exist: {', '.join(sorted(absent))}"))
    return _each(things, [each for each in entities if things.key(each) not in absent], act)


def _each(things: Things[Entity], entities: Sequence[Any], act: Callable[[Any], None]) -> BulkActionResponse:
    success, errors = [], []
    for each in entities:
        try:
            act(each)
        except (BadInput, Conflict, Forbidden, NotFound) as error:
            errors.append(_fault(error))
        else:
            success.append(things.key(each))
    return BulkActionResponse(success=success, errors=errors)


def _failed(error: TradewindError) -> BulkActionResponse:
    return BulkActionResponse(errors=[_fault(error)])


def _fault(error: TradewindError) -> dict[str, Any]:
    return {"error": str(error), "status_code": error.http_status}


def _both(first: BulkActionResponse, second: BulkActionResponse) -> BulkActionResponse:
    return BulkActionResponse(success=first.success + second.success, errors=first.errors + second.errors)
