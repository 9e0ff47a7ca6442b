"""`python -m tests.simulation.run --seeds A:B --jobs N`: lives through seeds in processes side by side; 1 when
something is wrong.

`make simulate SEEDS=A:B` calls it. One seed alone can be watched: `--seeds 7:8 --trace`.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.engine import World
from tests.simulation.engine_trace import follow

CHUNK = 25
"""Seeds a process takes at a time."""
SHOWN_MAX = 20
"""Failing seeds that are shown with their sentences; the others with their number."""
PROGRESS_SECONDS = 10.0


@dataclass(slots=True)
class Result:
    """What came of some seeds."""

    seeds: int = 0
    acts: int = 0
    wrong: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: Result) -> None:
        self.seeds += other.seeds
        self.acts += other.acts
        self.wrong.update(other.wrong)


def live(seeds: range) -> Result:
    """Live through these seeds, quietly."""
    result, thresholds = Result(), gc.get_threshold()
    logging.disable(logging.CRITICAL)
    gc.set_threshold(100_000, 20, 20)  # a life makes much and keeps all of it to its end
    try:
        for seed in seeds:
            _live_one(seed, result)
    finally:
        gc.set_threshold(*thresholds)
        logging.disable(logging.NOTSET)
    return result


def _live_one(seed: int, result: Result) -> None:
    result.seeds += 1
    try:
        world = World(seed)
        wrong = world.run()
        result.acts += world.acts
    except Exception:  # whatever it is, the seed and the place must be told
        wrong = [f"seed {seed} broke:\n{traceback.format_exc()}"]
    if wrong:
        result.wrong[seed] = wrong


def how_to_repeat(seed: int) -> str:
    one = f"{seed}:{seed + 1}"
    return f"make simulate SEEDS={one}   (every commit: python -m tests.simulation.run --seeds {one} --trace)"


def seeds_of(text: str) -> range:
    """`A:B` as a range without B. Raises `ValueError`."""
    first, _, last = text.partition(":")
    seeds = range(int(first), int(last))
    if not seeds:
        raise ValueError(f"no seeds in {text!r}: write FIRST:LAST, the last one is not included")
    return seeds


def chunks_of(seeds: range, size: int) -> list[range]:
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.run", description="Simulate the whole engine under seeds."
    )
    parser.add_argument(
        "--seeds", type=seeds_of, default=range(200), metavar="A:B", help="which seeds (B is not included)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes side by side")
    parser.add_argument("--trace", action="store_true", help="print every commit (one process)")
    given = parser.parse_args()
    if given.trace:
        logging.disable(logging.CRITICAL)
        return max(follow(seed) for seed in given.seeds)
    began = time.monotonic()
    total = Result()
    for result in _lived(given.seeds, given.jobs):
        shown = len(total.wrong)
        total.add(result)
        for seed, sentences in result.wrong.items():
            if shown < SHOWN_MAX:
                print("\n".join([*sentences, f"  again: {how_to_repeat(seed)}"]), flush=True)
            shown += 1
    seconds = time.monotonic() - began
    pace = f"{total.seeds / seconds:.1f} seeds/s with {given.jobs} processes"
    print(f"{total.seeds} seeds, {total.acts} acts in {seconds:.0f} s: {pace}; {len(total.wrong)} went wrong")
    if total.wrong:
        print(*sorted(total.wrong))
    return 1 if total.wrong else 0


def _lived(seeds: range, jobs: int) -> Iterator[Result]:
    done, told = 0, time.monotonic()
    with get_context("fork" if sys.platform == "linux" else "spawn").Pool(jobs) as pool:
        for result in pool.imap_unordered(live, chunks_of(seeds, CHUNK)):
            yield result
            done += result.seeds
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                print(f"{done} of {len(seeds)} seeds", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
