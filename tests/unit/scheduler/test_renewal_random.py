"""Runs whose version changes at any moment, over random graphs: they end, and nothing is left held."""

from __future__ import annotations

from random import Random

import pytest
from tests.unit.commands.world import task
from tests.unit.scheduler.engine import FAILURE, SUCCESS, Engine

from tradewind.commands.clearing import ClearWish, clear, clear_run
from tradewind.wire.document import FromTask, Mapping, TaskDocument
from tradewind.wire.states import TERMINAL_STATES, DagRunState, TriggerRule

RULES = (TriggerRule.ALL_SUCCESS, TriggerRule.ALL_DONE, TriggerRule.ONE_SUCCESS, TriggerRule.NONE_FAILED)
IDS = tuple("abcdefg")


def graph(random: Random) -> list[TaskDocument]:
    """Some of the tasks, arrows from earlier to later ones; some are mapped over a list, some draw on a pool."""
    chosen = [task_id for task_id in IDS if random.random() < 0.7] or ["a"]
    tasks = []
    for number, task_id in enumerate(chosen):
        upstream = tuple(each for each in chosen[:number] if random.random() < 0.4)
        mapping = None
        if upstream and random.random() < 0.3:
            mapping = Mapping(arguments=(("x", FromTask(task_id=random.choice(upstream))),))
        tasks.append(
            task(
                task_id,
                upstream=upstream,
                trigger_rule=random.choice(RULES),
                retries=random.randint(0, 1),
                retry_delay_seconds=1.0,
                pool=random.choice(("default_pool", "narrow")),
                mapping=mapping,
                max_active_tis_per_dag=random.choice((None, 1, 2)),
            )
        )
    return tasks


@pytest.mark.parametrize("seed", range(60))
def test_a_run_whose_version_changes_ends(seed: int) -> None:
    random = Random(seed)
    engine = Engine()
    engine.hand.slots = random.randint(1, 4)
    with engine.store.begin() as tx:
        tx.pool_put("narrow", random.randint(1, 2))
    engine.world.publish("sales", *graph(random))
    run = engine.world.trigger()
    for _ in range(random.randint(1, 4)):
        live(engine, random, random.randint(0, 6))
        engine.world.publish("sales", *graph(random))
        renew(engine, random, run.run_id)
    for _ in range(200):
        live(engine, random, 1)
        if engine.run(run.run_key).state not in (DagRunState.QUEUED, DagRunState.RUNNING):
            break
    ended = engine.run(run.run_key)
    with engine.store.begin() as tx:
        rows = tx.task_list(run.run_key)
        assert ended.state in (DagRunState.SUCCESS, DagRunState.FAILED), [(r.task_id, r.state, r.reason) for r in rows]
        assert {row.state for row in rows} <= TERMINAL_STATES
        assert tx.slots_audit() == {}
        assert not any(row.holds_slot for row in rows)
        newest = tx.dag_get("sales")
        assert newest is not None
        document = engine.world.documents.get(tx, ended.version_id).document
        assert {each.task_id for each in document.tasks} <= {row.task_id for row in rows}


def live(engine: Engine, random: Random, rounds: int) -> None:
    """Rounds in which some of what was given ends, well or not."""
    for _ in range(rounds):
        engine.step()
        if random.random() < 0.7:
            engine.work(SUCCESS if random.random() < 0.7 else FAILURE)
        for workload in list(engine.hand.given):
            if random.random() < 0.5:
                engine.hand.given.remove(workload)
                engine.hand.given.append(workload)
        engine.world.clock.advance(random.choice((0.5, 2.0)))
        engine.scheduler.beat()


def renew(engine: Engine, random: Random, run_id: str) -> None:
    """Onto the newest version: some tasks, all, or only what is new."""
    world = engine.world
    with engine.store.begin() as tx:
        run = tx.run_find("sales", run_id)
        assert run is not None
        rows = tx.task_list(run.run_key)
        if not rows or random.random() < 0.3:
            clear_run(tx, world.documents, world.clock.now(), "sales", run_id, only_new=True)
            return
        chosen = tuple((row.task_id, None) for row in rows if random.random() < 0.5)
        wish = ClearWish(dag_id="sales", run_id=run_id, tasks=chosen, newest_version=True)
        clear(tx, world.documents, world.clock.now(), wish)
