"""How a setting is declared: an `Option` in a `Section`. Reading one is typed; listing them is documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, overload

from tradewind.kernel.settings import kinds
from tradewind.kernel.settings.kinds import Kind

if TYPE_CHECKING:
    from tradewind.kernel.settings.model import Settings

T = TypeVar("T")
MASK = "***"


class Derived(Generic[T]):
    """A default that follows other settings.

    Parameters:
        text: how it reads in documentation (`HOME/dags`).
        compute: gives the value; may read the home, constants, and options declared before this one.
    """

    __slots__ = ("compute", "text")

    def __init__(self, text: str, compute: Callable[[Settings], T]) -> None:
        self.text = text
        self.compute = compute


class Option(Generic[T]):
    """One setting. `section.key` reads its value; `Section.key` is the option itself."""

    __slots__ = ("default", "description", "key", "kind", "secret", "section")

    def __init__(self, kind: Kind[T], default: T | Derived[T], description: str, *, secret: bool = False) -> None:
        self.kind = kind
        self.default = default
        self.description = description
        self.secret = secret
        self.section = ""
        self.key = ""

    def __set_name__(self, owner: type[Section], key: str) -> None:
        self.key = key

    @overload
    def __get__(self, section: None, owner: type[Section]) -> Option[T]: ...
    @overload
    def __get__(self, section: Section, owner: type[Section]) -> T: ...
    def __get__(self, section: Section | None, owner: type[Section]) -> Option[T] | T:
        if section is None:
            return self
        value: T = section._values[self.key]  # type: ignore[assignment] # every value was read by this option's kind
        return value

    def __set__(self, section: Section, value: object) -> None:
        raise AttributeError(f"settings are frozen: {self.name}; make a changed copy with Settings.replace()")

    @property
    def name(self) -> str:
        """The full name, `section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def environment_name(self) -> str:
        return f"TRADEWIND__{self.section}__{self.key}".upper()

    @property
    def default_text(self) -> str:
        """The default as the documentation shows it; the same on every machine."""
        return self.default.text if isinstance(self.default, Derived) else self.kind.show(self.default)

    def show(self, value: object) -> str:
        """`value` for people: secret ones and secret parts are masked."""
        if self.secret:
            return MASK if value else ""
        return self.kind.show(value)  # type: ignore[arg-type] # every value was read by this option's kind


class Section:
    """A named family of options. Subclasses declare options as class attributes; instances give their values."""

    __slots__ = ("_values",)
    name: ClassVar[str]
    description: ClassVar[str]
    options: ClassVar[Mapping[str, Option[object]]]

    def __init_subclass__(cls, name: str) -> None:
        cls.name = name
        cls.description = (cls.__doc__ or "").strip()
        cls.options = {key: option for key, option in vars(cls).items() if isinstance(option, Option)}
        for option in cls.options.values():
            option.section = name

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={option.show(self._values[key])}" for key, option in self.options.items())
        return f"{type(self).__name__}({shown})"


def flag(default: bool, description: str) -> Option[bool]:
    return Option(kinds.Flag(), default, description)


def integer(default: int, description: str, *, minimum: int = 0, maximum: int | None = None) -> Option[int]:
    return Option(kinds.Integer(minimum, maximum), default, description)


def seconds(default: float, description: str, *, minimum: float = 0.0, above: bool = False) -> Option[float]:
    """A duration in seconds; `above` excludes the minimum itself."""
    return Option(kinds.Number(minimum, above), default, description)


def byte_size(default: int, description: str, *, minimum: int = 1) -> Option[int]:
    return Option(kinds.ByteSize(minimum), default, description)


def text(default: str | Derived[str], description: str, *, kind: kinds.Text | None = None) -> Option[str]:
    return Option(kind or kinds.Text(), default, description)


def secret(default: str, description: str) -> Option[str]:
    return Option(kinds.Text(), default, description, secret=True)


def choice(default: str, choices: tuple[str, ...], description: str) -> Option[str]:
    return Option(kinds.Choice(choices), default, description)


def path_in_home(relative: str, description: str) -> Option[Path]:
    return Option(kinds.PathKind(), Derived(f"HOME/{relative}", lambda settings: settings.home / relative), description)
