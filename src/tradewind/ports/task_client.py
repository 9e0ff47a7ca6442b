"""The socket between a running task and the world: it asks and tells in the words of `wire.execution`.

Plugs: the task child's channel to its agent (`runtime`), and the in-process one of `dag.test()` (`sdk`).
"""

from __future__ import annotations

from typing import Protocol

from tradewind.wire.execution import AgentMessage, Reply


class TaskClient(Protocol):
    """Speaks for one attempt. Messages carry the attempt's own token; the plug refuses others."""

    def ask(self, message: AgentMessage) -> Reply:
        """Send and wait for the reply. Earlier `tell`s are applied before. Raises `wire.errors.StaleAttempt` when the
        attempt was ended from outside, `wire.errors.Unavailable` when there is no answer within the plug's patience; a
        `Refused` reply is raised as the error it names.
        """

    def tell(self, message: AgentMessage) -> None:
        """Send without waiting; order is kept."""

    def fetch(self, url: str, sha256: str | None) -> bytes:
        """Read a value that is stored outside the database. Raises `wire.errors.InvalidValue` when its hash differs."""

    def store(self, data: bytes, name: str) -> str:
        """Put a value into the value storage; its url. `name` is a hint for people (dag/run/task/key)."""

    def mask(self, secret: str) -> None:
        """From now on this text does not appear in the attempt's log."""
