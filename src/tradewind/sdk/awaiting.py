"""Async results where sync code calls: run to their end in an event loop of their own."""

from __future__ import annotations

import inspect
from typing import Any


def run_to_end(result: Any) -> Any:
    """What an awaitable gives; anything else as it is."""
    if inspect.isawaitable(result):
        import asyncio  # heavy, and most calls need none

        return asyncio.run(_awaited(result))
    return result


async def _awaited(result: Any) -> Any:
    return await result
