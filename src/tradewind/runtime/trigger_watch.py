"""Watchers in a trigger host: event triggers that tell of one event after another, and streams they share.

An event is said to the triggerer and waits until it is stored; only then the trigger goes on behind its `yield`. So a
trigger that acknowledges a message after the yield never loses one: if the host dies before, the message comes again.
A watcher that fails is started again, with growing pauses; it never ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from typing import TYPE_CHECKING, Any

from tradewind.sdk.attempt import Attempt, work_here
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.shared_stream import AdvanceItem, AdvanceOutcome, SharedStreamProducer, rejecting
from tradewind.sdk.triggers import BaseTrigger, TriggerEvent

from . import trigger_words as words
from .trigger_channel import TriggerClient
from .trigger_host import Running, current

if TYPE_CHECKING:
    from .trigger_host import Host

_log = logging.getLogger("tradewind.triggers")
_PAUSE_SECONDS_MIN, _PAUSE_SECONDS_MAX = 1.0, 60.0
_WAITING_MAX = 1000
"""Events of a shared stream that one watcher may be behind; then the stream waits for it."""


class Watching(Running):
    """One watcher in this process."""

    def __init__(self, host: Host, wanted: words.RunTrigger) -> None:
        super().__init__(host, wanted)
        self._number = 0
        self._unsaved: dict[int, asyncio.Future[None]] = {}

    async def live(self) -> None:
        """From one event to the next, until it is cancelled."""
        current.set(self)
        client = TriggerClient(self.host.channel, self.token, self.host.values, self.host.masker)
        work_here(Attempt(client, self.token, self.host.clock))
        pause = _PAUSE_SECONDS_MIN
        try:
            while True:
                told = self._number
                try:
                    await self._watch()
                    _log.warning("the watcher's trigger ended; it begins again in %g s", pause)
                except asyncio.CancelledError:
                    raise
                except BaseException as error:  # user code; the others of this host go on
                    text = self.host.masker.text("".join(traceback.format_exception(error)))
                    _log.error("the watcher failed; it begins again in %g s\n%s", pause, text)
                pause = _PAUSE_SECONDS_MIN if self._number > told else min(pause * 2, _PAUSE_SECONDS_MAX)
                await asyncio.sleep(pause)
        finally:
            self.host.running.pop(self.token, None)

    def saved(self, number: int) -> None:
        """An event is stored."""
        waiting = self._unsaved.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def _watch(self) -> None:
        self.trigger = trigger = self._make()
        try:
            key = _key_of(trigger)
            if key is None:
                await self._tell_all(trigger.run())
            else:
                async with streams_of(self.host).subscription(trigger, key) as stream:
                    await self._tell_all(trigger.filter_shared_stream(stream))  # type: ignore[attr-defined]
        finally:
            await trigger.cleanup()

    async def _tell_all(self, events: AsyncIterator[Any]) -> None:
        try:
            async for event in events:
                if not isinstance(event, TriggerEvent):
                    raise AirflowException(
                        f"the trigger {self.wanted.classpath} yielded {type(event).__name__}; yield a TriggerEvent"
                    )
                await self._tell(event)
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    async def _tell(self, event: TriggerEvent) -> None:
        self._number += 1
        saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unsaved[self._number] = saved
        self._over(words.Fired(token=self.token, event=self._payload(event.payload), number=self._number))
        await saved


class _Heard:
    """An event of a shared stream on its way to those who hear it."""

    def __init__(self, value: Any, payload: Any, lane: Hashable, hearers: int) -> None:
        self.value = value
        self.payload = payload
        self.lane = lane
        self.left = hearers
        self.acked = self.failed = self.rejected = 0

    @property
    def item(self) -> AdvanceItem:
        return AdvanceItem(self.payload, AdvanceOutcome(self.acked, self.failed, self.rejected))


class Stream:
    """One poll and those who hear it."""

    def __init__(self, kind: type[BaseTrigger], kwargs: dict[str, Any]) -> None:
        self._kind = kind
        self._kwargs = kwargs
        self._queues: dict[object, asyncio.Queue[_Heard | BaseException]] = {}
        self._outstanding: dict[Hashable, list[_Heard]] = {}
        self._advancing = asyncio.Lock()
        self._producer: SharedStreamProducer | None = None
        self._poll: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        return not self._queues

    @contextlib.asynccontextmanager
    async def subscription(self) -> AsyncIterator[AsyncIterator[Any]]:
        """The events, for as long as the block runs."""
        who = object()
        self._queues[who] = asyncio.Queue(_WAITING_MAX)
        if self._poll is None or self._poll.done():
            self._poll = asyncio.ensure_future(self._run())
        events = self._listen(who)
        try:
            yield events
        finally:
            await events.aclose()
            self._leave(self._queues.pop(who))
            if self.is_empty:
                await self.stop()

    async def stop(self) -> None:
        """Nobody hears any more."""
        if self._poll is not None:
            self._poll.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._poll

    async def _run(self) -> None:
        try:
            if _acknowledges(self._kind):
                self._producer = self._kind.create_shared_stream_producer(self._kwargs)  # type: ignore[attr-defined]
                async for value, payload in self._producer.open_stream():
                    await self._hand_out(value, payload, self._producer.get_advance_lane(payload))
            else:
                async for value in self._kind.open_shared_stream(self._kwargs):  # type: ignore[attr-defined]
                    await self._hand_out(value, None, None)
            raise AirflowException(
                f"the shared stream of {self._kind.__name__} ended; it must go on for ever, or raise"
            )
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # all who hear it begin again
            for queue in self._queues.values():
                while queue.full():
                    queue.get_nowait()
                queue.put_nowait(error)
        finally:
            if self._producer is not None:
                producer, self._producer = self._producer, None
                try:
                    await producer.aclose()
                except Exception as error:
                    _log.warning("aclose() of a shared stream failed", exc_info=error)
            self._outstanding.clear()

    async def _hand_out(self, value: Any, payload: Any, lane: Hashable) -> None:
        heard = _Heard(value, payload, lane, len(self._queues))
        if self._producer is not None:
            self._outstanding.setdefault(lane, []).append(heard)
        for queue in list(self._queues.values()):
            await queue.put(heard)

    async def _listen(self, who: object) -> AsyncGenerator[Any, None]:
        while True:
            heard = await self._queues[who].get()
            if isinstance(heard, BaseException):
                raise AirflowException(f"the shared stream failed: {type(heard).__name__}: {heard}") from heard
            refused = [False]

            def refuse(refused: list[bool] = refused) -> None:
                refused[0] = True

            token = rejecting.set(refuse)
            done = False
            try:
                yield heard.value
                done = True  # the filter asks for the next one: what it yielded for this is stored
            finally:
                with contextlib.suppress(ValueError):  # closed from another context
                    rejecting.reset(token)
                if refused[0]:
                    heard.rejected += 1
                elif done:
                    heard.acked += 1
                else:
                    heard.failed += 1
                heard.left -= 1
            await self._advance(heard.lane)

    def _leave(self, queue: asyncio.Queue[_Heard | BaseException]) -> None:
        """Somebody goes: what it has not looked at counts as failed for it."""
        while not queue.empty():
            heard = queue.get_nowait()
            if isinstance(heard, _Heard):
                heard.failed += 1
                heard.left -= 1

    async def _advance(self, lane: Hashable) -> None:
        producer = self._producer
        if producer is None:
            return
        async with self._advancing:
            waiting = self._outstanding.get(lane, [])
            over = 0
            while over < len(waiting) and waiting[over].left == 0:
                over += 1
            if over:
                batch = [heard.item for heard in waiting[:over]]
                del waiting[:over]
                await producer.advance(batch)


class Streams:
    """The shared streams of a host."""

    def __init__(self) -> None:
        self._streams: dict[Hashable, Stream] = {}

    @contextlib.asynccontextmanager
    async def subscription(self, trigger: BaseTrigger, key: Hashable) -> AsyncIterator[AsyncIterator[Any]]:
        """The events of the stream of this key, opened when nobody hears it yet."""
        place = (type(trigger), key)
        stream = self._streams.get(place)
        if stream is None:
            stream = self._streams[place] = Stream(type(trigger), trigger.serialize()[1])
        try:
            async with stream.subscription() as events:
                yield events
        finally:
            if stream.is_empty:
                self._streams.pop(place, None)


def streams_of(host: Host) -> Streams:
    """The streams of this host."""
    found: Streams | None = getattr(host, "streams", None)
    if found is None:
        found = Streams()
        host.streams = found
    return found


def _key_of(trigger: BaseTrigger) -> Hashable | None:
    key = getattr(trigger, "shared_stream_key", None)
    found: Hashable | None = key() if callable(key) else None
    return found


def _acknowledges(kind: type) -> bool:
    from tradewind.sdk.triggers import BaseEventTrigger

    own = getattr(kind, "create_shared_stream_producer", None)
    base = BaseEventTrigger.create_shared_stream_producer
    return own is not None and getattr(own, "__func__", own) is not base.__func__  # type: ignore[attr-defined]
