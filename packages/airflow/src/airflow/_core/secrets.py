"""`airflow.secrets`: where connections and variables are looked for."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from tradewind.sdk.connections import Connection

CONN_ENV_PREFIX = "AIRFLOW_CONN_"
VAR_ENV_PREFIX = "AIRFLOW_VAR_"
DEFAULT_SECRETS_SEARCH_PATH = [
    "airflow.secrets.environment_variables.EnvironmentVariablesBackend",
    "airflow.secrets.metastore.MetastoreBackend",
]
DEFAULT_SECRETS_SEARCH_PATH_WORKERS = DEFAULT_SECRETS_SEARCH_PATH[:1]


class BaseSecretsBackend:
    """Base of secrets backends: implement `get_conn_value` and `get_variable`."""

    def __init__(self, **kwargs: Any) -> None:
        pass

    @staticmethod
    def build_path(path_prefix: str, secret_id: str, sep: str = "/") -> str:
        """The place of a secret below a prefix."""
        return f"{path_prefix}{sep}{secret_id}"

    def get_conn_value(self, conn_id: str, **_: Any) -> str | None:
        """The connection as URI or JSON text; None: not here."""
        raise NotImplementedError

    def deserialize_connection(self, conn_id: str, value: str) -> Connection:
        """A connection out of its text."""
        text = value.strip()
        if text.startswith("{"):
            return Connection.from_json(text, conn_id)
        return Connection(conn_id=conn_id, uri=text)

    def get_connection(self, conn_id: str, **_: Any) -> Connection | None:
        """The connection; None: not here."""
        try:
            value = self.get_conn_value(conn_id)
        except NotImplementedError:
            value = self._older_uri(conn_id)
        return self.deserialize_connection(conn_id, value) if value else None

    def _older_uri(self, conn_id: str) -> str | None:
        getter = getattr(self, "get_conn_uri", None)
        return getter(conn_id) if getter is not None else None

    def get_variable(self, key: str, **_: Any) -> str | None:
        """The variable's text; None: not here."""
        raise NotImplementedError

    def get_config(self, key: str) -> str | None:  # noqa: ARG002
        """The option's text; None: not here."""
        return None


class EnvironmentVariablesBackend(BaseSecretsBackend):
    """`AIRFLOW_CONN_*` and `AIRFLOW_VAR_*`."""

    def get_conn_value(self, conn_id: str, **_: Any) -> str | None:
        return os.environ.get(CONN_ENV_PREFIX + conn_id.upper())

    def get_variable(self, key: str, **_: Any) -> str | None:
        return os.environ.get(VAR_ENV_PREFIX + key.upper())


class MetastoreBackend(BaseSecretsBackend):
    """What is kept on the server; only inside a running task."""

    def get_connection(self, conn_id: str, **_: Any) -> Connection | None:
        from tradewind.sdk.connections import find_connection
        from tradewind.sdk.exceptions import AirflowNotFoundException

        try:
            return find_connection(conn_id)
        except AirflowNotFoundException:
            return None

    def get_conn_value(self, conn_id: str, **_: Any) -> str | None:
        found = self.get_connection(conn_id)
        return found.get_uri() if found is not None else None

    def get_variable(self, key: str, **_: Any) -> str | None:
        from tradewind.sdk.variables import Variable

        value = Variable.get(key, default=None)
        return None if value is None else str(value)


class SecretCache:
    """A cache of secrets; the SDK asks its own."""

    @classmethod
    def init(cls) -> None:
        """Nothing."""

    @classmethod
    def reset(cls) -> None:
        """Nothing."""

    @classmethod
    def invalidate_variable(cls, key: str) -> None:
        """Nothing."""


@cache
def custom_backend() -> Any:
    """The backend that `[secrets] backend` names, made once; None: none."""
    from airflow._core.configuration import conf

    found = conf.getimport("secrets", "backend", fallback=None)
    if found is None:
        return None
    return found(**(conf.getjson("secrets", "backend_kwargs", fallback=None) or {}))


def backends() -> list[Any]:
    """All backends, first to last."""
    own = custom_backend()
    return [*([own] if own is not None else []), EnvironmentVariablesBackend(), MetastoreBackend()]


def get_fernet() -> Any:
    """Encrypts with `[core] fernet_key`; leaves texts as they are without one."""
    from airflow._core.configuration import conf

    key = conf.get("core", "fernet_key", fallback="")
    if not key:
        return _NoFernet()
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(one.strip().encode()) for one in str(key).split(",")])


class _NoFernet:
    is_encrypted = False

    def encrypt(self, msg: bytes) -> bytes:
        return msg

    def decrypt(self, msg: bytes) -> bytes:
        return msg
