"""What the choke point (`choke`) decides: every handler asks `authorise` before it shows or changes anything.

    @router.get("/dags/{dag_id}/dagRuns/{run_id}")
    async def get_run(dag_id: str, run_id: str, person: CurrentUser) -> RunBody:
        authorise(person, Action.READ, Resource.RUN, dag_id)
        ...

Three answers:

- **401** for whoever did not sign in, whatever he asked for.
- **404** for what belongs to a DAG that he may not see, in the same words as for a DAG that there is not: ask before
  loading, so that time and hints tell nothing either.
- **403** where the answer tells nothing new: he sees the DAG and may not change it; or the kind of thing (connections,
  users) is closed to him altogether, whether there is such a one or not.

Lists of what belongs to DAGs are never refused to people with any grant at all, they are filtered:
`person.visible_dags(...)` gives the ids, or None for all. A `~` in a path is such a list.
"""

from __future__ import annotations

from tradewind.domain.permissions import Action, DagScope, Resource
from tradewind.wire.errors import Forbidden, NotFound, Unauthenticated

from .person import Person

WILDCARD = "~"


def authorise(person: Person, action: Action | str, resource: Resource | str, row: object | None = None) -> None:
    """Return when `person` may do this; raise otherwise.

    Parameters:
        action, resource: the words of `domain.permissions`.
        row: what it is about: the id of a DAG, or any row with a `dag_id`, for what belongs to a DAG. None: no certain
            one (a list, a thing without DAG).

    Raises:
        Unauthenticated, NotFound, Forbidden: see above.
    """
    action, resource = Action(action), Resource(resource)
    if not resource.of_dag:
        if not person.powers.allow(action, resource):
            raise _refused(person, f"you may not {action} this: {_words(resource)}")
        return
    dag_id = row if isinstance(row, str) else getattr(row, "dag_id", None)
    if dag_id is None or dag_id == WILDCARD:
        if not person.may_somewhere(action, resource):
            raise _refused(person, f"you may not {action} any {_words(resource)}")
        return
    scope = _scope(person, dag_id, row)
    if person.powers.allow(action, resource, scope):
        return
    if person.powers.allow(Action.READ, Resource.DAG, scope):
        raise _refused(person, f"you may not {action} this of DAG {dag_id!r}: {_words(resource)}")
    raise _refused(person, "") if not person.is_known else unknown_dag(dag_id)


def require(person: Person) -> Person:
    """`person`, when he signed in. Raises `Unauthenticated`."""
    if not person.is_known:
        raise _refused(person, "")
    return person


def unknown_dag(dag_id: str) -> NotFound:
    """What is said of a DAG that does not exist, and of one that may not be seen."""
    return NotFound(f"DAG {dag_id!r} does not exist")


def _scope(person: Person, dag_id: str, row: object) -> DagScope:
    known = person.dags.get(dag_id)
    if known is not None:
        return known
    tags, bundle, access = getattr(row, "tags", ()), getattr(row, "bundle", ""), getattr(row, "access", ())
    return DagScope(dag_id, tuple(tags), bundle, tuple(access))


def _refused(person: Person, message: str) -> Forbidden | Unauthenticated:
    if not person.is_known:
        return Unauthenticated("sign in first: this needs a bearer token (POST /auth/token), an API token or a session")
    return Forbidden(message)


def _words(resource: Resource) -> str:
    return resource.value.removeprefix("dag.").replace("_", " ").replace("self", "DAG")
