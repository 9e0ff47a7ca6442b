"""What waiting costs: triggers in their thousands, rescheduled sensors, and wide expansions."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from bench import machine, wait_files
from bench.installation import Failed, Installation, started
from bench.results import Figure, figure
from bench.stats import Summary, percentile, summary

MANY, MANY_QUICK = 10_000, 500
FIRE_SECONDS = 100.0
"""Over this long the triggers fire, one after another."""
CALM_SECONDS, CALM_SECONDS_QUICK = 30.0, 5.0
_PATIENCE_SECONDS = 900.0
_LOOK_SECONDS = 0.5


def triggers(kind: str, *, quick: bool) -> Iterator[Figure]:
    """Memory of a triggerer and its host with many triggers, CPU meanwhile, and how soon an event is in the rows."""
    many = MANY_QUICK if quick else MANY
    with started(kind) as place:
        place.publish({"triggers.py": wait_files.triggers("triggers", many, FIRE_SECONDS)}, ["triggers"])
        key = place.trigger("triggers")
        _until(place, key, lambda states: states["deferred"] >= many, "all are deferred")
        threading.Event().wait(CALM_SECONDS_QUICK)  # the host makes them meanwhile; the first fires later
        began, used = time.monotonic(), machine.cpu_seconds(place.pid)
        memory = sum(mib for name, mib in machine.memory(place.pid).items() if name.startswith("tradewind-trig"))
        with machine.others_busy(place.pid) as busy:
            _until(place, key, lambda states: not states["deferred"], "all have fired")
        cpu = (machine.cpu_seconds(place.pid) - used) / (time.monotonic() - began) * 100
        with place.store.read() as tx:
            (run,) = tx.list_runs(dag_id="triggers")
            found = tx.xcom_find("triggers", run.run_id, ["wait"], "return_value")
            fired = {value.map_path: float(value.value.data or b"0") for value in found}
            rows = [row for row in tx.task_list(key) if row.ended_at is not None]
        waits = [(row.ended_at.timestamp() - fired[row.map_path]) * 1000 for row in rows if row.ended_at is not None]
    common = {"database": kind, "others_busy": busy.share}
    yield figure(
        "triggers", f"memory (PSS) of triggerer and host, {many:,} triggers", "MiB",
        Summary(memory, memory, memory, 1), target=400.0, **common,
    )  # fmt: skip
    rate = many / FIRE_SECONDS
    yield figure("triggers", f"from an event to its row, median, {rate:.0f} events/s", "ms", summary(waits), **common)
    tail = percentile(waits, 95)
    yield figure(
        "triggers", f"from an event to its row, p95, {rate:.0f} events/s", "ms", Summary(tail, tail, tail, 1),
        target=100.0, **common,
    )  # fmt: skip
    yield figure(
        "triggers", f"CPU of everything, {rate:.0f} events/s", "% of one core", Summary(cpu, cpu, cpu, 1), **common
    )


def sensors(kind: str, *, quick: bool) -> Iterator[Figure]:
    """What rescheduled sensors cost between two pokes."""
    many = MANY_QUICK if quick else MANY
    seconds = CALM_SECONDS_QUICK if quick else CALM_SECONDS
    with started(kind) as place:
        place.publish({"sensors.py": wait_files.sensors("sensors", many)}, ["sensors"])
        before = len(machine.tree(place.pid))
        key = place.trigger("sensors")
        _until(place, key, lambda states: states["up_for_reschedule"] >= many, "all have poked once")
        clock = threading.Event()  # never set: here time itself is what is waited for
        clock.wait(CALM_SECONDS_QUICK)
        with machine.others_busy(place.pid) as busy:
            used, began = machine.cpu_seconds(place.pid), time.monotonic()
            clock.wait(seconds)
            cpu = (machine.cpu_seconds(place.pid) - used) / (time.monotonic() - began) * 100
        processes = len(machine.tree(place.pid)) - before
    yield figure(
        "sensors", f"CPU of everything, {many:,} rescheduled sensors", "% of one core", Summary(cpu, cpu, cpu, 1),
        database=kind, target=1.0, others_busy=busy.share, note=f"{processes} processes more than without",
    )  # fmt: skip


def expansion(kind: str, *, quick: bool) -> Iterator[Figure]:
    """From the end of the task that makes the list to the first instance over it."""
    many = MANY_QUICK if quick else MANY
    firsts: list[float] = []
    with started(kind) as place:
        place.publish({"wide.py": wait_files.expansion("wide", many)}, ["wide"])
        with machine.others_busy(place.pid) as busy:
            for _ in range(2 if quick else 3):
                key = place.trigger("wide")
                _until(place, key, lambda states: states["success"] >= 2, "the first instance is done")
                with place.store.read() as tx:
                    rows = tx.task_list(key)
                    made = next(row.ended_at for row in rows if row.task_id == "numbers")
                    first = min(row.started_at for row in rows if row.task_id == "work" and row.started_at is not None)
                    assert made is not None
                    firsts.append((first - made).total_seconds())
                _until(place, key, lambda states: set(states) <= {"success", "skipped", "failed"}, "the run is over")
    yield figure(
        "expansion", f"first of {many:,} mapped instances after its source", "s", summary(firsts), database=kind,
        target=1.0, others_busy=busy.share,
    )  # fmt: skip


def _until(place: Installation, run_key: str, is_so: Callable[[Counter[str]], bool], what: str) -> None:
    """Look every now and then; a look costs more than what is looked for would tell."""
    clock, deadline = threading.Event(), time.monotonic() + _PATIENCE_SECONDS
    while True:
        with place.store.read() as tx:
            found = tx.count_task_states([run_key]).get(run_key, {})
        if is_so(Counter({str(state): number for state, number in found.items()})):
            return
        if time.monotonic() > deadline:
            raise Failed(f"in vain for {_PATIENCE_SECONDS:.0f} s: {what}; the states are {found}")
        clock.wait(_LOOK_SECONDS)
