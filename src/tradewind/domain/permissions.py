"""Who may do what: actions on resources, everywhere or for some DAGs. Pure; `server.auth.choke` asks it.

A **grant** is written `ACTIONS:RESOURCE[@SCOPE]`, for example

- `read:*`: read everything;
- `read,edit:dag@tag:finance`: read and change the DAGs tagged `finance`, and everything that belongs to them;
- `create:dag.run@dag:sales`: trigger runs of the DAG `sales`;
- `read:dag@bundle:team-a`: read the DAGs of one bundle.

`dag` stands for a DAG and everything that belongs to it, `dag.self` for the DAG alone. `@dag:` takes `*` as a wildcard.

What belongs to a DAG (a run, a log) needs the grant on the thing and one on its DAG: `read` for reading, `edit` for
everything else. So a DAG that somebody may not see hides all that is in it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from tradewind.wire.errors import BadInput


class Action(StrEnum):
    """What somebody wants to do with a resource."""

    READ = "read"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"


class Resource(StrEnum):
    """Kinds of things that are protected. Those that begin with `dag` belong to a DAG."""

    DAG = "dag.self"
    RUN = "dag.run"
    TASK = "dag.task"
    TASK_INSTANCE = "dag.task_instance"
    LOG = "dag.log"
    XCOM = "dag.xcom"
    CODE = "dag.code"
    VERSION = "dag.version"
    WARNING = "dag.warning"
    DEPENDENCY = "dag.dependency"
    HITL = "dag.hitl"
    BACKFILL = "dag.backfill"
    DEADLINE = "dag.deadline"
    STATE_STORE = "dag.state_store"
    IMPORT_ERROR = "import_error"
    ASSET = "asset"
    ASSET_ALIAS = "asset_alias"
    CONNECTION = "connection"
    VARIABLE = "variable"
    POOL = "pool"
    CONFIGURATION = "configuration"
    AUDIT_LOG = "audit_log"
    JOB = "job"
    PLUGIN = "plugin"
    PROVIDER = "provider"
    TRIGGER = "trigger"
    CALLBACK = "callback"
    BUNDLE = "bundle"
    TEAM = "team"
    USER = "user"
    ROLE = "role"
    TOKEN = "token"  # noqa: S105 # the name of a resource

    @property
    def of_dag(self) -> bool:
        """Whether it belongs to a DAG, so that grants may be for some DAGs only."""
        return self.value.startswith("dag.")


ALL_ACTIONS = frozenset(Action)
ALL_RESOURCES = frozenset(Resource)
DAG_RESOURCES = frozenset(resource for resource in Resource if resource.of_dag)
_DAG_FAMILY = "dag"
_SCOPES = ("dag", "tag", "bundle")


class DagScope(NamedTuple):
    """What grants look at in a DAG."""

    dag_id: str
    tags: tuple[str, ...] = ()
    bundle: str = ""
    access: tuple[str, ...] = ()
    """What the DAG itself grants (`access_control`): texts `ROLE=ACTIONS:RESOURCE`."""


class Grant(NamedTuple):
    """Actions on resources, within a scope."""

    actions: frozenset[Action]
    resources: frozenset[Resource]
    scope: str | None = None
    """`dag`, `tag` or `bundle`; None: everywhere."""
    name: str = ""
    """Which DAG (a pattern), tag or bundle."""

    @property
    def is_everything(self) -> bool:
        """Whether it allows whatever there is."""
        return self.scope is None and self.actions == ALL_ACTIONS and self.resources == ALL_RESOURCES

    def covers(self, action: Action, resource: Resource, dag: DagScope | None) -> bool:
        """Whether it allows this; a grant for some DAGs never allows what belongs to none."""
        if action not in self.actions or resource not in self.resources:
            return False
        if self.scope is None:
            return True
        if dag is None:
            return False
        if self.scope == "tag":
            return self.name in dag.tags
        if self.scope == "bundle":
            return self.name == dag.bundle
        return fnmatchcase(dag.dag_id, self.name)


@functools.lru_cache(maxsize=4096)
def parse_grant(text: str) -> Grant:
    """The grant that `text` says. Raises `BadInput` naming the wrong word and what there is."""
    body, at, place = text.strip().partition("@")
    words, colon, thing = body.partition(":")
    if not colon or not words or not thing:
        raise BadInput(f"a grant is written ACTIONS:RESOURCE[@SCOPE], for example read:dag@tag:finance; not {text!r}")
    resources = _resources(thing.strip(), text)
    if not at:
        return Grant(_actions(words, text), resources)
    scope, colon, name = place.partition(":")
    if scope not in _SCOPES or not name:
        raise BadInput(f"the scope of grant {text!r} must be dag:ID, tag:NAME or bundle:NAME, not {place!r}")
    within = resources & DAG_RESOURCES
    if not within:
        raise BadInput(f"grant {text!r}: {thing} does not belong to DAGs, so it takes no scope")
    return Grant(_actions(words, text), within, scope, name)


def _actions(words: str, text: str) -> frozenset[Action]:
    if words.strip() == "*":
        return ALL_ACTIONS
    try:
        return frozenset(Action(word.strip()) for word in words.split(","))
    except ValueError:
        raise BadInput(f"grant {text!r}: actions are {', '.join(Action)} or *, not {words!r}") from None


def _resources(thing: str, text: str) -> frozenset[Resource]:
    if thing == "*":
        return ALL_RESOURCES
    if thing == _DAG_FAMILY:
        return DAG_RESOURCES
    try:
        return frozenset((Resource(thing),))
    except ValueError:
        raise BadInput(
            f"grant {text!r}: there is no resource {thing!r}; there are *, {_DAG_FAMILY}, {', '.join(Resource)}"
        ) from None


class Powers:
    """Everything that somebody may do: the grants of all roles, bounded by the scopes of a token.

    Parameters:
        roles: names of the roles, for what DAGs grant by themselves.
        grants: of all of them together.
        bounds: what a token allows at most; None: no bounds.
    """

    def __init__(self, roles: Iterable[str], grants: Iterable[Grant], bounds: Iterable[Grant] | None = None) -> None:
        self.roles = frozenset(roles)
        self.grants = tuple(grants)
        self.bounds = None if bounds is None else tuple(bounds)
        self.key = (self.roles, self.grants, self.bounds)
        """Equal for those who may do the same."""

    def allow(self, action: Action, resource: Resource, dag: DagScope | None = None) -> bool:
        """Whether `action` on `resource` is allowed.

        Parameters:
            dag: the DAG it belongs to; None: no certain one, so that only grants that hold everywhere count.
        """
        if not self._covered(action, resource, dag):
            return False
        if not resource.of_dag or resource is Resource.DAG:
            return True
        return self._covered(Action.READ if action is Action.READ else Action.EDIT, Resource.DAG, dag)

    def somewhere(self, action: Action, resource: Resource, access: Iterable[str] = ()) -> bool:
        """Whether there may be a DAG for which it is allowed: then a list is answered, filtered.

        Parameters:
            access: what all DAGs together grant by themselves.
        """
        if not resource.of_dag or self.allow(action, resource):
            return self.allow(action, resource)
        if not _possible(action, resource, self.bounds):
            return False
        given = [parse_grant(text.partition("=")[2]) for text in access if text.partition("=")[0] in self.roles]
        return _possible(action, resource, (*self.grants, *given))

    def limited(self, action: Action, resource: Resource) -> bool:
        """Whether it depends on the DAG."""
        return resource.of_dag and not self.allow(action, resource)

    def _covered(self, action: Action, resource: Resource, dag: DagScope | None) -> bool:
        if self.bounds is not None and not any(bound.covers(action, resource, dag) for bound in self.bounds):
            return False
        if any(grant.covers(action, resource, dag) for grant in self.grants):
            return True
        return dag is not None and self._granted_by_dag(action, resource, dag)

    def _granted_by_dag(self, action: Action, resource: Resource, dag: DagScope) -> bool:
        for text in dag.access:
            role, _, body = text.partition("=")
            if role in self.roles and parse_grant(body).covers(action, resource, None):
                return True
        return False


def _possible(action: Action, resource: Resource, grants: Iterable[Grant] | None) -> bool:
    return grants is None or any(action in grant.actions and resource in grant.resources for grant in grants)


NO_POWERS = Powers((), ())

# Airflow's words in `access_control`, and ours.
_FOREIGN_ACTIONS: Mapping[str, tuple[Action, ...]] = {
    "can_read": (Action.READ,),
    "can_edit": (Action.EDIT, Action.CREATE),
    "can_create": (Action.CREATE,),
    "can_delete": (Action.DELETE,),
    "can_dag_read": (Action.READ,),
    "can_dag_edit": (Action.EDIT, Action.CREATE),
    "menu_access": (),
}
_FOREIGN_RESOURCES: Mapping[str, str] = {"DAGs": _DAG_FAMILY, "DAG Runs": Resource.RUN.value}


def access_of_document(access_control: Mapping[str, object] | None) -> tuple[str, ...]:
    """What a DAG's `access_control` grants, as `DagScope.access` holds it.

    Parameters:
        access_control: role → actions, or role → resource → actions, in Airflow's words (`can_read`) or ours (`read`).

    Raises:
        BadInput: an action or resource is unknown.
    """
    found = []
    for role, given in (access_control or {}).items():
        by_resource = given if isinstance(given, Mapping) else {"DAGs": given}
        for thing, words in by_resource.items():
            if not isinstance(words, Iterable) or isinstance(words, str):
                raise BadInput(f"access_control of role {role!r} must give a set of actions, not {words!r}")
            actions = sorted({action.value for word in words for action in _foreign_actions(role, str(word))})
            if actions:
                text = f"{','.join(actions)}:{_FOREIGN_RESOURCES.get(str(thing), str(thing))}"
                parse_grant(text)
                found.append(f"{role}={text}")
    return tuple(sorted(found))


def _foreign_actions(role: str, word: str) -> tuple[Action, ...]:
    if word in _FOREIGN_ACTIONS:
        return _FOREIGN_ACTIONS[word]
    try:
        return (Action(word),)
    except ValueError:
        raise BadInput(
            f"access_control of role {role!r} has an unknown action {word!r}; there are {', '.join(_FOREIGN_ACTIONS)}"
        ) from None
