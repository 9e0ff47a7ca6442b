"""Measure everything beside its floors.

    python -m bench.run [--only NAME ...] [--quick] [--database sqlite|postgres|both] [--conditions TEXT]

JSON goes to standard output, a table and what is going on to standard error. A whole run, not a quick one, also writes
bench/RESULTS.md. Exit code 0 whether targets are reached or not; 1 when something could not be measured.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import FrameType

import msgspec
from bench import machine, measure_files, measure_rest, measure_runs, measure_waits, report
from bench.databases import DATABASES
from bench.installation import Failed
from bench.results import Figure

ON_DATABASES: dict[str, Callable[..., Iterator[Figure]]] = {
    "save": measure_files.save,
    "cold": measure_files.cold,
    "idle": measure_rest.idle,
    "start": measure_rest.start,
    "triggers": measure_waits.triggers,
    "sensors": measure_waits.sensors,
    "expansion": measure_waits.expansion,
}
BY_THEMSELVES: dict[str, Callable[..., Iterator[Figure]]] = {
    "commandline": measure_rest.commandline,
    "planner": measure_rest.planner,
}
NAMES = (*measure_runs.SHAPES, *ON_DATABASES, *BY_THEMSELVES)


def benches(names: list[str], databases: list[str], *, quick: bool) -> Iterator[tuple[str, Iterator[Figure]]]:
    """What to measure, by name, in order; each gives its figures as they come."""
    shapes = [name for name in measure_runs.SHAPES if name in names]
    for kind in databases:
        if shapes:
            yield f"{kind}: {', '.join(shapes)}", measure_runs.measure(kind, shapes, quick=quick)
        for name, bench in ON_DATABASES.items():
            if name in names:
                yield f"{kind}: {name}", bench(kind, quick=quick)
    for name, bench in BY_THEMSELVES.items():
        if name in names:
            yield name, bench(quick=quick)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that everything works")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--conditions", default="", help="what a reader of RESULTS.md must know of this run besides")
    given = parser.parse_args()
    # Installations and databases are cleaned up on the way out, however this ends.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    databases = list(DATABASES) if given.database == "both" else [given.database]
    taken = datetime.now(UTC).isoformat(timespec="minutes")
    facts, noise = machine.description(), machine.noise()
    figures: list[Figure] = []
    failures: list[str] = []
    for name, bench in benches(given.only or list(NAMES), databases, quick=given.quick):
        _tell(name)
        try:
            for figure in bench:
                figures.append(figure)
                _tell(f"  {figure.name}: {figure.value:.2f} {figure.unit}")
        except Failed as error:  # the others can still be measured
            failures.append(f"{name}: {error}")
            _tell(f"  failed: {error}")
    everything = not given.only and not given.quick and given.database == "both"
    if everything and not failures:
        report.RESULTS.write_text(report.page(figures, facts, noise, taken, given.conditions))
    print(_json(figures, facts, noise, taken).decode())
    print(report.table(figures), file=sys.stderr)
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _json(figures: list[Figure], facts: dict[str, object], noise: dict[str, float], taken: str) -> bytes:
    document = {
        "bench": "tradewind",
        "taken": taken,
        "machine": facts,
        "noise": noise,
        "figures": [msgspec.to_builtins(each) | {"passed": each.passed} for each in figures],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
