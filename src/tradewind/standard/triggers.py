"""Triggers for moments and files. They cost no process while they wait."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from glob import glob
from pathlib import Path
from typing import Any

from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.triggers import BaseEventTrigger, BaseTrigger, TaskSuccessEvent, TriggerEvent

_LOOK_AGAIN_SECONDS = 60.0
"""A clock that was set meanwhile is noticed after this time."""


class DateTimeTrigger(BaseTrigger):
    """Wait until a moment; the event's payload is the moment.

    Parameters:
        moment: aware instant.
        end_from_trigger: the task succeeds without being called again.

    Raises:
        WrongArgument, WrongValue: not an instant, or one without time zone.
    """

    def __init__(self, moment: datetime, *, end_from_trigger: bool = False) -> None:
        super().__init__()
        if not isinstance(moment, datetime):
            raise WrongArgument(f"moment of {type(self).__name__} must be a datetime, not {moment!r}")
        if moment.tzinfo is None:
            raise WrongValue(f"moment of {type(self).__name__} needs a time zone: {moment.isoformat()} has none")
        self.moment = moment.astimezone(UTC)
        self.end_from_trigger = end_from_trigger

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "tradewind.standard.triggers.DateTimeTrigger",
            {"moment": self.moment, "end_from_trigger": self.end_from_trigger},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while (left := (self.moment - _now()).total_seconds()) > 0:
            await asyncio.sleep(min(left, _LOOK_AGAIN_SECONDS))
        yield TaskSuccessEvent() if self.end_from_trigger else TriggerEvent(self.moment)


class TimeDeltaTrigger(DateTimeTrigger):
    """Wait for a time from now on.

    Parameters:
        delta: how long.
    """

    def __init__(self, delta: timedelta, *, end_from_trigger: bool = False) -> None:
        # Told on as a moment, so that a trigger which begins again elsewhere does not wait longer.
        super().__init__(_now() + delta, end_from_trigger=end_from_trigger)


class FileTrigger(BaseTrigger):
    """Wait for a file, a match of a pattern, or a folder that is not empty.

    Parameters:
        filepath: absolute path or glob pattern.
        recursive: `**` stands for folders at any depth.
        poke_interval: seconds between two looks.
    """

    def __init__(self, filepath: str, recursive: bool = False, poke_interval: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filepath = filepath
        self.recursive = recursive
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "tradewind.standard.triggers.FileTrigger",
            {"filepath": self.filepath, "recursive": self.recursive, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while (found := await asyncio.to_thread(find_file, self.filepath, self.recursive)) is None:
            await asyncio.sleep(self.poke_interval)
        self.log.info("Found %s", found)
        yield TriggerEvent(True)


class FileDeleteTrigger(BaseEventTrigger):
    """Wait for a file, delete it, tell; again and again. For assets that a dropped file updates.

    Parameters:
        filepath: absolute path.
        poke_interval: seconds between two looks.
    """

    def __init__(self, filepath: str, poke_interval: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filepath = filepath
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "tradewind.standard.triggers.FileDeleteTrigger",
            {"filepath": self.filepath, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        path = Path(self.filepath)
        while True:
            if await asyncio.to_thread(path.is_file):
                await asyncio.to_thread(path.unlink, missing_ok=True)
                self.log.info("Found %s and deleted it", path)
                yield TriggerEvent({"filepath": self.filepath})
            await asyncio.sleep(self.poke_interval)


class DirectoryFileDeleteTrigger(BaseEventTrigger):
    """Wait for files of a folder, delete each, tell its name; again and again.

    Parameters:
        directory: absolute path of the folder.
        filename: pattern of the names.
        poke_interval: seconds between two looks.
    """

    def __init__(self, directory: str, filename: str = "*", poke_interval: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.directory = directory
        self.filename = filename
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "tradewind.standard.triggers.DirectoryFileDeleteTrigger",
            {"directory": self.directory, "filename": self.filename, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:
            for path in await asyncio.to_thread(self._files):
                await asyncio.to_thread(path.unlink, missing_ok=True)
                self.log.info("Found %s and deleted it", path)
                yield TriggerEvent({"filepath": str(path)})
            await asyncio.sleep(self.poke_interval)

    def _files(self) -> list[Path]:
        return sorted(path for path in Path(self.directory).glob(self.filename) if path.is_file())


def find_file(pattern: str, recursive: bool) -> str | None:
    """The first file that matches, or folder that matches and holds files; None without any."""
    for found in glob(pattern, recursive=recursive):
        if os.path.isfile(found) or any(files for _, _, files in os.walk(found)):
            return found
    return None


def _now() -> datetime:
    # The wall's: triggers sleep on the wall, too.
    return datetime.now(UTC)
