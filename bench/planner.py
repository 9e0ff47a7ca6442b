"""Cost of the planner, as JSON: microseconds per event with 10^3 to 10^6 tasks waiting, in two shapes, and the time
of a take-over.

Wide: one root, n tasks that wait for it and for one another in pairs (each event makes one task ready).
Grid: chains of 100 tasks side by side; an event moves one chain on.
Expectation (docs/explanation/architecture.md): flat within 20 % from the smallest to the largest.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import time
from collections import deque

from tradewind.domain.planner import Graph, InstanceSnapshot, Key, RunPlan, changes, events
from tradewind.wire.document import DagDocument, TaskDocument
from tradewind.wire.states import TaskInstanceState

CHAIN = 100
EVENTS = 400
ROUNDS = 40


def wide(n: int) -> DagDocument:
    """n / 2 pairs: a first task that can run at once, a second that waits for it."""
    tasks = [_task(f"a{i:07}") for i in range(n // 2)] + [_task(f"b{i:07}", f"a{i:07}") for i in range(n - n // 2)]
    return _document(tasks)


def grid(n: int) -> DagDocument:
    """n / 100 chains of 100."""
    tasks = [
        _task(f"c{chain:06}.{step:03}", *([f"c{chain:06}.{step - 1:03}"] if step else []))
        for chain in range(n // CHAIN)
        for step in range(CHAIN)
    ]
    return _document(tasks)


def _task(task_id: str, *upstream: str) -> TaskDocument:
    return TaskDocument(task_id=task_id, operator="Bench", upstream=upstream)


def _document(tasks: list[TaskDocument]) -> DagDocument:
    return DagDocument(format=1, dag_id="bench", file="bench.py", tasks=tuple(tasks))


def one_round(plan: RunPlan, ready: deque[Key]) -> float:
    """Microseconds per event: end what is ready in order; what follows joins the queue."""
    apply, success = plan.apply, TaskInstanceState.SUCCESS
    began = time.thread_time_ns()
    for _ in range(EVENTS):
        for change in apply(events.Ended(ready.popleft(), success)):
            if isinstance(change, changes.Ready):
                ready.append(change.key)
    return (time.thread_time_ns() - began) / EVENTS / 1000


class Subject:
    """One shape and size: a plan with events left, made anew from rows when they are used up."""

    def __init__(self, shape: str, n: int) -> None:
        self.shape, self.n = shape, n
        document = {"wide": wide, "grid": grid}[shape](n)
        began = time.thread_time()
        self.graph = Graph.of(document)
        self.compile_seconds = time.thread_time() - began
        self.rows = [InstanceSnapshot(task.task_id) for task in document.tasks]
        self.rounds: list[float] = []
        self.load()

    def load(self) -> None:
        began = time.thread_time()
        self.plan, out = RunPlan.load(self.graph, self.rows)
        self.load_seconds = time.thread_time() - began
        self.ready = deque(change.key for change in out if isinstance(change, changes.Ready))
        self.rounds_left = self.n // 2 // EVENTS

    def measure(self) -> None:
        if not self.rounds_left:
            self.load()
        self.rounds_left -= 1
        self.rounds.append(one_round(self.plan, self.ready))

    def result(self) -> dict[str, float | int | str]:
        return {
            "shape": self.shape, "waiting": self.n, "event_us": round(statistics.median(self.rounds), 2),
            "event_us_min": round(min(self.rounds), 2),
            "compile_s": round(self.compile_seconds, 3), "load_s": round(self.load_seconds, 3),
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max", type=int, default=1_000_000, help="largest number of waiting tasks")
    arguments = parser.parse_args()
    sizes = [n for n in (1_000, 10_000, 100_000, 1_000_000) if n <= arguments.max]
    results = []
    for shape in ("wide", "grid"):
        subjects = [Subject(shape, n) for n in sizes]
        gc.collect()
        gc.freeze()
        # Sizes take turns, so that noise of the machine meets all of them alike.
        for _ in range(ROUNDS):
            for subject in subjects:
                subject.measure()
        gc.unfreeze()
        results += [subject.result() for subject in subjects]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"bench": "planner", "results": results, "peak_rss_mb": peak}, indent=2))


if __name__ == "__main__":
    main()
