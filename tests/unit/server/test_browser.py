"""Signing in with a browser, one's own account, and managing people, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from tests.unit.server.serving import Answer, Client, World, running

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.commands.roles import create_role
from tradewind.commands.users import create_user
from tradewind.kernel.clock import VirtualClock
from tradewind.server.auth.gate import COOKIE

PASSWORD = "correct horse battery"


class Quick(Argon2Passwords):
    """Hashes that cost little."""

    def __init__(self) -> None:
        from argon2 import PasswordHasher

        self._made = PasswordHasher(time_cost=1, memory_cost=64)


class Browser:
    """Keeps the cookie and sends what pages of ours send."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cookie: str | None = None
        self.csrf: str | None = None

    def sign_in(self, name: str, password: str = PASSWORD, **headers: str) -> Answer:
        answer = self.ask("POST", "/auth/login", {"username": name, "password": password}, **headers)
        if answer.status == 200:
            self.csrf = answer.json()["csrf_token"]
        return answer

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        if self.cookie:
            headers.setdefault("Cookie", f"{COOKIE}={self.cookie}")
        if self.csrf:
            headers.setdefault("X_CSRF_Token", self.csrf)
        text = None if body is None else json.dumps(body)
        answer = self.client.ask(method, path, text, **headers)
        if "set-cookie" in answer.headers:
            self.cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE].value or None
        return answer


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def world(tmp_path: Path, clock: VirtualClock) -> Iterator[World]:
    with running(tmp_path, clock=clock) as world:
        with world.store.begin() as tx:
            create_role(tx, clock.now(), "Finance", ["read:dag@tag:finance"])
            for name, role in (("root", "Admin"), ("ann", "Viewer"), ("fin", "Finance")):
                create_user(tx, Quick(), clock.now(), name, PASSWORD, role)
        yield world


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.client)


def test_a_browser_signs_in_is_known_and_signs_out(world: World, browser: Browser) -> None:
    answer = browser.sign_in("ann")
    assert answer.status == 200
    cookie = answer.headers["set-cookie"].lower()
    for word in ("httponly", "samesite=lax", "path=/", "max-age="):
        assert word in cookie
    me = browser.ask("GET", "/auth/me").json()
    assert (me["username"], me["roles"], me["means"], me["csrf_token"]) == ("ann", ["Viewer"], "session", browser.csrf)
    assert me["permissions"]["dag.run"] == ["read"]
    assert "connection" not in me["permissions"]
    assert "password_hash" not in me
    old = browser.cookie
    assert browser.ask("POST", "/auth/logout").status == 200
    browser.cookie = old
    assert browser.ask("GET", "/auth/me").status == 401
    with world.store.read() as tx:
        assert [row.event for row in tx.audit_list(actor="ann")] == ["sign_out", "sign_in"]


def test_the_cookie_is_secure_where_the_way_is(tmp_path: Path, clock: VirtualClock) -> None:
    settings: dict[str, Any] = {"api.base_url": "https://flows.example.org"}
    with running(tmp_path, clock=clock, **settings) as world:
        with world.store.begin() as tx:
            create_user(tx, Quick(), clock.now(), "ann", PASSWORD, "Viewer")
        answer = Browser(world.client).sign_in("ann")
        assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("csrf", [None, "", "x" * 64])
def test_a_change_with_a_cookie_needs_the_token_of_our_pages(browser: Browser, csrf: str | None) -> None:
    browser.sign_in("ann")
    good, browser.csrf = browser.csrf, csrf
    assert browser.ask("POST", "/auth/logout/everywhere").status == 403
    assert browser.ask("POST", "/auth/api-tokens", {"name": "x"}).status == 403
    assert browser.ask("GET", "/auth/me").status == 200
    browser.csrf = good
    assert browser.ask("POST", "/auth/api-tokens", {"name": "x"}, Sec_Fetch_Site="cross-site").status == 403
    assert browser.ask("POST", "/auth/api-tokens", {"name": "x"}).status == 201


@pytest.mark.parametrize(
    "headers", [{"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://evil.example"}]
)
def test_other_sites_sign_nobody_in(browser: Browser, headers: dict[str, str]) -> None:
    assert browser.sign_in("ann", **headers).status == 403


def test_a_planted_cookie_is_worth_nothing_and_goes_with_the_next_sign_in(world: World, browser: Browser) -> None:
    browser.cookie = planted = "p" * 43
    browser.sign_in("ann")
    assert browser.cookie != planted
    first = browser.cookie
    browser.sign_in("ann")
    assert browser.cookie != first
    with world.store.read() as tx:
        assert len(tx.session_list("ann")) == 1
    browser.cookie = first
    assert browser.ask("GET", "/auth/me").status == 401


