"""The value of an argument that was not given, where `None` is a value of its own."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal, TypeGuard


class ArgNotSet(Enum):
    """Type of `NOTSET`."""

    NOTSET = "NOTSET"

    def __repr__(self) -> str:
        return "NOTSET"


NOTSET: Final = ArgNotSet.NOTSET

NotSet = Literal[ArgNotSet.NOTSET]


def is_set(value: Any) -> TypeGuard[Any]:
    """Whether an argument was given."""
    return value is not NOTSET
