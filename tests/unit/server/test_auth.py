from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from tests.unit.server.serving import KEY, World, running

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.adapters.tokens import BearerTokens
from tradewind.commands.users import create_user, ensure_admin, set_password
from tradewind.kernel.clock import SystemClock, VirtualClock
from tradewind.server.auth import Person, require_user
from tradewind.server.auth.throttle import DELAY_SECONDS_MAX, FREE_FAILURES, Throttle
from tradewind.wire.errors import Unauthenticated

NAME, PASSWORD = "admin", "correct horse battery"


@pytest.fixture
def admin(world: World) -> World:
    ensure_admin(world.store, Argon2Passwords(), SystemClock().now(), NAME, PASSWORD)
    return world


def token_body(username: object = NAME, password: object = PASSWORD) -> str:
    return json.dumps({"username": username, "password": password})


def who(world: World, authorization: str | None) -> Person:
    """What a handler learns that depends on `require_user`."""
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    app = SimpleNamespace(state=SimpleNamespace(gate=world.api.gate))
    scope = {"type": "http", "method": "GET", "path": "/", "server": ("here", 80), "headers": headers, "app": app}
    return asyncio.run(require_user(Request(scope)))


def test_name_and_password_give_a_token_that_opens_the_gate(admin: World) -> None:
    answer = admin.client.ask("POST", "/auth/token", token_body(), Content_Type="application/json")
    assert answer.status == 201
    said = answer.json()
    assert (said["token_type"], said["expires_in"]) == ("bearer", 86400)
    assert answer.headers["cache-control"] == "no-store"
    person = who(admin, f"Bearer {said['access_token']}")
    assert (person.username, person.roles) == (NAME, ("Admin",))


def test_a_form_does_as_well(admin: World) -> None:
    form = urlencode({"username": NAME, "password": PASSWORD, "grant_type": "password"})
    answer = admin.client.ask("POST", "/auth/token", form, Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 201


@pytest.mark.parametrize("name", [NAME, "nobody"])
def test_wrong_ones_are_refused_alike(admin: World, name: str) -> None:
    answer = admin.client.ask("POST", "/auth/token", token_body(name, "wrong"))
    assert answer.status == 401
    assert answer.json()["detail"] == "user name or password is wrong"


@pytest.mark.parametrize(
    "content", ["", "x", "[]", "{}", '{"username": "a"}', token_body(1, 2), token_body("", "x"), token_body(None)]
)
def test_bodies_that_say_nothing(admin: World, content: str) -> None:
    answer = admin.client.ask("POST", "/auth/token", content)
    assert answer.status == 400
    assert "username" in answer.json()["detail"]


def test_a_long_body_is_not_read(admin: World) -> None:
    assert admin.client.ask("POST", "/auth/token", "x" * 20_000).status == 413


def test_guessing_is_slowed_down_for_this_user_and_address(admin: World) -> None:
    for _ in range(FREE_FAILURES):
        assert admin.client.ask("POST", "/auth/token", token_body(password="wrong")).status == 401
    # A machine that is busy may take longer for a try than the first delays last; they double with each failure.
    answers = (admin.client.ask("POST", "/auth/token", token_body(password="wrong")) for _ in range(12))
    answer = next(answer for answer in answers if answer.status == 429)
    assert int(answer.headers["retry-after"]) >= 1
    assert admin.client.ask("POST", "/auth/token", token_body()).status == 429
    assert admin.client.ask("POST", "/auth/token", token_body("other", "wrong")).status == 401


def test_delays_grow_and_are_bounded_and_end_with_success() -> None:
    clock = VirtualClock()
    throttle = Throttle(clock, keys_max=2)
    waits = []
    for _ in range(FREE_FAILURES + 40):
        waits.append(throttle.wait_seconds("ann", "here"))
        throttle.failed("ann", "here")
    assert waits[: FREE_FAILURES + 3] == [0.0] * FREE_FAILURES + [1.0, 2.0, 4.0]
    assert waits[-1] == DELAY_SECONDS_MAX
    clock.advance(DELAY_SECONDS_MAX)
    assert throttle.wait_seconds("ann", "here") == 0.0
    throttle.succeeded("ann", "here")
    assert throttle.wait_seconds("ann", "here") == 0.0
    for name in ("a", "b", "c"):
        throttle.failed(name, "here")
    assert len(throttle._failures) == 2


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x.y.z", "Basic YTpi"])
def test_the_gate_is_shut_without_a_token(admin: World, authorization: str | None) -> None:
    with pytest.raises(Unauthenticated):
        who(admin, authorization)


def test_a_token_ends_with_the_password_it_was_given_for(admin: World) -> None:
    token = admin.client.ask("POST", "/auth/token", token_body()).json()["access_token"]
    with admin.store.begin() as tx:
        set_password(tx, Argon2Passwords(), NAME, "another password")
    with pytest.raises(Unauthenticated, match="not valid any more"):
        who(admin, f"Bearer {token}")


def test_tokens_of_other_keys_or_times_are_refused(admin: World) -> None:
    with admin.store.begin() as tx:
        create_user(tx, Argon2Passwords(), SystemClock().now(), "ann", PASSWORD, "viewer")
    old = BearerTokens(KEY, VirtualClock(), 60).issue("ann", "x")
    with pytest.raises(Unauthenticated, match="ended at"):
        who(admin, f"Bearer {old}")
    foreign = BearerTokens(b"f" * 32, SystemClock(), 60).issue("ann", "x")
    with pytest.raises(Unauthenticated):
        who(admin, f"Bearer {foreign}")


def test_nobody_signs_in_without_database(tmp_path: Path) -> None:
    from tests.unit.server.test_health import AwayStore

    store = AwayStore(SystemClock())
    with running(tmp_path, store=store) as world:
        store.away = True
        answer = world.client.ask("POST", "/auth/token", token_body())
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
