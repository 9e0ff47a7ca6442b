"""Lazy sequences that mapped tasks read: items are made when they are asked for.

An instance of a mapped task needs one item; making all of them would run a `.map()` function for every other instance
too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import WrongValue
from .notset import NOTSET


def as_sequence(value: Any, what: str) -> Sequence[Any]:
    """What an expansion counts and indexes: a list as it is, a dict as its (key, value) pairs, a set in a fixed order.

    Raises `WrongValue` naming `what` for anything else.
    """
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)  # every instance must see the same order
    if isinstance(value, str | bytes) or not (hasattr(value, "__getitem__") and hasattr(value, "__len__")):
        raise WrongValue(f"{what} must be a list or dict to expand over, it is {type(value).__name__}")
    return value  # type: ignore[no-any-return]


class MappedItems(Sequence[Any]):
    """Items passed through functions when they are read; a function runs once per item."""

    def __init__(self, items: Sequence[Any], functions: tuple[Callable[[Any], Any], ...]) -> None:
        self._items = items
        self._functions = functions
        self._done: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = _position(index, len(self))
        if position not in self._done:
            item = self._items[position]
            for function in self._functions:
                item = function(item)
            self._done[position] = item
        return self._done[position]


class ZippedItems(Sequence[Any]):
    """Tuples of items: as many as the shortest part has, or the longest when there is a fill value."""

    def __init__(self, parts: list[Sequence[Any]], fillvalue: Any) -> None:
        self._parts = parts
        self._fillvalue = fillvalue

    def __len__(self) -> int:
        lengths = [len(part) for part in self._parts]
        return min(lengths) if self._fillvalue is NOTSET else max(lengths)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = _position(index, len(self))
        return tuple(part[position] if position < len(part) else self._fillvalue for part in self._parts)


class ConcatenatedItems(Sequence[Any]):
    """The items of several parts, one after another."""

    def __init__(self, parts: list[Sequence[Any]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = _position(index, len(self))
        for part in self._parts:
            if position < len(part):
                return part[position]
            position -= len(part)
        raise IndexError(index)


def _position(index: int, length: int) -> int:
    position = index + length if index < 0 else index
    if not 0 <= position < length:
        raise IndexError(f"item {index} of {length}")
    return position
