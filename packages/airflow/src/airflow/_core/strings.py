"""`airflow.utils.strings` and hashes."""

from __future__ import annotations

import hashlib
import secrets
import string
from typing import Any

TRUE_LIKE_VALUES = {"on", "t", "true", "y", "yes", "1"}


def get_random_string(length: int = 8, choices: str = string.ascii_letters + string.digits) -> str:
    """A text of random signs."""
    return "".join(secrets.choice(choices) for _ in range(length))


def to_boolean(astring: str | None) -> bool:
    """Whether a text says yes."""
    return astring is not None and astring.lower() in TRUE_LIKE_VALUES


def md5(data: Any = b"", /, *, usedforsecurity: bool = False) -> Any:
    """A hash that is not used for security."""
    return hashlib.md5(data, usedforsecurity=usedforsecurity)  # noqa: S324 # the caller says for what
