"""`airflow.stats.Stats`: metrics from inside tasks. Counted by nobody yet; calling them costs nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DeltaType = Any


class Timer:
    """Measures the time of a block in milliseconds."""

    duration: float | None = None

    def __init__(self, *_: Any, **__: Any) -> None:
        self._start = 0.0

    def __enter__(self) -> Timer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Timer:
        """Begin."""
        self._start = time.perf_counter()
        return self

    def stop(self, send: bool = True) -> None:  # noqa: ARG002
        """End."""
        self.duration = 1000.0 * (time.perf_counter() - self._start)


TimerProtocol = Timer


class NoStatsLogger:
    """Takes metrics and drops them."""

    instance: Any = None

    @classmethod
    def initialize(cls, *_: Any, **__: Any) -> None:
        """Nothing."""

    @classmethod
    def incr(cls, stat: str, count: int = 1, rate: float = 1, *, tags: Any = None, **_: Any) -> None:
        """Count up."""

    @classmethod
    def decr(cls, stat: str, count: int = 1, rate: float = 1, *, tags: Any = None, **_: Any) -> None:
        """Count down."""

    @classmethod
    def gauge(
        cls, stat: str, value: float, rate: float = 1, delta: bool = False, *, tags: Any = None, **_: Any
    ) -> None:
        """A level."""

    @classmethod
    def timing(cls, stat: str, dt: Any, *, tags: Any = None, **_: Any) -> None:
        """A length of time."""

    @classmethod
    def timer(cls, *args: Any, **kwargs: Any) -> Timer:
        """Measures a block."""
        return Timer(*args, **kwargs)


StatsLogger = NoStatsLogger
Stats = NoStatsLogger
ListValidator = PatternAllowListValidator = PatternBlockListValidator = object


def get_stats_factory(*_: Any) -> Any:
    """Makes the logger of metrics."""
    return NoStatsLogger


class Trace:
    """Spans that nobody records."""

    @classmethod
    @contextmanager
    def start_span(cls, *_: Any, **__: Any) -> Iterator[Any]:
        """A span."""
        yield cls()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None

    @staticmethod
    def add_span(func: Any) -> Any:
        """The function as it is."""
        return func


add_span = Trace.add_span
add_debug_span = Trace.add_span
DebugTrace = Trace


def __getattr__(name: str) -> Any:
    if name == "tracer":
        return Trace
    raise AttributeError(name)
