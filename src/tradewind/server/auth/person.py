"""Who is asking, and what he may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tradewind.domain.permissions import NO_POWERS, Action, DagScope, Powers, Resource

ANONYMOUS = ""


class Person(NamedTuple):
    """Who is asking. Made anew for each request."""

    username: str
    roles: tuple[str, ...] = ()
    powers: Powers = NO_POWERS
    dags: Mapping[str, DagScope] = {}
    """What grants look at, by DAG id; filled only for people whose grants depend on the DAG."""
    means: str = "bearer"
    """How he was recognised: bearer, token, session or nobody."""
    token_id: str | None = None
    """The API token he came with."""
    session_id: str | None = None
    """The session of his browser."""

    @property
    def role(self) -> str:
        """The first of the roles, for those who show one."""
        return self.roles[0] if self.roles else ""

    @property
    def is_known(self) -> bool:
        """Whether he signed in."""
        return self.username != ANONYMOUS

    def may(self, action: Action, resource: Resource, dag_id: str | None = None) -> bool:
        """Whether this is allowed; for what belongs to a DAG without `dag_id`: whether for every DAG."""
        if dag_id is None:
            return self.powers.allow(action, resource)
        return self.powers.allow(action, resource, self.dags.get(dag_id) or DagScope(dag_id))

    def may_somewhere(self, action: Action, resource: Resource) -> bool:
        """Whether this may be allowed for some DAG, or, for what belongs to none, at all."""
        access = {text for scope in self.dags.values() for text in scope.access}
        return self.powers.somewhere(action, resource, access)

    def visible_dags(self, action: Action = Action.READ, resource: Resource = Resource.DAG) -> frozenset[str] | None:
        """The DAGs for which this is allowed, for the filters of lists; None: all, so that no filter is needed."""
        if not self.powers.limited(action, resource):
            return None
        return frozenset(dag_id for dag_id, scope in self.dags.items() if self.powers.allow(action, resource, scope))
