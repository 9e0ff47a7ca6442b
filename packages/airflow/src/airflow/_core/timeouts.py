"""`airflow.utils.timeout`: a time limit for a block."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from tradewind.sdk.exceptions import AirflowTaskTimeout


class TimeoutPosix:
    """Raises `AirflowTaskTimeout` in the block when `seconds` have passed. In a thread it does nothing.

    Parameters:
        seconds: how long.
        error_message: of the exception.
    """

    def __init__(self, seconds: float = 1, error_message: str = "Timeout") -> None:
        self.seconds = seconds
        self.error_message = error_message
        self._before: Any = None

    def handle_timeout(self, _signum: int, _frame: FrameType | None) -> None:
        """Called when the time is over."""
        raise AirflowTaskTimeout(f"{self.error_message}: {self.seconds} s are over")

    def __enter__(self) -> TimeoutPosix:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGALRM, self.handle_timeout)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
            self._before = None


timeout = TimeoutPosix
