"""Wide expansions come into being in portions, and nothing is lost on the way."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.unit.commands.world import task
from tests.unit.scheduler.engine import Engine

from tradewind.scheduler import births
from tradewind.scheduler.loop import Scheduler, SchedulerOptions
from tradewind.wire.document import FromTask, Literal, Mapping
from tradewind.wire.states import DagRunState, TaskInstanceState

S = TaskInstanceState
OVER = Mapping(arguments=(("x", Literal(30)),))


def states(engine: Engine, run_key: str) -> Counter[str]:
    with engine.store.read() as tx:
        return Counter(f"{row.task_id} {row.state}" for row in tx.task_list(run_key))


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(births, "BIRTHS_MAX", 7)


def test_the_first_run_while_the_last_are_not_born() -> None:
    engine = Engine()
    engine.world.publish("wide", task("w", mapping=OVER), task("after", upstream=("w",)))
    run = engine.world.trigger("wide")
    engine.step()
    assert sum(states(engine, run.run_key).values()) < 20
    assert len(engine.hand.given) == 1
    assert engine.scheduler.patience() == 0.0
    engine.rounds(40)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS
    assert states(engine, run.run_key) == {"w success": 30, "after success": 1}
    assert len({workload.map_path for workload in engine.hand.given if workload.task_id == "w"}) == 30


def test_another_scheduler_goes_on_with_what_is_missing() -> None:
    engine = Engine()
    over = Mapping(arguments=(("x", FromTask("source")),))
    engine.world.publish("wide", task("source"), task("w", upstream=("source",), mapping=over))
    run = engine.world.trigger("wide")
    engine.step()
    token = engine.hand.given[-1].token
    from tradewind.commands.attempts import Settlement
    from tradewind.domain.retry import DEFAULT_LIMITS
    from tradewind.wire.execution import Outcome, XComEntry, XComValue

    with engine.store.begin() as tx:
        row = tx.task_by_token([token])[token]
        settlement = Settlement(tx, engine.world.documents, engine.world.clock.now(), DEFAULT_LIMITS)
        settlement.start(row, token, agent="agent", hostname="host", pid=1, at=engine.world.clock.now())
        value = XComEntry("return_value", XComValue(data=b"[]", size=2, length=30))
        settlement.end(row, token, Outcome(state=S.SUCCESS, xcoms=(value,)))
        settlement.write()
    engine.step()
    assert 1 < sum(states(engine, run.run_key).values()) < 20
    engine.scheduler.close()
    engine.scheduler = Scheduler(
        engine.store, engine.world.clock, {"local": engine.hand}, options=SchedulerOptions(name="two")
    )
    engine.scheduler.start()
    engine.rounds(60)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS
    assert states(engine, run.run_key) == {"source success": 1, "w success": 30}


def test_a_run_that_is_stopped_shows_all() -> None:
    from tradewind.commands.runs import stop_run

    engine = Engine()
    engine.world.publish("wide", task("w", mapping=OVER))
    run = engine.world.trigger("wide")
    engine.step()
    with engine.store.begin() as tx:
        stop_run(tx, engine.world.clock.now(), "wide", run.run_id, DagRunState.FAILED, "enough")
    engine.step()
    assert engine.run(run.run_key).state is DagRunState.FAILED
    assert states(engine, run.run_key) == {"w failed": 1, "w skipped": 29}
