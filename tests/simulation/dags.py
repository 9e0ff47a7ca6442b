"""Random DAGs for the simulation, as documents: small, but with everything the engine decides about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from msgspec.structs import replace
from tests.simulation.script import Behaviour

from tradewind.wire.deferral import Deferral
from tradewind.wire.document import (
    FORMAT,
    DagDocument,
    FromTask,
    GroupDocument,
    Literal,
    Mapping,
    RunRetry,
    RunRetryScope,
    TaskDocument,
)
from tradewind.wire.schedule import DeltaTriggerSchedule, NullSchedule, delta_of
from tradewind.wire.states import TriggerRule

START = datetime(2024, 1, 1, tzinfo=UTC)
RULES = (
    *[TriggerRule.ALL_SUCCESS] * 12,
    *(rule for rule in TriggerRule if rule is not TriggerRule.ALL_DONE_SETUP_SUCCESS),
)


_BEGINS_THERE = Deferral(classpath="simulated.Trigger", method="go_on", timeout_seconds=25.0)


@dataclass(frozen=True, slots=True)
class SimulatedDag:
    document: DagDocument
    behaviours: dict[tuple[str, str], Behaviour]
    every: timedelta | None
    """The step of its schedule, from `START`."""


def random_dag(random: Random, dag_id: str, pools: dict[str, int]) -> SimulatedDag:
    """One DAG of 1 to 8 tasks. Lists are short, so that mapping of mapping stays small."""
    count = random.randint(1, 8)
    names = [f"t{n}" for n in range(count)]
    group = _mapped_group(random)
    tasks: list[TaskDocument] = []
    behaviours: dict[tuple[str, str], Behaviour] = {}
    in_group: set[str] = set()
    for position, name in enumerate(names):
        upstream = {u for u in names[:position] if random.random() < min(1.0, 1.6 / max(1, position))}
        inside = group is not None and random.random() < 0.4
        mapping = None
        if inside:
            in_group.add(name)
        elif random.random() < 0.2:
            mapping, source = _mapping(random, [u for u in upstream if u not in in_group])
            upstream |= source
        task = TaskDocument(
            task_id=name,
            operator="Simulated",
            group_id="g" if inside else None,
            upstream=tuple(sorted(upstream)),
            mapping=mapping,
            inputs=_inputs(mapping),
            **_arguments(random, bool(upstream), pools),
        )
        tasks.append(task)
        behaviours[(dag_id, name)] = _behaviour(random, names[position + 1 :])
    below = {u for t in tasks for u in t.upstream}
    tasks = [
        t if not (t.is_empty and t.task_id in below and _is_read(tasks, t.task_id)) else _not_empty(t) for t in tasks
    ]
    tasks = wrap(random, tasks)
    every = timedelta(seconds=random.choice((7, 20, 45))) if random.random() < 0.6 else None
    document = DagDocument(
        format=FORMAT,
        dag_id=dag_id,
        file=f"{dag_id}.py",
        schedule=DeltaTriggerSchedule(delta=delta_of(every)) if every is not None else NullSchedule(),
        start_date=START,
        catchup=random.random() < 0.5,
        max_active_runs=random.randint(1, 3),
        max_active_tasks=random.randint(1, 6),
        retry=_run_retry(random),
        max_consecutive_failed_dag_runs=random.randint(1, 3) if random.random() < 0.08 else 0,
        fail_fast=random.random() < 0.1 and all(t.trigger_rule is TriggerRule.ALL_SUCCESS for t in tasks),
        dagrun_timeout_seconds=float(random.randint(20, 200)) if random.random() < 0.1 else None,
        tasks=tuple(sorted(tasks, key=lambda t: t.task_id)),
        groups=(group,) if group is not None and in_group else (),
    )
    return SimulatedDag(document, behaviours, every)


def _run_retry(random: Random) -> RunRetry | None:
    if random.random() > 0.12:
        return None
    return RunRetry(
        retries=random.randint(1, 2),
        delay_seconds=random.choice((0.0, 3.0, 15.0)),
        exponential_backoff=random.choice((0.0, 2.0)),
        scope=random.choice(tuple(RunRetryScope)),
    )


def _mapped_group(random: Random) -> GroupDocument | None:
    if random.random() > 0.2:
        return None
    return GroupDocument(group_id="g", label="g", mapping=Mapping(arguments=(("x", Literal(random.randint(0, 3))),)))


def _mapping(random: Random, readable: list[str]) -> tuple[Mapping, set[str]]:
    if readable and random.random() < 0.7:
        source = random.choice(sorted(readable))
        return Mapping(arguments=(("x", FromTask(source)),)), {source}
    return Mapping(arguments=(("x", Literal(random.randint(0, 3))),)), set()


def _inputs(mapping: Mapping | None) -> tuple[str, ...]:
    """A mapped task reads the list it expands over."""
    if mapping is None:
        return ()
    return tuple(source.task_id for _, source in mapping.arguments if isinstance(source, FromTask))


def _arguments(random: Random, has_upstream: bool, pools: dict[str, int]) -> dict[str, Any]:
    pool = random.choice(sorted(pools))
    rule = random.choice(RULES) if has_upstream else TriggerRule.ALL_SUCCESS
    return {
        "trigger_rule": rule,
        "retries": random.choice((0, 0, 1, 2)),
        "retry_delay_seconds": random.choice((0.0, 1.0, 6.0)),
        "pool": pool,
        "pool_slots": random.randint(1, min(2, pools[pool])),
        "effective_weight": random.randint(1, 5),
        "max_active_tis_per_dag": random.randint(1, 2) if random.random() < 0.15 else None,
        "max_active_tis_per_dagrun": random.randint(1, 2) if random.random() < 0.15 else None,
        "depends_on_past": random.random() < 0.08,
        "wait_for_downstream": random.random() < 0.04,
        "is_empty": random.random() < 0.1,
        "start_trigger": _BEGINS_THERE if random.random() < 0.06 else None,
    }


def _is_read(tasks: list[TaskDocument], task_id: str) -> bool:
    return any(
        isinstance(source, FromTask) and source.task_id == task_id
        for t in tasks
        if t.mapping
        for _, source in t.mapping.arguments
    )


def _not_empty(task: TaskDocument) -> TaskDocument:
    return replace(task, is_empty=False)


def wrap(random: Random, tasks: list[TaskDocument]) -> list[TaskDocument]:
    """Perhaps a setup before some of the tasks, and its teardown after them."""
    inside = [task for task in tasks if task.group_id is None and random.random() < 0.4]
    if random.random() > 0.15 or not inside:
        return tasks
    up = TaskDocument(task_id="up", operator="Simulated", is_setup=True, retries=random.randint(0, 1))
    ids = {task.task_id for task in inside}
    down = TaskDocument(
        task_id="down",
        operator="Simulated",
        upstream=tuple(sorted({"up", *ids})),
        setups=("up",),
        is_teardown=True,
        trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS,
        on_failure_fail_dagrun=random.random() < 0.3,
    )
    placed = [
        replace(task, upstream=tuple(sorted({*task.upstream, "up"}))) if task.task_id in ids else task for task in tasks
    ]
    return [*placed, up, down]


def _behaviour(random: Random, below: list[str]) -> Behaviour:
    return Behaviour(
        killed=random.choice((0.0, 0.0, 0.1)),
        fails_now=random.choice((0.0, 0.0, 0.05)),
        fails=random.choice((0.0, 0.0, 0.2, 0.6)),
        skips_itself=random.choice((0.0, 0.0, 0.1)),
        reschedules=random.choice((0.0, 0.0, 0.4)),
        defers=random.choice((0.0, 0.0, 0.0, 0.5)),
        asks=random.choice((0.0, 0.0, 0.0, 0.3)),
        seconds=random.choice(((0.0, 0.5), (0.0, 4.0), (5.0, 20.0))),
        branches=tuple(below[:2]) if below and random.random() < 0.2 else (),
        pushes=random.choice((0.0, 0.3)),
    )
