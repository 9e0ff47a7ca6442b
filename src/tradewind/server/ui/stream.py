"""News for the screens: one task hears the doorbell, looks once for everybody, and tells each what it asked for.

The bell says that something changed, not what. After a ring the hub reads the live runs and, where somebody looks at a
DAG, the instances that changed since its last look, at most ten times a second however often it rings. Who connects
again with the number of the last news it heard gets what it missed, or `reset`: then it reads its screens again.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from tradewind.kernel.clock import Clock
from tradewind.kernel.doorbell import Listener
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.ports.store import Store, Transaction
from tradewind.ports.ui_reads import RunLine, TaskLine, UiTransaction
from tradewind.server.database import Database
from tradewind.wire.errors import Unavailable

from .dags import line_of

PAUSE_SECONDS = 0.1
"""The hub looks at most this often."""
REST_SECONDS = 10.0
"""Without a ring it looks this often, for what did not ring."""
BEAT_SECONDS = 15.0
KEPT_MAX = 500
QUEUE_MAX = 200
_OVERLAP = timedelta(seconds=2)
_BELLS = ("changes", "dags", "limits")
_log = get_logger("ui")


class News(NamedTuple):
    """What happened, by topic: `home`, `dags`, `dag:<id>`."""

    number: int
    topics: frozenset[str]
    runs: list[dict[str, Any]]
    tasks: list[TaskLine]
    dags: bool


class Subscriber:
    """One stream. A reader that does not keep up is told `reset`."""

    def __init__(self, topics: Iterable[str], visible: frozenset[str] | None = None) -> None:
        self.visible = visible
        self.topics = frozenset(topics)
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_MAX)

    def end(self) -> None:
        """No more news; what waits is dropped."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)

    def tell(self, text: bytes) -> None:
        """Put a message into its queue; when that is full, empty it and say so."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(message("reset", {}, None))


class Hub:
    """Hears the bell while somebody listens. Everything but `stop` belongs to the loop's thread.

    Parameters:
        sizes: of logs, by topic (`log:<ti_id>:<try>`); None where there is none.
    """

    def __init__(self, store: Store, database: Database, clock: Clock, sizes: Callable[[str], int | None]) -> None:
        self._store = store
        self._database = database
        self._clock = clock
        self._sizes = sizes
        self._epoch = uuid7().hex[-12:]
        self._number = 0
        self._kept: deque[News] = deque(maxlen=KEPT_MAX)
        self._subscribers: set[Subscriber] = set()
        self._live: dict[str, RunLine] = {}
        self._told: dict[str, tuple[Any, ...]] = {}
        self._since: Any = None
        self._logs: dict[str, int | None] = {}
        self._watching: asyncio.Task[None] | None = None
        self._tailing: asyncio.Task[None] | None = None
        self._listener: Listener | None = None
        self._rung = asyncio.Event()

    async def stream(
        self, topics: Iterable[str], last: str | None, visible: frozenset[str] | None = None
    ) -> AsyncIterator[bytes]:
        """The text of an event stream, until whoever asked has gone."""
        subscriber = Subscriber(topics, visible)
        await self._join(subscriber)
        try:
            yield b"retry: 1000\n\n"
            yield message("hello", {"epoch": self._epoch}, f"{self._epoch}-{self._number}")
            for text in self._missed(subscriber, last):
                yield text
            while True:
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        waited = await subscriber.queue.get()
                except TimeoutError:
                    yield b": beat\n\n"
                    continue
                if waited is None:
                    return
                yield waited
        finally:
            self._leave(subscriber)

    def stop(self) -> None:
        """End all streams: the server stops."""
        for subscriber in self._subscribers:
            subscriber.end()
        for task in (self._watching, self._tailing):
            if task is not None:
                task.cancel()

    async def _join(self, subscriber: Subscriber) -> None:
        self._subscribers.add(subscriber)
        if self._watching is None or self._watching.done():
            self._rung.clear()
            self._listener = await asyncio.to_thread(self._store.listen, _BELLS)
            asyncio.get_running_loop().add_reader(self._listener.fileno(), self._heard)
            self._since = None
            self._watching = asyncio.create_task(self._watch(), name="ui-hub")
        if any(topic.startswith("log:") for topic in subscriber.topics) and (
            self._tailing is None or self._tailing.done()
        ):
            self._tailing = asyncio.create_task(self._tail(), name="ui-logs")

    def _leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        if not self._subscribers and self._watching is not None:
            self._watching.cancel()
            self._watching = None
            listener, self._listener = self._listener, None
            if listener is not None:
                asyncio.get_running_loop().remove_reader(listener.fileno())
                listener.close()

    def _heard(self) -> None:
        if self._listener is not None:
            self._listener.wait(0)
        self._rung.set()

    async def _watch(self) -> None:
        while True:
            try:
                await self._look()
            except Unavailable as error:
                _log.warning("ui_news_not_read", error=str(error))
            except Exception as error:  # the boundary of this task: told, and tried again
                _log.error("ui_news_failed", error=error)
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with asyncio.timeout(REST_SECONDS):
                    await self._rung.wait()
            except TimeoutError:
                pass
            self._rung.clear()

    async def _look(self) -> None:
        watched = {topic[4:] for each in self._subscribers for topic in each.topics if topic.startswith("dag:")}
        since, known = self._since, self._live
        live, gone, tasks, now = await self._database.read(lambda tx: _changes(tx, watched, since, known))
        first = since is None
        self._since = now - _OVERLAP
        runs = [run for key, run in live.items() if known.get(key) != run] + gone
        fresh = [line for line in tasks if self._told.get(line.ti_id) != _mark(line)]
        self._told = {line.ti_id: _mark(line) for line in tasks}
        self._live = live
        if first:
            return
        self._publish(runs, fresh)

    def _publish(self, runs: list[RunLine], tasks: list[TaskLine]) -> None:
        topics = {"home", "dags"} | {f"dag:{run.dag_id}" for run in runs} | {f"dag:{line.dag_id}" for line in tasks}
        self._number += 1
        news = News(self._number, frozenset(topics), [line_of(run) for run in runs], tasks, not runs and not tasks)
        self._kept.append(news)
        for subscriber in self._subscribers:
            text = self._text(news, subscriber)
            if text is not None:
                subscriber.tell(text)

    def _text(self, news: News, subscriber: Subscriber) -> bytes | None:
        topics, visible = subscriber.topics, subscriber.visible
        if not topics & news.topics:
            return None
        every = bool(topics & {"home", "dags"})
        runs = [run for run in news.runs if _seen(run["dag_id"], topics, visible, every)]
        tasks = [
            [line.dag_id, line.run_key, line.run_id, line.task_id, line.map_path, line.state, line.try_number,
             line.started_at, line.ended_at, line.queued_at, line.ti_id]
            for line in news.tasks
            if f"dag:{line.dag_id}" in topics
        ]  # fmt: skip
        return message("news", {"runs": runs, "tasks": tasks}, f"{self._epoch}-{news.number}")

    def _missed(self, subscriber: Subscriber, last: str | None) -> list[bytes]:
        if not last:
            return []
        epoch, _, number = last.rpartition("-")
        oldest = self._kept[0].number if self._kept else self._number + 1
        if epoch != self._epoch or not number.isdecimal() or int(number) + 1 < oldest:
            return [message("reset", {}, f"{self._epoch}-{self._number}")]
        told = (self._text(news, subscriber) for news in self._kept if news.number > int(number))
        return [text for text in told if text is not None]

    async def _tail(self) -> None:
        """Tell how far the logs that somebody follows have come."""
        while True:
            wanted = {topic for each in self._subscribers for topic in each.topics if topic.startswith("log:")}
            if not wanted:
                return
            for topic in wanted:
                size = await asyncio.to_thread(self._sizes, topic)
                if size != self._logs.get(topic):
                    for subscriber in self._subscribers:
                        if topic in subscriber.topics:
                            subscriber.tell(message("log", {"topic": topic, "size": size}, None))
                self._logs[topic] = size
            self._logs = {topic: self._logs[topic] for topic in wanted}
            await asyncio.sleep(0.25)


def _seen(dag_id: str, topics: frozenset[str], visible: frozenset[str] | None, every: bool) -> bool:
    return f"dag:{dag_id}" in topics or (every and (visible is None or dag_id in visible))


def message(kind: str, data: Any, number: str | None) -> bytes:
    """An event of the stream."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _changes(
    tx: Transaction, watched: set[str], since: Any, known: dict[str, RunLine]
) -> tuple[dict[str, RunLine], list[RunLine], list[TaskLine], Any]:
    reads: UiTransaction = tx  # type: ignore[assignment] # the store's transactions are UiTransactions
    now = reads.now()
    live = {run.run_key: run for run in reads.ui_live_runs()}
    gone = reads.ui_runs_of_keys([key for key in known if key not in live]) if known else []
    keys = [run.run_key for run in (*live.values(), *gone) if run.dag_id in watched]
    tasks = reads.ui_tasks(keys, since=since) if keys and since is not None else []
    return live, gone, tasks, now


def _mark(line: TaskLine) -> tuple[Any, ...]:
    return (line.state, line.try_number, line.updated_at)
