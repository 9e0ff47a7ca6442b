"""Processes as the worker needs them: watched by descriptor, ended with all that they started, measured."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path


def threads_of_self() -> int:
    """Threads of this process, those that Python does not know included."""
    return len(os.listdir("/proc/self/task"))


def private_bytes(pid: int) -> int:
    """Memory that would be free if this process ended. 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:")))


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, also those that made a session of their own. A snapshot: for the moment of killing."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            parent = _parent_of(entry)
            if parent is not None:
                children.setdefault(parent, []).append(int(entry))
    found: list[int] = []
    open_ends = [pid]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found += below
        open_ends += below
    return found


def kill_tree(pid: int) -> None:
    """SIGKILL to a process, its group and all descendants. The caller knows that `pid` is its own unreaped child."""
    for each in descendants(pid):
        _kill(each, signal.SIGKILL)
    kill_group(pid)
    _kill(pid, signal.SIGKILL)


def kill_group(pid: int) -> None:
    """SIGKILL to what is left of the process group that `pid` leads."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # nobody is left
    except PermissionError:
        pass  # what is left changed its user; it is not ours to end


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # gone already; or it changed its user and is not ours to end


def _parent_of(pid: str) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None  # it ended while we looked
    # The name in parentheses may hold anything, also parentheses.
    return int(stat.rpartition(")")[2].split()[1])


def raise_descriptor_limit() -> None:
    """As many open files as the system allows this user: an agent holds three per attempt."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
