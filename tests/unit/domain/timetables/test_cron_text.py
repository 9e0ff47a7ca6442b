"""What a cron may say, what it means, and how a wrong one is refused."""

from __future__ import annotations

import pytest

from tradewind.domain.timetables.cron_text import LAST, PRESETS, parse_cron
from tradewind.wire.errors import InvalidSchedule


@pytest.mark.parametrize(
    ("text", "part", "numbers"),
    [
        ("*/15 * * * *", "minutes", (0, 15, 30, 45)),
        ("5/20 * * * *", "minutes", (5, 25, 45)),
        ("10-20/5,3 * * * *", "minutes", (3, 10, 15, 20)),
        ("58-2/2 * * * *", "minutes", (0, 2, 58)),
        ("5-5 * * * *", "minutes", (5,)),
        ("*/70 * * * *", "minutes", (0,)),
        ("0 22-2 * * *", "hours", (0, 1, 2, 22, 23)),
        ("00 08 * * *", "hours", (8,)),
        ("0 0 28-2 * *", "days", (1, 2, 28, 29, 30, 31)),
        ("0 0 L,15 * *", "days", (LAST, 15)),
        ("0 0 * jan-MAR,12 *", "months", (1, 2, 3, 12)),
        ("0 0 * nov-feb *", "months", (1, 2, 11, 12)),
        ("0 0 * * sat-mon", "weekdays", (0, 1, 6)),
        ("0 0 * * 5-7", "weekdays", (0, 5, 6)),
        ("0 0 * * 7-2", "weekdays", (0, 1, 2)),
        ("0 0 * * 7", "weekdays", (0,)),
        ("0 0 * * 7/2", "weekdays", (0, 2, 4, 6)),
        ("0 0 * * 0-7", "weekdays", (0, 1, 2, 3, 4, 5, 6)),
        ("0 0 * * mon,FRI", "weekdays", (1, 5)),
        ("0 0 * * 5#3,mon#1", "nth_weekdays", ((1, 1), (5, 3))),
        ("0 0 * * L5", "nth_weekdays", ((5, LAST),)),
        ("* * * * *", "seconds", (0,)),
        ("* * * * * */20", "seconds", (0, 20, 40)),
    ],
)
def test_fields(text: str, part: str, numbers: tuple[object, ...]) -> None:
    assert getattr(parse_cron(text), part) == numbers


def test_the_sixth_field_is_the_seconds_and_stands_last() -> None:
    cron = parse_cron("1 2 3 4 5 6")
    assert (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays, cron.seconds) == (
        (1,),
        (2,),
        (3,),
        (4,),
        (5,),
        (6,),
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_their_crons(preset: str) -> None:
    assert parse_cron(preset.upper()) == parse_cron(PRESETS[preset])


def test_equal_crons_have_equal_texts() -> None:
    assert parse_cron(" 0  0 * JAN   mon ").text == parse_cron("0 0 * jan MON").text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("60 * * * *", "field minute: 60 is outside 0-59"),
        ("* 24 * * *", "field hour: 24 is outside 0-23"),
        ("* * 0 * *", "field day of month: 0 is outside 1-31"),
        ("* * * 13 *", "field month: 13 is outside 1-12"),
        ("* * * foo *", "field month: 'foo' is not a number 1-12, or a name jan…dec"),
        ("* * * * 8", "field day of week: 8 is outside 0-7"),
        ("* * * * 5#6", "field day of week: '5#6'"),
        ("* * * * 1,2#1", "field day of week: '1,2#1' mixes"),
        ("* * * * * 60", "field second: 60 is outside 0-59"),
        ("*/0 * * * *", "field minute: '*/0' has step 0"),
        ("*-5 * * * *", "field minute: '*-5' is not a number, range, list or step"),
        ("1--3 * * * *", "field minute: '1--3'"),
        ("1,,2 * * * *", "field minute: ''"),
        ("1.5 * * * *", "field minute: '1.5'"),
        ("-1 * * * *", "field minute: '-1'"),
        ("٣ * * * *", "field minute: '٣'"),
        ("? * * * *", "field minute: '?'"),
        ("H * * * *", "field minute: 'h'"),
        ("* * 5w,7 * *", "field day of month: '5w'"),
        ("* * * *", "has 4 fields: give 5"),
        ("", "has 0 fields"),
        ("* * * * * * 2024", "has 7 fields"),
        ("@dayly", "did you mean '@daily'?"),
        ("@reboot", "is not known: known are @hourly"),
        ("9" * 10_000 + " * * * *", "is outside 0-59"),
        ("*/" + "9" * 10_000 + " * * * *", "field minute"),
    ],
)
def test_refusals_name_text_and_field(text: str, named: str) -> None:
    with pytest.raises(InvalidSchedule) as caught:
        parse_cron(text)
    assert named in str(caught.value)
    assert text[:20] in str(caught.value)
    assert len(str(caught.value)) < 400
