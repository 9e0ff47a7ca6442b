"""The backends that secrets.backend names, asked one after another."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tradewind.kernel.log import get_logger
from tradewind.sdk.connections import Connection
from tradewind.wire.errors import InvalidSetting

from .backend import connection_of

_HERE = "tradewind.runtime.secrets"
SHORT_NAMES = {
    "file": f"{_HERE}.local_file.LocalFilesystemBackend",
    "vault": f"{_HERE}.vault.VaultBackend",
    "aws": f"{_HERE}.clouds.AwsSecretsManagerBackend",
    "aws-parameters": f"{_HERE}.clouds.AwsParameterStoreBackend",
    "gcp": f"{_HERE}.clouds.GoogleSecretManagerBackend",
    "azure": f"{_HERE}.clouds.AzureKeyVaultBackend",
}
# Ours take the same arguments, and need no provider.
_SAME = {
    "airflow.secrets.local_filesystem.LocalFilesystemBackend": "file",
    "airflow.providers.hashicorp.secrets.vault.VaultBackend": "vault",
    "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend": "aws",
    "airflow.providers.amazon.aws.secrets.systems_manager.SystemsManagerParameterStoreBackend": "aws-parameters",
    "airflow.providers.google.cloud.secrets.secret_manager.CloudSecretManagerBackend": "gcp",
    "airflow.providers.microsoft.azure.secrets.key_vault.AzureKeyVaultBackend": "azure",
}
T = TypeVar("T")
_log = get_logger("secrets")


def backend_names(backend: str) -> list[str]:
    """The names in secrets.backend, in order."""
    return [name.strip() for name in backend.split(",") if name.strip()]


def read_arguments(names: Sequence[str], kwargs: str) -> list[dict[str, Any]]:
    """The arguments of each backend: one object for a single backend, or an object by name for several.

    Raises `InvalidSetting` when the text is no such thing.
    """
    try:
        given = json.loads(kwargs) if kwargs.strip() else {}
    except ValueError:
        given = None  # the text may hold a password: it is not shown
    if not isinstance(given, dict):
        raise InvalidSetting("secrets.backend_kwargs must be a JSON object")
    if len(names) == 1 and names[0] not in given:
        return [given]
    found = [given.get(name, {}) for name in names]
    if not all(isinstance(each, dict) for each in found):
        raise InvalidSetting("secrets.backend_kwargs for several backends is an object of objects, by name")
    return found


def make_backends(backend: str, kwargs: str) -> list[Any]:
    """The backends, made. Raises `InvalidSetting` naming the one that cannot be."""
    names = backend_names(backend)
    return [_make(name, arguments) for name, arguments in zip(names, read_arguments(names, kwargs), strict=True)]


def _make(name: str, arguments: dict[str, Any]) -> Any:
    path = SHORT_NAMES.get(_SAME.get(name, name), name)
    module, dot, attribute = path.rpartition(".")
    if not dot:
        raise InvalidSetting(
            f"secrets.backend {name!r} is unknown: there are {', '.join(SHORT_NAMES)}, or the path of a class"
        )
    try:
        return getattr(importlib.import_module(module), attribute)(**arguments)
    except (ImportError, AttributeError) as error:
        raise InvalidSetting(f"secrets.backend {name!r} cannot be imported: {error}") from error
    except TypeError as error:
        raise InvalidSetting(f"secrets.backend {name!r} does not take its backend_kwargs: {error}") from error


class Chain:
    """Asks the backends in turn; one that fails is logged, without the message, which may quote a secret."""

    def __init__(self, backends: Sequence[Any]) -> None:
        self._backends = backends

    def connection(self, conn_id: str) -> Connection | None:
        return self._first(conn_id, lambda backend: connection_of(backend, conn_id))

    def variable(self, key: str) -> str | None:
        def ask(backend: Any) -> str | None:
            asked: Callable[[str], str | None] | None = getattr(backend, "get_variable", None)
            return asked(key) if asked is not None else None

        return self._first(key, ask)

    def _first(self, name: str, ask: Callable[[Any], T | None]) -> T | None:
        for backend in self._backends:
            try:
                found = ask(backend)
            except Exception as error:  # foreign code: the next backend may know
                _log.warning(
                    "secrets_backend_failed", backend=type(backend).__name__, name=name, error=type(error).__name__
                )
                continue
            if found is not None:
                return found
        return None
