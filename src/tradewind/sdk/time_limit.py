"""`execution_timeout`: an alarm that interrupts the task."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tradewind.sdk.exceptions import AirflowTaskTimeout

_log = logging.getLogger("tradewind.task")


@contextmanager
def time_limit(seconds: float | None, task_id: str) -> Iterator[None]:
    """Raise `AirflowTaskTimeout` in the block when it takes longer than `seconds` (None: no limit).

    The alarm is a signal, which only the main thread can take; elsewhere the block runs without a limit, and the log
    says so.
    """
    if seconds is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        _log.warning("execution_timeout has no effect outside the main thread", extra={"task_id": task_id})
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise AirflowTaskTimeout(f"execution_timeout of task {task_id!r} passed after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    # Zero would switch the timer off; the shortest alarm comes at once.
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
