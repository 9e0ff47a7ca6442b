"""Which tree of the bundle the tasks of a run are given."""

from __future__ import annotations

import pytest
from tests.unit.commands.world import START, task
from tests.unit.scheduler.engine import Engine

from tradewind.wire.schedule import ContinuousSchedule


@pytest.mark.parametrize(("of_dag", "expected"), [("t2", "t2"), (None, "b1")])
def test_a_run_keeps_the_tree_that_its_dag_had_when_it_was_made(of_dag: str | None, expected: str) -> None:
    engine = Engine()
    engine.world.publish(
        "sales", task("a"), task("b", upstream=("a",)), row={"file_digest": "d", "bundle_version": of_dag}
    )
    engine.world.trigger("sales")
    engine.step()
    with engine.store.begin() as tx:
        tx.dag_move_trees("local", "t3", [("sales.py", "d")])
    engine.rounds(4)
    assert [workload.bundle_version for workload in engine.hand.given] == [expected] * 2


def test_a_scheduled_run_has_the_tree_of_its_dag() -> None:
    engine = Engine()
    engine.world.publish(
        "sales", schedule=ContinuousSchedule(), start_date=START, row={"bundle_version": "t2", "next_run_after": START}
    )
    engine.rounds(2)
    assert {workload.bundle_version for workload in engine.hand.given} == {"t2"}
