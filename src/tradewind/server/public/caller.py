"""Who calls, and what the handler may use for him. Every handler takes a `Caller`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeVar

from fastapi import Depends, Request

from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import Op, PublicTransaction, Where
from tradewind.server.auth import Person
from tradewind.server.auth.choke import WILDCARD, CurrentUser, authorise
from tradewind.server.problems import UnprocessableContent
from tradewind.wire.errors import NotFound

from .office import Office

T = TypeVar("T")


class Call(NamedTuple):
    """One request of one person."""

    person: Person
    office: Office

    def may(self, action: Action, resource: Resource, row: object | None = None) -> None:
        """Return when this is allowed. Raises as `server.auth.choke.authorise`."""
        authorise(self.person, action, resource, row)

    def within(self, resource: Resource, dag_id: str | None, field: str = "dag_id") -> list[Where]:
        """Authorise reading what belongs to a DAG; the conditions that keep a list to it, or, for `~`, to the DAGs this
        person may see.
        """
        self.may(Action.READ, resource, dag_id)
        if dag_id is not None and dag_id != WILDCARD:
            return [Where(field, Op.IS, dag_id)]
        visible = self.person.visible_dags(Action.READ, resource)
        return [] if visible is None else [Where(field, Op.ANY, sorted(visible))]

    async def read(self, ask: Callable[[PublicTransaction], T]) -> T:
        return await self.office.read(ask)

    async def write(self, act: Callable[[PublicTransaction], T]) -> T:
        return await self.office.write(act)


async def _call(request: Request, person: CurrentUser) -> Call:
    # No name holds NUL, and no database takes one.
    if any("\x00" in str(value) for value in request.path_params.values()):
        raise NotFound("there is nothing with this name")
    if "%00" in request.url.query:
        raise UnprocessableContent("a parameter must not hold the character NUL")
    office: Office = request.app.state.office
    return Call(person, office)


Caller = Annotated[Call, Depends(_call)]
