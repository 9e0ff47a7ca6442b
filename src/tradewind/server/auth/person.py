"""Who is asking, and what he may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tradewind.domain.permissions import NO_POWERS, Action, DagScope, Powers, Resource

ANONYMOUS = ""


class Directory(dict[str, DagScope]):
    """What grants look at, by DAG id, as it was read at one moment; keeps what was found out over it."""

    def __init__(self, scopes: Iterable[DagScope]) -> None:
        super().__init__((scope.dag_id, scope) for scope in scopes)
        self.visible: dict[Any, frozenset[str]] = {}
        self.access = frozenset(text for scope in self.values() for text in scope.access)
        """What all DAGs together grant by themselves."""


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
        return self.powers.somewhere(action, resource, self.access)

    @property
    def access(self) -> frozenset[str]:
        """What all DAGs together grant by themselves."""
        if isinstance(self.dags, Directory):
            return self.dags.access
        return frozenset(text for scope in self.dags.values() for text in scope.access)

    def visible_dags(self, action: Action = Action.READ, resource: Resource = Resource.DAG) -> frozenset[str] | None:
        """The DAGs for which this is allowed, for the filters of lists; None: all, so that no filter is needed."""
        if not self.powers.limited(action, resource):
            return None
        kept = self.dags.visible if isinstance(self.dags, Directory) else {}
        key = (self.powers.key, action, resource)
        found = kept.get(key)
        if found is None:
            allow = self.powers.allow
            found = frozenset(dag_id for dag_id, scope in self.dags.items() if allow(action, resource, scope))
            kept[key] = found
        return found
