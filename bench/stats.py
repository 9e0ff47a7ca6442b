"""Several measurements of one thing, in few numbers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Summary(NamedTuple):
    """Median of the rounds, with the lowest and highest of them: the spread is the noise."""

    median: float
    low: float
    high: float
    rounds: int


def summary(values: Sequence[float]) -> Summary:
    """Raises ValueError without values."""
    return Summary(statistics.median(values), min(values), max(values), len(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]
