from __future__ import annotations

import os
import random
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.kernel.clock import VirtualClock
from tradewind.kernel.ids import Uuid7Source, uuid7, uuid7_instant

INSTANT = datetime(2026, 3, 29, 12, 0, 0, 123_456, tzinfo=UTC)


class Bits:
    """Random bits that are all the same."""

    def __init__(self, bit: int) -> None:
        self.bit = bit

    def getrandbits(self, count: int, /) -> int:
        return ((1 << count) - 1) * self.bit


def test_the_layout_is_that_of_the_rfc() -> None:
    """The example of RFC 9562, appendix A.6, has these milliseconds: 017F22E279B0."""
    clock = VirtualClock(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC))
    assert str(Uuid7Source(clock, Bits(0)).next()) == "017f22e2-79b0-7000-8000-000000000000"
    # The counter's first bit stays zero, for room to count.
    assert str(Uuid7Source(clock, Bits(1)).next()) == "017f22e2-79b0-77ff-bfff-ffffffffffff"


def test_version_variant_and_instant() -> None:
    value = Uuid7Source(VirtualClock(INSTANT)).next()
    assert value.version == 7
    assert value.variant == "specified in RFC 4122"
    assert uuid7_instant(value) == INSTANT.replace(microsecond=123_000)


def test_an_instant_is_only_in_version_7() -> None:
    with pytest.raises(ValueError, match="not a version 7"):
        uuid7_instant(uuid4())


def test_ids_increase_also_as_text() -> None:
    values = [uuid7() for _ in range(20_000)]
    assert values == sorted(values)
    assert len(set(values)) == len(values)
    assert [str(value) for value in values] == sorted(str(value) for value in values)


@given(st.lists(st.integers(-5_000, 5_000), max_size=50), st.integers())
def test_ids_increase_whatever_the_wall_clock_does(jumps: list[int], seed: int) -> None:
    clock = VirtualClock(INSTANT)
    source = Uuid7Source(clock, random.Random(seed))
    values = [source.next()]
    for jump in jumps:
        clock.set_now(clock.now() + timedelta(milliseconds=jump))
        values += [source.next(), source.next()]
    assert values == sorted(set(values))


def test_a_full_counter_borrows_the_next_millisecond() -> None:
    source = Uuid7Source(VirtualClock(INSTANT), Bits(1))
    first = source.next()
    source._counter = (1 << 42) - 2
    last, over = source.next(), source.next()
    assert first < last < over
    assert uuid7_instant(over) == uuid7_instant(last) + timedelta(milliseconds=1)


def test_the_same_seed_and_clock_give_the_same_ids() -> None:
    def some() -> list[UUID]:
        source = Uuid7Source(VirtualClock(INSTANT), random.Random(7))
        return [uuid7(source) for _ in range(10)]

    assert some() == some()


def test_threads_never_get_the_same_id() -> None:
    found: list[list[UUID]] = []

    def take() -> None:
        found.append([uuid7() for _ in range(5_000)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({value for values in found for value in values}) == 20_000
    assert all(values == sorted(values) for values in found)


def test_forked_children_go_on_from_numbers_of_their_own() -> None:
    """With a clock that stands still, only the renewed counter keeps parent and children apart."""
    source = Uuid7Source(VirtualClock(INSTANT))
    before = source.next()
    children = [_in_a_child(source) for _ in range(3)]
    mine = [source.next() for _ in range(100)]
    everything = [*mine, *(value for values in children for value in values)]
    assert len(set(everything)) == 400
    assert all(before < value for value in everything)
    counters = {(value.int >> 32) & 0x3FFF_FFFF for value in everything}
    assert len(counters) == 400


def test_a_child_forked_while_another_thread_makes_ids_does_not_hang() -> None:
    source = Uuid7Source(VirtualClock(INSTANT))
    with source._lock:  # as held by another thread at the moment of the fork
        assert len(_in_a_child(source)) == 100


def _in_a_child(source: Uuid7Source) -> list[UUID]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, b"".join(source.next().bytes for _ in range(100)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        content = stream.read()
    os.waitpid(child, 0)
    return [UUID(bytes=content[at : at + 16]) for at in range(0, len(content), 16)]
