"""What may not be shown of structured values: texts behind names that speak of secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

MASK = "***"
SENSITIVE_WORDS = (
    "access_token",
    "accesstoken",
    "api_key",
    "apikey",
    "authorization",
    "connection_string",
    "credential",
    "dsn",
    "keyfile_dict",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "privatekey",
    "proxies",
    "proxy",
    "secret",
    "service_account",
    "token",
)
_DEPTH_MAX = 20
_more: tuple[str, ...] = ()


def also_sensitive(words: Iterable[str]) -> None:
    """From now on names that hold one of these are sensitive too, in this process (secrets.sensitive_names)."""
    global _more
    _more = tuple(sorted({word.strip().casefold() for word in words if word.strip()}))


def is_sensitive(name: str) -> bool:
    """Whether what is called so is likely to be a secret."""
    folded = name.casefold().replace("-", "_")
    return any(word in folded for word in SENSITIVE_WORDS) or any(word in folded for word in _more)


def masked(value: Any, name: str = "", depth: int = 0) -> Any:
    """`value` with everything behind a sensitive name replaced by stars; empty values stay.

    Parameters:
        name: what `value` itself is called.
    """
    if value is None or value == "" or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        if depth >= _DEPTH_MAX:
            return MASK
        hidden = bool(name) and is_sensitive(name)
        return {key: masked(each, name if hidden else str(key), depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(each, name, depth + 1) for each in value] if depth < _DEPTH_MAX else MASK
    return MASK if name and is_sensitive(name) else value


def masked_text(text: str, name: str = "") -> str:
    """As `masked`; a text that is JSON is masked inside."""
    try:
        value = json.loads(text)
    except ValueError:
        return str(masked(text, name))
    if isinstance(value, (dict, list)):
        return json.dumps(masked(value, name), ensure_ascii=False)
    return str(masked(text, name))
