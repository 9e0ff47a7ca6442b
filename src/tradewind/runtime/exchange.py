"""The agent's conversation with the execution face: one exchange at a time; what comes up meanwhile goes with the next.

Nothing is given up: while the control plane is away, messages wait, reports also on disk, and the connection is tried
again with growing pauses. All messages may be repeated, so what was under way when a connection broke is said again.
An exchange that the face cannot digest is cut into smaller ones, until the one message that it refuses stands alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.wire.execution import (
    VERSION,
    VERSION_HEADER,
    AgentMessage,
    Exchange,
    Heartbeat,
    Hello,
    Refused,
    Reply,
    Report,
    decode_replies,
    encode_exchange,
)

from .http import HttpConnection
from .loop import Loop, Timer
from .spool import ReportSpool

PATH = "/execution/exchange"
OnReply = Callable[[Reply], None]
_log = get_logger("agent")
_COMPANY_SECONDS = 0.008
_REFUSES_THE_CONTENT = frozenset({413, 422})
"""Statuses that mean: this very message cannot be taken, today or tomorrow."""


class _Item:
    __slots__ = ("message", "on_reply")

    def __init__(self, message: AgentMessage, on_reply: OnReply | None) -> None:
        self.message = message
        self.on_reply = on_reply


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the conversation is held."""

    url: str
    """Of the API server."""
    agent: str
    incarnation: str
    credential: str
    batch_max: int
    retry_seconds_min: float
    retry_seconds_max: float
    silence_seconds_max: float
    """After a silence of this length the agent introduces itself again: it may have been declared lost."""
    answer_seconds_max: float
    """An answer that takes longer is not waited for: the connection is made anew."""


