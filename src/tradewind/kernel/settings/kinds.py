"""Kinds of values a setting can have: how each is read from text (environment) and from TOML.

A kind has `expected`, a phrase that completes "expected …", and two readers that return the value or raise
`WrongValueError`. `base` is the folder that relative paths start from.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_BYTE_UNITS = {
    "b": 1,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
}


class WrongValueError(ValueError):
    """The value is not of the expected kind. Says nothing more: the caller knows key, value and source."""


class Kind(Generic[T]):
    """One kind of value. `native` reads what TOML or code gives, `text` what the environment gives."""

    expected: str = ""

    def native(self, value: object, _base: Path, /) -> T:
        raise NotImplementedError

    def text(self, value: str, base: Path, /) -> T:
        return self.native(value, base)

    def show(self, value: T) -> str:
        """The value as a person would write it, without what must stay secret."""
        return str(value)


class Flag(Kind[bool]):
    expected = "true or false"

    def native(self, value: object, _base: Path, /) -> bool:
        if isinstance(value, bool):
            return value
        raise WrongValueError

    def text(self, value: str, _base: Path, /) -> bool:
        word = value.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise WrongValueError

    def show(self, value: bool) -> str:
        return "true" if value else "false"


class Integer(Kind[int]):
    def __init__(self, minimum: int, maximum: int | None = None) -> None:
        self.minimum, self.maximum = minimum, maximum
        self.expected = f"an integer {_bounds(minimum, maximum)}"

    def native(self, value: object, _base: Path, /) -> int:
        # bool is an int in Python; `retries = true` is a mistake nevertheless.
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongValueError
        if value < self.minimum or (self.maximum is not None and value > self.maximum):
            raise WrongValueError
        return value

    def text(self, value: str, base: Path, /) -> int:
        try:
            number = int(value)
        except ValueError:
            raise WrongValueError from None
        return self.native(number, base)


class Number(Kind[float]):
    def __init__(self, minimum: float, above: bool) -> None:
        self.minimum, self.above = minimum, above
        self.expected = f"a number {'above' if above else 'of at least'} {minimum:g}"

    def native(self, value: object, _base: Path, /) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongValueError
        number = float(value)
        # Written so that NaN fails; infinity would never time out.
        if not (self.minimum <= number < float("inf")) or (self.above and number == self.minimum):
            raise WrongValueError
        return number

    def text(self, value: str, base: Path, /) -> float:
        try:
            number = float(value)
        except ValueError:
            raise WrongValueError from None
        return self.native(number, base)

    def show(self, value: float) -> str:
        return f"{value:g}"


class ByteSize(Integer):
    """A count of bytes; text may carry a unit: `64KiB`, `512 MiB`, `1GiB`, or decimal `kB`, `MB`, `GB`."""

    def __init__(self, minimum: int) -> None:
        super().__init__(minimum)
        self.expected = f'bytes {_bounds(minimum, None)}, as an integer or with a unit ("512MiB", "1GiB")'

    def native(self, value: object, base: Path, /) -> int:
        return self.text(value, base) if isinstance(value, str) else super().native(value, base)

    def text(self, value: str, base: Path, /) -> int:
        digits = value.strip().rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        unit = value.strip()[len(digits) :].lower()
        try:
            return super().native(int(digits) * _BYTE_UNITS[unit or "b"], base)
        except (ValueError, KeyError):
            raise WrongValueError from None

    def show(self, value: int) -> str:
        for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
            if value and value % size == 0:
                return f"{value // size}{unit}"
        return str(value)


class Text(Kind[str]):
    """Text; `check` returns whether a value is right, `masked` shows it without its secret part."""

    def __init__(
        self,
        expected: str = "text",
        check: Callable[[str], bool] | None = None,
        masked: Callable[[str], str] | None = None,
    ) -> None:
        self.expected, self._check, self._masked = expected, check, masked

    def native(self, value: object, _base: Path, /) -> str:
        if not isinstance(value, str) or (self._check and not self._check(value)):
            raise WrongValueError
        return value

    def show(self, value: str) -> str:
        return self._masked(value) if self._masked else value


class Choice(Text):
    def __init__(self, choices: tuple[str, ...]) -> None:
        super().__init__("one of " + ", ".join(choices), lambda value: value in choices)

    def native(self, value: object, base: Path, /) -> str:
        return super().native(value.strip().lower() if isinstance(value, str) else value, base)


class PathKind(Kind[Path]):
    """A path of the file system; `~` is the user's home, a relative one starts at `base`."""

    expected = "a path"

    def native(self, value: object, base: Path, /) -> Path:
        if isinstance(value, Path):
            value = str(value)
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise WrongValueError
        return Path(os.path.normpath(base / os.path.expanduser(value)))


def _bounds(minimum: int, maximum: int | None) -> str:
    return f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
