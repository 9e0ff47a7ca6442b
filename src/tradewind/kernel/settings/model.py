"""The settings of a process: values with their sources, frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tradewind.kernel.settings.errors import SettingsError, UnknownSettingError, suggestion
from tradewind.kernel.settings.kinds import WrongValueError
from tradewind.kernel.settings.options import MASK, Derived, Option
from tradewind.kernel.settings.sections import (
    SECTIONS,
    Agent,
    Api,
    Auth,
    Bundles,
    Callbacks,
    Celery,
    Core,
    Database,
    Execution,
    Logs,
    Maintenance,
    Processor,
    Retention,
    Scheduler,
    Secrets,
    Standalone,
    TelemetrySection,
    Triggerer,
    Values,
)

OPTIONS: dict[str, Option[object]] = {
    option.name: option for section in SECTIONS for option in section.options.values()
}
DEFAULT_SOURCE = "default"
REPLACED_SOURCE = "replaced in code"


class Given(NamedTuple):
    """A value somebody gave, and where."""

    value: object
    source: str


class SettingEntry(NamedTuple):
    """One line of `config list`."""

    name: str
    value: object
    shown: str
    """The value for people: secrets are masked."""
    default: str
    source: str
    description: str
    expected: str
    environment_name: str
    secret: bool


class Settings:
    """All settings, by section: `settings.core.parallelism`. Made by `load_settings`; `replace` makes a changed copy.

    Parameters:
        home: the folder everything of this installation lives in (TRADEWIND_HOME), absolute.
        given: values that are not defaults, by full name, each already read by its option's kind.

    Raises:
        SettingsError: values that are right one by one do not fit together.
    """

    # Made from the list, so that a new section cannot be forgotten here.
    __slots__ = ("_given", "home", *(section.name for section in SECTIONS))

    _given: dict[str, Given]
    home: Path
    core: Core
    database: Database
    api: Api
    auth: Auth
    execution: Execution
    scheduler: Scheduler
    agent: Agent
    celery: Celery
    processor: Processor
    bundles: Bundles
    logs: Logs
    values: Values
    secrets: Secrets
    callbacks: Callbacks
    triggerer: Triggerer
    maintenance: Maintenance
    retention: Retention
    standalone: Standalone
    telemetry: TelemetrySection

    def __init__(self, home: Path, given: Mapping[str, Given]) -> None:
        put = object.__setattr__  # __setattr__ below forbids change
        put(self, "home", home)
        put(self, "_given", dict(given))
        stores: dict[str, dict[str, object]] = {section.name: {} for section in SECTIONS}
        for section in SECTIONS:
            put(self, section.name, section(stores[section.name]))
        for name, option in OPTIONS.items():
            if name in given:
                stores[option.section][option.key] = given[name].value
            elif not isinstance(option.default, Derived):
                stores[option.section][option.key] = option.default
        # After the rest, because they are made from it.
        for name, option in OPTIONS.items():
            if name not in given and isinstance(option.default, Derived):
                stores[option.section][option.key] = option.default.compute(self)
        problems = list(_misfits(self))
        if problems:
            raise SettingsError(problems)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are frozen: {name}; make a changed copy with Settings.replace()")

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={OPTIONS[name].show(found.value)}" for name, found in self._given.items())
        return f"Settings(home={str(self.home)!r}{', ' if given else ''}{given})"

    def get(self, name: str) -> object:
        """The value of `section.key`.

        Raises:
            UnknownSettingError: there is none of this name.
        """
        option = _option(name)
        value: object = getattr(getattr(self, option.section), option.key)
        return value

    def source_of(self, name: str) -> str:
        """Where a value comes from: `default`, `file …`, `environment variable …` or `replaced in code`.

        Raises:
            UnknownSettingError: there is none of this name.
        """
        option = _option(name)
        return self._given[option.name].source if option.name in self._given else DEFAULT_SOURCE

    def entries(self) -> Iterator[SettingEntry]:
        """Every setting, in the order of the reference page."""
        for name, option in OPTIONS.items():
            value = self.get(name)
            yield SettingEntry(
                name=name,
                value=value,
                shown=option.show(value),
                default=option.default_text,
                source=self.source_of(name),
                description=option.description,
                expected=option.kind.expected,
                environment_name=option.environment_name,
                secret=option.secret,
            )

    def replace(self, **values: object) -> Settings:
        """A copy with other values: `settings.replace(**{"core.parallelism": 4})`. Derived defaults follow.

        Raises:
            SettingsError: a name or value is wrong.
        """
        given = dict(self._given)
        problems = []
        for name, value in values.items():
            found = read_value(name, value, REPLACED_SOURCE, self.home)
            if isinstance(found, Given):
                given[name] = found
            else:
                problems.append(found)
        if problems:
            raise SettingsError(problems)
        return Settings(self.home, given)


def read_value(name: str, value: object, source: str, base: Path, *, is_text: bool = False) -> Given | str:
    """The value of setting `name` as its kind reads it, or the problem with name or value, in words.

    Parameters:
        is_text: the value is text from the environment; otherwise it has a type of its own.
    """
    option = OPTIONS.get(name)
    if option is None:
        return f"there is no setting {name} ({source}){_nearest(name)}"
    try:
        read = option.kind.text(str(value), base) if is_text else option.kind.native(value, base)
    except WrongValueError:
        kind = "" if is_text else f" of type {type(value).__name__}"
        return f"{name} is {_quoted(option, value)}{kind} ({source}); expected {option.kind.expected}"
    return Given(read, source)


def _quoted(option: Option[object], value: object) -> str:
    """The wrong value, for the error message: bounded, secrets masked, passwords in URLs too."""
    if option.secret:
        return MASK
    shown = repr(option.kind.show(value) if isinstance(value, str) and "://" in value else value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"


def _nearest(name: str) -> str:
    """The suggestion for a wrong name: first by its key alone (the wrong section, or none), then by the whole."""
    key = name.rpartition(".")[2]
    same_key = [known for known, option in OPTIONS.items() if option.key == key]
    return f"; did you mean {same_key[0]}?" if len(same_key) == 1 else suggestion(name, OPTIONS)


def _option(name: str) -> Option[object]:
    try:
        return OPTIONS[name]
    except KeyError:
        raise UnknownSettingError(name, OPTIONS) from None


_FIRST = "the first wait would exceed the longest"
# small, large, whether they may be equal, what would happen otherwise
_ORDERED = (
    (
        "scheduler.heartbeat_seconds",
        "scheduler.lease_seconds",
        False,
        "it would lose its runs between heartbeats",
    ),
    ("agent.heartbeat_seconds", "agent.lost_seconds", False, "it would count as lost between heartbeats"),
    ("values.inline_bytes_max", "values.bytes_max", True, "no value could ever be stored outside the database"),
    ("agent.report_retry_seconds_min", "agent.report_retry_seconds_max", True, _FIRST),
    ("standalone.restart_seconds_min", "standalone.restart_seconds_max", True, _FIRST),
)


def _misfits(settings: Settings) -> Iterator[str]:
    """Pairs of values that contradict each other."""
    for small, large, may_be_equal, consequence in _ORDERED:
        low, high = settings.get(small), settings.get(large)
        assert isinstance(low, int | float)
        assert isinstance(high, int | float)
        if low > high or (low == high and not may_be_equal):
            first = f"{small} is {low:g} ({settings.source_of(small)})"
            second = f"{large} is {high:g} ({settings.source_of(large)})"
            yield f"{first} and {second}: {consequence}; make {small} smaller or {large} larger"
