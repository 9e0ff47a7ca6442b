"""A scheduler alone: on a store in memory that fails when told, with an executor that only keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from tests.unit.commands.world import World

from tradewind.commands.attempts import Settlement
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.ports.executor import Returned
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction
from tradewind.scheduler.loop import Scheduler, SchedulerOptions
from tradewind.store.memory import MemoryStore
from tradewind.wire.errors import Unavailable
from tradewind.wire.execution import Outcome
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import Workload

SUCCESS = Outcome(state=TaskInstanceState.SUCCESS)
FAILURE = Outcome(state=TaskInstanceState.FAILED, cause=CauseOfDeath.EXCEPTION, reason="no luck")


class FailingStore(MemoryStore):
    """Its next transactions fail as `plan` says: "undone" or "unheard" (committed, but the answer was lost)."""

    plan: list[str]

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        how = self.plan.pop(0) if self.plan else ""
        with super().begin() as tx:
            yield tx
            if how == "undone":
                raise Unavailable("the database is away")
        if how == "unheard":
            raise Unavailable("the connection broke")


class Hand:
    """An executor that keeps what it is given."""

    name = "local"

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.taken: set[str] = set()
        self.given: list[Workload] = []

    def start(self) -> None: ...
    def stop(self, deadline_seconds: float) -> None: ...
    def capacity(self) -> int:
        return self.slots - len(self.taken)

    def grantee(self) -> str | None:
        return None

    def occupy(self, tokens: Iterable[str]) -> None:
        self.taken.update(tokens)

    def submit(self, workloads: Sequence[Workload]) -> None:
        self.taken.update(workload.token for workload in workloads)
        self.given += workloads

    def cancel(self, tokens: Iterable[str], reason: str) -> None: ...
    def release(self, tokens: Iterable[str]) -> None:
        self.taken.difference_update(tokens)

    def unknown(self, tokens: Iterable[str]) -> set[str]:
        return set(tokens) - {workload.token for workload in self.given}

    def events(self) -> list[Returned]:
        return []


class Engine:
    """A scheduler on a store that fails when told."""

    def __init__(self) -> None:
        self.world = World()
        self.store = FailingStore(self.world.clock)
        self.store.plan = []
        self.world.store = self.store
        self.hand = Hand(slots=1)
        self.scheduler = Scheduler(
            self.store, self.world.clock, {"local": self.hand}, options=SchedulerOptions(name="one")
        )
        self.scheduler.start()

    def step(self) -> None:
        """A round as `run` does it; whether the database is there or not."""
        try:
            self.scheduler.step()
        except Unavailable:
            pass
        self.scheduler.listen(0.0)

    def work(self, outcome: Outcome = SUCCESS) -> None:
        """What was submitted last ends, as its agent reports it."""
        if not self.hand.given:
            return
        token = self.hand.given[-1].token
        with self.store.begin() as tx:
            row = tx.task_by_token([token]).get(token)
            if row is None or row.state not in (TaskInstanceState.QUEUED, TaskInstanceState.RUNNING):
                return
            now = self.world.clock.now()
            settlement = Settlement(tx, self.world.documents, now, DEFAULT_LIMITS)
            settlement.start(row, token, agent="agent", hostname="host", pid=1, at=now)
            settlement.end(row, token, outcome)
            settlement.write()

    def rounds(self, count: int, seconds: float = 1.0) -> None:
        """So many rounds, each with its work done, `seconds` apart; the scheduler is alive all the time, so that no
        lease passes that would mend what was forgotten."""
        for _ in range(count):
            self.step()
            self.work()
            self.world.clock.advance(seconds)
            self.scheduler.beat()

    def run(self, run_key: str) -> RunRow:
        """As it is now."""
        with self.store.read() as tx:
            run = tx.run_get(run_key)
        assert run is not None
        return run
