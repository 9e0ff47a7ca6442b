"""Dates and lengths of time as authors write them, made exact: aware UTC datetimes and timedeltas."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from tradewind.domain.timetables import find_zone

from .defaults import authoring_defaults
from .errors import WrongArgument, WrongValue


def instant(what: str, value: Any, zone: tzinfo | None = None) -> datetime | None:
    """`value` as an aware UTC datetime; None stays None.

    Parameters:
        what: noun for the message ("start_date of task 'x'").
        value: datetime, date or ISO text; without a time zone it is taken to be in `zone`, else in the default one.

    Raises:
        WrongArgument: `value` is none of these.
        WrongValue: the text is not an ISO date.
    """
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise WrongValue(
                f"{what} is not a date: {value!r}; write it as 2024-01-31 or 2024-01-31T08:00:00+01:00"
            ) from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 # the zone follows
    if not isinstance(value, datetime):
        raise WrongArgument(f"{what} must be a datetime, not {value!r} of type {type(value).__name__}")
    if value.utcoffset() is None:
        value = value.replace(tzinfo=zone or zone_of(authoring_defaults().timezone))
    moment = value.astimezone(UTC)
    # A plain datetime, whatever subclass (pendulum's) the author used: it is compared and encoded.
    return datetime(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond, UTC
    )


def length(what: str, value: Any) -> timedelta:
    """`value` (a timedelta, or a number of seconds) as a plain timedelta.

    Raises:
        WrongArgument: it is neither.
        WrongValue: it is negative.
    """
    if isinstance(value, timedelta):
        exact = timedelta(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
        if type(value) is not timedelta:  # pendulum's Duration keeps months and years apart; its total counts
            exact = timedelta(seconds=value.total_seconds())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        exact = timedelta(seconds=value)
    else:
        raise WrongArgument(
            f"{what} must be a timedelta or a number of seconds, not {value!r} of type {type(value).__name__}"
        )
    if exact < timedelta(0):
        raise WrongValue(f"{what} must not be negative: {value!r}")
    return exact


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name or fixed offset ("+05:30"). Raises `InvalidSchedule` naming the nearest known
    one."""
    return find_zone(name)


def zone_name(zone: Any) -> str:
    """The name of a time zone object or text: IANA where it has one, else the offset. Raises `InvalidSchedule` for an
    unknown text."""
    if isinstance(zone, str):
        zone_of(zone)
        return zone
    for attribute in ("key", "name", "zone"):  # zoneinfo; pendulum; pytz
        name = getattr(zone, attribute, None)
        if isinstance(name, str) and name:
            return name
    offset = zone.utcoffset(None) if isinstance(zone, tzinfo) else None
    if offset is None:
        raise WrongValue(
            f"cannot name the time zone {zone!r}; use zoneinfo.ZoneInfo('Europe/Berlin') or pendulum.timezone"
        )
    if not offset:
        return "UTC"
    minutes = int(offset.total_seconds() // 60)
    return f"{'+' if minutes >= 0 else '-'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
