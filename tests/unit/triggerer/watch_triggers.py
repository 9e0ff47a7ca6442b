"""Event triggers for the tests of watchers. A folder is the broker: each file is a message, its name the order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence
from pathlib import Path
from typing import Any

from tradewind.sdk.shared_stream import AdvanceItem, SharedStreamProducer, reject_shared_stream_event
from tradewind.sdk.triggers import BaseEventTrigger, TriggerEvent


async def messages(folder: str, seen: set[str]) -> AsyncIterator[Path]:
    while True:
        for path in sorted(Path(folder).glob("*.message")):
            if path.name not in seen:
                seen.add(path.name)
                yield path
        await asyncio.sleep(0.02)


class Mailbox(BaseEventTrigger):
    """Tells of each message and removes it when that is stored."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Mailbox", {"folder": self.folder}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        async for path in messages(self.folder, set()):
            text = path.read_text()
            if text == "bad" and not Path(self.folder, "failed").exists():
                Path(self.folder, "failed").touch()
                raise ValueError("a message that is not right")
            yield TriggerEvent({"text": text})
            path.unlink()


class Broker(SharedStreamProducer):
    """The poll with acknowledgement: writes down what it was told."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    async def open_stream(self) -> AsyncIterator[tuple[Any, Any]]:
        with Path(self.folder, "polls").open("a") as stream:
            stream.write("x")
        async for path in messages(self.folder, set()):
            yield path.read_text(), path

    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        for path, outcome in batch:
            with Path(self.folder, "acknowledged").open("a") as stream:
                stream.write(f"{path.stem} {outcome.acked} {outcome.failed} {outcome.rejected}\n")
            path.unlink()


class Letters(BaseEventTrigger):
    """Tells of the messages of a shared poll that begin with one letter."""

    def __init__(self, folder: str, letter: str) -> None:
        super().__init__()
        self.folder = folder
        self.letter = letter

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Letters", {"folder": self.folder, "letter": self.letter}

    def shared_stream_key(self) -> Hashable:
        return (self.folder,)

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SharedStreamProducer:
        return Broker(kwargs["folder"])

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        async for text in shared_stream:
            if text == "poison":
                reject_shared_stream_event()
            elif text.startswith(self.letter):
                yield TriggerEvent(text)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        raise NotImplementedError
        yield
