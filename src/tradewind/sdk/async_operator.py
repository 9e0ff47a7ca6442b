"""`BaseAsyncOperator`: operators whose work is a coroutine."""

from __future__ import annotations

import asyncio
from typing import Any

from .operator import BaseOperator


class BaseAsyncOperator(BaseOperator):
    """Subclasses implement `aexecute(context)`; it runs in an event loop of the task's process.

    The time limit (`execution_timeout`) cancels it: `finally` blocks and `on_kill` run.
    """

    @property
    def is_async(self) -> bool:
        return True

    async def aexecute(self, context: Any) -> Any:
        """Do the work. What it returns is the task's output."""
        raise NotImplementedError(f"{type(self).__name__} does not implement aexecute(context)")

    def execute(self, context: Any) -> Any:
        """Run `aexecute` to its end."""
        return asyncio.run(self.aexecute(context))
