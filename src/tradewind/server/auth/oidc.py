"""Single sign-on with OpenID Connect: the authorisation code flow with PKCE.

`GET /auth/oidc/login` sends the browser to the provider, `GET /auth/oidc/callback` takes it back. What lies between is
in an encrypted cookie of a few minutes, so any server of an installation can take the browser back.
"""

from __future__ import annotations

import asyncio
import json
import secrets as random_source
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tradewind.commands.audit import Actor, Deed
from tradewind.commands.single_sign_on import ORIGIN, user_of_claims
from tradewind.domain.claims import Claimed, read_claims
from tradewind.kernel.log import get_logger
from tradewind.kernel.settings import Settings
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Transaction
from tradewind.ports.vault import Vault
from tradewind.server.database import act_for
from tradewind.wire.errors import BadInput, InvalidSetting, InvalidValue, Unauthenticated, Unavailable

from .browser import Doorway, enter
from .gate import address_of

COOKIE = "tradewind_sign_on"
CALLBACK = "/auth/oidc/callback"
_MINUTES_MAX = 10
_HTTP_SECONDS_MAX = 10.0
_LEEWAY_SECONDS = 60
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_log = get_logger("auth")


_REFUSED = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tradewind</title></head>
<body><h1>You are not signed in</h1><p>{reason}</p><p><a href="{again}">Try again</a></p></body></html>
"""


class Journey(NamedTuple):
    """What the browser carries to the provider and back."""

    state: str
    nonce: str
    verifier: str
    target: str
    began: float


class SingleSignOn:
    """The provider, asked for its facts and keys when first needed.

    Parameters:
        vault: encrypts what the browser carries.

    Raises:
        InvalidSetting: auth.oidc_role_mapping is not what it should be.
    """

    def __init__(self, doorway: Doorway, vault: Vault, settings: Settings) -> None:
        self._doorway = doorway
        self._vault = vault
        self._auth = settings.auth
        self._base_url = settings.api.base_url.rstrip("/")
        self._mapping = _mapping(self._auth.oidc_role_mapping)
        self._facts: dict[str, Any] | None = None
        self._keys: Any = None
        self._asking = asyncio.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("/auth/oidc/login", self._login, methods=["GET"]),
            Route(CALLBACK, self._callback, methods=["GET"]),
        ]

    async def _login(self, request: Request) -> Response:
        facts = await self._provider()
        journey = Journey(
            random_source.token_urlsafe(32),
            random_source.token_urlsafe(32),
            random_source.token_urlsafe(48),
            local_path(request.query_params.get("next", "/")),
            self._doorway.clock.now().timestamp(),
        )
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                facts["authorization_endpoint"],
                state=journey.state,
                nonce=journey.nonce,
                code_verifier=journey.verifier,
            )
        response = RedirectResponse(url, 303)
        response.set_cookie(
            COOKIE,
            self._vault.seal(json.dumps(journey)).decode(),
            max_age=_MINUTES_MAX * 60,
            path="/auth/oidc",
            httponly=True,
            samesite="lax",  # "strict" would keep it back on the way from the provider
            secure=self._base_url.startswith("https:"),
        )
        return response

    async def _callback(self, request: Request) -> Response:
        try:
            return await self._come_back(request)
        except (Unauthenticated, BadInput) as error:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            page = _REFUSED.format(reason=escape(str(error)), again=f"{self._base_url}/auth/oidc/login")
            return HTMLResponse(page, 401)

    async def _come_back(self, request: Request) -> Response:
        journey = self._journey(request)
        if (problem := request.query_params.get("error")) is not None:
            raise Unauthenticated(f"the provider did not let you in: {problem[:100]!r}")
        claimed = await self._claims(request, journey)
        act_for(Actor(claimed.username, ORIGIN, None, address_of(request)), Deed("sign_in"))
        now = self._doorway.clock.now()

        def act(tx: Transaction) -> UserRow:
            return user_of_claims(tx, now, claimed)

        try:
            user = await self._doorway.database.write(act)
        except Unauthenticated as error:
            _log.warning("sign_on_refused", username=claimed.username, reason=str(error))
            raise
        response = await enter(self._doorway, request, user, ORIGIN, RedirectResponse(journey.target, 303))
        response.delete_cookie(COOKIE, path="/auth/oidc")
        return response

    def _journey(self, request: Request) -> Journey:
        """Raises `Unauthenticated` when this browser did not set out from here just before."""
        try:
            journey = Journey(*json.loads(self._vault.open(request.cookies.get(COOKIE, "").encode())))
        except (InvalidValue, ValueError, TypeError):
            raise Unauthenticated(
                "this sign-in did not begin in this browser; begin again at /auth/oidc/login"
            ) from None
        given = request.query_params.get("state", "")
        if not random_source.compare_digest(given.encode(), journey.state.encode()):
            raise Unauthenticated("this answer belongs to another sign-in; begin again at /auth/oidc/login")
        if self._doorway.clock.now().timestamp() - journey.began > _MINUTES_MAX * 60:
            raise Unauthenticated("the sign-in took too long; begin again at /auth/oidc/login")
        return journey

    async def _claims(self, request: Request, journey: Journey) -> Claimed:
        """What the provider says of whoever comes back. Raises `Unauthenticated`, `Unavailable`."""
        facts = await self._provider()
        code = request.query_params.get("code", "")
        try:
            async with self._client() as client:
                token = await client.fetch_token(
                    facts["token_endpoint"], code=code, code_verifier=journey.verifier, grant_type="authorization_code"
                )
                claims = await self._verified(str(token.get("id_token", "")), journey.nonce)
                if self._lacks_roles(claims) and "userinfo_endpoint" in facts:
                    claims = await self._with_user_info(client, facts["userinfo_endpoint"], claims)
        except Unauthenticated:
            raise
        except Exception as error:  # what the provider's library raises: the request of the browser fails, nothing else
            _log.warning("sign_on_failed", error=type(error).__name__)
            raise Unauthenticated("the provider's answer could not be used; begin again at /auth/oidc/login") from None
        try:
            return read_claims(
                claims,
                username_claim=self._auth.oidc_username_claim,
                roles_claim=self._auth.oidc_roles_claim,
                role_mapping=self._mapping,
                default_roles=_words(self._auth.oidc_default_roles),
            )
        except ValueError as error:
            raise Unauthenticated(str(error)) from None

    async def _verified(self, id_token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that is the provider's, for us, of now, and of this journey."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        claims: dict[str, Any] | None = None
        for fresh in (False, True):  # a key that is not known may be a new one
            try:
                claims = jwt.decode(id_token, await self._key_set(fresh), algorithms=_ALGORITHMS).claims
                break
            except (JoseError, ValueError):
                continue
        if claims is None:
            raise Unauthenticated("the provider's ID token is not signed with a key of the provider")
        now = int(self._doorway.clock.now().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": (await self._provider())["issuer"]},
            aud={"essential": True, "value": self._auth.oidc_client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise Unauthenticated(f"the provider's ID token does not hold: {error}") from None
        return claims

    def _lacks_roles(self, claims: Mapping[str, Any]) -> bool:
        return self._auth.oidc_roles_claim.partition(".")[0] not in claims or "preferred_username" not in claims

    async def _with_user_info(self, client: Any, endpoint: str, claims: dict[str, Any]) -> dict[str, Any]:
        answer = await client.get(endpoint)
        found = answer.json() if answer.status_code == 200 else {}
        # Of somebody else: the specification has us ignore it.
        return {**found, **claims} if found.get("sub") == claims["sub"] else claims

    async def _provider(self) -> dict[str, Any]:
        async with self._asking:
            if self._facts is None:
                issuer = self._auth.oidc_issuer.rstrip("/")
                facts = await self._fetch(f"{issuer}/.well-known/openid-configuration")
                if str(facts.get("issuer", "")).rstrip("/") != issuer:
                    raise Unavailable(f"the OpenID provider at {issuer} calls itself {facts.get('issuer')!r}")
                self._facts = facts
            return self._facts

    async def _key_set(self, fresh: bool) -> Any:
        from joserfc.jwk import KeySet

        if self._keys is None or fresh:
            self._keys = KeySet.import_key_set(await self._fetch((await self._provider())["jwks_uri"]))  # type: ignore[arg-type]
        return self._keys

    async def _fetch(self, url: str) -> dict[str, Any]:
        import httpx

        try:
            async with httpx.AsyncClient(timeout=_HTTP_SECONDS_MAX) as client:
                answer = await client.get(url)
                answer.raise_for_status()
                found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"the OpenID provider cannot be asked at {url}: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise Unavailable(f"the OpenID provider did not answer with an object at {url}")
        return found

    def _client(self) -> Any:
        with warnings.catch_warnings():
            # The library prefers the next major version of the HTTP client, which others do not take yet.
            warnings.simplefilter("ignore", DeprecationWarning)
            from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

        return AsyncOAuth2Client(
            client_id=self._auth.oidc_client_id,
            client_secret=self._auth.oidc_client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if self._auth.oidc_client_secret else "none",
            scope=self._auth.oidc_scopes,
            redirect_uri=f"{self._base_url}{CALLBACK}",
            code_challenge_method="S256",
            timeout=_HTTP_SECONDS_MAX,
        )


def local_path(target: str) -> str:
    """`target` if it is a path of this server, else /: a sign-in leads nowhere else."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    return target if target.isprintable() else "/"


def _mapping(text: str) -> dict[str, Sequence[str]] | None:
    if not text.strip():
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(
        isinstance(roles, list) and all(isinstance(role, str) for role in roles) for roles in found.values()
    ):
        raise InvalidSetting('auth.oidc_role_mapping must be JSON such as {"data-team": ["User"]}')
    return found


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
