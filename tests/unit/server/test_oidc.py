"""Single sign-on against a real OpenID Connect provider, which runs in the test."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.unit.server.serving import Answer, World, running

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.commands.users import create_user, set_active
from tradewind.domain.claims import read_claims
from tradewind.kernel.clock import SystemClock
from tradewind.server.auth.oidc import local_path

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
GROUPS = {"ann": ["data-team", "leads"], "bob": ["others"], "eve": ["data-team"]}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import oidc_provider_mock as provider  # type: ignore[import-untyped]
    users = [
        provider.User(sub=name, claims={"groups": groups, "preferred_username": name, "email": f"{name}@example.org"})
        for name, groups in GROUPS.items()
    ]
    users.append(provider.User(sub="impostor", claims={"groups": ["data-team"], "preferred_username": "ann"}))
    with provider.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def settings(issuer: str) -> dict[str, Any]:
    return {
        "auth.oidc_issuer": issuer,
        "auth.oidc_client_id": "tradewind",
        "auth.oidc_client_secret": "provider-canary",
        "auth.oidc_role_mapping": json.dumps({"data-team": ["User"], "leads": ["Op"]}),
        "auth.oidc_name": "ACME",
    }


class Traveller:
    """A browser that goes from our server to the provider and back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cookies: dict[str, str] = {}

    def ask(self, path: str) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                self.cookies |= {morsel.key: morsel.value for morsel in SimpleCookie(value).values()}
        connection.close()
        return answer

    def set_out(self, target: str = "/dags") -> str:
        answer = self.ask(f"/auth/oidc/login?{urlencode({'next': target})}")
        assert answer.status == 303, answer.body
        return answer.headers["location"]

    def at_the_provider(self, url: str, name: str) -> str:
        """Sign in there; the path that the provider sends the browser back to."""
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=30)
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{parts.path}?{parts.query}", urlencode({"sub": name}), head)
        back = connection.getresponse().headers["location"]
        connection.close()
        return f"{urlsplit(back).path}?{urlsplit(back).query}"

    def sign_in(self, name: str, target: str = "/dags") -> Answer:
        return self.ask(self.at_the_provider(self.set_out(target), name))


def test_somebody_new_comes_in_with_the_roles_of_his_groups(tmp_path: Path, settings: dict[str, Any]) -> None:
    with running(tmp_path, **settings) as world:
        browser = Traveller(world)
        url = browser.set_out("/dags?tags=a")
        query = parse_qs(urlsplit(url).query)
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == [f"{world.settings.api.base_url}/auth/oidc/callback"]
        assert "provider-canary" not in url
        answer = browser.ask(browser.at_the_provider(url, "ann"))
        assert (answer.status, answer.headers["location"]) == (303, "/dags?tags=a"), answer.body
        me = browser.ask("/auth/me").json()
        assert (me["username"], me["roles"], me["origin"], me["email"]) == (
            "ann",
            ["User", "Op"],
            "oidc",
            "ann@example.org",
        )
        assert browser.ask("/auth/providers").json() == {
            "password": True,
            "oidc": {"name": "ACME", "url": "/auth/oidc/login"},
        }
        with world.store.read() as tx:
            assert [row.event for row in tx.audit_list()] == ["sign_in", "create_user"]
            assert not tx.audit_list()[0].details.get("code")


