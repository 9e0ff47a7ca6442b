"""Random DAGs, random lives of a run, and the comparison of planner and oracle after every event."""

from __future__ import annotations

import random
from collections.abc import Iterable

from tradewind.domain.planner import Change, Graph, InstanceSnapshot, ReasonKind, RunPlan, changes, events
from tradewind.domain.task_state import TASK_CHANGES
from tradewind.wire.document import (
    Concatenated,
    DagDocument,
    FromTask,
    GroupDocument,
    LengthSource,
    Literal,
    Mapping,
    TaskDocument,
    Zipped,
)  # fmt: skip
from tradewind.wire.states import DagRunState, TriggerRule
from tradewind.wire.states import TaskInstanceState as S

from .oracle import Key, Oracle, Row

INSTANCES_MAX = 120
"""A life ends when the run has grown beyond this: the oracle is slow, and mapping over mapping grows fast."""
RULES = [rule for rule in TriggerRule if rule is not TriggerRule.ALL_DONE_SETUP_SUCCESS]


class Outgrown(Exception):
    """The run has more instances than the oracle can follow in reasonable time."""


class Disagreement(AssertionError):
    """Planner and oracle differ, or a promise of the planner is broken."""


# --- random DAGs


def random_document(rng: random.Random, size: int) -> DagDocument:
    names = [f"t{i:02}" for i in range(size)]
    rng.shuffle(names)
    groups = _random_groups(rng)
    group_of = [rng.choice([None, None, *groups]) if groups else None for _ in names]
    first_member: dict[str, int] = {}
    for i, group_id in enumerate(group_of):
        while group_id is not None:
            first_member.setdefault(group_id, i)
            group_id = groups[group_id]
    tasks: list[TaskDocument] = []
    for i in range(size):
        tasks.append(_random_task(rng, i, names, group_of[i], tasks))
    documents = []
    for group_id, parent in sorted(groups.items()):
        before = names[: first_member.get(group_id, 0)]
        mapping = _random_mapping(rng, before) if rng.random() < 0.7 else None
        documents.append(GroupDocument(group_id=group_id, label=group_id, parent_id=parent, mapping=mapping))
    return DagDocument(
        format=1, dag_id="random", file="random.py", fail_fast=rng.random() < 0.1,
        tasks=tuple(sorted(tasks, key=lambda task: task.task_id)), groups=tuple(documents),
    )  # fmt: skip


def _random_groups(rng: random.Random) -> dict[str, str | None]:
    groups: dict[str, str | None] = {}
    for name in "abc"[: rng.choice([0, 0, 1, 1, 2, 3])]:
        groups[name] = rng.choice([None, *groups])
    return groups


def _random_task(
    rng: random.Random, i: int, names: list[str], group_id: str | None, earlier: list[TaskDocument]
) -> TaskDocument:
    upstream = set(rng.sample(names[:i], min(i, rng.choice([0, 1, 1, 1, 2, 2, 3]))))
    mapping = _random_mapping(rng, names[:i]) if rng.random() < 0.25 else None
    if mapping is not None:
        upstream |= _sources(mapping)
    rule: TriggerRule = TriggerRule.ALL_SUCCESS if rng.random() < 0.4 else rng.choice(RULES)
    kind = rng.random()
    setups: set[str] = set()
    earlier_setups = [task.task_id for task in earlier if task.is_setup]
    is_setup = kind < 0.15
    is_teardown = kind > 0.8 and bool(earlier_setups)
    if is_teardown:
        setups = set(rng.sample(earlier_setups, rng.randint(1, min(2, len(earlier_setups)))))
        rule = TriggerRule.ALL_DONE_SETUP_SUCCESS
    past = rng.random() < 0.12
    return TaskDocument(
        task_id=names[i],
        operator="x",
        group_id=group_id,
        upstream=tuple(sorted(upstream | setups)),
        trigger_rule=rule,
        mapping=mapping,
        is_empty=rng.random() < 0.15,
        is_setup=is_setup,
        is_teardown=is_teardown,
        setups=tuple(sorted(setups)),
        on_failure_fail_dagrun=rng.random() < 0.3,
        depends_on_past=past and rng.random() < 0.7,
        wait_for_downstream=past and rng.random() < 0.5,
        wait_for_past_depends_before_skipping=past and rng.random() < 0.5,
    )


