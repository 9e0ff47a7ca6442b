"""How children are made. Each is the leader of a session of its own, so that Ctrl-C reaches the parent alone; it writes
its output into a pipe of the parent's, and is killed by the kernel when the parent dies."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tradewind.kernel.process import die_with_parent
from tradewind.wire.errors import TradewindError

BUG_EXIT_CODE = 70
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Started(NamedTuple):
    """A child that was just made."""

    pid: int
    output: int
    """Reading end of the pipe that its standard output and error go to."""


def fork_child(main: Callable[[], int]) -> Started:
    """A fork of this process that runs `main` and ends with its result. Only for a process with a single thread."""
    return _start(lambda: _run(main))


def exec_child(arguments: Sequence[str]) -> Started:
    """A fresh program: `arguments[0]` is its path."""

    def replace_program() -> int:
        os.execv(arguments[0], list(arguments))  # noqa: S606 # that is what this function is for
        return BUG_EXIT_CODE  # never reached

    return _start(lambda: _run(replace_program))


def _start(body: Callable[[], int]) -> Started:
    sys.stdout.flush()
    sys.stderr.flush()
    parent_pid = os.getpid()
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid:
        os.close(writer)
        os.set_blocking(reader, False)
        return Started(pid, reader)
    code = BUG_EXIT_CODE
    try:
        os.setsid()
        die_with_parent(parent_pid)
        _fresh_signals()
        _connect_output(reader, writer)
        code = body()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        # Whatever happened, a child must not go on as a second parent.
        os._exit(code)
    raise AssertionError("unreachable")


def _fresh_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _connect_output(reader: int, writer: int) -> None:
    os.close(reader)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(writer, 1)
    os.dup2(writer, 2)
    os.close(nothing)
    os.close(writer)


def _run(main: Callable[[], int]) -> int:
    """The result of `main`; what it raises is told here, because nobody above does."""
    try:
        return main()
    except (TradewindError, NotImplementedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, TradewindError) else 1
    except Exception:  # the boundary of the process
        traceback.print_exc()
        return BUG_EXIT_CODE
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
