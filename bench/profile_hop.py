"""Where the time of a hop goes: `python -m bench.profile_hop [--database postgres] [--isolation fork] [--runs 10]`.

A chain of 30 runs in an installation whose processes note, at some of their functions, when they were called (see
`tracing/sitecustomize.py`; the product itself holds nothing for it). Every hop, from the last line of a task's user
code to the first line of the next one's, is cut at these points; medians over all hops are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from bisect import bisect_left, bisect_right
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench import dag_files
from bench.databases import DATABASES
from bench.installation import Installation, installation
from bench.machine import others_busy
from bench.stats import percentile
from bench.times import Attempt, SideFile

LENGTH = 30
_POST = "tradewind.runtime.http:HttpConnection.post+"
_FACE = "tradewind.server.execution.face:ExchangeFace.__call__+"
_WORK = "tradewind.server.execution.desks:DeskPool._work+"
_COMMITTED = "tradewind.commands.execution:ExecutionDesk.exchange-"
_SUBMITTED = "tradewind.executors.local:LocalExecutor.submit+"
_TAKEN = "tradewind.runtime.agent:Agent.submit+"


class Point(NamedTuple):
    """One cut of a hop."""

    name: str
    label: str
    anchor: str
    """The point it is looked for from."""
    back: bool = False
    """The last one before the anchor, not the first one after it."""


POINTS = (
    Point("child says its verdict", "tradewind.runtime.channel:AgentClient.verdict+", "user code ended"),
    Point("agent has heard it", "tradewind.runtime.agent:Agent._judged+", "child says its verdict"),
    Point("agent sends the report", _POST, "agent has heard it"),
    Point("API server has it", _FACE, "agent sends the report"),
    Point("a desk takes it up", _WORK, "API server has it"),
    Point("report committed", _COMMITTED, "a desk takes it up"),
    Point("scheduler woke", "tradewind.scheduler.loop:Scheduler.step+", "step committed", back=True),
    Point("step committed", "tradewind.scheduler.loop:Scheduler._hand_over+", "workload handed out", back=True),
    Point("workload handed out", _SUBMITTED, "user code ended"),
    Point("executor sends it", "tradewind.executors.local:_Line.send+", "workload handed out"),
    Point("agent has the workload", _TAKEN, "executor sends it"),
    Point("agent asks for a process", "tradewind.runtime.agent:Agent._launch+", "agent has the workload"),
    Point("agent has one", "tradewind.runtime.agent:Agent._seated+", "agent asks for a process"),
    Point("agent says GO", "tradewind.runtime.seats:Seat.go+", "agent has one"),
    Point("child has START", "tradewind.runtime.child:Attempt._run+", "agent has one"),
    Point("child has GO", "tradewind.runtime.child:Attempt._await_go-", "agent says GO"),
)


class Trace:
    """Instants by label."""

    def __init__(self, path: Path) -> None:
        self._instants: dict[str, list[int]] = {}
        for line in path.read_text().splitlines():
            instant, _pid, label = line.split(" ", 2)
            self._instants.setdefault(label, []).append(int(instant))
        for instants in self._instants.values():
            instants.sort()

    def find(self, label: str, anchor: int, *, back: bool) -> int | None:
        instants = self._instants.get(label, [])
        at = bisect_right(instants, anchor) - 1 if back else bisect_left(instants, anchor)
        return instants[at] if 0 <= at < len(instants) else None


def cut(trace: Trace, before: Attempt, after: Attempt) -> dict[str, int] | None:
    """Instants of the points of one hop; None when one of them is missing."""
    found = {"user code ended": before.ended, "user code begins": after.began}
    left = list(POINTS)
    while left:
        for point in left:
            if point.anchor in found:
                break
        else:
            return None
        left.remove(point)
        instant = trace.find(point.label, found[point.anchor], back=point.back)
        if instant is None or not before.ended - 1_000_000 < instant < after.began + 1_000_000:
            return None
        found[point.name] = instant
    return found


def profile(place: Installation, isolation: str, runs: int) -> dict[str, object]:
    """Run the chain and cut its hops."""
    side = SideFile(place.home / "chain.times")
    place.publish({"chain.py": dag_files.chain("chain", LENGTH, isolation, side)}, ["chain"])
    place.run("chain")
    side.new_lines()
    with others_busy(place.pid) as busy:
        chains = []
        for _ in range(runs):
            place.run("chain")
            chains.append(sorted(side.new_lines(), key=lambda attempt: attempt.began))
    trace = Trace(_trace_file(place.home))
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    hops = [found for before, after in pairs if (found := cut(trace, before, after)) is not None]
    if not hops:
        sys.exit(
            f"none of {len(pairs)} hops could be followed; were functions renamed? See POINTS in bench/profile_hop.py"
        )
    order = ["user code ended", *(point.name for point in POINTS), "user code begins"]
    whole = [(after.began - before.ended) / 1e6 for before, after in pairs]
    return {
        "isolation": isolation,
        "hops": len(pairs),
        "followed": len(hops),
        "hop_ms": {"median": round(statistics.median(whole), 2), "p95": round(percentile(whole, 95), 2)},
        "others_busy": busy.share,
        "steps": _steps(hops, order),
    }


def _steps(hops: list[dict[str, int]], order: list[str]) -> list[dict[str, object]]:
    """Each point with the time since the one before it."""
    steps: list[dict[str, object]] = []
    for before, name in pairwise(order):
        took = [(hop[name] - hop[before]) / 1e6 for hop in hops]
        since = [(hop[name] - hop[order[0]]) / 1e6 for hop in hops]
        steps.append(
            {
                "point": name,
                "at_ms": round(statistics.median(since), 2),
                "took_ms": round(statistics.median(took), 2),
                "took_p95_ms": round(percentile(took, 95), 2),
            }
        )
    return steps


def _trace_file(home: Path) -> Path:
    return home.with_suffix(".trace")


def _environment(home: Path) -> dict[str, str]:
    tracing = Path(__file__).parent / "tracing"
    points: dict[str, list[str]] = {}
    for point in POINTS:
        module, _, function = point.label.rstrip("+-").partition(":")
        if function not in points.setdefault(module, []):
            points[module].append(function)
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(tracing), os.environ.get("PYTHONPATH")])),
        "TRADEWIND_BENCH_TRACE": str(_trace_file(home)),
        "TRADEWIND_BENCH_POINTS": json.dumps(points),
    }


def table(found: dict[str, object]) -> str:
    """For people."""
    steps = found["steps"]
    assert isinstance(steps, list)
    lines = [
        f"{found['isolation']}: hop {found['hop_ms']} ms, {found['followed']} of {found['hops']} hops followed, "
        f"others used {found['others_busy']:.0%} of the processors",
        f"{'':28} {'at ms':>8} {'took ms':>8} {'p95':>8}",
    ]
    lines += [f"{s['point']:28} {s['at_ms']:8.2f} {s['took_ms']:8.2f} {s['took_p95_ms']:8.2f}" for s in steps]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=DATABASES, default="postgres")
    parser.add_argument("--isolation", choices=("fork", "reuse", "spawn"), default="fork")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    with installation(given.database) as place:
        place.add_environment(_environment(place.home))
        place.start()
        found = profile(place, given.isolation, given.runs)
    print(json.dumps(found, indent=2) if given.json else table(found))


if __name__ == "__main__":
    main()
