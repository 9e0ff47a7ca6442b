"""How many forked children a second this machine allows, and how many attempts an agent runs beside that.

    python bench/forks.py [--parent-mib 40] [--parallel 8] [--attempts 500] [--floor-only]

The floor is fork + exit of a child that does nothing, from a parent whose memory is as large as a template's, so many
at a time. The agent runs attempts of a task that does nothing, against an execution face that answers at once. Both
take turns, so that noise of the machine meets them alike; medians are printed as JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS = 3
DAG_FILE = """
from tradewind import dag, task

@dag(schedule=None)
def flow():
    @task
    def nothing():
        pass
    nothing()

flow()
"""


def fork_floor(parent_mib: int, parallel: int, count: int) -> float:
    """Children a second, forked by a fresh process of this size."""
    command = [sys.executable, __file__, "--child-of-floor", str(parent_mib), str(parallel), str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure_floor(parent_mib: int, parallel: int, count: int) -> float:
    # Objects as a program has them, not one block: page tables and dirty pages are what a fork pays for.
    ballast = []
    while _resident_mib() < parent_mib:
        ballast.append([{number: str(number)} for number in range(1000)])
    gc.collect()
    gc.freeze()
    begun = time.perf_counter()
    started = alive = 0
    while started < count or alive:
        while alive < parallel and started < count:
            if os.fork() == 0:
                os._exit(0)
            started += 1
            alive += 1
        os.wait()
        alive -= 1
    return count / (time.perf_counter() - begun)


def _resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


class AgentBench:
    """One agent in a process of its own, with the SDK's loader."""

    def __init__(self, folder: Path, parallel: int) -> None:
        sys.path.insert(0, str(ROOT))
        from tests.unit.runtime.conftest import Worker

        from tradewind.runtime.agent import Agent
        from tradewind.runtime.agent_settings import PRELOAD
        from tradewind.runtime.user_code import LOADER

        # Face and executor share this process: long turns of one thread would be measured as the agent's.
        sys.setswitchinterval(0.0005)
        self.worker = Worker(
            folder, slots=parallel, waiting_max=1_000_000, heartbeat_seconds=2.0, loader=LOADER, preload=PRELOAD
        )
        self.worker.write("flow.py", DAG_FILE)
        self.pid = os.fork()
        if self.pid == 0:
            agent = Agent(self.worker.settings)
            signal.signal(signal.SIGTERM, lambda *_: agent.stop())
            agent.run()
            os._exit(0)
        self.worker.executor.start()

    def rate(self, isolation: str, count: int) -> float:
        """Attempts a second, from submission to the last report."""
        from tradewind.wire.execution import Report
        from tradewind.wire.states import Isolation

        face = self.worker.face
        workloads = [self.worker.workload(isolation=Isolation(isolation)) for _ in range(count)]
        missing = {workload.token for workload in workloads}
        heard = len(face.exchanges)

        def all_reported() -> bool:
            nonlocal heard
            for exchange in face.exchanges[heard:]:
                missing.difference_update(m.token for m in exchange.messages if isinstance(m, Report))
            heard = len(face.exchanges)
            return not missing

        begun = time.perf_counter()
        self.worker.executor.submit(workloads)
        face.wait_for(all_reported)
        return count / (time.perf_counter() - begun)

    def hop_ms(self, isolation: str, count: int) -> float:
        """Median from submission of one attempt to its report."""
        from tradewind.wire.states import Isolation

        times = []
        for _ in range(count):
            begun = time.perf_counter()
            self.worker.run(isolation=Isolation(isolation))
            times.append(time.perf_counter() - begun)
        return statistics.median(times) * 1000

    def memory_mib(self) -> dict[str, float]:
        from tradewind.kernel.process import pss_bytes

        status = self.worker.status()
        pids = {"agent": status.pid, "zygote": status.zygote_pid or 0, "template": status.templates["flow.py"]}
        return {name: round(pss_bytes(pid) / (1 << 20), 1) for name, pid in pids.items()}

    def close(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        self.worker.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parent-mib", type=int, default=40, help="resident size of the floor's parent")
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--attempts", type=int, default=500)
    parser.add_argument("--floor-only", action="store_true")
    parser.add_argument("--child-of-floor", nargs=3, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child_of_floor:
        print(_measure_floor(*given.child_of_floor))
        return
    if given.floor_only:
        rates = [fork_floor(given.parent_mib, given.parallel, given.attempts) for _ in range(ROUNDS)]
        print(json.dumps({"bench": "forks", "floor_per_second": round(statistics.median(rates))}))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(_compare(given, Path(folder)), indent=2))


def _compare(given: argparse.Namespace, folder: Path) -> dict[str, object]:
    bench = AgentBench(folder, given.parallel)
    for isolation in ("fork", "reuse"):
        bench.rate(isolation, given.parallel)
    floors, forks, reuses = [], [], []
    for _ in range(ROUNDS):
        floors.append(fork_floor(given.parent_mib, given.parallel, given.attempts))
        forks.append(bench.rate("fork", given.attempts))
        reuses.append(bench.rate("reuse", given.attempts))
    floor, fork = statistics.median(floors), statistics.median(forks)
    result: dict[str, object] = {
        "bench": "forks",
        "parent_mib": given.parent_mib,
        "parallel": given.parallel,
        "floor_per_second": round(floor),
        "fork_per_second": round(fork),
        "fork_of_floor": round(fork / floor, 2),
        "reuse_per_second": round(statistics.median(reuses)),
        "hop_fork_ms": round(bench.hop_ms("fork", 50), 2),
        "hop_reuse_ms": round(bench.hop_ms("reuse", 50), 2),
        "pss_mib": bench.memory_mib(),
    }
    bench.close()
    return result


if __name__ == "__main__":
    main()
