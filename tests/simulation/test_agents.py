"""The simulated agent itself: deterministic, never stuck, and its witness tells when something ran twice.

The face here is the smallest one that keeps the rules; each rule it breaks on purpose must make the witness speak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace
from tests.simulation.agents import Faults, SimulatedAgent
from tests.simulation.journal import Deed, Journal, doubled
from tests.simulation.script import Behaviour, Script

from tradewind.kernel.clock import VirtualClock
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
    Refused,
    Reply,
    Report,
    Stop,
    Stops,
)
from tradewind.wire.states import DagRunType, TaskInstanceState
from tradewind.wire.workload import RunFacts, Workload

S = TaskInstanceState
WILD = Behaviour(killed=0.05, fails_now=0.05, fails=0.2, skips_itself=0.1, reschedules=0.3, pushes=0.5)


@dataclass
class Face:
    """Rows of attempts. `submit` gives a new attempt to the executor."""

    submit: Callable[[Workload], None] = lambda workload: None
    grants_again: bool = False
    """Planted bug: grants a claim that was granted to another incarnation."""
    forgets_token: bool = False
    """Planted bug: takes reports of attempts that were declared lost."""
    rows: dict[str, tuple[Workload, str]] = field(default_factory=dict)
    holder: dict[str, str] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    away: int = 0
    """How many of the next exchanges die half-way."""

    def queue(self, workload: Workload) -> None:
        self.rows[workload.token] = (workload, "queued")
        self.submit(workload)

    def exchange(self, exchange: Exchange) -> list[Reply]:
        if self.away:
            self.away -= 1
            raise Unavailable("the face died on the way")
        return [self._reply(exchange, message) for message in exchange.messages]

    def finished(self) -> bool:
        return all(state in {"ended", "void"} for _, state in self.rows.values())

    def _reply(self, exchange: Exchange, message: AgentMessage) -> Reply:
        if isinstance(message, Hello):
            if self.newest.get(exchange.agent) != exchange.incarnation:
                self._lose(self.newest.get(exchange.agent))
                self.newest[exchange.agent] = exchange.incarnation
            return Done()
        if self.newest.get(exchange.agent) != exchange.incarnation:
            return Refused("NotFound", "say hello first")
        if isinstance(message, Heartbeat):
            stale = [token for token in message.tokens if self._state(token) == "void"]
            return Stops(dict.fromkeys(stale, "not current"))
        if isinstance(message, Claim):
            return self._claim(message.token, exchange.incarnation)
        if isinstance(message, Report):
            return self._report(message)
        return Done() if self._state(getattr(message, "token", "")) == "running" else Stop("not running")

    def _state(self, token: str) -> str:
        return self.rows[token][1] if token in self.rows else "void"

    def _claim(self, token: str, incarnation: str) -> Reply:
        mine = self.grants_again or self.holder.get(token) == incarnation
        if self._state(token) == "queued" or (self._state(token) == "running" and mine):
            self.rows[token] = (self.rows[token][0], "running")
            self.holder[token] = incarnation
            return Go()
        return Stop("not queued")

    def _report(self, report: Report) -> Reply:
        state = self._state(report.token)
        if state == "ended":
            return Done()
        if state == "void" and not self.forgets_token:
            return Stop("not current")
        workload = self.rows[report.token][0]
        self.rows[report.token] = (workload, "ended")
        self.outcomes[report.token] = report.outcome
        if report.outcome.state is S.UP_FOR_RESCHEDULE:
            self.queue(replace(workload, token=workload.token + "+"))
        return Done()

    def _lose(self, incarnation: str | None) -> None:
        for token, (workload, state) in list(self.rows.items()):
            if state == "running" and self.holder[token] == incarnation:
                if self.grants_again:
                    self.submit(workload)
                    continue
                self.rows[token] = (workload, "void")
                number = workload.try_number + (0 if self.forgets_token else 1)
                self.queue(replace(workload, token=workload.token + "'", try_number=number))


class World:
    """One agent or several and a face, moved on by a seeded choice."""

    def __init__(
        self, seed: int, *, agents: int = 1, faults: Faults | None = None, slots: int = 100, bug: str = ""
    ) -> None:
        self.random = Random(seed)
        self.clock = VirtualClock()
        self.journal = Journal()
        # On their way to an agent. Under faults some go to all agents at once: only one may begin.
        self.carried: list[Workload] = []
        self.everywhere = 0.2 if faults else 0.0
        self.face = Face(self.carried.append, bug == "grants_again", bug == "forgets_token")
        self.agents = [
            SimulatedAgent(
                f"agent-{number}",
                self.face.exchange,
                self.clock,
                Random(seed * 100 + number),
                Script(seed, otherwise=WILD),
                self.journal,
                slots=slots,
                faults=faults or Faults(),
            )
            for number in range(agents)
        ]

    def move(self) -> None:
        """One step of somebody for whom something is due; time passes when nobody has anything to do."""
        if self._carry():
            return
        dues = [(agent.next_due(), agent) for agent in self.agents]
        ready = [agent for due, agent in dues if due <= self.clock.now()]
        if ready:
            assert self.random.choice(ready).step(), "something was due, and nothing was done"
        else:
            self.clock.advance_to(min(due for due, _ in dues))
            self._carry_again()

    def run(self, steps_max: int = 20_000) -> None:
        for _ in range(steps_max):
            if self.face.finished() and not any(agent.attempts for agent in self.agents):
                return
            self.move()
        raise AssertionError(f"not finished after {steps_max} steps, at {self.clock.now()}")

    def _carry(self) -> bool:
        reachable = [agent for agent in self.agents if agent.reachable]
        if not self.carried or not reachable:
            return False
        workload = self.carried.pop(0)
        self.random.shuffle(reachable)
        for agent in reachable if self.random.random() < self.everywhere else reachable[:1]:
            assert agent.submit(workload), "the agent is full"
        return True

    def _carry_again(self) -> None:
        """As a scheduler does: what waits for its claim and died with an agent goes on its way again."""
        if all(agent.reachable for agent in self.agents):
            waiting = {token for token, (_, state) in self.face.rows.items() if state == "queued"}
            for agent in self.agents:
                waiting -= agent.knows(waiting)
            self.carried += [self.face.rows[token][0] for token in sorted(waiting)]


def workload(name: str) -> Workload:
    run = RunFacts(run_key="k", dag_id="d", run_id="r", run_type=DagRunType.MANUAL, run_after=VirtualClock().now())
    return Workload(
        token=name,
        ti_id=f"ti-{name}",
        task_id=name,
        version_id="v",
        bundle="b",
        bundle_version="1",
        file="f.py",
        run=run,
    )


def lived(seed: int, *, tasks: int = 12, agents: int = 2, calm_after: int = 400, bug: str = "") -> World:
    """A world that went through faults and came to rest."""
    world = World(seed, agents=agents, faults=Faults.draw(Random(seed)), bug=bug)
    for number in range(tasks):
        world.face.queue(workload(f"t{number}"))
    for _ in range(calm_after):
        world.move()
    for agent in world.agents:
        agent.faults = Faults()
    world.run()
    return world


def test_without_faults_everything_is_committed_once() -> None:
    world = World(1)
    for number in range(20):
        world.face.queue(workload(f"t{number}"))
    world.run()
    assert doubled(world.journal) == []
    assert {entry.token for entry in world.journal.of(Deed.COMMITTED)} == set(world.face.rows)
    assert len(world.journal.of(Deed.BEGUN)) == len(world.journal.of(Deed.COMMITTED)) == len(world.face.rows)
    assert {outcome.state for outcome in world.face.outcomes.values()} >= {S.SUCCESS, S.FAILED, S.UP_FOR_RESCHEDULE}


def test_equal_seeds_live_equal_lives() -> None:
    first, second, other = lived(7), lived(7), lived(8)
    assert first.journal.entries == second.journal.entries
    assert first.journal.entries != other.journal.entries


@pytest.mark.parametrize("block", range(4))
def test_with_faults_nothing_is_stuck_and_nothing_runs_twice(block: int) -> None:
    vanished = refused = 0
    for seed in range(block * 50, block * 50 + 50):
        world = lived(seed)
        assert doubled(world.journal) == [], f"seed {seed}"
        vanished += len(world.journal.of(Deed.VANISHED))
        refused += len(world.journal.of(Deed.REFUSED))
    assert vanished, "no seed made an agent die with work in hand"
    assert refused, "no seed had a stale claim or report"


def _red(bug: str) -> bool:
    return any(doubled(lived(seed, bug=bug).journal) for seed in range(300))


def test_planted_a_claim_granted_twice_is_seen() -> None:
    assert _red("grants_again")


def test_planted_a_report_of_a_lost_attempt_is_seen() -> None:
    assert _red("forgets_token")


def test_a_try_ends_the_same_in_every_interleaving() -> None:
    first, second = World(3, agents=1), World(3, agents=3)
    ends = []
    for world in (first, second):
        for number in range(20):
            world.face.queue(workload(f"t{number}"))
        world.run()
        ends.append({token: outcome.state for token, outcome in world.face.outcomes.items()})
    assert ends[0] == ends[1]


def test_what_is_cancelled_before_it_began_never_begins() -> None:
    world = World(1)
    (agent,) = world.agents
    world.face.rows["late"] = (workload("late"), "queued")
    agent.cancel("late", "not wanted")
    assert agent.submit(workload("late"))
    world.face.rows["taken"] = (workload("taken"), "queued")
    assert agent.submit(workload("taken"))
    agent.cancel("taken", "not wanted")
    while agent.attempts:
        world.move()
    assert world.journal.of(Deed.BEGUN) == []
    assert [entry.token for entry in world.journal.of(Deed.COMMITTED)] == ["taken"]
    assert world.face.outcomes["taken"].reason == "not wanted"


def test_a_running_attempt_is_cancelled() -> None:
    world = World(1)
    world.face.queue(workload("t"))
    while not world.journal.of(Deed.BEGUN):
        world.move()
    world.agents[0].cancel("t", "enough")
    world.run()
    assert world.face.outcomes["t"].reason == "enough"


def test_an_outcome_on_disk_is_presented_by_the_next_incarnation() -> None:
    world = World(1, faults=Faults(spool=1.0))
    (agent,) = world.agents
    world.face.queue(workload("t"))
    while not world.journal.of(Deed.ENDED):
        world.move()
    world.face.away = 1
    world.move()
    agent.crash()
    world.run()
    assert agent.incarnation == "agent-0#2"
    # The greeting ends what the incarnation before it had running, so the outcome came too late: it ran again.
    assert [entry.token for entry in world.journal.of(Deed.REFUSED)] == ["t"]
    assert doubled(world.journal) == []


def test_an_agent_that_stands_still_cannot_be_asked_and_goes_on_afterwards() -> None:
    world = World(1, faults=Faults(stall=1.0, stall_seconds=(5.0, 5.0)))
    (agent,) = world.agents
    world.move()
    assert not agent.reachable
    with pytest.raises(Unavailable, match="agent-0"):
        agent.submit(workload("t"))
    with pytest.raises(Unavailable, match="agent-0"):
        agent.knows(["t"])
    world.face.queue(workload("t"))
    assert agent.next_due() == world.clock.now() + timedelta(seconds=5)
    agent.faults = Faults()
    world.run()
    assert doubled(world.journal) == []


def test_a_full_agent_takes_nothing_more_but_knows_what_it_has() -> None:
    (agent,) = World(1, slots=1).agents
    assert agent.submit(workload("a"))
    assert not agent.submit(workload("b"))
    assert agent.submit(workload("a")), "the same again is no second attempt"
    assert agent.knows(["a", "b"]) == {"a"}
