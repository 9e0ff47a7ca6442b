"""Stretches of constant offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.domain.timetables.zone_clock import find_zone, zone_clock

SECOND = timedelta(seconds=1)


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(sorted(available_timezones())),
    instant=st.datetimes(datetime(1970, 1, 1), datetime(2040, 1, 1)),
)
def test_a_stretch_is_what_the_zone_says(name: str, instant: datetime) -> None:
    zone, stretch = find_zone(name), zone_clock(name).stretch(instant)
    assert stretch.start <= instant < stretch.end
    for place, offset in (
        (stretch.start - SECOND, stretch.before),
        (stretch.start, stretch.offset),
        (instant, stretch.offset),
        (stretch.end - SECOND, stretch.offset),
        (stretch.end, stretch.after),
    ):
        assert place.replace(tzinfo=UTC).astimezone(zone).utcoffset() == offset, (name, place)
    following = zone_clock(name).stretch(stretch.end)
    assert following.start <= stretch.end


@pytest.mark.parametrize("year", [1995, 1996])
def test_a_halt_does_not_hide_the_change_just_before_it(year: int) -> None:
    """Enderbury skipped 31 December 1994; what that day left out is made up in 1995."""
    assert zone_clock("Pacific/Enderbury").stretch(datetime(year, 6, 1)).start == datetime(1994, 12, 31, 11)


def test_a_change_at_the_turn_of_the_year_belongs_to_one_stretch() -> None:
    """Caracas and others changed at odd hours; the years on both sides must agree."""
    for name in ("America/Caracas", "Pacific/Apia", "Asia/Pyongyang", "Europe/Istanbul"):
        clock, place = zone_clock(name), datetime(1995, 1, 1)
        while place < datetime(2020, 1, 1):
            stretch = clock.stretch(place)
            assert clock.stretch(stretch.end - SECOND).offset == stretch.offset
            place = stretch.end
