"""`airflow.utils.weekday`."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any


@enum.unique
class WeekDay(enum.IntEnum):
    """Days of the week; Monday is 1."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7

    @classmethod
    def get_weekday_number(cls, week_day_str: str) -> WeekDay:
        """The day of this name."""
        sanitized = week_day_str.upper()
        if sanitized not in cls.__members__:
            raise AttributeError(f'Invalid Week Day passed: "{week_day_str}"')
        return cls[sanitized]

    @classmethod
    def convert(cls, day: Any) -> int:
        """The number of a day given by name or as member."""
        return int(cls.get_weekday_number(day)) if isinstance(day, str) else int(day)

    @classmethod
    def validate_week_day(cls, week_day: Any) -> set[int]:
        """The numbers of one day or several."""
        if isinstance(week_day, str | WeekDay):
            return {cls.convert(week_day)}
        if not isinstance(week_day, Iterable):
            raise TypeError(f"Unsupported Type for week_day parameter: {type(week_day)}.")
        return {cls.convert(day) for day in week_day}
