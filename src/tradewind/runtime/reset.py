"""Isolation `reuse`: between two attempts the process is put back to what it was before the first.

Put back: environment, working directory, umask, `sys` (argv, path, streams), signal handlers and timers, levels and
handlers of loggers, resource limits. What cannot be put back wears the process out: threads and child processes that an
attempt left behind. Modules and their globals stay: sharing them is what `reuse` is for.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, TextIO

_SIGNALS = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
_LIMITS = tuple(getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_"))
_Handler = Callable[[int, Any], Any] | int | None


class ProcessState:
    """What a process looked like at one moment."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._folder = os.getcwd()
        self._umask = _umask()
        self._argv, self._path = list(sys.argv), list(sys.path)
        self._streams: tuple[TextIO, TextIO, TextIO] = (sys.stdin, sys.stdout, sys.stderr)
        self._signals: dict[int, _Handler] = {number: signal.getsignal(number) for number in _SIGNALS}
        self._limits = {kind: resource.getrlimit(kind) for kind in _LIMITS}
        self._loggers = _loggers()

    def put_back(self) -> bool:
        """Restore this process; False when that cannot be done and the process has to end."""
        if _threads() > 1 or _has_children():
            return False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number, handler in self._signals.items():
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
        if os.environ != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        try:
            os.chdir(self._folder)
            for kind, limits in self._limits.items():
                if resource.getrlimit(kind) != limits:
                    resource.setrlimit(kind, limits)
        except (OSError, ValueError):  # the folder is gone; a hard limit was lowered for good
            return False
        os.umask(self._umask)
        sys.argv[:], sys.path[:] = self._argv, self._path
        sys.stdin, sys.stdout, sys.stderr = self._streams
        self._restore_loggers()
        return True

    def _restore_loggers(self) -> None:
        for name, now in _loggers().items():
            logger = logging.getLogger(name)
            before = self._loggers.get(name, (logging.NOTSET, (), True, False, ()))
            if now != before:
                logger.setLevel(before[0])
                logger.handlers[:] = before[1]
                logger.propagate, logger.disabled = before[2], before[3]
                logger.filters[:] = before[4]
        logging.disable(logging.NOTSET)


def _loggers() -> dict[str, tuple[int, tuple[Any, ...], bool, bool, tuple[Any, ...]]]:
    """Name → level, handlers, propagate, disabled, filters. The root logger is named `root`."""
    known = [logging.root, *(x for x in logging.Logger.manager.loggerDict.values() if isinstance(x, logging.Logger))]
    return {x.name: (x.level, tuple(x.handlers), x.propagate, x.disabled, tuple(x.filters)) for x in known}


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
