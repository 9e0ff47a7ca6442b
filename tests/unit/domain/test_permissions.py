from __future__ import annotations

import itertools

import pytest

from tradewind.domain.permissions import (
    Action,
    DagScope,
    Powers,
    Resource,
    access_of_document,
    parse_grant,
)
from tradewind.domain.roles import ADMIN, BUILT_IN, OP, PUBLIC, USER, VIEWER, canonical_role
from tradewind.wire.errors import BadInput

SALES = DagScope("sales", ("finance",), "team-a")
PLANTS = DagScope("plants", ("green",), "team-b")


def powers(*texts: str, roles: tuple[str, ...] = (), bounds: tuple[str, ...] | None = None) -> Powers:
    return Powers(roles, map(parse_grant, texts), None if bounds is None else map(parse_grant, bounds))


@pytest.mark.parametrize("scope", ["dag:sales", "dag:sal*", "tag:finance", "bundle:team-a"])
def test_a_grant_for_some_dags_holds_for_them_and_what_belongs_to_them(scope: str) -> None:
    some = powers(f"read:dag@{scope}")
    assert some.allow(Action.READ, Resource.DAG, SALES)
    assert some.allow(Action.READ, Resource.LOG, SALES)
    assert not some.allow(Action.READ, Resource.DAG, PLANTS)
    assert not some.allow(Action.READ, Resource.DAG)
    assert not some.allow(Action.EDIT, Resource.DAG, SALES)
    assert some.limited(Action.READ, Resource.RUN)
    assert some.somewhere(Action.READ, Resource.RUN)


def test_what_belongs_to_a_dag_needs_the_dag_too() -> None:
    runs = powers("read,create:dag.run")
    assert not runs.allow(Action.READ, Resource.RUN, SALES)
    assert powers("read,create:dag.run", "read:dag.self").allow(Action.READ, Resource.RUN, SALES)
    assert not powers("read,create:dag.run", "read:dag.self").allow(Action.CREATE, Resource.RUN, SALES)
    assert powers("create:dag.run", "edit:dag.self@dag:sales").allow(Action.CREATE, Resource.RUN, SALES)


def test_a_token_allows_no_more_than_its_scopes_and_no_more_than_its_owner() -> None:
    token = powers("*:*", bounds=("read:dag@tag:finance", "read:pool"))
    assert token.allow(Action.READ, Resource.RUN, SALES)
    assert not token.allow(Action.READ, Resource.RUN, PLANTS)
    assert not token.allow(Action.EDIT, Resource.DAG, SALES)
    assert not token.allow(Action.READ, Resource.CONNECTION)
    assert not powers("read:dag", bounds=("*:*",)).allow(Action.READ, Resource.POOL)


def test_a_dag_may_grant_access_by_itself() -> None:
    access = access_of_document({"Finance": {"can_read"}, "Ops": {"DAGs": ["can_edit"], "DAG Runs": ["can_create"]}})
    dag = DagScope("sales", access=access)
    finance = Powers(("Finance",), ())
    assert finance.allow(Action.READ, Resource.LOG, dag)
    assert not finance.allow(Action.EDIT, Resource.DAG, dag)
    assert not finance.allow(Action.READ, Resource.DAG, PLANTS)
    assert Powers(("Ops",), ()).allow(Action.CREATE, Resource.RUN, dag)
    assert not Powers(("Else",), ()).allow(Action.READ, Resource.DAG, dag)


@pytest.mark.parametrize("given", [{"r": "can_read"}, {"r": {"can_fly"}}, {"r": {"Moon": {"can_read"}}}])
def test_access_control_that_says_nothing_we_know(given: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        access_of_document(given)


@pytest.mark.parametrize(
    "text", ["", "read", "read:", ":dag", "fly:dag", "read:moon", "read:dag@", "read:dag@x:y", "read:pool@dag:a"]
)
def test_grants_that_say_nothing(text: str) -> None:
    with pytest.raises(BadInput):
        parse_grant(text)


def test_built_in_roles_widen_one_another() -> None:
    may = {name: Powers((name,), grants) for name, grants in BUILT_IN.items()}
    order = [PUBLIC, VIEWER, USER, OP, ADMIN]
    for less, more in itertools.pairwise(order):
        for action in Action:
            for resource in Resource:
                assert may[more].allow(action, resource, SALES) or not may[less].allow(action, resource, SALES)
    assert may[VIEWER].allow(Action.READ, Resource.LOG, SALES)
    assert not may[VIEWER].allow(Action.CREATE, Resource.RUN, SALES)
    assert may[USER].allow(Action.CREATE, Resource.RUN, SALES)
    assert not may[USER].allow(Action.READ, Resource.CONNECTION)
    assert may[OP].allow(Action.EDIT, Resource.VARIABLE)
    assert not may[OP].allow(Action.READ, Resource.AUDIT_LOG)
    assert may[ADMIN].allow(Action.DELETE, Resource.USER)


def test_capitals_of_built_in_roles_do_not_matter() -> None:
    assert canonical_role("admin") == ADMIN
    assert canonical_role("Finance") == "Finance"
    with pytest.raises(BadInput):
        canonical_role("a=b")
