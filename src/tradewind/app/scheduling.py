"""The scheduler as services of a process: its loop, and its heartbeat beside it."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.kernel.process import PidFile
from tradewind.kernel.service import ThreadService
from tradewind.ports.executor import Executor
from tradewind.scheduler.loop import Scheduler
from tradewind.wire.errors import AlreadyRunning, LeaseLost, Unavailable

_PLACES_MAX = 64
_EXECUTOR_STOP_SECONDS = 2.0
_log = get_logger("scheduler")


class SchedulerLoop(ThreadService):
    """Registers the scheduler, runs its rounds, and gives its runs to others at the end."""

    def __init__(self, scheduler: Scheduler, executors: Mapping[str, Executor]) -> None:
        super().__init__("scheduler-loop")
        self._scheduler = scheduler
        self._executors = executors

    def run(self) -> None:
        self._scheduler.start()
        for executor in self._executors.values():
            executor.start()
        try:
            self.ready()
            self._scheduler.run()
        finally:
            for executor in self._executors.values():
                executor.stop(_EXECUTOR_STOP_SECONDS)
            self._scheduler.close()

    def wake(self) -> None:
        self._scheduler.stop()


class SchedulerHeartbeat(ThreadService):
    """Says that the scheduler is alive, also while a round takes long.

    A database that is away is waited for. A scheduler that was declared lost ends (`LeaseLost`): others have its runs.
    """

    def __init__(self, scheduler: Scheduler, seconds: float) -> None:
        super().__init__("scheduler-heartbeat")
        self._scheduler = scheduler
        self._seconds = seconds

    def run(self) -> None:
        self.ready()
        outage = Outage(_log, "heartbeat_not_written", "heartbeat_written_again")
        while not self.stopping.wait(self._seconds):
            try:
                self._scheduler.beat()
                outage.over()
            except LeaseLost:
                raise
            except Unavailable as error:
                outage.met(error=str(error), again_in_seconds=self._seconds)


class Place:
    """A numbered place for one scheduler (or triggerer) of a home, held while the process lives: what makes its name
    stable over restarts and different from those beside it.

    Raises:
        AlreadyRunning: there are as many schedulers on this home as there may be.
    """

    def __init__(self, home: Path, kind: str = "scheduler") -> None:
        host = socket.gethostname()
        mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
        for number in range(_PLACES_MAX):
            self._file = PidFile(home / "run" / f"{kind}-{number}.pid")
            try:
                self._file.acquire()
            except AlreadyRunning:
                continue
            self.name = f"{host}:{mark}" if number == 0 else f"{host}:{mark}.{number}"
            return
        raise AlreadyRunning(f"{_PLACES_MAX} of {kind} run on {home} already; stop one of them")

    def leave(self) -> None:
        """Give the place up."""
        self._file.release()
