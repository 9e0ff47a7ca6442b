"""Users and roles in the shapes of Airflow's FAB auth manager."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.server.serving import Answer, World
from tests.unit.server.test_browser import PASSWORD, Quick

from tradewind.commands.users import create_user
from tradewind.domain.foreign_permissions import grant_of, pairs_of
from tradewind.domain.permissions import parse_grant
from tradewind.domain.roles import BUILT_IN, VIEWER
from tradewind.kernel.clock import SystemClock
from tradewind.wire.errors import BadInput

Ask = Callable[..., Answer]


@pytest.fixture
def ask(world: World) -> Ask:
    with world.store.begin() as tx:
        create_user(tx, Quick(), SystemClock().now(), "root", PASSWORD, "Admin")
    body = json.dumps({"username": "root", "password": PASSWORD})
    token = world.client.ask("POST", "/auth/token", body).json()["access_token"]

    def ask(method: str, path: str, body: Any = None) -> Answer:
        text = None if body is None else json.dumps(body)
        return world.client.ask(method, f"/auth/fab/v1{path}", text, Authorization=f"Bearer {token}")

    return ask


def pair(action: str, resource: str) -> dict[str, Any]:
    return {"action": {"name": action}, "resource": {"name": resource}}


def test_users(ask: Ask) -> None:
    new = {
        "username": "ann",
        "password": "long enough 1",
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@example.org",
        "roles": [{"name": "User"}],
    }
    made = ask("POST", "/users", new).json()
    assert (made["username"], made["first_name"], made["roles"], made["active"]) == (
        "ann",
        "Ann",
        [{"name": "User"}],
        True,
    )
    assert "password" not in json.dumps(made)
    assert ask("POST", "/users", new).status == 409
    changed = ask("PATCH", "/users/ann?update_mask=last_name", {"last_name": "Ray", "first_name": "Eve"}).json()
    assert (changed["first_name"], changed["last_name"]) == ("Ann", "Ray")
    assert ask("PATCH", "/users/ann", {"roles": [{"name": "Op"}], "password": "another 123"}).json()["roles"] == [
        {"name": "Op"}
    ]
    listed = ask("GET", "/users?limit=1&offset=0").json()
    assert (len(listed["users"]), listed["total_entries"]) == (1, 2)
    assert ask("GET", "/users/ann").json()["email"] == "ann@example.org"
    assert ask("DELETE", "/users/ann").status == 204
    assert ask("GET", "/users/ann").status == 404
    assert ask("GET", "/users?limit=-1").status == 400
    assert ask("POST", "/users", {**new, "roles": ["User"]}).status == 400


def test_roles_and_permissions(ask: Ask) -> None:
    actions = [pair("can_read", "DAGs"), pair("can_edit", "DAG:sales"), pair("menu_access", "Browse")]
    made = ask("POST", "/roles", {"name": "Finance", "actions": actions}).json()
    assert made == {"name": "Finance", "actions": [pair("can_read", "DAGs"), pair("can_edit", "DAG:sales")]}
    changed = ask("PATCH", "/roles/Finance", {"actions": [pair("can_read", "Pools"), pair("can_read", "DAGs")]}).json()
    assert {each["resource"]["name"] for each in changed["actions"]} == {"DAGs", "Pools"}
    assert ask("GET", "/roles/Finance").json() == changed
    assert ask("GET", "/roles").json()["total_entries"] == 6
    assert ask("PATCH", "/roles/Admin", {"actions": []}).status == 409
    assert ask("POST", "/roles", {"name": "X", "actions": [pair("can_fly", "DAGs")]}).status == 400
    assert ask("POST", "/roles", {"name": "X", "actions": ["x"]}).status == 400
    assert ask("DELETE", "/roles/Finance").status == 204
    assert ask("GET", "/roles/Finance").status == 404
    assert {"name": "can_read"} in ask("GET", "/permissions").json()["actions"]


def test_words_go_both_ways() -> None:
    for pairs in pairs_of(BUILT_IN[VIEWER]):
        text = grant_of(*pairs)
        assert text is not None
        assert pairs_of([parse_grant(text)]) == [pairs]
    assert grant_of("can_create", "DAG Run:sales") == "create:dag.run@dag:sales"
    assert grant_of("can_read", "Website") is None
    for action, resource in (("can_fly", "DAGs"), ("can_read", "Moon"), ("can_read", "DAG:")):
        with pytest.raises(BadInput):
            grant_of(action, resource)