def _random_mapping(rng: random.Random, before: list[str]) -> Mapping:
    def source(depth: int) -> LengthSource:
        kind = rng.random()
        if before and kind < 0.65:
            return FromTask(rng.choice(before), "return_value" if rng.random() < 0.97 else "other")
        if depth and kind < 0.8:
            parts = (source(0), source(0))
            return Concatenated(parts) if rng.random() < 0.5 else Zipped(parts, rng.random() < 0.5)
        return Literal(rng.choice([0, 1, 2, 2, 3]))

    return Mapping(tuple((name, source(1)) for name in ("x", "y")[: rng.choice([1, 1, 1, 2])]))


def _sources(mapping: Mapping) -> set[str]:
    def walk(source: LengthSource) -> set[str]:
        if isinstance(source, FromTask):
            return {source.task_id}
        return set() if isinstance(source, Literal) else set().union(*(walk(part) for part in source.sources))

    return set().union(*(walk(source) for _, source in mapping.arguments))


# --- one life


class Life:
    """A planner and an oracle that hear the same events. `rows` is what an owner would have written, from the
    planner's changes alone."""

    def __init__(self, document: DagDocument) -> None:
        self.document = document
        self.graph = Graph.of(document)
        self.oracle = Oracle(document)
        self.rows: dict[Key, S | None] = {}
        self.finished: DagRunState | None = None
        self.plan, out = RunPlan.start(self.graph)
        if sum(self.plan.counts().values()) > INSTANCES_MAX:
            raise Outgrown
        self.world = self.oracle.start()
        self.write(out)
        self.compare("start")

    def hear(self, event: events.Event) -> None:
        """Tell both, write what the planner says, compare."""
        self.fact(event)
        out = self.plan.apply(event)
        if sum(self.plan.counts().values()) > INSTANCES_MAX:
            raise Outgrown
        self.tell_oracle(event)
        self.write(out)
        self.compare(str(event))

    def fact(self, event: events.Event) -> None:
        """The row is changed before the owner hears of it."""
        match event:
            case events.Ended(key, state):
                self.rows[key] = state
            case events.Waiting(key, state):
                self.rows[key] = state
            case events.Cleared(keys):
                self.rows |= dict.fromkeys(keys)
                self.finished = None
            case events.Admitted(key):
                self.rows[key] = S.QUEUED
            case events.Started(key):
                self.rows[key] = S.RUNNING
            case _:
                pass

    def tell_oracle(self, event: events.Event) -> None:
        oracle, world = self.oracle, self.world
        match event:
            case events.Ended(key, state, length, skips):
                oracle.ended(world, key, state, length, skips)
            case events.Waiting(key, state):
                oracle.waiting(world, key, state)
            case events.Due(key):
                oracle.due(world, key)
            case events.Cleared(keys):
                oracle.cleared(world, keys)
            case events.PastGate(key, ok):
                oracle.past_gate(world, key, ok)
            case events.StopRun(state, _, stop_as, keep_teardowns):
                oracle.stop_run(world, state, stop_as, keep_teardowns=keep_teardowns)
            case events.Admitted(key):
                world.rows[key] = Row(S.QUEUED)
            case events.Started(key):
                world.rows[key] = Row(S.RUNNING)
            case _:
                raise AssertionError(event)

    def write(self, out: Iterable[Change]) -> None:
        """Carry out the changes on rows, refusing what the table of legal changes refuses."""
        for change in out:
            if self.finished is not None:
                raise Disagreement(f"{change} after the end of the run")
            if not isinstance(change, changes.FinishRun) and not change.reason:
                raise Disagreement(f"{change} has no reason")
            match change:
                case changes.Create(key):
                    if self.rows.get(key, S.REMOVED) != S.REMOVED:
                        raise Disagreement(f"{change}, but it exists")
                    self.rows[key] = None
                case changes.Rename(key, to):
                    if to in self.rows:
                        raise Disagreement(f"{change}, but {to} exists")
                    self.rows[to] = self.rows.pop(key)
                case changes.Ready(key):
                    if self.rows[key] != S.DEFERRED:
                        self.check("schedule", change, key)
                    self.rows[key] = S.SCHEDULED
                case changes.Skip(key):
                    self.check("skip", change, key)
                    self.rows[key] = S.SKIPPED
                case changes.FailUpstream(key):
                    self.check("fail_upstream", change, key)
                    self.rows[key] = S.UPSTREAM_FAILED
                case changes.Remove(key):
                    if self.rows[key] != S.DEFERRED:
                        self.check("remove", change, key)
                    self.rows[key] = S.REMOVED
                case changes.SucceedEmpty(key):
                    self.check("succeed_empty", change, key)
                    self.rows[key] = S.SUCCESS
                case changes.Stop(key, as_state):
                    self.check("stop_skipped" if as_state == S.SKIPPED else "stop", change, key)
                    self.rows[key] = as_state
                case changes.FinishRun(state):
                    self.finished = state

    def check(self, name: str, change: Change, key: Key) -> None:
        if self.rows[key] not in TASK_CHANGES[name].origins:
            raise Disagreement(f"{change} is not legal from {self.rows[key]}")

    def compare(self, what: str) -> None:
        expected = {key: row.state for key, row in self.world.rows.items()}
        planned = {key: self.plan.state(key) for key in self.plan.keys()}  # noqa: SIM118
        for name, found in (("rows", self.rows), ("plan", planned)):
            if found != expected:
                wrong = {
                    k: (found.get(k, "?"), expected.get(k, "?"))
                    for k in found | expected
                    if found.get(k, "?") != expected.get(k, "?")
                }
                raise Disagreement(f"after {what}: {name} against oracle: {wrong}")
        if self.finished != self.world.finished or self.plan.finished != (self.finished is not None):
            raise Disagreement(f"after {what}: run {self.finished}, oracle {self.world.finished}")
        counts: dict[S | None, int] = {}
        for state in expected.values():
            counts[state] = counts.get(state, 0) + 1
        if counts != self.plan.counts():
            raise Disagreement(f"after {what}: counts {self.plan.counts()} instead of {counts}")

    def compare_takeover(self) -> None:
        """A plan loaded from the rows decides as the one that wrote them, and gives the same reasons."""
        if self.finished is not None:
            return
        loaded, out = RunPlan.load(self.graph, self.snapshots(), self.plan.asked)
        ready = sorted(key for key, state in self.rows.items() if state == S.SCHEDULED)
        if (
            any(not isinstance(change, changes.Ready) for change in out)
            or sorted(c.key for c in out if isinstance(c, changes.Ready)) != ready
        ):
            raise Disagreement(f"take-over says {out}, expected Ready for {ready}")
        for key, row in self.world.rows.items():
            if row.due:
                out = loaded.apply(events.Due(key))
                if out:
                    raise Disagreement(f"after take-over {key} is due and {out} follows")
        for key in self.rows:
            mine, theirs = self.plan.why(key), loaded.why(key)
            if (mine.kind, mine.waiting_for) != (theirs.kind, theirs.waiting_for):
                raise Disagreement(f"why {key}: {mine} / after take-over {theirs}")
            if mine.kind not in (ReasonKind.PAST, ReasonKind.RESTING) and mine.sentence != theirs.sentence:
                raise Disagreement(f"why {key}: {mine} / after take-over {theirs}")

    def snapshots(self) -> list[InstanceSnapshot]:
        return [
            InstanceSnapshot(
                task_id, path, row.state, length=row.length, skips=row.skips, past_ok=self.past(task_id, path)
            )
            for (task_id, path), row in self.world.rows.items()
        ]

    def past(self, task_id: str, path: tuple[int, ...]) -> bool | None:
        known = any((task_id, path[:n]) in self.world.gates for n in range(len(path) + 1))
        return self.oracle.gate(self.world, (task_id, path)) if known else None