class Conversation:
    """Messages out, replies in.

    Parameters:
        hello: makes the first message of a connection.
    """

    def __init__(
        self, loop: Loop, settings: ExchangeSettings, hello: Callable[[], Hello], spool: ReportSpool, clock: Clock
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._hello = hello
        self._spool = spool
        self._clock = clock
        self._waiting: deque[_Item] = deque()
        self._under_way: list[_Item] = []
        self._sequence = 0
        self._introduced = False
        self._last_answer = clock.monotonic()
        self._pause = 0.0
        self._failing = False
        self._batch = settings.batch_max
        self._pump_asked = False
        self._retry: Timer | None = None
        self._company: Timer | None = None
        self._deadline: Timer | None = None
        self._closed = False
        self._stood = False
        self._http = HttpConnection(
            loop,
            settings.url.rstrip("/") + PATH,
            {
                "Content-Type": "application/msgpack",
                "Authorization": f"Bearer {settings.credential}",
                VERSION_HEADER: VERSION,
            },
            on_open=self._opened,
            on_answer=self._answered,
            on_broken=self._broken,
            connect_timeout_seconds=settings.answer_seconds_max,
        )

    @property
    def idle(self) -> bool:
        """Nothing waits to be said or answered."""
        return not self._waiting and not self._under_way

    @property
    def failing(self) -> bool:
        """The last attempt to reach the control plane failed."""
        return self._failing

    def start(self) -> None:
        self._http.open()

    def put(self, message: AgentMessage, on_reply: OnReply | None = None, *, patient: bool = False) -> None:
        """Say something; order is kept. `on_reply` is called in the loop's thread, once.

        A `patient` message may wait some milliseconds for company: each exchange costs the control plane a transaction,
        whatever it carries, and with many attempts under way nobody waits for this one.
        """
        self._waiting.append(_Item(message, on_reply))
        if self._failing and isinstance(message, Report):
            self._spool.keep(message)
        if patient and len(self._waiting) < self._settings.batch_max:
            if self._company is None and not self._pump_asked:
                self._company = self._loop.after(_COMPANY_SECONDS, self._pump)
        elif not self._pump_asked:
            self._pump_asked = True
            self._loop.soon(self._pump)

    def introduce_again(self) -> None:
        """Begin the next exchange with Hello."""
        self._introduced = False

    def close(self) -> None:
        """Say no more. Undelivered reports go to the disk."""
        self._closed = True
        self._http.close()
        for timer in (self._retry, self._company, self._deadline):
            if timer is not None:
                timer.cancel()
        self._keep_reports()

    def _opened(self) -> None:
        self._stood = True
        self._pump()

    def _pump(self) -> None:
        self._pump_asked = False
        if self._company is not None:
            self._company.cancel()
            self._company = None
        if self._closed or self._under_way or self._retry is not None or not self._http.is_open:
            return
        if self._clock.monotonic() - self._last_answer > self._settings.silence_seconds_max:
            self._introduced = False
        if not self._waiting and self._introduced:
            return
        self._under_way = self._next_batch()
        self._sequence += 1
        exchange = Exchange(
            agent=self._settings.agent,
            incarnation=self._settings.incarnation,
            sequence=self._sequence,
            messages=[item.message for item in self._under_way],
        )
        self._deadline = self._loop.after(self._settings.answer_seconds_max, self._too_slow)
        self._http.post(encode_exchange(exchange))

    def _next_batch(self) -> list[_Item]:
        batch: list[_Item] = []
        if not self._introduced:
            batch.append(_Item(self._hello(), None))
            # The face takes Hello after the rest, and would not know whose heartbeat it is.
            self._waiting = deque(item for item in self._waiting if not isinstance(item.message, Heartbeat))
        while self._waiting and len(batch) < self._batch:
            batch.append(self._waiting.popleft())
        return batch

    def _answered(self, status: int, body: bytes) -> None:
        self._stop_waiting()
        if status != 200:
            self._not_taken(status, body)
            return
        try:
            replies = decode_replies(body)
        except msgspec.DecodeError as error:
            self._failed(f"the answer cannot be read: {error}")
            return
        if len(replies) != len(self._under_way):
            self._failed(f"{len(replies)} replies came for {len(self._under_way)} messages")
            return
        if self._failing:
            _log.info("control_plane_reached_again", url=self._settings.url)
        self._failing, self._pause, self._introduced = False, 0.0, True
        self._last_answer = self._clock.monotonic()
        self._batch = min(self._settings.batch_max, self._batch * 2)
        answered, self._under_way = self._under_way, []
        # The next exchange leaves before the replies of this one are worked on.
        if self._waiting and self._company is None:
            self._pump()
        self._settle(zip(answered, replies, strict=True))

    def _settle(self, answered: Iterable[tuple[_Item, Reply]]) -> None:
        for item, reply in answered:
            if isinstance(item.message, Report):
                self._spool.forget(item.message.token)
            if item.on_reply is not None:
                item.on_reply(reply)

    def _not_taken(self, status: int, body: bytes) -> None:
        """The face lives, but did not take this exchange."""
        said = body[:300].decode("utf-8", "replace")
        if status in _REFUSES_THE_CONTENT and self._alone() is not None:
            self._refused(status, said)
            return
        if status >= 500 or status in _REFUSES_THE_CONTENT:
            # One message among them may be the reason: come nearer to it.
            if self._alone() is not None:
                self._step_behind()
            self._batch = max(1 if self._introduced else 2, len(self._under_way) // 2)
        self._failed(f"answered with status {status}: {said}")

    def _alone(self) -> _Item | None:
        """The one message of the exchange, if it is one (but for Hello)."""
        items = [item for item in self._under_way if not isinstance(item.message, Hello)]
        return items[0] if len(items) == 1 else None

    def _refused(self, status: int, said: str) -> None:
        item = self._alone()
        assert item is not None
        self._under_way = []
        kind = type(item.message).__name__
        _log.error("message_refused", kind=kind, status=status, reason=said)
        self._settle([(item, Refused("LimitExceeded" if status == 413 else "BadInput", f"{kind} was refused: {said}"))])
        self._pump()

    def _step_behind(self) -> None:
        """A single message fails again and again: the others of its attempt follow it to the end of the queue."""
        item = self._alone()
        assert item is not None
        token = getattr(item.message, "token", None)
        own = [item, *(other for other in self._waiting if getattr(other.message, "token", None) == token)]
        others = [other for other in self._waiting if getattr(other.message, "token", None) != token]
        self._under_way = []
        self._waiting = deque([*others, *own])

    def _broken(self, reason: str) -> None:
        rested = self._stood and not self._under_way and not self._failing
        self._stop_waiting()
        self._introduced = self._stood = False
        if rested:
            # Servers close connections that rest; that is no failure.
            self._http.open()
        else:
            self._failed(reason)

    def _too_slow(self) -> None:
        self._deadline = None
        self._http.close()
        self._introduced = False
        self._failed(f"no answer within {self._settings.answer_seconds_max:g} s")

    def _failed(self, reason: str) -> None:
        if not self._failing:
            # Agent and server are started together: that the server takes a little longer is no trouble.
            tell = _log.warning if self._sequence else _log.info
            tell("control_plane_not_reached", url=self._settings.url, reason=reason)
        self._failing = True
        self._waiting.extendleft(item for item in reversed(self._under_way) if not isinstance(item.message, Hello))
        self._under_way = []
        self._keep_reports()
        self._pause = min(self._settings.retry_seconds_max, max(self._settings.retry_seconds_min, self._pause * 2))
        if not self._closed:
            self._retry = self._loop.after(self._pause, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        if self._http.is_open:
            self._pump()
        else:
            self._http.open()

    def _keep_reports(self) -> None:
        for item in [*self._under_way, *self._waiting]:
            if isinstance(item.message, Report):
                self._spool.keep(item.message)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
