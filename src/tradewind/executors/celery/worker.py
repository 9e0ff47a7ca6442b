"""The worker's side: takes workloads from the broker and has the agent of this machine run them.

A thread of the worker stands for each attempt and waits for its end, so that the worker takes no more than it has
slots, shows what it does to Celery's own tools, and, asked to leave, leaves when its attempts are done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down
from celery.worker import state as worker_state
from celery.worker.control import Panel
from kombu import Exchange, Producer, Queue

from tradewind.executors.local import LocalExecutor
from tradewind.kernel.log import get_logger
from tradewind.wire.errors import Forbidden
from tradewind.wire.workload import Workload, open_workload

from . import words

_UNLIMITED = 1 << 30
_log = get_logger("celery-worker")


class Hands:
    """What the worker has in hand, and the agent that does the work.

    Parameters:
        app: the Celery application.
        agent_socket: of the agent of this machine.
        key: the execution key.
    """

    def __init__(self, app: Celery, agent_socket: Path, key: bytes) -> None:
        self._app = app
        self._key = key
        self._lock = threading.Lock()
        self._waiting: dict[str, threading.Event] = {}
        self._refusals: dict[str, str] = {}
        self._leaving = False
        self._agent = LocalExecutor("celery", agent_socket, key, _UNLIMITED, self._hear_returns, on_ended=self._over)

    def start(self) -> None:
        """Begin to speak to the agent."""
        self._agent.start()

    def stop(self, deadline_seconds: float = 2.0) -> None:
        """Stop speaking to it; what runs goes on."""
        self.leave()
        self._agent.stop(deadline_seconds)

    def leave(self) -> None:
        """The worker is to leave: what the agent has not taken by now is given back, what it has is waited for."""
        with self._lock:
            self._leaving = True
        self._refuse(self._agent.recall(), "the worker left before its agent had taken it")

    def attend(self, payload: str, seal: str, returns_to: str, cancelled: str | None) -> None:
        """Have one attempt run, and wait until it is over. One that the agent did not begin is given back."""
        workload = self._open(payload, seal)
        if workload is None:
            return
        done = threading.Event()
        with self._lock:
            if workload.token in self._waiting:
                return  # the same message twice: the first one stands for it
            self._waiting[workload.token] = done
        try:
            if cancelled is not None:
                self._agent.cancel([workload.token], cancelled)
            self._agent.submit([workload])
            if self._leaving:
                self.leave()
            done.wait()
        finally:
            with self._lock:
                self._waiting.pop(workload.token, None)
                refusal = self._refusals.pop(workload.token, None)
        if refusal is not None:
            self._give_back(workload.token, refusal, returns_to)

    def cancel(self, tokens: Sequence[str], reason: str) -> None:
        """End these attempts, if they are or come here."""
        self._agent.cancel(tokens, reason)

    def known(self, tokens: Sequence[str]) -> list[str]:
        """Those of `tokens` that are here: in hand, or taken from the broker and waiting for a thread."""
        reserved = {request.id for request in tuple(worker_state.reserved_requests)}
        with self._lock:
            return [token for token in tokens if token in self._waiting or token in reserved]

    def _open(self, payload: str, seal: str) -> Workload | None:
        try:
            return open_workload(words.unpack(payload, seal), self._key)
        except (Forbidden, ValueError) as error:
            _log.error("workload_refused", reason=str(error))
            return None

    def _over(self, tokens: Sequence[str]) -> None:
        with self._lock:
            for token in tokens:
                if (done := self._waiting.get(token)) is not None:
                    done.set()

    def _hear_returns(self) -> None:
        for returned in self._agent.events():
            self._refuse([returned.token], returned.reason)

    def _refuse(self, tokens: Sequence[str], reason: str) -> None:
        with self._lock:
            for token in tokens:
                if (done := self._waiting.get(token)) is not None:
                    self._refusals[token] = reason
                    done.set()

    def _give_back(self, token: str, reason: str, returns_to: str) -> None:
        exchange = Exchange(returns_to)
        queue = Queue(returns_to, exchange, returns_to, durable=True)
        with self._app.connection_for_write() as connection:
            Producer(connection).publish(
                {"token": token, "reason": reason},
                exchange=exchange,
                routing_key=returns_to,
                declare=[queue],
                serializer="json",
                retry=True,
            )


def equip(app: Celery, hands: Hands, key: bytes) -> None:
    """Give the application its task and its commands."""

    @app.task(name=words.ATTEMPT_TASK, ignore_result=True, acks_late=False, shared=False)  # type: ignore[untyped-decorator]
    def attempt(payload: str, seal: str, returns_to: str, cancelled: str | None = None) -> None:
        hands.attend(payload, seal, returns_to, cancelled)

    def cancel(_state: Any, said: str = "", seal: str = "", **_: Any) -> dict[str, str]:
        try:
            tokens, reason = words.open_cancel(said, seal, key)
        except (Forbidden, ValueError, KeyError) as error:
            _log.error("cancellation_refused", reason=str(error))
            return {"error": str(error)}
        hands.cancel(tokens, reason)
        return {"ok": "heard"}

    def known(_state: Any, tokens: Sequence[str] = (), **_: Any) -> dict[str, list[str]]:
        return {"tokens": hands.known(tokens)}

    Panel.data[words.CANCEL_COMMAND] = cancel
    Panel.data[words.KNOWN_COMMAND] = known


def run_consumer(
    broker_url: str,
    agent_socket: Path,
    key: bytes,
    queues: Sequence[str],
    concurrency: int,
    name: str,
    log_level: str = "info",
) -> int:
    """Celery's worker with a thread for each attempt, in the main thread of this process. Returns its exit code when it
    was asked to leave (SIGTERM, or a command) and what it has in hand is over.

    Parameters:
        agent_socket, key: see `Hands`.
        queues: to take from.
        concurrency: attempts at once.
        name: among the workers, `name@host`.
    """
    from celery.apps.worker import Worker

    for noisy in ("celery.worker.strategy", "celery.app.trace"):  # a line for each attempt and its end
        logging.getLogger(noisy).setLevel(logging.WARNING)
    app = words.make_app(broker_url, worker_log_color=False)
    hands = Hands(app, agent_socket, key)
    equip(app, hands, key)
    app.finalize()
    hands.start()

    def leave(**_: Any) -> None:
        # In a thread of its own: this is called in the middle of whatever the main thread does.
        threading.Thread(target=hands.leave, name="celery-leave", daemon=True).start()

    worker_shutting_down.connect(leave, weak=False)
    worker = Worker(
        app=app,
        hostname=name,
        queues=list(queues),
        concurrency=concurrency,
        pool="threads",
        loglevel=log_level.upper(),
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    _log.info("worker_ready", worker=name, queues=",".join(queues), concurrency=concurrency)
    try:
        worker.start()
    finally:
        hands.stop()
    return int(worker.exitcode or 0)
