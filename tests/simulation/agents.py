"""A simulated agent: speaks `wire.execution` like the real one, over a line that loses, doubles and delays.

No threads, no real time: somebody calls `step` when `next_due` says that there is something to do. All chance comes
from the `Random` it was given, so that equal seeds give equal lives. `faults` may be exchanged while it lives: with
`Faults()` it behaves, and whatever was under way comes to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from tests.simulation.journal import Deed, Journal
from tests.simulation.script import Plan, Script, outcome_of

from tradewind.kernel.clock import Clock
from tradewind.wire.errors import Unavailable
from tradewind.wire.execution import (
    AgentMessage,
    Claim,
    Done,
    Exchange,
    Go,
    Heartbeat,
    Hello,
    Outcome,
    PushXCom,
    Refused,
    Reply,
    Report,
    Stop,
    Stops,
    XComEntry,
    XComValue,
)
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import Workload

Face = Callable[[Exchange], list[Reply]]
"""The execution face. Raises `Unavailable` when it died on the way: who knows whether the exchange was applied."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong: probabilities per exchange (line) and per step (agent), and how long it lasts in seconds."""

    lose_request: float = 0.0
    lose_reply: float = 0.0
    double: float = 0.0
    """The face gets the exchange twice, one right after the other; the second answer counts."""
    late: float = 0.0
    """A copy of the exchange reaches the face once more, long after; nobody hears the answer."""
    late_seconds: Span = (0.0, 30.0)
    crash: float = 0.0
    """The agent dies with all its attempts; a new incarnation comes after a while."""
    down_seconds: Span = (0.0, 15.0)
    spool: float = 0.5
    """That an outcome which could not be delivered is on disk when the agent dies: its next incarnation presents it."""
    stall: float = 0.0
    """The agent stands still, and takes up where it was afterwards."""
    stall_seconds: Span = (0.0, 30.0)
    skew_seconds: Span = (0.0, 0.0)
    """How wrong its wall clock is; drawn for each incarnation."""

    @staticmethod
    def draw(random: Random) -> Faults:
        """Some faults, often none of a kind, seldom all."""

        def chance(most: float) -> float:
            return random.choice((0.0, 0.0, most / 5, most))

        return Faults(
            lose_request=chance(0.3),
            lose_reply=chance(0.3),
            double=chance(0.3),
            late=chance(0.2),
            crash=chance(0.02),
            stall=chance(0.02),
            spool=random.random(),
            skew_seconds=random.choice(((0.0, 0.0), (-30.0, 30.0))),
        )


class Phase(StrEnum):
    RECEIVED = "received"
    """Its claim was not answered yet."""
    RUNNING = "running"
    ENDED = "ended"
    """Its report was not answered yet."""


@dataclass(slots=True)
class Attempt:
    """An attempt in hand."""

    workload: Workload
    plan: Plan
    phase: Phase = Phase.RECEIVED
    began: datetime | None = None
    ends: datetime | None = None
    """True time, for running ones."""
    outcome: Outcome | None = None
    cancelled: str | None = None
    """Asked to stop before the claim was answered, with this reason."""
    push: PushXCom | None = None
    unclaimed: bool = False
    """Granted in advance: it runs, and its claim has not been answered yet."""
    undelivered: bool = False
    """Its report travelled once and nobody answered: a real agent has it on disk from then on."""


@dataclass(slots=True, eq=False)
class _Late:
    at: datetime
    exchange: Exchange


