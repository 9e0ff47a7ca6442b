"""Rendered fields as people see them: JSON, short, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tradewind.domain.masking import is_sensitive
from tradewind.sdk.attempt import HIDDEN, Attempt

FIELD_CHARACTERS_MAX = 4096
_DEPTH_MAX = 10


def rendered_fields(task: Any, attempt: Attempt) -> dict[str, Any]:
    """The templated fields of an instance after rendering. What is longer than 4096 characters is cut, and says so."""
    return {field: _short(_shown(getattr(task, field, None), field, attempt, 0)) for field in task.template_fields}


def _shown(value: Any, name: str, attempt: Attempt, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return HIDDEN if value and is_sensitive(name) else attempt.redact(value)
    if depth < _DEPTH_MAX:
        if isinstance(value, Mapping):
            return {str(key): _shown(each, str(key), attempt, depth + 1) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_shown(each, name, attempt, depth + 1) for each in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return attempt.redact(str(value))


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return _cut(value)
    if not isinstance(value, dict | list):
        return value
    text = msgspec.json.encode(value).decode()
    return value if len(text) <= FIELD_CHARACTERS_MAX else _cut(text)


def _cut(text: str) -> str:
    if len(text) <= FIELD_CHARACTERS_MAX:
        return text
    return f"{text[:FIELD_CHARACTERS_MAX]}… ({len(text)} characters)"
