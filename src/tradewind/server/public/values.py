"""Values of tasks as plain JSON: what the server can show without the classes of the authors."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from tradewind.kernel.settings import Settings
from tradewind.ports.rows import XComRow
from tradewind.runtime.values import ValueStore
from tradewind.wire.errors import BadInput, InvalidValue, LimitExceeded
from tradewind.wire.execution import XComEntry, XComValue

_TYPE, _VALUE = "$type", "$value"
_DEPTH_MAX = 200


def value_of(settings: Settings, row: XComRow) -> Any:
    """The stored value, with typed parts as their plain form (an instant as text, a set as list).

    Raises:
        NotFound, InvalidValue, Unavailable: it lies elsewhere and cannot be read.
    """
    data = row.data
    if data is None and row.url is not None:
        data = ValueStore(settings.values.url).fetch(row.url, row.sha256)
    try:
        return plain(msgspec.json.decode(data or b"null"))
    except msgspec.DecodeError as error:
        raise InvalidValue(f"the value of key {row.key!r} is no JSON: {error}") from error


def plain(value: Any, depth: int = 0) -> Any:
    """`value` without the marks of its types."""
    if depth > _DEPTH_MAX:
        return "…"
    if isinstance(value, dict):
        if _TYPE in value and _VALUE in value:
            return plain(value[_VALUE], depth + 1)
        return {key: plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each, depth + 1) for each in value]
    return value


def entry_of(settings: Settings, key: str, value: Any, name: str) -> XComEntry:
    """A value that somebody sends, as it is stored.

    Parameters:
        name: `dag/run/task`, under which a large one is found.

    Raises:
        BadInput: it has a mark of a type, which only tasks may set.
        LimitExceeded: it is larger than values.bytes_max.
    """
    if _has_marks(value):
        raise BadInput(f"a value that is sent may not have a key {_TYPE!r}: that mark is for typed values of tasks")
    data = msgspec.json.encode(value)
    if len(data) > settings.values.bytes_max:
        raise LimitExceeded(f"the value has {len(data)} bytes; values.bytes_max is {settings.values.bytes_max}")
    length = len(value) if isinstance(value, (list, dict)) else None
    if len(data) <= settings.values.inline_bytes_max:
        return XComEntry(key=key, value=XComValue(data=data, url=None, size=len(data), sha256=None, length=length))
    url = ValueStore(settings.values.url).store(data, f"{name}/{key}")
    digest = hashlib.sha256(data).hexdigest()
    return XComEntry(key=key, value=XComValue(data=None, url=url, size=len(data), sha256=digest, length=length))


def _has_marks(value: Any) -> bool:
    if isinstance(value, dict):
        return _TYPE in value or any(map(_has_marks, value.values()))
    return isinstance(value, list) and any(map(_has_marks, value))
