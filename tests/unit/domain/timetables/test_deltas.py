"""Steps of time, and how they cross the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from dateutil.relativedelta import FR, MO, relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.domain.timetables.deltas import Step, amount_of
from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import Delta, delta_of

START = datetime(2024, 1, 31, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "amount",
    [
        timedelta(0),
        timedelta(days=1, microseconds=7),
        timedelta(seconds=-1),
        relativedelta(years=1, months=-2, days=3, hours=4, minutes=5, seconds=6, microseconds=7),
        relativedelta(months=1, day=31, hour=6, minute=0),
        relativedelta(weeks=2, weekday=MO(-1)),
        relativedelta(weekday=FR),
        relativedelta(months=1, leapdays=1),
    ],
)
def test_a_delta_comes_back_as_it_was(amount: timedelta | relativedelta) -> None:
    raw = msgspec.json.encode(delta_of(amount))
    assert amount_of(msgspec.json.decode(raw, type=Delta)) == amount


def test_fractions_are_carried_down() -> None:
    half_days: Any = 1.5  # more than the stubs allow, but dateutil takes it
    assert amount_of(delta_of(relativedelta(days=half_days))) == relativedelta(days=1, hours=12)


@pytest.mark.parametrize("value", [5, "1 day", None, datetime(2024, 1, 1)])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(InvalidSchedule, match="a timedelta or relativedelta is needed"):
        delta_of(value)


@pytest.mark.parametrize(
    "amount",
    [
        timedelta(0),
        timedelta(seconds=-5),
        relativedelta(),
        relativedelta(months=-1),
        relativedelta(day=31),
        relativedelta(hour=0),
    ],
)
def test_a_step_must_lead_forward(amount: timedelta | relativedelta) -> None:
    with pytest.raises(InvalidSchedule, match="must be positive"):
        Step(delta_of(amount))


amounts = st.one_of(
    st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    st.builds(
        relativedelta,
        years=st.integers(0, 2),
        months=st.integers(0, 14),
        days=st.integers(1, 40),
        hours=st.integers(0, 30),
    ),
    st.sampled_from(
        [relativedelta(months=1, day=31), relativedelta(weeks=1, weekday=MO), relativedelta(days=1, hour=6)]
    ),
)


@settings(max_examples=200, deadline=None)
@given(amount=amounts, ahead=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_latest_is_the_last_of_the_walk(amount: timedelta | relativedelta, ahead: timedelta) -> None:
    if isinstance(amount, timedelta) and ahead / amount > 2000:
        ahead = amount * 2000.5
    walked = START
    while walked + amount <= START + ahead:
        walked += amount
    assert Step(delta_of(amount)).latest(START, START + ahead) == walked


def test_a_tiny_calendar_step_over_decades_is_not_walked_one_by_one() -> None:
    step = Step(delta_of(relativedelta(minutes=1, second=0)))
    until = datetime(2024, 5, 10, 12, 30, 59, tzinfo=UTC)
    assert step.latest(datetime(1990, 1, 1, 0, 0, 7, tzinfo=UTC), until) == until.replace(second=0)
