"""What one child needed, the next has ready."""

from __future__ import annotations

import mmap
import os
import resource

from tradewind.runtime.warmth import Warmth

PAGES = 400


def _in_child(work: object) -> int:
    """Run `work` in a fork; the number it returns."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, str(work()).encode())  # type: ignore[operator]
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    said = os.read(reader, 99)
    os.close(reader)
    return int(said)


def test_a_spare_child_gets_the_copies_that_an_earlier_one_made() -> None:
    memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def touch() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for page in range(PAGES):
            memory[page * mmap.PAGESIZE] = 1
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    touch()
    warmth = Warmth()

    def first() -> int:
        faults = touch()
        warmth.learn()
        warmth.learn()
        return faults

    def spare() -> int:
        warmth.prepare(lambda: False)
        return touch()

    def in_a_hurry() -> int:
        warmth.prepare(lambda: True)
        return touch()

    assert _in_child(first) >= PAGES
    assert _in_child(spare) < PAGES / 10
    assert _in_child(in_a_hurry) >= PAGES