@dataclass(slots=True, eq=False)
class SimulatedAgent:
    """One agent of the simulation.

    Parameters:
        name: stable over its restarts.
        face: where its exchanges go.
        clock: the true time.
        random: all its chance.
        script: what its attempts do.
        journal: where they tell what they did; may be shared by all agents.
        slots: how many attempts it takes at a time.
        executor: the executor it works for.
        faults: what goes wrong.
        heartbeat_seconds, retry_seconds: how often it beats, and tries again what nobody answered.
    """

    name: str
    face: Face
    clock: Clock
    random: Random
    script: Script
    journal: Journal
    slots: int = 8
    executor: str = "local"
    faults: Faults = Faults()
    heartbeat_seconds: float = 4.0
    retry_seconds: float = 0.5
    incarnation: str = field(init=False, default="")
    attempts: dict[str, Attempt] = field(init=False, default_factory=dict)
    """In hand, by token."""
    exchanges: int = field(init=False, default=0)
    """How many reached the face, for statistics."""
    _births: int = field(init=False, default=0)
    _sequence: int = field(init=False, default=0)
    _seen: set[str] = field(init=False, default_factory=set)
    _spool: list[tuple[Workload, Outcome]] = field(init=False, default_factory=list)
    _skew: timedelta = field(init=False, default=timedelta())
    _greeted: bool = field(init=False, default=False)
    _beat_due: datetime = field(init=False)
    _retry_due: datetime | None = field(init=False, default=None)
    _unanswered: Exchange | None = field(init=False, default=None)
    _asleep_until: datetime | None = field(init=False, default=None)
    _down_until: datetime | None = field(init=False, default=None)
    _late: list[_Late] = field(init=False, default_factory=list)
    _due: datetime | None = field(init=False, default=None)
    """What `next_due` said; None since something changed."""

    def __post_init__(self) -> None:
        self._be_born()

    # --- what the executor asks -----------------------------------------------------------------------------------

    @property
    def reachable(self) -> bool:
        """Whether it can be asked anything just now: neither dead nor standing still."""
        return self._down_until is None and self._asleep_until is None

    def submit(self, workload: Workload) -> bool:
        """Take a workload. False: full, it was not taken. This incarnation begins no token twice.

        Raises `Unavailable` while it is not reachable.
        """
        self._require_reachable()
        self._due = None
        if workload.token in self._seen:
            return True
        if len(self.attempts) >= self.slots:
            return False
        self._seen.add(workload.token)
        poke = self.journal.pokes(workload.ti_id, workload.try_number)
        attempt = self.attempts[workload.token] = Attempt(workload, self.script.plan(workload, poke))
        if workload.grantee == self.incarnation:
            attempt.unclaimed = True
            self._set_off(attempt, workload.given)
        return True

    def cancel(self, token: str, reason: str) -> None:
        """Stop an attempt. One that is not known never starts here. Raises `Unavailable` while it is not reachable."""
        self._require_reachable()
        self._due = None
        self._seen.add(token)
        attempt = self.attempts.get(token)
        if attempt is None or attempt.phase is Phase.ENDED:
            return
        if attempt.phase is Phase.RUNNING:
            self._end(attempt, _killed(reason, attempt.began, self._local_now()), Deed.STOPPED)
        else:
            attempt.cancelled = reason

    def knows(self, tokens: Iterable[str]) -> set[str]:
        """Those it has in hand. Raises `Unavailable` while it is not reachable."""
        self._require_reachable()
        return {token for token in tokens if token in self.attempts}

    # --- its life -------------------------------------------------------------------------------------------------

    def next_due(self) -> datetime:
        """When `step` will have something to do; it may be past. Late copies travel on while the agent is dead."""
        if self._due is None:
            own = self._down_until or self._asleep_until or self._own_due()
            self._due = min([own, *(late.at for late in self._late)])
        return self._due

    def step(self) -> bool:
        """Do what is due, at most one exchange. False: nothing was due."""
        self._due = None
        now = self.clock.now()
        if self._deliver_late(now):
            return True
        if self._down_until is not None:
            return self._down_until <= now and self._be_born()
        if self._asleep_until is not None:
            if self._asleep_until > now:
                return False
            self._asleep_until = None
            return True
        if self._own_due() > now:
            return False
        if self.random.random() < self.faults.crash:
            self.crash()
        elif self.random.random() < self.faults.stall:
            self._asleep_until = now + self._span(self.faults.stall_seconds)
        elif not self._finish_work(now):
            self._exchange(now)
        return True

    def crash(self) -> None:
        """Die now: every attempt vanishes, and outcomes that were not on disk with them."""
        self._due = None
        now = self.clock.now()
        for attempt in self.attempts.values():
            if attempt.outcome is not None and attempt.undelivered and self.random.random() < self.faults.spool:
                self._spool.append((attempt.workload, attempt.outcome))
            self._note(Deed.VANISHED, attempt.workload)
        self.attempts.clear()
        self._seen.clear()
        self._down_until = now + self._span(self.faults.down_seconds)

    def _be_born(self) -> bool:
        now = self.clock.now()
        self._births += 1
        self.incarnation = f"{self.name}#{self._births}"
        self._down_until = self._asleep_until = self._retry_due = self._unanswered = None
        self._sequence = 0
        self._greeted = False
        self._beat_due = now
        self._skew = self._span(self.faults.skew_seconds)
        for workload, outcome in self._spool:
            self._seen.add(workload.token)
            plan = self.script.plan(workload, 0)
            self.attempts[workload.token] = Attempt(workload, plan, Phase.ENDED, outcome=outcome, undelivered=True)
        self._spool.clear()
        return True

    def _own_due(self) -> datetime:
        """When there is work to finish or something to say."""
        dues = [attempt.ends for attempt in self.attempts.values() if attempt.ends is not None]
        if self._retry_due is not None:
            dues.append(self._retry_due)
        elif not self._greeted or any(_has_message(attempt) for attempt in self.attempts.values()):
            dues.append(self.clock.now())
        else:
            dues.append(self._beat_due)
        return min(dues)

    def _finish_work(self, now: datetime) -> bool:
        """Let the first attempt whose time has come reach its end."""
        for attempt in self.attempts.values():
            if attempt.ends is not None and attempt.ends <= now:
                assert attempt.began is not None
                outcome = outcome_of(attempt.plan, attempt.workload, attempt.began, self._local_now())
                self._end(attempt, outcome, Deed.ENDED)
                return True
        return False

    def _end(self, attempt: Attempt, outcome: Outcome, deed: Deed) -> None:
        attempt.phase, attempt.ends, attempt.push, attempt.outcome = Phase.ENDED, None, None, outcome
        self._note(deed, attempt.workload, outcome=outcome)

    # --- talking --------------------------------------------------------------------------------------------------

    def _exchange(self, now: datetime) -> None:
        exchange = self._unanswered
        # What nobody answered is sent again as it was, or travels on with what is new.
        if exchange is None or self.random.random() < 0.5:
            exchange = self._compose(now)
        replies = self._send(exchange)
        if replies is None:
            self._unanswered, self._greeted = exchange, False
            self._retry_due = now + timedelta(seconds=self.retry_seconds)
            for message in exchange.messages:
                if isinstance(message, Report) and message.token in self.attempts:
                    self.attempts[message.token].undelivered = True
            return
        self._unanswered = self._retry_due = None
        self._hear(exchange.messages, replies)

    def _compose(self, now: datetime) -> Exchange:
        messages: list[AgentMessage] = []
        if not self._greeted:
            messages.append(Hello(hostname=self.name, pid=self._births, slots=self.slots, executor=self.executor))
        at = self._local_now()
        messages += [message for attempt in self.attempts.values() for message in _messages(attempt, at)]
        if self._beat_due <= now:
            messages.append(Heartbeat(tuple(self.attempts)))
        self._sequence += 1
        return Exchange(agent=self.name, incarnation=self.incarnation, sequence=self._sequence, messages=messages)

    def _send(self, exchange: Exchange) -> list[Reply] | None:
        """The replies; None when nobody heard, or the answer was lost."""
        faults, random = self.faults, self.random
        greets = any(isinstance(message, Hello) for message in exchange.messages)
        # A greeting does not come late: that would bring a dead agent back to life, which no line does.
        if not greets and random.random() < faults.late:
            self._late.append(_Late(self.clock.now() + self._span(faults.late_seconds), exchange))
        if random.random() < faults.lose_request:
            return None
        replies = self._ask(exchange)
        if replies is not None and random.random() < faults.double:
            replies = self._ask(exchange)
        return None if random.random() < faults.lose_reply else replies

    def _ask(self, exchange: Exchange) -> list[Reply] | None:
        self.exchanges += 1
        try:
            replies = self.face(exchange)
        except Unavailable:
            return None
        assert len(replies) == len(exchange.messages), "one reply for each message, in order"
        return replies

    def _deliver_late(self, now: datetime) -> bool:
        for late in self._late:
            if late.at <= now:
                self._late.remove(late)
                self._ask(late.exchange)
                return True
        return False

    def _hear(self, messages: list[AgentMessage], replies: list[Reply]) -> None:
        for message, reply in zip(messages, replies, strict=True):
            if isinstance(reply, Refused):
                self._greeted = False  # not known there (any more): begin the conversation again
            elif isinstance(message, Hello):
                self._greeted = True
            elif isinstance(message, Heartbeat):
                assert isinstance(reply, Stops), f"a heartbeat was answered with {reply}"
                self._beat_due = self.clock.now() + timedelta(seconds=self.heartbeat_seconds)
                for token, reason in reply.attempts.items():
                    self._forget(token, Deed.STOPPED, reason)
            elif isinstance(message, Claim):
                self._hear_of_claim(message, reply)
            elif isinstance(message, Report):
                self._hear_of_report(message, reply)
            elif isinstance(message, PushXCom):
                self._hear_of_push(message, reply)
        if not self._greeted:
            self._retry_due = self.clock.now() + timedelta(seconds=self.retry_seconds)

    def _hear_of_claim(self, claim: Claim, reply: Reply) -> None:
        attempt = self.attempts.get(claim.token)
        if attempt is None or (attempt.phase is not Phase.RECEIVED and not attempt.unclaimed):
            return
        if isinstance(reply, Stop):
            self._forget(claim.token, Deed.REFUSED if attempt.phase is Phase.RECEIVED else Deed.STOPPED, reply.reason)
            return
        assert isinstance(reply, Go), f"a claim was answered with {reply}"
        if attempt.unclaimed:
            attempt.unclaimed = False
            return
        if attempt.cancelled is not None:
            self._end(attempt, _killed(attempt.cancelled, None, self._local_now()), Deed.STOPPED)
            return
        self._set_off(attempt, reply.inputs)

    def _set_off(self, attempt: Attempt, inputs: Mapping[str, XComValue]) -> None:
        attempt.began = self._local_now()
        attempt.phase = Phase.RUNNING
        attempt.ends = self.clock.now() + timedelta(seconds=attempt.plan.seconds)
        if attempt.plan.pushes:
            attempt.push = PushXCom(attempt.workload.token, (XComEntry("pushed", XComValue(data=b"1", size=1)),))
        self._note(Deed.BEGUN, attempt.workload, inputs=inputs)

    def _hear_of_report(self, report: Report, reply: Reply) -> None:
        attempt = self.attempts.get(report.token)
        if attempt is None:
            return
        if isinstance(reply, Stop):
            self._forget(report.token, Deed.REFUSED, reply.reason)
            return
        assert isinstance(reply, Done), f"a report was answered with {reply}"
        del self.attempts[report.token]
        self._note(Deed.COMMITTED, attempt.workload, outcome=report.outcome)

    def _hear_of_push(self, push: PushXCom, reply: Reply) -> None:
        attempt = self.attempts.get(push.token)
        if attempt is None:
            return
        if isinstance(reply, Stop):
            self._forget(push.token, Deed.STOPPED, reply.reason)
            return
        assert isinstance(reply, Done), f"a push was answered with {reply}"
        attempt.push = None

    def _forget(self, token: str, deed: Deed, reason: str) -> None:
        attempt = self.attempts.pop(token, None)
        if attempt is not None:
            self._note(deed, attempt.workload, reason=reason)

    # --- small things ---------------------------------------------------------------------------------------------

    def _note(
        self,
        deed: Deed,
        workload: Workload,
        *,
        outcome: Outcome | None = None,
        inputs: Mapping[str, XComValue] | None = None,
        reason: str = "",
    ) -> None:
        now = self.clock.now()
        self.journal.note(now, deed, workload, self.incarnation, outcome=outcome, inputs=inputs, reason=reason)

    def _local_now(self) -> datetime:
        return self.clock.now() + self._skew

    def _span(self, seconds: Span) -> timedelta:
        return timedelta(seconds=self.random.uniform(*seconds))

    def _require_reachable(self) -> None:
        if not self.reachable:
            raise Unavailable(f"simulated agent {self.name!r} cannot be reached just now; try again")


def _messages(attempt: Attempt, at: datetime) -> list[AgentMessage]:
    """What there is to say about an attempt, in order."""
    workload = attempt.workload
    if attempt.phase is Phase.RECEIVED:
        return [Claim(token=workload.token, pid=1, at=at, inputs=workload.inputs)]
    said: list[AgentMessage] = [Claim(token=workload.token, pid=1, at=at)] if attempt.unclaimed else []
    if attempt.outcome is not None:
        said.append(Report(workload.token, attempt.outcome))
    elif attempt.push is not None:
        said.append(attempt.push)
    return said


def _has_message(attempt: Attempt) -> bool:
    return (
        attempt.phase is Phase.RECEIVED or attempt.unclaimed or attempt.outcome is not None or attempt.push is not None
    )


def _killed(reason: str, began: datetime | None, ended: datetime) -> Outcome:
    return Outcome(
        state=TaskInstanceState.FAILED,
        cause=CauseOfDeath.USER,
        reason=reason,
        started_at=began,
        ended_at=ended,
        duration_seconds=None if began is None else (ended - began).total_seconds(),
    )
