from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tradewind.kernel.clock import Clock, SystemClock, VirtualClock, VirtualClockInProduction, production

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_the_system_clock_tells_aware_utc_instants_between_two_of_the_machines() -> None:
    clock: Clock = SystemClock()
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_the_monotonic_clock_never_decreases() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(NOON)
    assert (clock.now(), clock.monotonic()) == (NOON, 0.0)
    assert clock.advance(1.5) == NOON + timedelta(seconds=1.5)
    assert (clock.now(), clock.monotonic()) == (NOON + timedelta(seconds=1.5), 1.5)


def test_advancing_to_an_instant_moves_both_clocks_and_never_back() -> None:
    clock = VirtualClock(NOON)
    clock.advance_to(NOON + timedelta(hours=1))
    assert clock.monotonic() == 3600.0
    assert clock.advance_to(NOON) == NOON + timedelta(hours=1)
    assert clock.monotonic() == 3600.0


def test_the_wall_clock_may_jump_back_and_the_monotonic_one_does_not() -> None:
    clock = VirtualClock(NOON)
    clock.advance(10)
    clock.set_now(NOON - timedelta(days=1))
    assert clock.now() == NOON - timedelta(days=1)
    assert clock.monotonic() == 10.0


def test_instants_of_other_zones_become_utc() -> None:
    clock = VirtualClock(NOON.astimezone(timezone(timedelta(hours=5, minutes=45))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="naive 2026-01-01"):
        VirtualClock(datetime(2026, 1, 1))
    with pytest.raises(ValueError, match=r"advance\(-1\)"):
        VirtualClock().advance(-1)


def test_virtual_clocks_are_refused_in_production() -> None:
    clock = VirtualClock()
    with production(), production():
        with pytest.raises(VirtualClockInProduction, match="SystemClock"):
            VirtualClock()
        with pytest.raises(VirtualClockInProduction):
            clock.now()
        with pytest.raises(VirtualClockInProduction):
            clock.monotonic()
        SystemClock().now()
    assert clock.now() == VirtualClock().now()
