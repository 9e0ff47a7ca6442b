"""Reading cron texts: 5 fields (minute, hour, day of month, month, day of week) or 6, with the seconds LAST.

Accepted per field: `*`, numbers, names (jan…dec, sun…sat), ranges (also across the end: `22-2`, `sat-mon`), steps
(`*/5`, `10-40/5`, `5/10`), lists. Both day fields also take `?` for `*`. Day of month: `L` (the last day) and, alone
in its field, `15W` (the working day nearest to the 15th). Day of week: `5#3` (third Friday), `L5` (last Friday), 7 is
Sunday.

When both days are restricted (written as something else than `*` or `?`), either one is enough; but a counted
weekday, or else `15W`, decides alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from tradewind.wire.errors import InvalidSchedule

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""Presets that are crons; `@once` and `@continuous` are not."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LAST = -1
"""Stands for `L`: the last day of the month, or the last such weekday in it."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One column of a cron: what it is called and what it takes."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of month", 1, 31)
_MONTH = _Field("month", 1, 12, MONTHS)
_WEEKDAY = _Field("day of week", 0, 7, WEEKDAYS)
_SECOND = _Field("second", 0, 59)

_PIECE = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?", re.ASCII)
_NTH = re.compile(r"(?P<day>\w+)#(?P<nth>\d{1,4})", re.ASCII)
_LAST_WEEKDAY = re.compile(r"l(?P<day>\w+)", re.ASCII)
_WORKING_DAY = re.compile(r"(?P<day>\d+)w", re.ASCII)
_SHOWN = 80
"""Characters of a refused text that a message shows."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron text, understood. The number tuples are ascending and without doubles; Sunday is 0."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    """Days of the month; `LAST` is among them for `L`."""
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    nth_weekdays: tuple[tuple[int, int], ...]
    """(weekday, which one in the month, or `LAST`)."""
    working_day: int | None
    """`15W`: 15."""
    any_day: bool
    """The day of the month is not restricted."""
    any_weekday: bool

    @property
    def every_hour(self) -> bool:
        """Whether it ticks in all hours of a day, so that it follows the wall clock through a change of offset."""
        return len(self.hours) == 24


@lru_cache(maxsize=4096)
def parse_cron(text: str) -> Cron:
    """The cron behind `text` (or preset). Raises `InvalidSchedule` naming the text and the field."""
    plain = normal_text(text)
    columns = plain.split(" ")
    if len(columns) not in (5, 6):
        raise _wrong_shape(text, plain)
    minute, hour, day, month, weekday = columns[:5]
    days, working_day = _parse_days(text, day)
    weekdays, nth_weekdays = _parse_weekdays(text, weekday)
    return Cron(
        text=plain,
        seconds=_parse_numbers(text, _SECOND, columns[5]) if len(columns) == 6 else (0,),
        minutes=_parse_numbers(text, _MINUTE, minute),
        hours=_parse_numbers(text, _HOUR, hour),
        days=days,
        months=_parse_numbers(text, _MONTH, month),
        weekdays=weekdays,
        nth_weekdays=nth_weekdays,
        working_day=working_day,
        any_day=day in ("*", "?"),
        any_weekday=weekday in ("*", "?"),
    )


def normal_text(text: str) -> str:
    """`text` with single blanks and small letters, a preset replaced by its cron: equal schedules get equal texts."""
    plain = " ".join(text.lower().split())
    return PRESETS.get(plain, plain)


def _parse_days(text: str, column: str) -> tuple[tuple[int, ...], int | None]:
    """The days of the month and the day of a `W`."""
    if column == "?":
        return _parse_numbers(text, _DAY, "*"), None
    if working := _WORKING_DAY.fullmatch(column):
        return (), _number(text, _DAY, working["day"])
    pieces = column.split(",")
    plain = [piece for piece in pieces if piece != "l"]
    days = _parse_numbers(text, _DAY, ",".join(plain)) if plain else ()
    return ((LAST, *days) if len(plain) < len(pieces) else days), None


def _parse_weekdays(text: str, column: str) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """The weekdays, and those that count only as the n-th of the month."""
    if column == "?":
        column = "*"
    plain: list[str] = []
    counted: set[tuple[int, int]] = set()
    for piece in column.split(","):
        if nth := _NTH.fullmatch(piece):
            which = int(nth["nth"])
            if not 1 <= which <= 5:
                raise _refusal(text, _WEEKDAY, f"{piece!r}: a month has a first to fifth weekday")
            counted.add((_number(text, _WEEKDAY, nth["day"]) % 7, which))
        elif last := _LAST_WEEKDAY.fullmatch(piece):
            counted.add((_number(text, _WEEKDAY, last["day"]) % 7, LAST))
        else:
            plain.append(piece)
    if counted and plain:
        raise _refusal(text, _WEEKDAY, f"{column!r} mixes plain weekdays with counted ones: use two crons")
    numbers = {number % 7 for number in _parse_numbers(text, _WEEKDAY, ",".join(plain))} if plain else set()
    return tuple(sorted(numbers)), tuple(sorted(counted))


def _parse_numbers(text: str, field: _Field, column: str) -> tuple[int, ...]:
    """All numbers a column stands for, ascending."""
    numbers: set[int] = set()
    for piece in column.split(","):
        numbers.update(_parse_piece(text, field, piece))
    return tuple(sorted(numbers))


def _parse_piece(text: str, field: _Field, piece: str) -> list[int]:
    """The numbers of one piece of a list: `*`, `5`, `5-10`, `50-10`, each with `/step`."""
    parts = _PIECE.fullmatch(piece)
    if parts is None or (parts["first"] == "*" and parts["last"] is not None):
        raise _refusal(text, field, f"{piece[:_SHOWN]!r} is not a number, range, list or step")
    step = 1 if parts["step"] is None else int(parts["step"])
    if step < 1:
        raise _refusal(text, field, f"{piece!r} has step 0: the step must be at least 1")
    top = 6 if field is _WEEKDAY else field.high
    if parts["first"] == "*":
        return list(range(field.low, top + 1, step))
    first = _number(text, field, parts["first"])
    if parts["last"] is not None:
        last = _number(text, field, parts["last"])
        if first <= last:
            return list(range(first, last + 1, step))
        around = [*range(first, top + 1), *range(field.low, last + 1)]  # a 7 leaves nothing before Sunday
        return around[::step]
    return list(range(first % 7 if field is _WEEKDAY else first, top + 1, step)) if parts["step"] else [first]


def _number(text: str, field: _Field, word: str) -> int:
    """A number or name of a field, inside its range."""
    if word in field.names:
        return field.names.index(word) + field.low
    if not word.isdigit():
        known = f", or a name {field.names[0]}…{field.names[-1]}" if field.names else ""
        raise _refusal(text, field, f"{word[:_SHOWN]!r} is not a number {field.low}-{field.high}{known}")
    if len(word) > 4 or not field.low <= int(word) <= field.high:
        raise _refusal(text, field, f"{word[:_SHOWN]} is outside {field.low}-{field.high}")
    return int(word)


def _refusal(text: str, field: _Field, reason: str) -> InvalidSchedule:
    return InvalidSchedule(f"cron {text[:_SHOWN]!r}, field {field.name}: {reason}")


def _wrong_shape(text: str, plain: str) -> InvalidSchedule:
    """What to say to a text that is neither a preset nor a row of fields."""
    presets = [*PRESETS, "@once", "@continuous"]
    if plain.startswith("@"):
        near = get_close_matches(plain, presets, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(presets)}"
        return InvalidSchedule(f"schedule preset {text[:_SHOWN]!r} is not known: {advice}")
    return InvalidSchedule(
        f"cron {text[:_SHOWN]!r} has {len(plain.split())} fields: give 5 (minute, hour, day of month, month, "
        f"day of week) or 6 with the seconds last, or a preset ({', '.join(presets)})"
    )
