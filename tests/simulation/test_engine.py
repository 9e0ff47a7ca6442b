"""The whole engine under seeds. `TRADEWIND_SIMULATION_SEEDS=A:B` chooses others than the first 5,000."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.simulation.run import chunks_of, how_to_repeat, live, seeds_of

SEEDS = seeds_of(os.environ.get("TRADEWIND_SIMULATION_SEEDS", "0:5000"))
CHUNK = 250


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seeds", chunks_of(SEEDS, CHUNK), ids=lambda seeds: f"{seeds.start}:{seeds.stop}")
def test_nothing_goes_wrong(seeds: range) -> None:
    result = live(seeds)
    told = [line for seed, wrong in result.wrong.items() for line in (*wrong, f"  again: {how_to_repeat(seed)}")]
    assert not told, "\n".join(told)


def test_a_seed_is_one_life() -> None:
    """The same in every process, whatever order its sets have: or a failing seed could not be repeated."""
    script = "; ".join(
        (
            "from tests.simulation.engine import World, life_of",
            "import logging",
            "logging.disable(logging.CRITICAL)",
            "print([life_of(seed) for seed in range(25)])",
        )
    )
    lives = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": number},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    }
    assert len(lives) == 1


def test_looking_changes_nothing() -> None:
    """A life is the same with checkers and without them."""
    from tests.simulation.engine import World

    for seed in range(10):
        watched, alone = World(seed), World(seed)
        alone.checkers, alone.on_commit, alone.on_step = [], [], []
        watched.run()
        alone.run()
        assert watched.digest == alone.digest
