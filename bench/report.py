"""The table of figures, for the terminal and for RESULTS.md."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import Figure

RESULTS = Path(__file__).with_name("RESULTS.md")
MISSES = Path(__file__).with_name("misses.toml")
_QUIET = 0.1
"""Share of the processors others may use before a row is marked."""
_HEAD = ("figure", "database", "value", "lowest – highest", "floor", "target", "", "others")


def table(figures: Sequence[Figure]) -> str:
    """All rows as a Markdown table."""
    rows = [_HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def page(
    figures: Sequence[Figure], machine: dict[str, Any], noise: dict[str, float], taken: str, conditions: str = ""
) -> str:
    """RESULTS.md; `conditions` is what a reader must know of this run besides."""
    facts = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in machine.items())
    parts = [
        "# Results",
        f"Taken {taken} by `make bench`; this page is written by it. {facts}.",
        f"The machine's noise before the run: the same loop took {noise['p95_of_median']} times its median in the "
        f"worst 5 % of its turns, {noise['max_of_median']} times at most. *Others* is the share of all processors that "
        "programs other than Tradewind, the database and the bench used while a row was taken; rows above "
        f"{_QUIET:.0%} say little. Value: median of the rounds; beside it the lowest and highest round. *Floor*: the "
        "same work without Tradewind, in the same run. Targets on SQLite are twice those on PostgreSQL.",
        *([f"**Conditions of this run.** {conditions}"] if conditions else []),
        table(figures),
        *_misses(figures),
        *_notes(figures),
    ]
    return "\n\n".join(parts) + "\n"


def _row(figure: Figure) -> tuple[str, ...]:
    spread = ""
    if figure.low is not None and figure.high is not None and figure.rounds > 1:
        spread = f"{_number(figure.low)} – {_number(figure.high)} ({figure.rounds})"
    floor = f"{_number(figure.floor.value)} {figure.floor.unit}: {figure.floor.name}" if figure.floor else ""
    return (
        figure.name,
        figure.database or "",
        f"{_number(figure.value)} {figure.unit}",
        spread,
        floor,
        _target(figure),
        {True: "pass", False: "MISS", None: ""}[figure.passed],
        ""
        if figure.others_busy is None
        else f"{figure.others_busy:.0%}" + ("!" if figure.others_busy > _QUIET else ""),
    )


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    sign = "≤" if figure.better == "lower" else "≥"
    share = f" or {figure.enough_of_floor:.0%} of floor" if figure.enough_of_floor else ""
    return f"{sign} {_number(figure.target)}{share}"


def _misses(figures: Sequence[Figure]) -> list[str]:
    missed = [figure for figure in figures if figure.passed is False]
    if not missed:
        return ["## What misses", "Nothing."]
    reasons: dict[str, str] = tomllib.loads(MISSES.read_text())
    lines = [
        f"- {figure.name}{f' ({figure.database})' if figure.database else ''}: {_number(figure.value)} {figure.unit}, "
        f"target {_target(figure)}. {reasons.get(figure.name, 'The reason is not known yet.')}"
        for figure in missed
    ]
    return ["## What misses", "\n".join(lines)]


def _notes(figures: Sequence[Figure]) -> list[str]:
    noted = [figure for figure in figures if figure.note]
    if not noted:
        return []
    lines = [f"- {each.name}{f' ({each.database})' if each.database else ''}: {each.note}" for each in noted]
    return ["## Notes", "\n".join(lines)]


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"