def live(rng: random.Random, document: DagDocument, steps: int) -> None:
    """A random life. Raises `Disagreement`."""
    try:
        life = Life(document)
        for _ in range(steps):
            event = random_event(rng, life)
            if event is None:
                break
            life.hear(event)
            if rng.random() < 0.3:
                life.compare_takeover()
        life.compare_takeover()
    except Outgrown:
        return


def random_event(rng: random.Random, life: Life) -> events.Event | None:
    world, tasks = life.world, life.oracle.tasks
    keys = sorted(world.rows)
    if not keys:
        return None
    kind = rng.random()
    if kind < 0.04:
        return events.Cleared(tuple(rng.sample(keys, rng.randint(1, min(4, len(keys))))))
    if kind < 0.08:
        key = rng.choice(keys)
        return _end(rng, life, key)
    if kind < 0.085:
        state = rng.choice([DagRunState.FAILED, DagRunState.FAILED, DagRunState.SUCCESS])
        stop_as = rng.choice([S.FAILED, S.SKIPPED])
        return events.StopRun(state, "a person ended it", stop_as, keep_teardowns=rng.random() < 0.6)
    if world.finished is not None:
        return (
            events.Cleared(tuple(rng.sample(keys, rng.randint(1, min(4, len(keys)))))) if rng.random() < 0.4 else None
        )
    gated = [k for k in keys if tasks[k[0]].depends_on_past or tasks[k[0]].wait_for_downstream]
    if gated and kind < 0.3:
        return events.PastGate(rng.choice(gated), rng.random() < 0.75, "the run before failed")
    resting = [
        k
        for k in keys
        if not world.rows[k].due and world.rows[k].state in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE, S.DEFERRED)
    ]
    if resting and kind < 0.5:
        return events.Due(rng.choice(resting))
    busy = [k for k in keys if world.rows[k].state in (S.SCHEDULED, S.QUEUED, S.RUNNING)]
    if not busy:
        if resting:
            return events.Due(rng.choice(resting))
        return events.PastGate(rng.choice(gated), True) if gated else None
    key = rng.choice(busy)
    if world.rows[key].state == S.SCHEDULED and rng.random() < 0.3:
        return events.Admitted(key)
    if world.rows[key].state == S.QUEUED and rng.random() < 0.3:
        return events.Started(key)
    if world.rows[key].state != S.SCHEDULED and rng.random() < 0.25:
        return events.Waiting(key, rng.choice([S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE, S.DEFERRED]))
    return _end(rng, life, key)


def _end(rng: random.Random, life: Life, key: Key) -> events.Ended:
    task = life.oracle.tasks[key[0]]
    state = rng.choice([S.SUCCESS] * 6 + [S.FAILED] * 2 + [S.SKIPPED])
    inside = bool(life.oracle.chain[task.task_id]) or task.mapping is not None
    if rng.random() < 0.02 and not inside:
        state = S.REMOVED
    if state != S.SUCCESS:
        return events.Ended(key, state)
    length = rng.choice([0, 1, 1, 2, 2, 2, 3, 3]) if rng.random() < 0.93 else None
    under = sorted(life.oracle.below(task.task_id, life.oracle.downstream))
    skips = tuple(rng.sample(under, rng.randint(1, min(3, len(under))))) if under and rng.random() < 0.2 else ()
    return events.Ended(key, state, length, skips)
