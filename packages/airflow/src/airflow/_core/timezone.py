"""`airflow.utils.timezone` / `airflow.sdk.timezone`: aware instants, as pendulum's."""

from __future__ import annotations

import datetime as dt
from typing import Any, overload

import pendulum

utc = pendulum.timezone("UTC")


def utcnow() -> Any:
    """Now, aware, UTC."""
    return pendulum.instance(dt.datetime.now(dt.UTC)).in_timezone("UTC")


def utc_epoch() -> Any:
    """1970-01-01, aware."""
    return pendulum.datetime(1970, 1, 1)


def is_localized(value: dt.datetime) -> bool:
    """Whether a datetime has a time zone."""
    return value.utcoffset() is not None


def is_naive(value: dt.datetime) -> bool:
    """Whether a datetime has none."""
    return value.utcoffset() is None


@overload
def convert_to_utc(value: None) -> None: ...
@overload
def convert_to_utc(value: dt.datetime) -> Any: ...


def convert_to_utc(value: dt.datetime | None) -> Any:
    """The instant in UTC; a naive one is taken to be in the default time zone."""
    if value is None:
        return None
    return pendulum.instance(make_aware(value) if is_naive(value) else value).in_timezone("UTC")


def make_aware(value: dt.datetime | None, timezone: dt.tzinfo | None = None) -> Any:
    """The datetime with a time zone. Raises ValueError when it has one."""
    if value is None:
        return None
    if is_localized(value):
        raise ValueError(f"make_aware expects a naive datetime, got {value}")
    zone = timezone or _default_zone()
    return value.replace(tzinfo=zone)


def make_naive(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """The wall time in a time zone, without it."""
    if is_naive(value):
        raise ValueError("make_naive() cannot be applied to a naive datetime")
    return value.astimezone(timezone or _default_zone()).replace(tzinfo=None)


def datetime(*args: Any, **kwargs: Any) -> Any:
    """`datetime.datetime(...)`, aware: in the default time zone unless `tzinfo` is given."""
    kwargs.setdefault("tzinfo", _default_zone())
    return dt.datetime(*args, **kwargs)  # noqa: DTZ001 # the zone is among the arguments


def parse(string: str, timezone: Any = None, *, strict: bool = False) -> Any:
    """A datetime out of a text."""
    return pendulum.parse(string, tz=timezone or _default_zone(), strict=strict)


@overload
def coerce_datetime(v: None, tz: dt.tzinfo | None = None) -> None: ...
@overload
def coerce_datetime(v: dt.datetime, tz: dt.tzinfo | None = None) -> Any: ...


def coerce_datetime(v: dt.datetime | None, tz: dt.tzinfo | None = None) -> Any:
    """The datetime as pendulum's, aware."""
    if v is None:
        return None
    aware = v if is_localized(v) else make_aware(v, tz)
    found = pendulum.instance(aware)
    return found.in_timezone(tz) if tz is not None else found  # type: ignore[arg-type]


def td_format(td_object: dt.timedelta | float | None) -> str | None:
    """A length of time for people, such as `1d:2h:3M`."""
    if td_object is None:
        return None
    seconds = td_object.total_seconds() if isinstance(td_object, dt.timedelta) else float(td_object)
    if seconds < 1:
        return "<1s"
    parts, rest = [], int(seconds)
    for mark, length in (("y", 31536000), ("m", 2592000), ("d", 86400), ("h", 3600), ("M", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{mark}")
    return ":".join(parts)


def parse_timezone(name: str | int) -> Any:
    """A time zone by name or by offset in seconds."""
    return pendulum.timezone(name)


def local_timezone() -> Any:
    """The time zone of this machine."""
    return pendulum.now().timezone


def from_timestamp(timestamp: float, tz: Any = utc) -> Any:
    """The instant so many seconds after 1970."""
    if tz == "local":
        tz = local_timezone()
    return pendulum.from_timestamp(timestamp, tz=tz)


def initialize(default_timezone: str) -> None:
    """Nothing: the default time zone is a setting."""


def get_timezone() -> Any:
    """The default time zone."""
    return _default_zone()


def _default_zone() -> Any:
    from tradewind.sdk.defaults import authoring_defaults

    return pendulum.timezone(authoring_defaults().timezone)


def __getattr__(name: str) -> Any:
    if name == "TIMEZONE":
        return _default_zone()
    raise AttributeError(name)
