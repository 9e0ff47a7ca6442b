"""The whole engine in one thread: schedulers, execution desk, maintenance and agents over a store in memory, under a
seed.

Everything that may happen is an act; the world picks one that is due, at random, or lets the clock leap to the next.
Faults (crashes between any two writes, commits whose answer is lost, lost and doubled messages, slow agents and
schedulers, clocks that are wrong) are acts too. Every commit is told to the checkers (`checks/`). After a while
faults and people stop, and the world runs until it is quiet; then the checkers look once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.agents import Faults, SimulatedAgent
from tests.simulation.checks import ALL, Checker
from tests.simulation.checks.facts import why_open
from tests.simulation.dags import START, random_dag
from tests.simulation.engine_books import Books, Commit
from tests.simulation.engine_parts import OpenVault, Place, SimulatedCrash, publish
from tests.simulation.engine_people import People
from tests.simulation.engine_store import Bell, Change, WatchedStore
from tests.simulation.engine_story import LocalClock, Story
from tests.simulation.executor import SimulatedExecutor
from tests.simulation.journal import Journal
from tests.simulation.script import Script
from tests.simulation.triggerer import SimulatedTriggerer

from tradewind.commands.documents import Documents
from tradewind.commands.execution import ExecutionDesk
from tradewind.commands.lost import end_lost_agents
from tradewind.commands.pools import set_pool
from tradewind.commands.trigger_desk import TriggerDesk
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.kernel.clock import VirtualClock
from tradewind.scheduler.loop import Scheduler, SchedulerOptions
from tradewind.wire.errors import LeaseLost, Unavailable
from tradewind.wire.execution import Exchange, Reply
from tradewind.wire.states import LIVE_RUN_STATES

SENTENCES_MAX = 3
"""So many from each checker are enough to begin with."""
STANDSTILL = timedelta(seconds=400)
"""Longer than any delay, time-out or lease: a quiet world in which nothing was written for so long never will."""


BEAT = timedelta(seconds=4)
"""Of schedulers."""
MAINTENANCE = timedelta(seconds=5)
SAFETY_POLL_SECONDS = 8.0


def life_of(seed: int) -> str:
    """Lives through a seed; equal for equal lives."""
    world = World(seed)
    world.run()
    return world.digest


class World:
    """One seed's world. `run` lives it to its end and returns what is wrong (empty: all is well)."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.spare_random = Random(~seed)
        """For whoever only looks: looking does not change what happens."""
        self.story = Story.draw(self.random)
        self.clock = VirtualClock(START)
        self.bell = Bell()
        self.store = WatchedStore(self.clock, self.bell, self.random.randint(2, 8))
        self.store.before_write = self._before_write
        self.store.before_commit = lambda: self._before_write("commit")
        self.store.after_commit = lambda: self._before_write("after commit")
        self.journal = Journal()
        self.wrong: list[str] = []
        self.on_wrong: Callable[[str], None] = lambda sentence: None
        self.acts = 0
        self.acting: Place | None = None
        self._dying: tuple[int, type[BaseException]] | None = None
        self._who = "maker"
        self._quiet = False
        self._ids = 0
        self.documents = Documents()
        self.pools = {"default_pool": 2, "small": self.random.randint(1, 3)}
        self.dags = [random_dag(self.random, f"d{n}", self.pools) for n in range(self.story.dags)]
        publish(self.store, self.dags, self.clock.now(), self.pools)
        self.people = People(self)
        self.books = Books(self.store, {f"v{n}": dag.document for n, dag in enumerate(self.dags)})
        self.checkers = [checker(self) for checker in ALL]
        self.on_commit = [c for c in self.checkers if type(c).committed is not Checker.committed]
        self.on_step = [c for c in self.checkers if type(c).stepped is not Checker.stepped]
        self._desk_clock = LocalClock.draw(self.clock, self.random, self.story)
        self._open_desk()
        script = Script(seed, {key: value for dag in self.dags for key, value in dag.behaviours.items()})
        self.agents = [self._agent_named(f"a{n}", script) for n in range(self.story.schedulers)]
        self.places = [
            Place(f"s{n}", LocalClock.draw(self.clock, self.random, self.story), self._executor_of(agent))
            for n, agent in enumerate(self.agents)
        ]
        desk = TriggerDesk(self.store, self._desk_clock, OpenVault(), self.new_id)
        self.triggerers = [
            SimulatedTriggerer(
                self, f"t{n}", self.random.randint(1, 6), Random(self.random.random()), desk, back_at=START
            )
            for n in range(self.random.randint(1, 2))
        ]
        self.store.on_commit = self._committed
        self._maintenance_at = START

    # --- making -------------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"

    def _agent_named(self, name: str, script: Script) -> SimulatedAgent:
        random = Random(self.random.random())
        return SimulatedAgent(
            name, self._face, self.clock, random, script, self.journal, slots=8, faults=self.story.faults
        )

    def _executor_of(self, agent: SimulatedAgent) -> SimulatedExecutor:
        lose, double = (0.0, 0.0) if self._quiet else (self.story.lose, self.story.double)
        return SimulatedExecutor(agent, Random(self.random.random()), self.story.parallelism, lose, double)

    def _open_desk(self) -> None:
        self.desk = ExecutionDesk(self.store, self._desk_clock, OpenVault(), self.new_id)

    # --- dying --------------------------------------------------------------------------------------------------------

    def _before_write(self, name: str) -> None:
        if self._dying is not None:
            left, death = self._dying
            self._dying = (left - 1, death)
            if left <= 0:
                self._dying = None
                raise death(name)

    def _dare(self, *deaths: type[BaseException]) -> None:
        """Perhaps the process that acts now dies within, or its database does, before a write or between commit and
        answer.
        """
        self._dying = None
        if not self._quiet and self.random.random() < self.story.crash:
            self._dying = (self.random.randint(0, 12), self.random.choice(deaths))

    def _face(self, exchange: Exchange) -> list[Reply]:
        """The execution face; it may die on the way, before or after its commit."""
        self._dare(SimulatedCrash, Unavailable)
        self._who = "desk"
        try:
            return self.desk.exchange(exchange)
        except SimulatedCrash:
            self._open_desk()
            raise Unavailable("the server died") from None
        finally:
            self._dying = None

    # --- living -------------------------------------------------------------------------------------------------------

    def run(self) -> list[str]:
        while self.acts < self.story.acts:
            self._live()
        self._calm()
        while not self._is_over():
            self._live()
        for checker in self.checkers:
            self._say(checker, checker.ended())
        return self.wrong

    @property
    def digest(self) -> str:
        """Equal for equal lives."""
        rows = [(r.run_id, r.task_id, r.map_path, r.state, r.try_number, r.reason) for r in self.store.data.tasks]
        runs = [(r.run_id, r.state, r.epoch, r.reason) for r in self.store.data.runs]
        text = repr((self.acts, self._ids, self.clock.now(), rows, runs, len(self.journal.entries)))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def _live(self) -> None:
        due = self._due_acts()
        if not due:
            self.clock.advance_to(max(self._next(), self.clock.now()))
            due = self._due_acts()
            if not due:
                self.clock.advance(0.01)
                return
        self.acts += 1
        if not self._quiet and self.random.random() < self.story.person:
            self._person()
            return
        kind, who = due[int(self.random.random() * len(due))]
        kind(who)

    def _due_acts(self) -> list[tuple[Callable[[Any], None], Any]]:
        now = self.clock.now()
        acts: list[tuple[Callable[[Any], None], Any]] = []
        for place in self.places:
            if place.scheduler is None:
                if place.back_at <= now:
                    acts.append((self._boot, place))
            elif place.stalled_until <= now:
                if place.beat_at <= now:
                    acts.append((self._beat, place))
                if self._has_work(place, now):
                    acts.append((self._step, place))
        acts += [(self._agent, agent) for agent in self.agents if agent.next_due() <= now]
        acts += [(self._trigger, triggerer) for triggerer in self.triggerers if triggerer.next_due() <= now]
        if self._maintenance_at <= now:
            acts.append((self._maintain, None))
        return acts

    def _has_work(self, place: Place, now: datetime) -> bool:
        assert place.scheduler is not None
        assert place.ear is not None
        if place.ear.rung:
            place.scheduler.listen(0)
            place.wake_at = now
        if place.wake_at > now:
            return False
        patience = 0.0 if place.scheduler.has_news else place.scheduler.patience()
        if patience > 0:  # its clock is slow
            place.wake_at = now + timedelta(seconds=max(patience, 0.02))
        return patience <= 0

    def _next(self) -> datetime:
        instants = [self._maintenance_at]
        for place in self.places:
            if place.scheduler is None:
                instants.append(place.back_at)
            else:
                instants.append(max(min(place.wake_at, place.beat_at), place.stalled_until))
        instants += [agent.next_due() for agent in self.agents]
        instants += [triggerer.next_due() for triggerer in self.triggerers]
        return min(instants)

    def _boot(self, place: Place) -> None:
        self._who, self.acting = "maker", None
        place.scheduler = Scheduler(
            self.store,
            place.clock,
            {"local": place.executor},
            options=SchedulerOptions(name=place.name, safety_poll_seconds=SAFETY_POLL_SECONDS),
            new_id=self.new_id,
            new_token=self.new_id,
        )
        place.ear = self.bell.ears[-1]
        place.epochs = {}
        place.scheduler.start()
        place.wake_at = self.clock.now()
        place.beat_at = self.clock.now() + BEAT

    def _beat(self, place: Place) -> None:
        assert place.scheduler is not None
        now = self.clock.now()
        place.beat_at = now + BEAT
        self._who = place.scheduler.memory.id
        try:
            place.scheduler.beat()
        except LeaseLost:
            self._bury(place, 0.0)
            return
        if self._quiet:
            return
        if self.random.random() < self.story.stall:
            seconds = self.random.uniform(1, 25)
            place.stalled_until = now + timedelta(seconds=seconds)
            if self.random.random() < 0.3:
                place.clock.sleep(seconds)
        elif self.story.skew_seconds and self.random.random() < 0.01:
            place.clock.jump(self.random.uniform(-self.story.skew_seconds, self.story.skew_seconds))

    def _step(self, place: Place) -> None:
        scheduler = place.scheduler
        assert scheduler is not None
        self._dare(SimulatedCrash, Unavailable)
        self._who, self.acting = scheduler.memory.id, place
        place.epochs = {key: run.row.epoch for key, run in scheduler.memory.runs.items()}
        try:
            scheduler.step()
        except SimulatedCrash:
            self._bury(place, self.random.uniform(0, 20))
            return
        except Unavailable:
            place.wake_at = self.clock.now() + timedelta(seconds=0.1)
            return
        finally:
            self._dying, self.acting = None, None
        place.wake_at = self.clock.now() + timedelta(seconds=0.0 if scheduler.has_news else scheduler.patience())
        for checker in self.on_step:
            self._say(checker, checker.stepped(place))
        place.unseen.clear()

    def _bury(self, place: Place, seconds: float) -> None:
        assert place.ear is not None
        place.ear.close()
        place.scheduler = place.ear = None
        place.executor = self._executor_of(place.executor.agent)
        place.back_at = self.clock.now() + timedelta(seconds=seconds)

    def _agent(self, agent: SimulatedAgent) -> None:
        agent.step()
        for place in self.places:
            if place.executor.pump() and place.scheduler is not None:
                place.scheduler.wake()
                place.wake_at = self.clock.now()

    def _trigger(self, triggerer: SimulatedTriggerer) -> None:
        self._dare(SimulatedCrash, Unavailable)
        self._who = "triggerer"
        try:
            triggerer.act()
        except SimulatedCrash:
            triggerer.die(self.random.uniform(0, 20))
        except Unavailable:
            triggerer.beat_at = self.clock.now() + timedelta(seconds=1)
        finally:
            self._dying = None
        if not self._quiet and self.random.random() < self.story.stall:
            triggerer.beat_at = self.clock.now() + timedelta(seconds=self.random.uniform(1, 25))

    def _maintain(self, _: None) -> None:
        self._who = "maintenance"
        self._maintenance_at = self.clock.now() + MAINTENANCE
        with self.store.begin() as tx:
            end_lost_agents(tx, self.documents, self._desk_clock.now(), 10.0, DEFAULT_LIMITS)
            tx.component_remove_lost("scheduler", 60.0)
            tx.component_remove_lost("triggerer", 60.0)

    def _person(self) -> None:
        self._who = "person"
        self._dare(SimulatedCrash)
        try:
            self.people.act()
        except SimulatedCrash:
            pass  # the command died with its transaction, or after it: nobody was promised anything
        finally:
            self._dying = None

    # --- the end ------------------------------------------------------------------------------------------------------

    def _calm(self) -> None:
        """No more faults, wishes and dates."""
        self._quiet = True
        self._who = "person"
        for checker in self.checkers:
            self._say(checker, checker.calmed())
        for agent in self.agents:
            agent.faults = Faults()
        for place in self.places:
            place.executor.lose = place.executor.double = 0.0
        with self.store.begin() as tx:
            for dag in self.dags:
                if self.story.restores:
                    self.people.unpause(tx, dag)
                tx.dag_set_next(dag.document.dag_id, None)
            if self.story.restores:
                self.people.unpause_backfills(tx)
                for name, slots in self.pools.items():
                    set_pool(tx, name, slots)
        self._calm_at = self.clock.now()
        self._looked_at: tuple[datetime | None, int] = (None, 0)

    def _is_over(self) -> bool:
        """Nothing is live any more, or what is left waits for a person; or the world is given up."""
        now, wrote_at = self.clock.now(), self.books.wrote_at or START
        if now - max(wrote_at, self._calm_at) > STANDSTILL:
            return True
        if self._looked_at[0] == wrote_at and self.acts - self._looked_at[1] < 40:
            return False
        self._looked_at = (wrote_at, self.acts)
        if any(agent.attempts for agent in self.agents):
            return False
        for place in self.places:
            if place.scheduler is None or place.stalled_until > now or self._has_work(place, now):
                return False
        return all(why_open(self, run) is not None for run in self.books.runs() if run.state in LIVE_RUN_STATES)

    # --- looking ------------------------------------------------------------------------------------------------------

    def _committed(self, changes: list[Change]) -> None:
        commit = Commit.of(self.clock.now(), self._who, self.acting, changes)
        if not commit.matters:
            return
        self.books.enter(commit)
        for place in self.places:
            place.unseen |= commit.run_keys
        self.people.saw(commit)
        for checker in self.on_commit:
            self._say(checker, checker.committed(commit))
        self.books.settle(commit)

    def _say(self, checker: Checker, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            checker.said += 1
            if checker.said <= SENTENCES_MAX:
                head = (
                    f"seed {self.seed} at {self.clock.now():%H:%M:%S} after {self.acts} acts: {type(checker).__name__}"
                )
                self.wrong.append(f"{head}: {sentence}")
                self.on_wrong(self.wrong[-1])
