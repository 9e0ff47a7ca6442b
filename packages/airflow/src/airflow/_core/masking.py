"""`airflow.utils.log.secrets_masker`: hiding secrets, by way of the attempt at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradewind.sdk.attempt import HIDDEN, attempt_at_hand, is_sensitive

Redactable = Any
Redacted = Any
DEFAULT_SENSITIVE_FIELDS = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "authorization",
        "keyfile_dict",
        "passphrase",
        "passwd",
        "password",
        "private_key",
        "secret",
        "service_account",
        "token",
    }
)


def mask_secret(secret: Any, name: str | None = None) -> None:
    """From now on a text (or the texts in a dict or list) is shown in no log of the running task.

    Parameters:
        name: when given, only what its name calls a secret is hidden.
    """
    attempt = attempt_at_hand()
    if attempt is None or not secret:
        return
    if isinstance(secret, str):
        if name is None or is_sensitive(name):
            attempt.mask(secret)
    elif isinstance(secret, Mapping):
        for key, value in secret.items():
            mask_secret(value, str(key))
    elif isinstance(secret, list | tuple | set):
        for value in secret:
            mask_secret(value, name)


async def amask_secret(secret: Any, name: str | None = None) -> None:
    """As `mask_secret`."""
    mask_secret(secret, name)


def should_hide_value_for_key(name: Any) -> bool:
    """Whether a key of this name usually holds a secret."""
    return isinstance(name, str) and is_sensitive(name.strip())


def redact(value: Any, name: str | None = None, max_depth: int | None = None, replacement: str = HIDDEN) -> Any:
    """The value with its secrets replaced."""
    return SecretsMasker().redact(value, name, max_depth, replacement)


def merge(new_value: Any, old_value: Any, name: str | None = None, max_depth: int | None = None) -> Any:  # noqa: ARG001
    """The new value, with the old one where the new says only that it is hidden."""
    if isinstance(new_value, Mapping) and isinstance(old_value, Mapping):
        return {key: merge(value, old_value.get(key), str(key)) for key, value in new_value.items()}
    return old_value if new_value == HIDDEN else new_value


class SecretsMasker:
    """Hides secrets in values."""

    MAX_RECURSION_DEPTH = 5

    def __init__(self, replacement: str = HIDDEN) -> None:
        self.patterns: set[str] = set()
        self.replacement = replacement

    def add_mask(self, secret: Any, name: str | None = None) -> None:
        """As `mask_secret`; remembered here too."""
        if isinstance(secret, str) and secret and (name is None or is_sensitive(name)):
            self.patterns.add(secret)
        mask_secret(secret, name)

    def reset_masker(self) -> None:
        """Forget what was added."""
        self.patterns.clear()

    def redact(
        self, item: Any, name: str | None = None, max_depth: int | None = None, replacement: str | None = None
    ) -> Any:
        """The item with its secrets replaced, as deep as `max_depth` levels."""
        depth = self.MAX_RECURSION_DEPTH if max_depth is None else max_depth
        return self._redact(item, name, depth, replacement or self.replacement)

    def _redact(self, item: Any, name: str | None, depth: int, replacement: str) -> Any:
        if name and item and should_hide_value_for_key(name):
            return self._all_hidden(item, depth, replacement)
        if depth < 0:
            return item
        if isinstance(item, str):
            return self._hidden(item, replacement)
        if isinstance(item, Mapping):
            return {key: self._redact(value, str(key), depth - 1, replacement) for key, value in item.items()}
        if isinstance(item, list | tuple | set):
            found = [self._redact(value, name, depth - 1, replacement) for value in item]
            return found if isinstance(item, list | set) else tuple(found)
        return item

    def _all_hidden(self, item: Any, depth: int, replacement: str) -> Any:
        if depth >= 0 and isinstance(item, Mapping):
            return {key: self._all_hidden(value, depth - 1, replacement) for key, value in item.items()}
        if depth >= 0 and isinstance(item, list | tuple | set):
            return type(item)(self._all_hidden(value, depth - 1, replacement) for value in item)
        return replacement if isinstance(item, str) else item

    def _hidden(self, text: str, replacement: str) -> str:
        for secret in sorted(self.patterns, key=len, reverse=True):
            text = text.replace(secret, replacement)
        attempt = attempt_at_hand()
        return attempt.redact(text) if attempt is not None else text


def _secrets_masker() -> SecretsMasker:
    return SecretsMasker()
