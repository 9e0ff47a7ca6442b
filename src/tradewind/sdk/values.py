"""What a task leaves for others (XCom), between Python and the wire: JSON inline up to a bound, above it in the
value storage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from tradewind.ports.task_client import TaskClient
from tradewind.sdk.defaults import authoring_defaults
from tradewind.sdk.value_codecs import ClassGate, PatternGate, from_json, register_class, to_json
from tradewind.wire.errors import InvalidValue, LimitExceeded
from tradewind.wire.execution import XComEntry, XComValue

__all__ = [
    "ClassGate",
    "PatternGate",
    "ValueLimits",
    "decode_value",
    "encode_value",
    "from_json",
    "pack",
    "register_class",
    "to_json",
    "unpack",
    "value_length",
]

RETURN_KEY = "return_value"
_BY_BACKEND = b'{"$type":"backend","$value":'
"""How a value begins that a backend wrote; what follows is what the backend keeps."""


@dataclass(frozen=True, slots=True)
class ValueLimits:
    """The settings `values.inline_bytes_max` and `values.bytes_max`, in bytes of JSON."""

    inline_bytes_max: int = 64 * 1024
    bytes_max: int = 1 << 30


def encode_value(
    value: object,
    *,
    name: str = "value",
    limits: ValueLimits | None = None,
    key: str | None = None,
    map_index: int = -1,
) -> XComValue:
    """`value` for the wire, always inline. `name` (dag/run/task/key) is for messages.

    Raises:
        InvalidValue: a part of it has no JSON form; the path inside it, its type and the remedy are named.
        LimitExceeded: its JSON is larger than `values.bytes_max`.
    """
    bound = (limits or ValueLimits()).bytes_max
    try:
        data = to_json(value) if key is None else _written(value, key, name, map_index)
    except InvalidValue as error:
        raise InvalidValue(f"XCom {name}: {error}") from error
    if len(data) > bound:
        raise LimitExceeded(
            f"XCom {name} has {len(data)} bytes; the setting values.bytes_max allows {bound}: "
            "raise it, or write the data to a file or table and return its location"
        )
    return XComValue(data=data, size=len(data), length=value_length(value))


def decode_value(stored: XComValue, client: TaskClient, gate: ClassGate) -> Any:
    """The Python value; fetched from the value storage when it is not inline.

    Raises:
        InvalidValue: damaged, or of a class that `gate` refuses.
        Unavailable: the value storage cannot be reached.
    """
    data = stored.data
    if data is None:
        if stored.url is None:
            raise InvalidValue("stored value has neither data nor a location; clear the task that pushed it")
        data = client.fetch(stored.url, stored.sha256)
    if data.startswith(_BY_BACKEND):
        from .xcom_backend import read

        return read(from_json(data[len(_BY_BACKEND) : -1], gate))
    return from_json(data, gate)


def _written(value: object, key: str, name: str, map_index: int) -> bytes:
    """JSON of a value, or of what the backend of this installation keeps in its place."""
    if not authoring_defaults().xcom_backend:
        return to_json(value)
    from .xcom_backend import written

    by_backend, kept = written(value, key=key, name=name.removesuffix(f"/{key}"), map_index=map_index)
    return _BY_BACKEND + to_json(kept) + b"}" if by_backend else to_json(value)


def pack(
    key: str, value: object, client: TaskClient, *, name: str, limits: ValueLimits, map_index: int = -1
) -> XComEntry:
    """`value` under `key` for the wire; above `values.inline_bytes_max` it is put into the value storage first.

    Parameters:
        name: dag/run/task, a hint for people; the key is added.
        map_index: of the instance that leaves it, for a backend.

    Raises:
        InvalidValue, LimitExceeded: as `encode_value`; also for an empty key.
    """
    if not key:
        raise InvalidValue(f"XCom key must be a text that is not empty ({name})")
    inline = encode_value(value, name=f"{name}/{key}", limits=limits, key=key, map_index=map_index)
    if inline.size <= limits.inline_bytes_max:
        return XComEntry(key, inline)
    assert inline.data is not None
    digest = hashlib.sha256(inline.data).hexdigest()
    url = client.store(inline.data, f"{name}/{key}")
    return XComEntry(key, XComValue(url=url, size=inline.size, sha256=digest, length=inline.length))


unpack = decode_value


def value_length(value: object) -> int | None:
    """How many instances a task mapped over `value` has; None when it cannot be mapped over."""
    if isinstance(value, str | bytes | bytearray):
        return None
    if isinstance(value, Sequence | Mapping | AbstractSet):
        return len(value)
    return None
