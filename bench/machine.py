"""What the machine did meanwhile: processors used by us and by others, memory and CPU of a tree of processes."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.stats import percentile

from tradewind.kernel.process import pss_bytes

_TICKS = os.sysconf("SC_CLK_TCK")
_SPIN_SECONDS = 0.01


class Process(NamedTuple):
    """One process at one moment."""

    pid: int
    parent: int
    name: str
    own_seconds: float
    """CPU it has used itself."""
    reaped_seconds: float
    """CPU of children it has reaped, and of theirs."""

    @property
    def cpu_seconds(self) -> float:
        return self.own_seconds + self.reaped_seconds


def processes() -> dict[int, Process]:
    """Everything that runs, by pid."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
        name, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        pid = int(folder.name)
        own, reaped = (sum(map(int, pair)) / _TICKS for pair in (fields[11:13], fields[13:15]))
        found[pid] = Process(pid, int(fields[1]), name, own, reaped)
    return found


def tree(root: int) -> list[Process]:
    """A process and all below it."""
    everything = processes()
    children: dict[int, list[Process]] = {}
    for process in everything.values():
        children.setdefault(process.parent, []).append(process)
    found = [everything[root]]
    for process in found:
        found += children.get(process.pid, [])
    return found


def memory(root: int) -> dict[str, float]:
    """MiB of PSS of a tree: by process, as `name pid`."""
    found = {}
    for process in tree(root):
        try:
            found[f"{process.name} {process.pid}"] = pss_bytes(process.pid) / (1 << 20)
        except ProcessLookupError:
            continue
    return found


def resident_mib(pid: int) -> float:
    """Resident size, shared pages counted in full."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def cpu_seconds(root: int) -> float:
    """CPU used by a tree so far."""
    return sum(process.cpu_seconds for process in tree(root))


def cpu_by_role(root: int) -> dict[str, float]:
    """CPU seconds used by a tree so far: by name of process, what was reaped as `children of NAME`; and by PostgreSQL,
    whoever it worked for."""
    found: dict[str, float] = {}
    database = [process for process in processes().values() if process.name == "postgres"]
    for process in [*tree(root), *database]:
        for role, seconds in (
            (process.name, process.own_seconds),
            (f"children of {process.name}", process.reaped_seconds),
        ):
            found[role] = found.get(role, 0.0) + seconds
    return found


class Busy:
    """Set when the block has ended: the share of all processors used by programs other than the given trees."""

    share: float = 0.0


@contextmanager
def others_busy(*roots: int) -> Iterator[Busy]:
    """How busy others were while the block ran. `roots` are ours, and so is this process with what it has reaped.

    Server processes of PostgreSQL count as ours: their work is part of what is measured.
    """
    result = Busy()
    began, used, ours = time.monotonic(), _busy_seconds(), _our_seconds(roots)
    try:
        yield result
    finally:
        seconds = time.monotonic() - began
        others = (_busy_seconds() - used) - (_our_seconds(roots) - ours)
        result.share = max(0.0, round(others / seconds / (os.cpu_count() or 1), 3)) if seconds else 0.0


def _our_seconds(roots: tuple[int, ...]) -> float:
    everything = processes()
    mine = {process.pid for root in {*roots, os.getpid()} if root in everything for process in tree(root)}
    database = {pid for pid, process in everything.items() if process.name == "postgres"}
    return sum(everything[pid].cpu_seconds for pid in mine | database if pid in everything)


def _busy_seconds() -> float:
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / _TICKS


def noise() -> dict[str, float]:
    """The machine's noise: the same loop many times. `p95_of_median` is 1 on a machine that does nothing else."""
    loops = _loops_for(_SPIN_SECONDS)
    times = [_spin(loops) for _ in range(100)]
    median = statistics.median(times)
    return {
        "spin_ms": round(median * 1000, 3),
        "p95_of_median": round(percentile(times, 95) / median, 3),
        "max_of_median": round(max(times) / median, 3),
    }


def _loops_for(seconds: float) -> int:
    loops = 10_000
    while (taken := _spin(loops)) < seconds:
        loops = int(loops * max(1.2, seconds / taken))
    return loops


def _spin(loops: int) -> float:
    began = time.perf_counter()
    for _ in range(loops):
        pass
    return time.perf_counter() - began


def description() -> dict[str, Any]:
    """What the figures were taken on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30), 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }
