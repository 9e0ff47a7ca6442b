"""Children of a loop's process: forked, watched by descriptor, reaped."""

from __future__ import annotations

import os
from collections.abc import Callable

from .loop import READABLE, Loop
from .processes import kill_group

OnExit = Callable[[int, float, int], None]
"""Wait status, CPU seconds, most resident bytes."""


class Brood:
    """The forked children of this process, by number of the asker's choice."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._watched: dict[int, tuple[int, int]] = {}

    def watch(self, number: int, pid: int, on_exit: OnExit) -> None:
        """Have `on_exit` called when the child has ended. What is left of its process group is ended with it."""
        descriptor = os.pidfd_open(pid)
        self._watched[number] = (pid, descriptor)

        def ended(_events: int) -> None:
            self._loop.remove(descriptor)
            os.close(descriptor)
            del self._watched[number]
            # Before it is reaped: until then nobody else can get its number.
            kill_group(pid)
            _, status, usage = os.wait4(pid, 0)
            on_exit(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)

        self._loop.add(descriptor, READABLE, ended)

    def pid(self, number: int) -> int | None:
        """The child of this number while it is not reaped."""
        found = self._watched.get(number)
        return found[0] if found else None

    def reap_killed(self) -> None:
        """Wait for all children, which have been killed, and forget them."""
        for pid, descriptor in self._watched.values():
            self._loop.remove(descriptor)
            os.close(descriptor)
            os.waitpid(pid, 0)
        self._watched.clear()

    def forget_in_child(self) -> None:
        """For a process just forked: the siblings are not its own."""
        for _, descriptor in self._watched.values():
            os.close(descriptor)
        self._watched.clear()
