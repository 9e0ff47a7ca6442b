"""The scheduler's side: publishes workloads, asks and tells the workers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kombu import Connection, Exchange, Producer, Queue
from kombu.exceptions import OperationalError

from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.ports.executor import Returned
from tradewind.wire.workload import SignedWorkload, Workload, sign_workload

from . import words

_REMEMBERED_MAX = 100_000
_PAUSE_SECONDS = 0.5
_LISTEN_SECONDS = 0.5
_log = get_logger("executor")


class CeleryExecutor:
    """See `ports.executor.Executor` for the duties. Two threads speak to the broker: one publishes, one hears what
    workers give back. What could not be published is kept and published when the broker is there again.

    Parameters:
        name: as tasks name it.
        broker_url: `redis://…` or `amqp://…` (setting celery.broker_url).
        key: the execution key; workloads are sealed with it.
        parallelism: how many attempts may be in hand (setting core.parallelism).
        wake: called, from a thread of the executor, when `events` has something new.
        clock: measures how long ago something was published.
        place: name of this scheduler, stable over restarts: workers give back to a queue of this name.
        resend_seconds: so long after it was published an attempt is not asked for: it may wait in the broker.
        answer_seconds_max: how long `unknown` waits for workers.
    """

    def __init__(
        self,
        name: str,
        broker_url: str,
        key: bytes,
        parallelism: int,
        wake: Callable[[], None],
        clock: Clock,
        *,
        place: str = "scheduler",
        resend_seconds: float = 30.0,
        answer_seconds_max: float = 1.0,
    ) -> None:
        self.name = name
        self._app = words.make_app(broker_url)
        self._key = key
        self._parallelism = parallelism
        self._wake = wake
        self._clock = clock
        self._resend_seconds = resend_seconds
        self._answer_seconds_max = answer_seconds_max
        self._returns = words.RETURNS_PREFIX + place
        self._changed = threading.Condition()
        self._in_hand: set[str] = set()
        self._unpublished: dict[str, tuple[SignedWorkload, str]] = {}
        self._published_at: dict[str, float] = {}
        self._queue_of: dict[str, str] = {}
        self._orders: deque[dict[str, str]] = deque()
        self._cancelled: dict[str, str] = {}
        self._returned: list[Returned] = []
        self._workers_seen = 1
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._publish, name=f"executor-{name}-publish", daemon=True),
            threading.Thread(target=self._hear, name=f"executor-{name}-hear", daemon=True),
        ]

    def start(self) -> None:
        """Begin to carry. To be called once."""
        for thread in self._threads:
            thread.start()

    def stop(self, deadline_seconds: float) -> None:
        """Stop carrying; what was not published is given again by its owner when it starts anew."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(deadline_seconds)

    def capacity(self) -> int:
        with self._changed:
            return max(0, self._parallelism - len(self._in_hand))

    def grantee(self) -> str | None:
        """Nobody: any of the workers may take it."""
        return None

    def occupy(self, tokens: Iterable[str]) -> None:
        with self._changed:
            self._in_hand.update(tokens)

    def release(self, tokens: Iterable[str]) -> None:
        with self._changed:
            for token in tokens:
                self._in_hand.discard(token)
                self._unpublished.pop(token, None)
                self._published_at.pop(token, None)
                self._queue_of.pop(token, None)

    def submit(self, workloads: Sequence[Workload]) -> None:
        signed = {each.token: (sign_workload(each, self._key), each.queue) for each in workloads}
        with self._changed:
            self._in_hand.update(signed)
            self._unpublished.update(signed)
            self._changed.notify_all()

    def cancel(self, tokens: Iterable[str], reason: str) -> None:
        cancelled = list(tokens)
        with self._changed:
            for token in cancelled:
                if token not in self._published_at:
                    # It may still come, now or from another scheduler: then the worker hears of both at once.
                    self._cancelled[token] = reason
            while len(self._cancelled) > _REMEMBERED_MAX:
                del self._cancelled[next(iter(self._cancelled))]
            self._orders.append(words.sealed_cancel(cancelled, reason, self._key))
            self._changed.notify_all()

    def unknown(self, tokens: Iterable[str]) -> set[str]:
        now = self._clock.monotonic()
        with self._changed:
            asked = {
                token
                for token in tokens
                if token not in self._unpublished
                and now - self._published_at.get(token, -self._resend_seconds) >= self._resend_seconds
            }
        if not asked:
            return set()
        try:
            known = self._ask(sorted(asked))
            if known is None:
                return set()
            return {token for token in asked - known if not self._may_wait(token)}
        except (OperationalError, OSError) as error:
            _log.warning("workers_not_asked", executor=self.name, reason=str(error))
            return set()

    def events(self) -> list[Returned]:
        with self._changed:
            returned, self._returned = self._returned, []
        return returned

    # --- asking ----------------------------------------------------------------------------------------------------

    def _ask(self, tokens: list[str]) -> set[str] | None:
        """What the workers have of these; None when there is no worker."""
        replies: list[dict[str, Any]] = self._app.control.broadcast(
            words.KNOWN_COMMAND,
            arguments={"tokens": tokens},
            reply=True,
            timeout=self._answer_seconds_max,
            limit=self._workers_seen,
        )
        self._workers_seen = max(1, len(replies or ()))
        if not replies:
            return None
        return {token for reply in replies for answer in reply.values() for token in _tokens(answer)}

    def _may_wait(self, token: str) -> bool:
        """Whether its queue is not empty: it may be in there."""
        queue = self._queue_of.get(token)
        if queue is None:
            return False
        with self._app.connection_for_write() as connection, connection.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count) > 0

    # --- in the publishing thread ----------------------------------------------------------------------------------

    def _publish(self) -> None:
        outage = Outage(_log, "broker_not_reached", "broker_reached_again")
        while not self._stopping:
            try:
                with self._app.connection_for_write() as connection:
                    connection.ensure_connection(max_retries=1, timeout=5.0)
                    outage.over()
                    self._publish_over(connection)
            except (OperationalError, OSError) as error:
                outage.met(executor=self.name, error=str(error), again_in_seconds=_PAUSE_SECONDS)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, _PAUSE_SECONDS)

    def _publish_over(self, connection: Connection) -> None:
        producer = Producer(connection.default_channel)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._orders or self._unpublished)
                if self._stopping:
                    return
                order = self._orders[0] if self._orders else None
                batch = {} if order is not None else dict(self._unpublished)
            if order is not None:
                self._app.control.broadcast(words.CANCEL_COMMAND, arguments=order, connection=connection)
                with self._changed:
                    self._orders.popleft()
            for token, (signed, queue) in batch.items():
                self._send(producer, token, signed, queue)

    def _send(self, producer: Producer, token: str, signed: SignedWorkload, queue: str) -> None:
        with self._changed:
            if token not in self._unpublished:
                return
            cancelled = self._cancelled.get(token)
        self._app.send_task(
            words.ATTEMPT_TASK,
            args=[*words.pack(signed), self._returns, cancelled],
            task_id=token,
            queue=queue,
            producer=producer,
            ignore_result=True,
            retry=False,
        )
        with self._changed:
            self._unpublished.pop(token, None)
            self._published_at[token] = self._clock.monotonic()
            self._queue_of[token] = queue

    # --- in the hearing thread -------------------------------------------------------------------------------------

    def _hear(self) -> None:
        while not self._stopping:
            try:
                with self._app.connection_for_read() as connection:
                    connection.ensure_connection(max_retries=1, timeout=5.0)
                    queue = Queue(self._returns, Exchange(self._returns), self._returns, durable=True)
                    with connection.Consumer([queue], callbacks=[self._take_back], accept=["json"]):
                        while not self._stopping:
                            try:
                                connection.drain_events(timeout=_LISTEN_SECONDS)
                            except TimeoutError:
                                continue
            except (OperationalError, OSError):
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, _PAUSE_SECONDS)

    def _take_back(self, body: Any, message: Any) -> None:
        message.ack()
        try:
            returned = Returned(str(body["token"]), str(body["reason"]))
        except (TypeError, KeyError):
            _log.error("return_not_understood", executor=self.name, said=repr(body)[:200])
            return
        with self._changed:
            if returned.token not in self._in_hand:
                return
            self._in_hand.discard(returned.token)
            self._published_at.pop(returned.token, None)
            self._returned.append(returned)
        self._wake()


def _tokens(answer: Any) -> list[str]:
    found = answer.get("tokens", ()) if isinstance(answer, dict) else ()
    return [str(token) for token in found]
