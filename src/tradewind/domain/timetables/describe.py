"""Crons in words: "At 21:30, on Friday"."""

from __future__ import annotations

from collections.abc import Sequence

from .cron_text import LAST, Cron

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_MANY = 4
"""From so many single values on a pattern is sought instead of a list."""


def describe_cron(cron: Cron) -> str:
    """One sentence for people: time, then day, then month."""
    parts = [_time(cron), _days(cron)]
    if len(cron.months) < 12:
        parts.append(f"in {_listed([_MONTHS[month - 1] for month in cron.months])}")
    return ", ".join(part for part in parts if part)


def _time(cron: Cron) -> str:
    """When in the day."""
    readings = len(cron.hours) * len(cron.minutes) * len(cron.seconds)
    if readings <= _MANY and len(cron.seconds) == 1:
        tail = f":{cron.seconds[0]:02}" if cron.seconds[0] else ""
        return f"At {_listed([f'{hour:02}:{minute:02}{tail}' for hour in cron.hours for minute in cron.minutes])}"
    words: list[str] = []
    if cron.seconds != (0,):
        words.append(_every(cron.seconds, 60, "second"))
    if (words and len(cron.minutes) < 60) or (not words and cron.minutes != (0,)):
        words.append(_every(cron.minutes, 60, "minute"))
    if len(cron.hours) < 24:
        words.append(_every(cron.hours, 24, "hour") if cron.minutes == (0,) and not words else _during(cron.hours))
    elif not words:
        words.append("every hour")
    sentence = ", ".join(words)
    return sentence[0].upper() + sentence[1:]


def _every(numbers: Sequence[int], size: int, unit: str) -> str:
    """ "every minute", "every 5 minutes", "at minute 5 and 35"."""
    if len(numbers) == size:
        return f"every {unit}"
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 0
    if step and size % step == 0 and numbers == tuple(range(numbers[0], size, step)) and numbers[0] < step:
        start = f" from {unit} {numbers[0]}" if numbers[0] else ""
        return f"every {step} {unit}s{start}"
    return f"at {unit} {_spans(numbers)}"


def _during(hours: Sequence[int]) -> str:
    return f"between {hours[0]:02}:00 and {hours[-1]:02}:59" if _is_span(hours) else f"in hour {_spans(hours)}"


def _days(cron: Cron) -> str:
    """On which days."""
    by_weekday = ""
    if cron.nth_weekdays:
        counted = [f"the {_ORDINALS[which]} {_WEEKDAYS[weekday]}" for weekday, which in cron.nth_weekdays]
        return f"on {_listed(counted)} of the month"
    if cron.working_day is not None:
        return f"on the weekday nearest day {cron.working_day} of the month"
    if not cron.any_weekday and len(cron.weekdays) < 7:
        by_weekday = f"on {_weekdays(cron.weekdays)}"
    if cron.any_day:
        return by_weekday
    days = [day for day in cron.days if day != LAST]
    words = [f"day {_spans(days)}"] if days else []
    if LAST in cron.days:
        words.append("the last day")
    by_date = f"on {_listed(words)} of the month"
    return by_date if cron.any_weekday else f"{by_date} or {by_weekday or 'on any weekday'}"


def _weekdays(weekdays: Sequence[int]) -> str:
    if len(weekdays) > 2 and _is_span(weekdays):
        return f"{_WEEKDAYS[weekdays[0]]} to {_WEEKDAYS[weekdays[-1]]}"
    return _listed([_WEEKDAYS[weekday] for weekday in weekdays])


def _spans(numbers: Sequence[int]) -> str:
    if len(numbers) > 2 and _is_span(numbers):
        return f"{numbers[0]} to {numbers[-1]}"
    return _listed([str(number) for number in numbers])


def _is_span(numbers: Sequence[int]) -> bool:
    return numbers[-1] - numbers[0] == len(numbers) - 1


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
