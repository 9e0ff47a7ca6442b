"""`airflow.utils.dates`: dates as DAG files of earlier days wrote them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from airflow._core import timezone

cron_presets: dict[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
_UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}


def days_ago(n: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0) -> Any:
    """Midnight (or the time given) `n` days before today, UTC."""
    from airflow._notes import note_older_form

    note_older_form("days_ago() moves with the clock: write a fixed date, such as datetime(2024, 1, 1, tzinfo=UTC)")
    today = timezone.utcnow().replace(hour=hour, minute=minute, second=second, microsecond=microsecond)
    return today - timedelta(days=n)


def date_range(
    start_date: datetime,
    end_date: datetime | None = None,
    num: int | None = None,
    delta: str | timedelta | Any | None = None,
) -> list[datetime]:
    """Dates from `start_date` on, `delta` (cron text or length) apart, up to `end_date` or `num` of them."""
    if not delta:
        return []
    if end_date is not None and start_date > end_date:
        raise ValueError(f"start_date {start_date} lies after end_date {end_date}")
    if end_date is not None and num:
        raise ValueError("give end_date or num, not both")
    if end_date is None and not num:
        end_date = timezone.utcnow()
    step = _stepper(delta)
    backwards = bool(num) and (num or 0) < 0
    dates: list[datetime] = []
    current = timezone.make_aware(start_date) if timezone.is_naive(start_date) else start_date
    if isinstance(delta, str):
        current = step(current - timedelta(seconds=1), False)
    while (end_date is not None and current <= timezone.make_aware(end_date)) or (num and len(dates) < abs(num)):
        dates.append(current)
        current = step(current, backwards)
    return sorted(dates)


def _stepper(delta: str | timedelta | Any) -> Any:
    if not isinstance(delta, str):
        return lambda moment, backwards: moment - delta if backwards else moment + delta
    from airflow._core.timetables import CronMixin

    cron = CronMixin(delta)
    return lambda moment, backwards: cron._get_prev(moment) if backwards else cron._get_next(moment)


def round_time(dt: datetime, delta: Any, start_date: datetime | None = None) -> datetime:
    """`dt` rounded to the nearest `start_date + n * delta`."""
    start: datetime = start_date or timezone.utc_epoch()
    if timezone.is_naive(dt) and not timezone.is_naive(start):
        start = start.replace(tzinfo=None)
    steps = (dt - start).total_seconds() / delta.total_seconds()
    rounded: datetime = start + round(steps) * timedelta(seconds=delta.total_seconds())
    return rounded


def infer_time_unit(time_seconds_arr: Collection[float]) -> str:
    """The unit that suits lengths given in seconds."""
    longest = max(time_seconds_arr, default=0.0)
    for unit, seconds in (("seconds", 2 * 60.0), ("minutes", 2 * 3600.0), ("hours", 24 * 3600.0)):
        if longest <= seconds:
            return unit
    return "days" if time_seconds_arr else "hours"


def scale_time_units(time_seconds_arr: Collection[float], unit: str) -> Collection[float]:
    """Seconds in another unit."""
    return [value / _UNITS.get(unit, 1.0) for value in time_seconds_arr]


def parse_execution_date(execution_date_str: str) -> Any:
    """A date out of a text."""
    return timezone.parse(execution_date_str)


def datetime_to_nano(datetime: Any) -> int | None:  # the name it has
    """Nanoseconds since 1970."""
    return int(datetime.timestamp() * 1e9) if datetime is not None else None


__all__ = [
    "cron_presets",
    "date_range",
    "datetime",
    "datetime_to_nano",
    "days_ago",
    "infer_time_unit",
    "parse_execution_date",
    "round_time",
    "scale_time_units",
    "timedelta",
    "timezone",
]
