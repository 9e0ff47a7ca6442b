"""Arguments of tasks as text: for people who look at a DAG, and for telling its versions apart.

The text is the same in every process: no addresses, no order of sets. It names secrets without showing them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tradewind.domain.masking import is_sensitive

from .attempt import HIDDEN
from .xcomarg import XComArg

CHARACTERS_MAX = 4096
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def shown(name: str, value: Any) -> str:
    """The text of the value of a templated field called `name`, cut at 4096 characters."""
    if isinstance(value, str):
        text = HIDDEN if value and is_sensitive(name) else value
    else:
        text = _text(value, name)
    return text if len(text) <= CHARACTERS_MAX else f"{text[: CHARACTERS_MAX - 1]}…"


def _text(value: Any, name: str = "") -> str:
    if isinstance(value, str):
        return repr(HIDDEN if value and is_sensitive(name) else value)
    if value is None or isinstance(value, bool | int | float | bytes | date | timedelta):
        return repr(value)
    if isinstance(value, XComArg):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_text(item, str(key))}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(item, name) for item in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(_text(item, name) for item in value) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(_text(item, name) for item in value)) + "}"
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}"
    if getattr(type(value), "__repr__", None) is object.__repr__:
        fields = {key: item for key, item in getattr(value, "__dict__", {}).items() if not key.startswith("_")}
        inside = ", ".join(f"{key}={_plain(key, item)}" for key, item in sorted(fields.items()))
        return f"{type(value).__qualname__}({inside})"
    return _ADDRESS.sub("", repr(value))


def _plain(name: str, value: Any) -> str:
    """One level only: objects may refer to each other."""
    if isinstance(value, str):
        return repr(HIDDEN if value and is_sensitive(name) else value)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    return type(value).__qualname__
