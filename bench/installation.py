"""The real product in a temporary home: `tradewind standalone` with its settings at their defaults, on free ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.databases import new_database

from tradewind.app.standalone.readiness import probe
from tradewind.commands.documents import Documents
from tradewind.commands.runs import trigger_run
from tradewind.kernel.doorbell import Listener
from tradewind.kernel.ids import uuid7
from tradewind.ports.store import Store
from tradewind.store import open_store
from tradewind.wire.states import LIVE_RUN_STATES, DagRunState

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
RUN_SECONDS_MAX = 300.0
PARSE_SECONDS_MAX = 120.0
_READY_LINE = "is ready"
PROGRAM = (sys.executable, "-m", "tradewind")


class Failed(RuntimeError):
    """The product did not do what is to be measured; says where to look."""


class Installation:
    """One home. `start` and `stop` may alternate.

    Parameters:
        home: the folder everything lives in; empty at first.
        url: of a database of its own.
        environment: further variables for the product's processes.
    """

    def __init__(self, home: Path, url: str, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.url = url
        self.dags = home / "dags"
        self.dags.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TRADEWIND")},
            "TRADEWIND_HOME": str(home),
            "TRADEWIND__DATABASE__URL": url,
            "TRADEWIND__API__PORT": str(self.port),
            "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
            **(environment or {}),
        }
        self._process: subprocess.Popen[str] | None = None
        self._store: Store | None = None
        self._documents = Documents()

    def add_environment(self, more: Mapping[str, str]) -> None:
        """Further variables, from the next start on."""
        self._environment.update(more)

    @property
    def pid(self) -> int:
        """Of the parent of all processes."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> Path:
        """What the processes wrote."""
        return self.home / "standalone.log"

    def start(self) -> float:
        """Start and wait until it says that it is ready, which its probe must confirm; the seconds it took.

        Raises:
            Failed: it ended, or is not ready in time.
        """
        began = time.monotonic()
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [*PROGRAM, "standalone"], env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        with _deadline(self._process, READY_SECONDS_MAX):
            ready = any(_READY_LINE in line for line in self._process.stdout)
        seconds = time.monotonic() - began
        if not ready or not probe("127.0.0.1", self.port).ready:
            self.stop()
            raise Failed(f"standalone did not become ready; see its log:\n{self._tail()}")
        return seconds

    def stop(self) -> None:
        """Stop everything; twice is once."""
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its children die with it
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    @property
    def store(self) -> Store:
        """The database, opened here: what the API and the CLI do."""
        if self._store is None:
            self._store = open_store(self.url)
        return self._store

    def save(self, name: str, text: str) -> None:
        """Save a DAG file as editors do: written beside, then renamed."""
        draft = self.home / f"{name}.draft"
        draft.write_text(text)
        draft.replace(self.dags / name)

    def publish(self, files: Mapping[str, str], dag_ids: Sequence[str]) -> None:
        """Save files and wait until their DAGs are there. Raises `Failed`."""
        with self.store.listen(["dags"]) as bell:
            for name, text in files.items():
                self.save(name, text)
            self.wait_for_dags(bell, dag_ids)

    def wait_for_dags(self, bell: Listener, dag_ids: Sequence[str]) -> None:
        """Wait until DAGs are there; `bell` listens to "dags" since before they could be. Raises `Failed`."""

        def are_there() -> bool:
            with self.store.read() as tx:
                return len(tx.dag_get_many(dag_ids)) == len(dag_ids)

        self._wait(bell, are_there, PARSE_SECONDS_MAX, "published")

    def trigger(self, dag_id: str) -> str:
        """Ask for a run now; its key."""
        now = datetime.now(UTC)
        with self.store.begin() as tx:
            row = trigger_run(tx, self._documents, now, lambda: str(uuid7()), dag_id, logical_date=now)
        return row.run_key

    def run(self, *dag_ids: str, times: int = 1) -> int:
        """Trigger runs, one transaction each, and wait until all have succeeded.

        Returns:
            When the first of them was asked for, nanoseconds since the epoch.

        Raises:
            Failed: one did not succeed, or not in time.
        """
        # A finished run makes room for queued ones: this topic rings once a run, "changes" with every task.
        with self.store.listen(["runs"]) as bell:
            began = time.time_ns()
            keys = [self.trigger(dag_id) for _ in range(times) for dag_id in dag_ids]
            self._wait(bell, lambda: self._are_over(keys), RUN_SECONDS_MAX, "finished")
        return began

    def _are_over(self, keys: list[str]) -> bool:
        """Takes those away that are over, from the end, so that looking stays cheap with many runs."""
        with self.store.read() as tx:
            while keys:
                row = tx.run_get(keys[-1])
                if row is None or row.state is DagRunState.FAILED:
                    name = row.run_id if row else keys[-1]
                    raise Failed(f"the run {name} failed; see {self.home / 'logs'} and the log:\n{self._tail()}")
                if row.state in LIVE_RUN_STATES:
                    return False
                keys.pop()
        return True

    def _wait(self, bell: Listener, is_so: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failed(f"not {what} within {seconds:g} s; the log ends with:\n{self._tail()}")
            bell.wait(min(left, 5.0))

    def _tail(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-25:])


@contextmanager
def installation(kind: str, environment: Mapping[str, str] | None = None) -> Iterator[Installation]:
    """An installation with a new database of this kind; not started. Everything is gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder, new_database(kind, Path(folder)) as url:
        found = Installation(Path(folder) / "home", url, environment)
        try:
            yield found
        finally:
            found.stop()


@contextmanager
def started(kind: str, environment: Mapping[str, str] | None = None) -> Iterator[Installation]:
    """As `installation`, started and ready."""
    with installation(kind, environment) as found:
        found.start()
        yield found


def free_port() -> int:
    """A TCP port that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def _deadline(process: subprocess.Popen[str], seconds: float) -> Iterator[None]:
    """Ends the process when the block takes longer, which ends what reads from it."""
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
