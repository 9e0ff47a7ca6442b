"""An agent with real zygote and children against a scripted face."""

from __future__ import annotations

import itertools
import os
import select
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.runtime.face import WAIT_SECONDS, Face

from tradewind.executors.local import LocalExecutor
from tradewind.ports.bundles import tree_path
from tradewind.ports.logs import attempt_log
from tradewind.runtime.agent import Agent
from tradewind.runtime.agent_protocol import AgentStatus
from tradewind.runtime.agent_settings import AgentSettings
from tradewind.wire.states import DagRunType, Isolation
from tradewind.wire.workload import RunFacts, Workload, agent_credential

KEY = b"k" * 32
ROOT = Path(__file__).parents[3]


class Worker:
    """One agent in a thread, a face, and an executor in front of it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.face = Face()
        self.settings = _settings(folder, self.face.url, changes)
        self.agent: Agent | None = None
        self.thread: threading.Thread | None = None
        self.woken = threading.Event()
        self.executor = self.make_executor(self.settings.slots * 4)
        self._numbers = itertools.count(1)
        self.write("flow.py", "def nothing(workload, client, inputs): pass")

    def make_executor(self, parallelism: int, key: bytes = KEY) -> LocalExecutor:
        return LocalExecutor("local", self.settings.socket, key, parallelism, self.woken.set, retry_seconds=0.05)

    def start(self) -> None:
        self.start_agent()
        self.executor.start()

    def start_agent(self) -> None:
        self.agent = Agent(self.settings)
        self.thread = threading.Thread(target=self.agent.run, name="agent", daemon=True)
        self.thread.start()

    def stop_agent(self) -> None:
        if self.agent is not None and self.thread is not None:
            self.agent.stop()
            self.agent.stop()
            self.thread.join(WAIT_SECONDS)
            assert not self.thread.is_alive(), "the agent did not stop"
            self.agent = None

    def close(self) -> None:
        self.executor.stop(5.0)
        self.stop_agent()
        self.face.stop()

    def write(self, file: str, source: str) -> None:
        path = tree_path(self.settings.bundles_root, "main", "v1") / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))

    def workload(self, task: str = "nothing", *, file: str = "flow.py", **fields: Any) -> Workload:
        number = next(self._numbers)
        facts: dict[str, Any] = {
            "token": f"token-{number}",
            "ti_id": f"ti-{number}",
            "task_id": task,
            "version_id": "v",
            "bundle": "main",
            "bundle_version": "v1",
            "file": file,
            "isolation": Isolation.FORK,
            "run": RunFacts(
                run_key="r",
                dag_id="flow",
                run_id=f"run-{number}",
                run_type=DagRunType.MANUAL,
                run_after=datetime(2024, 1, 1, tzinfo=UTC),
            ),
        }
        return Workload(**(facts | fields))

    def submit(self, task: str = "nothing", **fields: Any) -> Workload:
        workload = self.workload(task, **fields)
        self.executor.submit([workload])
        return workload

    def run(self, task: str = "nothing", **fields: Any) -> Any:
        """Submit, and wait for the outcome."""
        return self.face.outcome(self.submit(task, **fields).token)

    def log_path(self, workload: Workload) -> Path:
        run = workload.run
        return attempt_log(
            self.settings.logs_folder, run.dag_id, run.run_id, workload.task_id, workload.map_path, workload.try_number
        )

    def log(self, workload: Workload) -> list[dict[str, Any]]:
        """The lines of an attempt that has ended and been heard of: a heartbeat later they are all written."""
        self.face.wait_heartbeats()
        return self.log_now(workload)

    def log_now(self, workload: Workload) -> list[dict[str, Any]]:
        path = self.log_path(workload)
        return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def texts(self, workload: Workload, source: str | None = None) -> list[str]:
        return [line["m"] for line in self.log(workload) if source in (None, line["s"])]

    def status(self) -> AgentStatus:
        return self.executor.status(WAIT_SECONDS)

    def fifo(self, name: str) -> Path:
        """A pipe that a task writes to when it has come so far."""
        path = self.folder / name
        os.mkfifo(path)
        return path


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Until something outside this process has happened that gives no signal of its own."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        os.sched_yield()


def wait_gone(pid: int) -> None:
    """Until a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], WAIT_SECONDS)[0], f"process {pid} lives on"
    finally:
        os.close(descriptor)


def _settings(folder: Path, url: str, changes: dict[str, Any]) -> AgentSettings:
    facts: dict[str, Any] = {
        "name": "host:test",
        "hostname": "host",
        "url": url,
        "key": KEY,
        "credential": agent_credential(KEY),
        "socket": folder / "agent.sock",
        "spool_dir": folder / "spool",
        "spool_bytes_max": 1 << 20,
        "logs_folder": folder / "logs",
        "log_level": "info",
        "line_bytes_max": 64 * 1024,
        "mask_length_min": 5,
        "bundles_root": folder / "bundles",
        "values_url": f"file://{folder}/values",
        "inline_bytes_max": 64 * 1024,
        "value_bytes_max": 1 << 30,
        "slots": 8,
        "waiting_max": 1000,
        "batch_max": 500,
        "retry_seconds_min": 0.01,
        "retry_seconds_max": 0.05,
        "heartbeat_seconds": 0.05,
        "lost_seconds": 10.0,
        "cleanup_seconds": 20.0,
        "stop_seconds": 5.0,
        "import_seconds_max": 20.0,
        "template_memory_bytes_max": 1 << 30,
        "reuse_idle_seconds": 30.0,
        "restart_seconds_min": 0.01,
        "restart_seconds_max": 0.1,
        "environment": {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        "preload": ("tradewind.runtime.template", "tests.unit.runtime.programs"),
        "loader": "tests.unit.runtime.programs:load",
    }
    return AgentSettings(**(facts | changes))


@pytest.fixture
def make_worker(tmp_path: Path) -> Iterator[Any]:
    workers: list[Worker] = []

    def make(**changes: Any) -> Worker:
        worker = Worker(tmp_path, **changes)
        workers.append(worker)
        worker.start()
        return worker

    yield make
    for worker in workers:
        worker.close()


@pytest.fixture
def worker(make_worker: Any) -> Worker:
    made: Worker = make_worker()
    return made
