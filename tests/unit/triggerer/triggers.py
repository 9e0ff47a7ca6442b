"""Triggers for the tests of the triggerer; they run in its hosts."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tradewind.sdk import Variable
from tradewind.sdk.triggers import BaseTrigger, TaskSuccessEvent, TriggerEvent


class Does(BaseTrigger):
    """Does what it is told."""

    def __init__(self, what: str, path: str = "", seconds: float = 0.0) -> None:
        super().__init__()
        self.what = what
        self.path = path
        self.seconds = seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Does", {"what": self.what, "path": self.path, "seconds": self.seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await asyncio.sleep(0)
        match self.what:
            case "event":
                yield TriggerEvent({"pid": os.getpid(), "task": self.task_instance.task_id})
            case "success":
                yield TaskSuccessEvent(xcoms={"return_value": [1, 2, 3]})
            case "raise":
                raise ValueError("no luck")
            case "print":
                print("a line of the trigger")
                self.log.warning("a warning of the trigger")
                yield TriggerEvent(None)
            case "variable":
                yield TriggerEvent(Variable.get("colour"))
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "block":
                while not Path(self.path).exists():
                    time.sleep(0.02)
                yield TriggerEvent("blocked until now")
            case "file":
                while not Path(self.path).exists():
                    await asyncio.sleep(0.02)
                yield TriggerEvent("the file is there")

    async def on_kill(self) -> None:
        if self.path:
            Path(f"{self.path}.killed").touch()

    async def cleanup(self) -> None:
        if self.path:
            Path(f"{self.path}.cleaned").touch()
