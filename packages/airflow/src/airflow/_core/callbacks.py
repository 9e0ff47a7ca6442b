"""Runners of callables inside tasks, as the standard provider uses them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any


class ExecutionCallableRunner:
    """Calls a function and hands on what it yields to the asset events of the task.

    Parameters:
        func: what to call.
        outlet_events: of the context.
        logger: for what has no meaning.
    """

    def __init__(self, func: Callable[..., Any], outlet_events: Any = None, *, logger: logging.Logger) -> None:
        self.func = func
        self.outlet_events = outlet_events
        self.logger = logger

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        result = self.func(*args, **kwargs)
        if not inspect.isgenerator(result):
            return result
        while True:
            try:
                item = next(result)
            except StopIteration as end:
                return end.value
            self._note(item)

    def _note(self, item: Any) -> None:
        asset = getattr(item, "asset", None)
        if asset is None:
            self.logger.warning("a task function yielded %r, which has no meaning", item)
            return
        self.outlet_events[asset].extra.update(item.extra)
        if getattr(item, "alias", None) is not None:
            self.outlet_events[item.alias].add(asset, extra=item.extra)


class AsyncExecutionCallableRunner(ExecutionCallableRunner):
    """The same for a coroutine function."""

    async def run(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        return await self.func(*args, **kwargs)


def create_executable_runner(
    func: Callable[..., Any], outlet_events: Any, *, logger: logging.Logger
) -> ExecutionCallableRunner:
    """A runner for a function."""
    return ExecutionCallableRunner(func, outlet_events, logger=logger)


def create_async_executable_runner(
    func: Callable[..., Any], outlet_events: Any, *, logger: logging.Logger
) -> AsyncExecutionCallableRunner:
    """A runner for a coroutine function."""
    return AsyncExecutionCallableRunner(func, outlet_events, logger=logger)
