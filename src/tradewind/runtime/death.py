"""Why an attempt died without a verdict of its own. A decision; the counters it needs are read by `OomCounter`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec

from tradewind.wire.states import CauseOfDeath

_FROM_OUTSIDE = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGSTOP})
"""Signals that somebody sends; the others are what a program does to itself."""


class Ending(msgspec.Struct, frozen=True):
    """The agent itself is ending an attempt."""

    cause: CauseOfDeath
    reason: str


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt died."""

    cause: CauseOfDeath
    reason: str
    exit_code: int | None = None
    signal: int | None = None


def death_of(status: int, ending: Ending | None, *, out_of_memory: bool) -> Death:
    """The death behind a wait status.

    Parameters:
        status: as `wait` tells it.
        ending: what the agent had decided before, if it had.
        out_of_memory: the kernel has killed a process of this agent for want of memory.
    """
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = os.WEXITSTATUS(status) if number is None else None
    if ending is not None:
        return Death(cause=ending.cause, reason=ending.reason, exit_code=code, signal=number)
    if number is None:
        return Death(cause=CauseOfDeath.EXIT_CODE, reason=_exit_reason(code or 0), exit_code=code)
    name = _signal_name(number)
    if number == signal.SIGKILL and out_of_memory:
        reason = "killed by the kernel because memory ran out (SIGKILL, out of memory)"
        return Death(cause=CauseOfDeath.OUT_OF_MEMORY, reason=reason, signal=number)
    if number == signal.SIGKILL or number in _FROM_OUTSIDE:
        return Death(cause=CauseOfDeath.KILLED, reason=f"killed from outside by {name}", signal=number)
    return Death(cause=CauseOfDeath.SIGNAL, reason=f"the process died of {name}", signal=number)


def _exit_reason(code: int) -> str:
    if code == 0:
        return "the process ended with exit code 0 before the task had (os._exit in user code?)"
    return f"the process ended with exit code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


class OomCounter:
    """Counts the kernel's out-of-memory kills in this process's control group, and hands each out once.

    Parameters:
        files: (file, key) pairs to read; default: those of this process's group, version 2 and 1.
    """

    def __init__(self, files: list[tuple[Path, str]] | None = None) -> None:
        self._files = _counter_files() if files is None else files
        self._known = self._read()

    def take(self) -> bool:
        """Whether there was a kill that nobody has been told of yet."""
        if self._read() > self._known:
            self._known += 1
            return True
        return False

    def _read(self) -> int:
        for path, key in self._files:
            try:
                lines = path.read_text().splitlines()
            except OSError:
                continue  # this group is not visible from here
            for line in lines:
                name, _, count = line.partition(" ")
                if name == key:
                    return int(count)
        return 0


def _counter_files() -> list[tuple[Path, str]]:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    files = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            files.append((Path(f"/sys/fs/cgroup{path}/memory.events"), "oom_kill"))
        elif "memory" in controllers.split(","):
            files.append((Path(f"/sys/fs/cgroup/memory{path}/memory.oom_control"), "oom_kill"))
    # Inside a container the path is often not the one it has there: its root is the group.
    files.append((Path("/sys/fs/cgroup/memory.events"), "oom_kill"))
    files.append((Path("/sys/fs/cgroup/memory/memory.oom_control"), "oom_kill"))
    return files
