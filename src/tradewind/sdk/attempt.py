"""The attempt this process is working on: how its code reaches the world, and what must not be shown.

There is one at a time; a stack, because `dag.test()` may be called by code that runs inside a task.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tradewind.domain.masking import also_sensitive
from tradewind.domain.masking import is_sensitive as is_sensitive
from tradewind.kernel.clock import Clock
from tradewind.ports.task_client import TaskClient

HIDDEN = "***"
SENSITIVE_VARIABLE = "TRADEWIND_SENSITIVE_NAMES"
"""Tells tasks what else names of secrets hold (secrets.sensitive_names)."""
SECRET_LENGTH_MIN = 5
"""Shorter texts are not masked: they would hide ordinary words (setting `secrets.mask_length_min`)."""


also_sensitive(os.environ.get(SENSITIVE_VARIABLE, "").split(","))


class Attempt:
    """A client with the token it speaks for, the secrets seen so far, and what the task decided besides its result.

    Parameters:
        client: the channel of this attempt.
        token: its attempt token, part of every message.
        clock: tells the time.
        pause: waits so many seconds; a test hands in one that moves its virtual clock.
    """

    __slots__ = ("_secrets", "client", "clock", "outlet_events", "pause", "skips", "token")

    def __init__(
        self, client: TaskClient, token: str, clock: Clock, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self.client = client
        self.token = token
        self.clock = clock
        self.pause = pause
        self.skips: dict[str, None] = {}
        """Ids of tasks that this one decided to skip, in the order it did."""
        self.outlet_events: Any = None
        """`asset_events.OutletEvents` once the task has looked at them."""
        self._secrets: set[str] = set()

    def mask(self, secret: str | None) -> None:
        """From now on `secret` is shown neither in logs nor in rendered fields."""
        if secret and len(secret) >= SECRET_LENGTH_MIN and secret not in self._secrets:
            self._secrets.add(secret)
            self.client.mask(secret)

    def mask_sensitive(self, value: Any, name: str = "") -> None:
        """Mask the texts inside `value` whose key, or whose own `name`, speaks of a secret."""
        if isinstance(value, Mapping):
            for key, each in value.items():
                self.mask_sensitive(each, name if is_sensitive(name) else str(key))
        elif isinstance(value, list | tuple):
            for each in value:
                self.mask_sensitive(each, name)
        elif isinstance(value, str) and is_sensitive(name):
            self.mask(value)

    def redact(self, text: str) -> str:
        """`text` with the secrets replaced by asterisks."""
        # Longest first: a secret may contain another.
        for secret in sorted(self._secrets, key=len, reverse=True):
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text


_stack: list[Attempt] = []
_here: ContextVar[Attempt | None] = ContextVar("tradewind_attempt", default=None)
"""Of one of many that share this process (triggers)."""


def attempt_at_hand() -> Attempt | None:
    """The attempt of the running task; None outside one (while a DAG file is loaded, in a plain script)."""
    return _here.get() or (_stack[-1] if _stack else None)


def work_here(attempt: Attempt) -> None:
    """Make `attempt` the one at hand in this context, for one of many that share the process."""
    _here.set(attempt)


@contextmanager
def working_on(attempt: Attempt) -> Iterator[Attempt]:
    """Make `attempt` the one at hand while the block runs."""
    _stack.append(attempt)
    try:
        yield attempt
    finally:
        _stack.remove(attempt)
