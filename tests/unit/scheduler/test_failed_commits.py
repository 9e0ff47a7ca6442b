"""Steps whose transaction fails, also several in a row, also when the commit succeeded and only the answer was lost: no
run is forgotten, no slot stays taken."""

from __future__ import annotations

import pytest
from tests.unit.commands.world import task
from tests.unit.scheduler.engine import Engine

from tradewind.wire.states import DagRunState


@pytest.mark.parametrize("plan", [["undone"], ["unheard"], ["undone"] * 3, ["unheard", "undone"], ["unheard"] * 3])
@pytest.mark.parametrize("moment", ["at the start", "in the middle", "at the end"])
def test_a_run_goes_on_after_failed_commits(plan: list[str], moment: str) -> None:
    engine = Engine()
    engine.world.publish("chain", task("a"), task("b", upstream=("a",)), task("c", upstream=("b",)))
    run = engine.world.trigger("chain")
    steps = {"at the start": 0, "in the middle": 2, "at the end": 3}[moment]
    for _ in range(steps):
        engine.step()
        engine.work()

    engine.store.plan = list(plan)
    for _ in plan:
        engine.step()

    engine.rounds(40)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS
    assert not engine.hand.taken
