"""HashiCorp Vault over its HTTP API: the key-value engine, version 1 or 2.

A connection is a secret with the field `conn_uri`, or with the fields of a connection; a variable has the field
`value`. Signing in: a token, AppRole, userpass, Kubernetes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from tradewind.sdk.connections import Connection
from tradewind.wire.errors import InvalidSetting, Unavailable

from .backend import as_connection

_KUBERNETES_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 # a path
_SIGN_IN_AGAIN = (401, 403)


class VaultBackend:
    """Secrets in Vault.

    Parameters:
        connections_path, variables_path, config_path: folders below the mount; None: there are none of these in Vault.
        url: of the server, http or https.
        mount_point: of the engine; None: the first part of the names is the mount.
        kv_engine_version: 1 or 2.
        auth_type: token, approle, userpass or kubernetes.
        token, token_path: for token.
        role_id, secret_id: for approle.
        username, password: for userpass.
        kubernetes_role, kubernetes_jwt_path: for kubernetes.
        auth_mount_point: where the way of signing in is mounted, if not at its own name.
        namespace: of Vault Enterprise.
        timeout_seconds: for each request.

    Raises:
        InvalidSetting: the facts do not suffice to sign in.
    """

    def __init__(
        self,
        connections_path: str | None = "connections",
        variables_path: str | None = "variables",
        config_path: str | None = "config",
        url: str = "http://127.0.0.1:8200",
        mount_point: str | None = "secret",
        kv_engine_version: int = 2,
        auth_type: str = "token",
        token: str | None = None,
        token_path: str | None = None,
        role_id: str | None = None,
        secret_id: str | None = None,
        username: str | None = None,
        password: str | None = None,
        kubernetes_role: str | None = None,
        kubernetes_jwt_path: str = _KUBERNETES_TOKEN,
        auth_mount_point: str | None = None,
        namespace: str | None = None,
        timeout_seconds: float = 10.0,
        **_others: Any,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise InvalidSetting(f"url of the Vault backend must be http or https, not {url!r}")
        self._folders = {"connection": connections_path, "variable": variables_path, "config": config_path}
        self._url = url.rstrip("/")
        self._mount = mount_point
        self._version = int(kv_engine_version)
        self._namespace = namespace
        self._timeout_seconds = timeout_seconds
        self._login = _login(
            auth_type,
            auth_mount_point,
            {
                "token": Path(token_path).read_text().strip() if token_path else token,
                "role_id": role_id,
                "secret_id": secret_id,
                "username": username,
                "password": password,
                "role": kubernetes_role,
                "jwt_path": kubernetes_jwt_path,
            },
        )
        self._token: str | None = self._login.pop("token", None)

    def get_connection(self, conn_id: str) -> Connection | None:
        fields = self._secret("connection", conn_id)
        if not fields:
            return None
        if "conn_uri" in fields:
            return as_connection(conn_id, str(fields["conn_uri"]))
        return as_connection(conn_id, fields)

    def get_variable(self, key: str) -> str | None:
        return _text((self._secret("variable", key) or {}).get("value"))

    def get_config(self, key: str) -> str | None:
        return _text((self._secret("config", key) or {}).get("value"))

    def _secret(self, kind: str, name: str) -> dict[str, Any] | None:
        """The fields of a secret; None when there is none. Raises `Unavailable` when Vault does not answer rightly."""
        folder = self._folders[kind]
        if folder is None:
            return None
        path = f"{folder}/{name}" if folder else name
        mount = self._mount
        if mount is None:
            mount, _, path = path.partition("/")
        middle = "data/" if self._version == 2 else ""
        answer = self._ask("GET", f"/v1/{quote(mount)}/{middle}{quote(path)}")
        data = (answer or {}).get("data")
        if self._version == 2:
            data = (data or {}).get("data")
        return data if isinstance(data, dict) else None

    def _ask(self, method: str, path: str) -> dict[str, Any] | None:
        if self._token is None:
            self._sign_in()
        try:
            return self._request(method, path, None)
        except HTTPError as error:
            if error.code == 404:
                return None
            if error.code not in _SIGN_IN_AGAIN or not self._login:
                raise Unavailable(f"Vault answered {error.code} to {path}") from None
        self._sign_in()
        try:
            return self._request(method, path, None)
        except HTTPError as error:
            if error.code == 404:
                return None
            raise Unavailable(f"Vault answered {error.code} to {path}") from None

    def _sign_in(self) -> None:
        body = {name: value for name, value in self._login.items() if name not in ("path", "jwt_path")}
        if "jwt_path" in self._login:
            body["jwt"] = Path(self._login["jwt_path"]).read_text().strip()
        self._token = None
        try:
            answer = self._request("POST", self._login["path"], body)
        except HTTPError as error:
            raise Unavailable(f"Vault refused to sign in ({error.code})") from None
        self._token = ((answer or {}).get("auth") or {}).get("client_token")
        if not self._token:
            raise Unavailable("Vault gave no token")

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
        headers = {"X-Vault-Request": "true"}
        if self._token:
            headers["X-Vault-Token"] = self._token
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, headers, method=method)  # noqa: S310 # http or https, checked above
        try:
            with urlopen(request, timeout=self._timeout_seconds) as response:  # noqa: S310
                found = json.loads(response.read() or b"{}")
        except HTTPError:
            raise
        except (URLError, OSError, ValueError) as error:
            raise Unavailable(f"Vault at {self._url} cannot be asked: {error}") from None
        return found if isinstance(found, dict) else None


def _login(auth_type: str, mount: str | None, facts: dict[str, str | None]) -> dict[str, str]:
    """What signing in needs: the token itself, or the path and the fields of the request."""
    if auth_type == "token":
        if not facts["token"]:
            raise InvalidSetting("the Vault backend needs a token (backend_kwargs: token or token_path)")
        return {"token": str(facts["token"])}
    needed = {
        "approle": ("role_id", "secret_id"),
        "userpass": ("username", "password"),
        "kubernetes": ("role", "jwt_path"),
    }.get(auth_type)
    if needed is None:
        raise InvalidSetting(f"auth_type of the Vault backend is token, approle, userpass or kubernetes: {auth_type!r}")
    if missing := [name for name in needed if not facts[name]]:
        raise InvalidSetting(f"the Vault backend with auth_type {auth_type} needs {missing[0]}")
    given = {name: str(facts[name]) for name in needed}
    path = f"/v1/auth/{mount or auth_type}/login"
    if auth_type == "userpass":
        path += "/" + quote(given.pop("username"))
    return {"path": path, **given}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