def test_a_session_ends_when_nobody_uses_it_and_at_its_end(clock: VirtualClock, world: World, browser: Browser) -> None:
    idle = world.settings.auth.session_idle_seconds
    browser.sign_in("ann")
    clock.advance(idle - 1)
    assert browser.ask("GET", "/auth/me").status == 200
    clock.advance(idle - 1)
    assert browser.ask("GET", "/auth/me").status == 200
    clock.advance(idle)
    assert browser.ask("GET", "/auth/me").status == 401
    browser.sign_in("ann")
    for _ in range(world.settings.auth.session_seconds // (idle // 2) + 1):
        clock.advance(idle // 2)
        last = browser.ask("GET", "/auth/me").status
    assert last == 401


def test_signing_out_everywhere_ends_browsers_and_bearer_tokens(world: World, browser: Browser) -> None:
    body = json.dumps({"username": "ann", "password": PASSWORD})
    bearer = world.client.ask("POST", "/auth/token", body).json()["access_token"]
    other = Browser(world.client)
    other.sign_in("ann")
    browser.sign_in("ann")
    assert browser.ask("POST", "/auth/logout/everywhere").status == 200
    assert other.ask("GET", "/auth/me").status == 401
    assert world.client.ask("GET", "/auth/me", Authorization=f"Bearer {bearer}").status == 401


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(world: World, browser: Browser) -> None:
    other = Browser(world.client)
    other.sign_in("ann")
    browser.sign_in("ann")
    change = {"old_password": "wrong", "new_password": "another long one"}
    assert browser.ask("POST", "/auth/password", change).status == 400
    assert (
        browser.ask("POST", "/auth/password", {**change, "old_password": PASSWORD, "new_password": "short"}).status
        == 400
    )
    answer = browser.ask("POST", "/auth/password", {**change, "old_password": PASSWORD})
    assert answer.status == 200
    browser.csrf = answer.json()["csrf_token"]
    assert browser.ask("GET", "/auth/me").status == 200
    assert other.ask("GET", "/auth/me").status == 401
    assert Browser(world.client).sign_in("ann").status == 401
    assert Browser(world.client).sign_in("ann", "another long one").status == 200


def test_sessions_are_listed_and_ended_by_their_owner_alone(world: World, browser: Browser) -> None:
    other = Browser(world.client)
    other.sign_in("ann")
    browser.sign_in("ann")
    listed = browser.ask("GET", "/auth/sessions").json()["sessions"]
    assert sorted(each["is_this"] for each in listed) == [False, True]
    theirs = next(each["session_id"] for each in listed if not each["is_this"])
    stranger = Browser(world.client)
    stranger.sign_in("fin")
    assert stranger.ask("DELETE", f"/auth/sessions/{theirs}").status == 404
    assert browser.ask("DELETE", f"/auth/sessions/{theirs}").status == 204
    assert other.ask("GET", "/auth/me").status == 401


def test_api_tokens_are_shown_once_scoped_end_and_are_revoked(
    world: World, browser: Browser, clock: VirtualClock
) -> None:
    browser.sign_in("ann")
    made = browser.ask("POST", "/auth/api-tokens", {"name": "ci", "scopes": ["read:pool"], "days": 1}).json()
    auth = f"Bearer {made['token']}"
    me = world.client.ask("GET", "/auth/me", Authorization=auth).json()
    assert (me["username"], me["means"], me["permissions"]) == ("ann", "token", {"pool": ["read"]})
    (listed,) = browser.ask("GET", "/auth/api-tokens").json()["tokens"]
    assert "token" not in listed
    assert listed["last_used_at"] is not None
    assert world.client.ask("POST", "/auth/api-tokens", '{"name": "x"}', Authorization=auth).status == 403
    clock.advance(86400)
    assert world.client.ask("GET", "/auth/me", Authorization=auth).status == 401
    second = browser.ask("POST", "/auth/api-tokens", {"name": "ci", "days": None}).json()
    auth = f"Bearer {second['token']}"
    assert world.client.ask("GET", "/auth/me", Authorization=auth).status == 200
    assert browser.ask("DELETE", f"/auth/api-tokens/{second['token_id']}").status == 204
    assert world.client.ask("GET", "/auth/me", Authorization=auth).status == 401
    assert world.client.ask("GET", "/auth/me", Authorization=f"Bearer tw_{'0' * 16}_{'x' * 43}").status == 401
    root = Browser(world.client)
    root.sign_in("root")
    third = root.ask("POST", "/auth/api-tokens", {"name": "r"}).json()
    assert browser.ask("DELETE", f"/auth/api-tokens/{third['token_id']}").status == 404


def test_an_administrator_manages_people_and_every_change_is_logged(world: World, browser: Browser) -> None:
    browser.sign_in("root")
    new = {"username": "eve", "password": "long enough 1", "roles": ["user"], "email": "eve@example.org"}
    made = browser.ask("POST", "/auth/users", new)
    assert (made.status, made.json()["roles"]) == (201, ["User"])
    assert browser.ask("POST", "/auth/users", new).status == 409
    assert browser.ask("POST", "/auth/users", {**new, "username": "x", "roles": ["King"]}).status == 400
    assert Browser(world.client).sign_in("eve", "long enough 1").status == 200
    change = {"roles": ["Viewer", "Finance"], "is_active": False, "first_name": "Eve"}
    changed = browser.ask("PATCH", "/auth/users/eve", change).json()
    assert (changed["roles"], changed["is_active"], changed["first_name"], changed["email"]) == (
        ["Viewer", "Finance"],
        False,
        "Eve",
        "eve@example.org",
    )
    assert Browser(world.client).sign_in("eve", "long enough 1").status == 401
    assert browser.ask("DELETE", "/auth/users/root").status == 400
    assert browser.ask("PATCH", "/auth/users/root", {"roles": ["Viewer"]}).status == 409
    assert browser.ask("DELETE", "/auth/users/eve").status == 204
    with world.store.read() as tx:
        lines = [(row.event, row.thing) for row in tx.audit_list(actor="root")]
        said = repr(tx.audit_list())
    assert [event for event, _ in reversed(lines)] == [
        "sign_in",
        "create_user",
        "set_names",
        "set_roles",
        "disable_user",
        "set_names",
        "delete_user",
    ]
    assert "long enough 1" not in said
    assert "argon2" not in said


def test_roles_over_http(browser: Browser) -> None:
    browser.sign_in("root")
    assert browser.ask("POST", "/auth/roles", {"name": "Ops", "grants": ["read:dag", "fly:dag"]}).status == 400
    assert browser.ask("POST", "/auth/roles", {"name": "Ops", "grants": ["read:dag"]}).status == 201
    row = browser.ask("PATCH", "/auth/roles/Ops", {"grant": ["edit:dag@tag:a"], "revoke": ["read:dag"]}).json()
    assert row["grants"] == ["edit:dag@tag:a"]
    assert browser.ask("PATCH", "/auth/roles/Admin", {"grant": ["read:dag"]}).status == 409
    assert browser.ask("DELETE", "/auth/roles/Finance").status == 409
    assert browser.ask("DELETE", "/auth/roles/Ops").status == 204
    names = [role["name"] for role in browser.ask("GET", "/auth/roles").json()["roles"]]
    assert names == ["Admin", "Op", "User", "Viewer", "Public", "Finance"]


def test_what_is_granted_to_the_public_needs_no_sign_in(world: World, browser: Browser) -> None:
    assert world.client.ask("GET", "/auth/me").status == 401
    browser.sign_in("root")
    assert browser.ask("PATCH", "/auth/roles/Public", {"grant": ["read:pool"]}).status == 200
    me = world.client.ask("GET", "/auth/me").json()
    assert (me["is_anonymous"], me["permissions"]) == (True, {"pool": ["read"]})
    assert world.client.ask("GET", "/auth/users").status == 401
    assert world.client.ask("GET", "/auth/api-tokens").status == 401


@pytest.mark.parametrize("name", ["ann", "fin"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/users"),
        ("POST", "/auth/users"),
        ("GET", "/auth/users/root"),
        ("GET", "/auth/users/nobody"),
        ("PATCH", "/auth/users/ann"),
        ("DELETE", "/auth/users/root"),
        ("POST", "/auth/users/ann/logout"),
        ("GET", "/auth/roles"),
        ("POST", "/auth/roles"),
        ("PATCH", "/auth/roles/Finance"),
        ("DELETE", "/auth/roles/Nothing"),
        ("GET", "/auth/api-tokens?all=true"),
    ],
)
def test_others_manage_nobody(browser: Browser, name: str, method: str, path: str) -> None:
    browser.sign_in(name)
    assert browser.ask(method, path, {} if method in ("POST", "PATCH") else None).status == 403


@pytest.mark.parametrize("body", ["[]", "x", '{"roles": "Admin"}', '{"username": 1}'])
def test_odd_bodies_are_refused(browser: Browser, world: World, body: str) -> None:
    browser.sign_in("root")
    headers = {"Cookie": f"{COOKIE}={browser.cookie}", "X_CSRF_Token": str(browser.csrf)}
    assert world.client.ask("POST", "/auth/users", body, **headers).status == 400
