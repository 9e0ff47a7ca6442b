"""Figures of a bench: what was measured, beside which floor, against which target."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from bench.stats import Summary

Better = Literal["lower", "higher"]
SQLITE_ALLOWANCE = 2.0
"""On SQLite a figure may be so many times worse than the target."""


class Floor(msgspec.Struct, frozen=True):
    """The same work without Tradewind, in the same run."""

    name: str
    value: float
    unit: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    bench: str
    name: str
    unit: str
    value: float
    low: float | None = None
    high: float | None = None
    rounds: int = 1
    database: str | None = None
    """None: no database is involved."""
    floor: Floor | None = None
    target: float | None = None
    better: Better = "lower"
    enough_of_floor: float | None = None
    """The target also counts as reached at this share of the floor."""
    others_busy: float | None = None
    """Share of the processors that other programs used meanwhile; it says how far to trust the figure."""
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """None without a target."""
        if self.target is None:
            return None
        reached = self.value <= self.target if self.better == "lower" else self.value >= self.target
        if reached or self.enough_of_floor is None or self.floor is None:
            return reached
        return self.value >= self.enough_of_floor * self.floor.value


def figure(bench: str, name: str, unit: str, found: Summary, **more: Any) -> Figure:
    """A figure from its rounds; targets are given for PostgreSQL, SQLite gets its allowance."""
    target = more.get("target")
    if target is not None and more.get("database") == "sqlite":
        allowance = SQLITE_ALLOWANCE if more.get("better", "lower") == "lower" else 1 / SQLITE_ALLOWANCE
        more["target"] = target * allowance
    return Figure(
        bench=bench,
        name=name,
        unit=unit,
        value=found.median,
        low=found.low,
        high=found.high,
        rounds=found.rounds,
        **more,
    )
