"""What simulated attempts do: drawn from a seed and the attempt's identity, never from the order of events.

So the same try ends the same in every interleaving of one seed, and a checker can foretell a run's end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from tradewind.wire.deferral import Deferral, HumanQuestion
from tradewind.wire.execution import Outcome, XComEntry, XComValue
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import Workload

RETURN_VALUE = "return_value"

_OWN_DEATHS = (CauseOfDeath.EXCEPTION, CauseOfDeath.EXIT_CODE, CauseOfDeath.SIGNAL, CauseOfDeath.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the tries of a task behave. Probabilities are per try and looked at in this order; the rest succeeds."""

    killed: float = 0.0
    """Somebody kills its process: an infrastructure death."""
    fails_now: float = 0.0
    """It asks to fail without another try."""
    fails: float = 0.0
    skips_itself: float = 0.0
    reschedules: float = 0.0
    """Besides: it is a sensor that wants to be called again before it ends as above, up to `pokes_max` times."""
    pokes_max: int = 3
    defers: float = 0.0
    """Besides: it waits for a trigger, once in a try, and ends as above when it goes on."""
    asks: float = 0.0
    """Besides: it waits for a person, once in a try."""
    seconds: tuple[float, float] = (0.0, 3.0)
    """Shortest and longest virtual duration."""
    length: tuple[int, int] | None = (0, 3)
    """Shortest and longest list it returns; None: it returns nothing."""
    branches: tuple[str, ...] = ()
    """Task ids of which it skips some, never all."""
    pushes: float = 0.0
    """It stores a value in the middle of its work."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one attempt will do."""

    seconds: float
    state: TaskInstanceState
    cause: CauseOfDeath | None = None
    length: int | None = None
    skips: tuple[str, ...] = ()
    reschedule_seconds: float | None = None
    deferral: Deferral | None = None
    question: HumanQuestion | None = None
    pushes: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """The behaviour of all tasks of a simulation.

    Parameters:
        seed: two scripts with the same seed and behaviours are the same.
        tasks: by (dag id, task id); `otherwise` for those that are not named.
    """

    seed: int
    tasks: Mapping[tuple[str, str], Behaviour] = field(default_factory=dict)
    otherwise: Behaviour = Behaviour()

    def plan(self, workload: Workload, poke: int) -> Plan:
        """What this attempt does. `poke` counts the calls of a rescheduled sensor within one try, from 0.

        How the try ends at last does not depend on `poke`, so that a poke which got lost changes nothing but the time.
        """
        behaviour = self.tasks.get((workload.run.dag_id, workload.task_id), self.otherwise)
        random = self._random(workload)
        seconds = random.uniform(*behaviour.seconds)
        pushes = random.random() < behaviour.pushes
        if random.random() < behaviour.reschedules and poke < random.randint(1, behaviour.pokes_max):
            later = random.uniform(0.0, 5.0)
            return Plan(seconds, TaskInstanceState.UP_FOR_RESCHEDULE, reschedule_seconds=later, pushes=pushes)
        waits = self._random(workload, "waits")
        luck = waits.random()
        if workload.resume is None and luck < behaviour.defers + behaviour.asks:
            return self._wait(waits, seconds, asks=luck >= behaviour.defers)
        return self._last(behaviour, self._random(workload, "last"), seconds, pushes)

    def _wait(self, random: Random, seconds: float, *, asks: bool) -> Plan:
        deferral = Deferral(method="go_on", timeout_seconds=random.choice((5.0, 30.0, None)))
        if not asks:
            deferral = replace(deferral, classpath="simulated.Trigger")
            return Plan(seconds, TaskInstanceState.DEFERRED, deferral=deferral)
        # Nobody may be left to answer: each question has its time.
        deferral = replace(deferral, timeout_seconds=deferral.timeout_seconds or 60.0)
        defaults = random.choice((None, ("no",)))
        question = HumanQuestion(subject="go on?", options=("yes", "no"), defaults=defaults)
        return Plan(seconds, TaskInstanceState.AWAITING_INPUT, deferral=deferral, question=question)

    def _last(self, behaviour: Behaviour, random: Random, seconds: float, pushes: bool) -> Plan:
        luck = random.random()
        for chance, state, cause in (
            (behaviour.killed, TaskInstanceState.FAILED, CauseOfDeath.KILLED),
            (behaviour.fails_now, TaskInstanceState.FAILED, CauseOfDeath.FAIL_NOW),
            (behaviour.fails, TaskInstanceState.FAILED, random.choice(_OWN_DEATHS)),
            (behaviour.skips_itself, TaskInstanceState.SKIPPED, None),
        ):
            if luck < chance:
                return Plan(seconds, state, cause, pushes=pushes)
            luck -= chance
        length = None if behaviour.length is None else random.randint(*behaviour.length)
        skips = tuple(random.sample(behaviour.branches, random.randrange(max(1, len(behaviour.branches)))))
        return Plan(seconds, TaskInstanceState.SUCCESS, length=length, skips=skips, pushes=pushes)

    def _random(self, workload: Workload, purpose: str = "") -> Random:
        # Not the key of the instance, which is drawn anew in every simulation, but what people call it.
        place = (workload.run.dag_id, workload.run.run_id, workload.task_id, workload.map_path)
        text = repr((self.seed, place, workload.try_number, purpose))
        return Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))


def outcome_of(plan: Plan, workload: Workload, began: datetime, ended: datetime) -> Outcome:
    """What the agent reports of an attempt that went as planned. The returned list names its own attempt."""
    value = None if plan.length is None else returned_value(workload, plan.length)
    later = plan.reschedule_seconds
    return Outcome(
        state=plan.state,
        cause=plan.cause,
        reason=f"as scripted: {plan.cause or plan.state}",
        started_at=began,
        ended_at=ended,
        duration_seconds=(ended - began).total_seconds(),
        skips=plan.skips,
        reschedule_at=None if later is None else ended + timedelta(seconds=later),
        deferral=plan.deferral,
        question=plan.question,
        xcoms=() if value is None else (XComEntry(RETURN_VALUE, value),),
    )


def returned_value(workload: Workload, length: int) -> XComValue:
    """A list of so many items, each with the token of the attempt that made it: a reader can tell whose it reads."""
    data = json.dumps([f"{workload.token}:{index}" for index in range(length)]).encode()
    return XComValue(data=data, size=len(data), length=length)
