"""The socket in the wall that doorbells plug into."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self


class Listener(Protocol):
    """Hears the topics it was made for. Owned by one thread; only `interrupt` may be called from others.

    A listener does not survive fork: the child closes its copy, which leaves the parent's at work.
    """

    def wait(self, timeout_seconds: float | None) -> frozenset[str]:
        """The topics rung since the last call; waits for one when there is none.

        Returns empty when `timeout_seconds` have passed, or when interrupted. 0 only looks; None waits without end.

        Raises:
            ValueError: the listener is closed, or the timeout is negative.
        """
        ...

    def fileno(self) -> int:
        """A descriptor that is readable when `wait(0)` may have something to say; for select, poll and epoll.

        It may be readable for nothing; `wait(0)` makes it quiet again.
        """
        ...

    def interrupt(self) -> None:
        """Make the present or the next `wait` return at once. From any thread; after `close` it does nothing."""
        ...

    def close(self) -> None:
        """Stop listening, free everything; twice is once. Interrupt a waiting thread, and let it end, before."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Doorbell(Protocol):
    """Rings topics and makes listeners. Safe to call from any thread."""

    def ring(self, topics: Iterable[str]) -> None:
        """Wake all listeners of these topics, without blocking. No topics is nothing to do.

        Parameters:
            topics: names without line breaks, not empty.

        Raises:
            ValueError: a topic is empty or contains a line break.
        """
        ...

    def listen(self, topics: Iterable[str]) -> Listener:
        """A listener that hears these topics from now on.

        Raises:
            ValueError: there are no topics, or a topic is empty or contains a line break.
        """
        ...


def checked_topics(topics: Iterable[str]) -> frozenset[str]:
    """The topics as a set; plugs use it so that all refuse the same.

    Raises:
        ValueError: a topic is empty or contains a line break.
    """
    found = frozenset([topics] if isinstance(topics, str) else topics)
    for topic in found:
        if not topic or "\n" in topic:
            raise ValueError(f"a doorbell topic must be text on one line, not {topic!r}")
    return found


def checked_listening(topics: Iterable[str]) -> frozenset[str]:
    """`checked_topics`, at least one.

    Raises:
        ValueError: as `checked_topics`, or there is none.
    """
    found = checked_topics(topics)
    if not found:
        raise ValueError("a doorbell listener needs at least one topic")
    return found


def checked_timeout(timeout_seconds: float | None) -> float | None:
    """The timeout, unless it is negative.

    Raises:
        ValueError: it is negative.
    """
    if timeout_seconds is not None and timeout_seconds < 0:
        raise ValueError(f"a wait cannot last {timeout_seconds!r} seconds; use 0 to look, None to wait without end")
    return timeout_seconds