def test_who_has_no_group_that_is_mapped_stays_outside(tmp_path: Path, settings: dict[str, Any]) -> None:
    with running(tmp_path, **settings) as world:
        answer = Traveller(world).sign_in("bob")
        assert answer.status == 401
        assert "no role" in answer.json()["detail"]
        with world.store.read() as tx:
            assert tx.user_list() == []
        page = world.client.ask("GET", "/auth/oidc/callback?state=<script>", Accept="text/html")
        assert (page.status, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
        assert b"You are not signed in" in page.body
        assert b"<script" not in page.body
    with running(tmp_path / "b", **(settings | {"auth.oidc_default_roles": "Viewer"})) as world:
        browser = Traveller(world)
        assert browser.sign_in("bob").status == 303
        assert browser.ask("/auth/me").json()["roles"] == ["Viewer"]


def test_a_name_that_is_taken_is_not_taken_over(tmp_path: Path, settings: dict[str, Any]) -> None:
    with running(tmp_path, **settings) as world:
        with world.store.begin() as tx:
            create_user(tx, Argon2Passwords(), SystemClock().now(), "eve", "correct horse battery", "Admin")
        assert Traveller(world).sign_in("eve").status == 401
        assert Traveller(world).sign_in("ann").status == 303
        assert Traveller(world).sign_in("impostor").status == 401, "the same name, another subject"
        assert Traveller(world).sign_in("ann").status == 303
        with world.store.begin() as tx:
            set_active(tx, "ann", False)
        assert Traveller(world).sign_in("ann").status == 401


def test_answers_that_belong_to_no_journey_of_this_browser(tmp_path: Path, settings: dict[str, Any]) -> None:
    with running(tmp_path, **settings) as world:
        victim, attacker = Traveller(world), Traveller(world)
        back = attacker.at_the_provider(attacker.set_out(), "ann")
        assert victim.ask(back).status == 401, "no journey began here"
        victim.set_out()
        assert victim.ask(back).status == 401, "another state"
        assert "tradewind_session" not in victim.cookies
        assert attacker.ask(back).status == 303
        assert attacker.ask(back).status == 401, "a code is used once"
        query = parse_qs(urlsplit(victim.set_out()).query)
        refused = victim.ask(f"/auth/oidc/callback?error=access_denied&state={query['state'][0]}")
        assert (refused.status, "access_denied" in refused.json()["detail"]) == (401, True)
        victim.cookies["tradewind_sign_on"] = "forged"
        assert victim.ask(f"/auth/oidc/callback?code=x&state={query['state'][0]}").status == 401


def test_a_token_for_another_client_is_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with running(tmp_path, **settings) as world:
        browser = Traveller(world)
        url = browser.set_out().replace("client_id=tradewind", "client_id=another")
        assert browser.ask(browser.at_the_provider(url, "ann")).status == 401


def test_a_provider_that_is_away_is_said(tmp_path: Path, settings: dict[str, Any]) -> None:
    away = {**settings, "auth.oidc_issuer": "http://127.0.0.1:9"}
    with running(tmp_path, **away) as world:
        assert world.client.ask("GET", "/auth/oidc/login").status == 503


def test_passwords_may_be_switched_off(tmp_path: Path, settings: dict[str, Any]) -> None:
    with running(tmp_path, **(settings | {"auth.password_sign_in": False})) as world:
        body = json.dumps({"username": "ann", "password": "x"})
        for path in ("/auth/login", "/auth/token", "/auth/token/cli"):
            assert world.client.ask("POST", path, body).status == 403


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "", "a", "/\nx"]
)
def test_a_sign_in_leads_nowhere_else(target: str) -> None:
    assert local_path(target) == "/"


def test_claims() -> None:
    assert read_claims({"sub": "1", "groups": "Admin Op x"}).roles == ("Admin", "Op")
    assert read_claims({"sub": "1", "groups": ["Public", "a=b"]}).roles == ()
    nested = {"sub": "1", "email": "a@b", "realm_access": {"roles": ["viewer"]}}
    found = read_claims(nested, roles_claim="realm_access.roles")
    assert (found.username, found.roles) == ("a@b", ("Viewer",))
    assert read_claims(
        {"sub": "1", "https://x.org/r": ["g"]}, roles_claim="https://x.org/r", role_mapping={"g": ["Op"]}
    ).roles == ("Op",)
    for claims in ({}, {"sub": ""}, {"sub": 1}):
        with pytest.raises(ValueError, match="nobody"):
            read_claims(claims)
