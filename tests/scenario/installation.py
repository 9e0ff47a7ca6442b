"""An installation of its own for a scenario: home, port, database, and the real processes of `tradewind standalone`."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ports import free_port

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
_LAST_WORDS = "Ctrl-C stops everything"
"""End of what is printed when everything is ready."""
_COMMAND = (sys.executable, "-m", "tradewind")


class Installation:
    """One home. `start` and `stop` may alternate; `cli` runs commands against it.

    Parameters:
        folder: everything lives below it.
        url: of the database; None: SQLite in the home.
        settings: further settings, as environment variables without their prefix.
    """

    def __init__(self, folder: Path, url: str | None = None, **settings: str) -> None:
        self.home = folder / "home"
        self.dags = folder / "dags"
        self.port = free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRADEWIND_")}
        self.environment = {
            **kept,
            "TRADEWIND_HOME": str(self.home),
            "TRADEWIND__API__PORT": str(self.port),
            "TRADEWIND__CORE__DAGS_FOLDER": str(self.dags),
            "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
            **({"TRADEWIND__DATABASE__URL": url} if url else {}),
            **{f"TRADEWIND__{name}": value for name, value in settings.items()},
        }
        self.process: subprocess.Popen[str] | None = None
        self.log: list[str] = []
        self.printed: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()

    def start(self) -> None:
        """Start everything and wait until it says that it is ready."""
        self.begin()
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not any(_LAST_WORDS in line for line in self.printed):
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            assert line is not None, f"standalone ended:\n{self.story()}"
            self.printed.append(line)

    def begin(self) -> None:
        """Start everything without waiting."""
        self.printed, self._lines = [], queue.Queue()
        self.process = subprocess.Popen(
            [*_COMMAND, "standalone"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for stream, take in ((self.process.stdout, self._lines.put), (self.process.stderr, self.log.append)):
            threading.Thread(target=_pass_on, args=(stream, take, self._lines.put), daemon=True).start()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal the parent and wait for its end; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(STOP_SECONDS_MAX)
        self.process = None
        return code

    def abandon(self) -> None:
        """Whatever is left of it ends."""
        if self.process is not None and self.process.poll() is None:
            for pid in self.family():
                _kill(pid)
            self.process.kill()
            self.process.wait()

    def family(self) -> list[int]:
        """The parent and all processes below it."""
        assert self.process is not None
        return descendants(self.process.pid)

    def child(self, comm: str) -> int | None:
        """The pid of the process whose name begins with `comm`; None while there is none."""
        return next((pid for pid in self.family() if name_of(pid).startswith(comm)), None)

    def run(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; `code` is the exit code it must have, None: any."""
        done = subprocess.run([*_COMMAND, *words], env=self.environment, capture_output=True, text=True, timeout=90)
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.story()}"
        return done

    def json(self, *words: str, code: int | None = 0) -> Any:
        """What a command says as JSON."""
        return json.loads(self.run(*words, "-o", "json", code=code).stdout)

    def save(self, name: str, source: str) -> None:
        """Put a DAG file into the folder, at once."""
        draft = self.dags / f".{name}.draft"
        draft.write_text(source)
        draft.replace(self.dags / name)

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
        """Ask again, whenever the database changed, until the answer is true."""
        from tradewind.app.plugs import existing_database
        from tradewind.kernel.settings import load_settings

        deadline = time.monotonic() + seconds
        with existing_database(load_settings(self.environment)) as store, store.listen(["changes", "dags"]) as bell:
            while not (found := condition()):
                left = deadline - time.monotonic()
                assert left > 0, f"{what} did not happen within {seconds} s\n{self.story()}"
                bell.wait(min(left, 1.0))
        return found

    def wait_for_dag(self, dag_id: str) -> None:
        self.wait_for(
            lambda: any(dag["dag_id"] == dag_id for dag in self.json("dags", "list")),
            f"the DAG {dag_id} was not listed",
        )

    def story(self) -> str:
        """What the processes wrote, for a failing test."""
        return "".join(self.printed[-20:] + self.log[-60:])


def descendants(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
            for child in children:
                found += descendants(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_until_gone(pids: list[int], seconds: float = 15.0) -> None:
    """Wait for the end of processes that need not be our children."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        import select

        ready, _, _ = select.select([descriptor], [], [], seconds)
        os.close(descriptor)
        assert ready, f"process {pid} ({name_of(pid)}) is still there after {seconds} s"


def _pass_on(stream: Any, take: Callable[[str], object], end: Callable[[None], object]) -> None:
    for line in stream:
        take(line)
    end(None)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
