"""Marks of people that are heard together with the ends of attempts."""

from __future__ import annotations

from tests.unit.commands.world import task
from tests.unit.scheduler.engine import Engine

from tradewind.commands.marking import mark_instances
from tradewind.wire.states import DagRunState, TaskInstanceState, TriggerRule

S = TaskInstanceState


def test_what_was_marked_is_not_decided_by_the_end_of_its_upstream() -> None:
    engine = Engine()
    engine.world.publish(
        "d", task("a"), task("b", upstream=("a",), trigger_rule=TriggerRule.ALL_FAILED), task("c", upstream=("b",))
    )
    run = engine.world.trigger("d")
    engine.step()
    engine.work()
    running = engine.run(run.run_key)
    with engine.store.begin() as tx:
        rows = tx.task_list(run.run_key, ["b"])
        mark_instances(tx, engine.world.clock.now(), running, rows, S.FAILED, "as I say")
    engine.step()
    with engine.store.read() as tx:
        states = {row.task_id: row.state for row in tx.task_list(run.run_key)}
    assert states == {"a": S.SUCCESS, "b": S.FAILED, "c": S.UPSTREAM_FAILED}
    assert engine.run(run.run_key).state is DagRunState.FAILED
