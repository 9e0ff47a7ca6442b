"""A scheduler that takes over asks at once whether what was queued ever arrived."""

from __future__ import annotations

from tests.unit.commands.world import task
from tests.unit.scheduler.engine import Engine

from tradewind.scheduler.loop import Scheduler, SchedulerOptions
from tradewind.wire.states import DagRunState


def test_what_was_queued_and_never_delivered_is_sent_at_once() -> None:
    engine = Engine()
    engine.world.publish("chain", task("a"))
    run = engine.world.trigger("chain")
    engine.step()
    (lost,) = engine.hand.given
    engine.hand.given.clear()  # the scheduler died between its commit and the delivery
    engine.hand.taken.clear()
    engine.scheduler.close()
    engine.scheduler = Scheduler(
        engine.store, engine.world.clock, {"local": engine.hand}, options=SchedulerOptions(name="two")
    )
    engine.scheduler.start()
    engine.step()
    assert [workload.token for workload in engine.hand.given] == [lost.token]
    engine.work()
    engine.rounds(3)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS


def test_an_agent_that_cannot_be_asked_is_asked_again_soon() -> None:
    engine = Engine()
    engine.world.publish("chain", task("a"))
    engine.world.trigger("chain")
    engine.step()
    engine.hand.given.clear()
    engine.scheduler.close()
    engine.hand.unknown = lambda tokens: set()  # type: ignore[method-assign]
    engine.scheduler = Scheduler(
        engine.store, engine.world.clock, {"local": engine.hand}, options=SchedulerOptions(name="two")
    )
    engine.scheduler.start()
    engine.step()
    assert not engine.hand.given
    assert engine.scheduler.patience() <= 0.25
    del engine.hand.unknown
    engine.world.clock.advance(0.25)
    engine.step()
    assert len(engine.hand.given) == 1
