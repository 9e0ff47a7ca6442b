"""What Tradewind costs when it has nothing to do, how soon it stands ready, and what its parts cost by themselves."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from bench import floors, machine
from bench.installation import PROGRAM, installation, started
from bench.measure_files import FILES, add_many
from bench.results import Figure, Floor, figure
from bench.stats import Summary, summary

IDLE_SECONDS, IDLE_SECONDS_QUICK = 60.0, 10.0
_SETTLE_SECONDS = 5.0
_FLAT = 20.0


def idle(kind: str, *, quick: bool) -> Iterator[Figure]:
    """Memory and CPU of all processes of a standalone that knows many DAGs and has nothing to do."""
    seconds = IDLE_SECONDS_QUICK if quick else IDLE_SECONDS
    clock = threading.Event()  # never set: here time itself is what is waited for
    with started(kind) as place:
        add_many(place)
        clock.wait(_SETTLE_SECONDS)
        with machine.others_busy(place.pid) as busy:
            used, began = machine.cpu_seconds(place.pid), time.monotonic()
            clock.wait(seconds)
            cpu = (machine.cpu_seconds(place.pid) - used) / (time.monotonic() - began) * 100
        memory = machine.memory(place.pid)
    note = ", ".join(f"{name} {mib:.0f}" for name, mib in memory.items())
    common = {"database": kind, "others_busy": busy.share}
    total = sum(memory.values())
    yield figure(
        "idle", f"idle memory (PSS), {FILES} DAGs", "MiB", Summary(total, total, total, 1), target=250.0,
        floor=floors.bare_processes(len(memory)), note=note, **common,
    )  # fmt: skip
    yield figure(
        "idle", f"idle CPU over {seconds:.0f} s, {FILES} DAGs", "% of one core", Summary(cpu, cpu, cpu, 1), target=1.0,
        **common,
    )  # fmt: skip


def start(kind: str, *, quick: bool) -> Iterator[Figure]:
    """From the command to readiness, on an empty home and on one that has run before."""
    first, again = [], []
    floor = floors.python_start()
    with machine.others_busy() as busy:
        for _ in range(2 if quick else 5):
            with installation(kind) as place:
                first.append(place.start())
                place.stop()
                again.append(place.start())
    for name, times in (("first start of a home", first), ("later start", again)):
        yield figure(
            "start", f"standalone healthy, {name}", "s", summary(times), database=kind, target=3.0,
            floor=Floor(floor.name, floor.value / 1000, "s"), others_busy=busy.share,
        )  # fmt: skip


def planner(*, quick: bool) -> Iterator[Figure]:
    """Cost per event, from a thousand to a million waiting tasks."""
    with machine.others_busy() as busy:
        command = [sys.executable, "-m", "bench.planner", "--max", "100000" if quick else "1000000"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    results = json.loads(done.stdout)["results"]
    for shape in dict.fromkeys(result["shape"] for result in results):
        costs = {result["waiting"]: result["event_us"] for result in results if result["shape"] == shape}
        smallest = costs[min(costs)]
        for waiting, cost in costs.items():
            yield Figure(
                bench="planner", name=f"planner, {shape}, {waiting:,} waiting", unit="µs/event", value=cost,
                others_busy=busy.share,
            )  # fmt: skip
        off = max((abs(cost / smallest - 1) * 100 for cost in costs.values()), default=0.0)
        yield Figure(
            bench="planner", name=f"planner, {shape}: farthest from the cost at {min(costs):,}", unit="%",
            value=off, target=_FLAT, floor=Floor(f"cost at {min(costs):,}", smallest, "µs/event"),
            others_busy=busy.share,
        )  # fmt: skip


def commandline(*, quick: bool) -> Iterator[Figure]:
    """What every command and every DAG file pays first."""
    rounds = 5 if quick else 20
    floor = floors.python_start(rounds)
    cases = (
        ("import tradewind", [sys.executable, "-c", "import tradewind"], None),
        ("from tradewind import dag, task", [sys.executable, "-c", "from tradewind import dag, task"], None),
        ("tradewind --help", [*PROGRAM, "--help"], 150.0),
    )
    for name, command, target in cases:
        with machine.others_busy() as busy:
            floors.timed_ms(command)  # compiles what was never imported
            times = [floors.timed_ms(command) for _ in range(rounds)]
        yield figure(
            "commandline", name, "ms", summary(times), target=target, floor=floor, others_busy=busy.share,
            note="with the start of Python",
        )  # fmt: skip
