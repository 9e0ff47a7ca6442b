"""The wall clock jumps back, by an hour: runs that go on end, scheduled runs are made once each and none is left out,
waits last until the clock has come to their instant."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.commands.world import START, World, task
from tests.unit.scheduler.engine import FAILURE, Engine

from tradewind.commands.documents import Documents
from tradewind.commands.schedules import following_run
from tradewind.domain.timetables import parse_schedule
from tradewind.ports.rows import RunRow
from tradewind.wire.states import DagRunState, TaskInstanceState

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("steps", range(1, 7))
def test_a_run_in_progress_ends(steps: int) -> None:
    engine = Engine()
    engine.world.publish("chain", task("a"), task("b", upstream=("a",)), task("c", upstream=("b",)))
    run = engine.world.trigger("chain")
    for number in range(steps):
        engine.work() if number % 2 else engine.step()

    _jump_back(engine.world)
    engine.rounds(20)

    assert engine.run(run.run_key).state is DagRunState.SUCCESS
    assert len({workload.token for workload in engine.hand.given}) == 3, "no attempt more than without the jump"
    assert not engine.hand.taken


def test_a_new_run_waits_until_the_clock_has_come_to_its_instant() -> None:
    engine = Engine()
    engine.world.publish("chain", task("a"))
    run = engine.world.trigger("chain")

    _jump_back(engine.world)
    engine.rounds(10)
    assert engine.run(run.run_key).state is DagRunState.QUEUED
    engine.world.clock.advance(HOUR.total_seconds())
    engine.scheduler.beat()
    engine.rounds(10)

    assert engine.run(run.run_key).state is DagRunState.SUCCESS


@pytest.mark.parametrize("catchup", [True, False])
def test_scheduled_runs_are_made_once_each(catchup: bool) -> None:
    engine = Engine()
    engine.world.publish(
        "every_ten", task("a"), schedule=parse_schedule("*/10 * * * *"), start_date=START - HOUR, catchup=catchup
    )
    _announce(engine)
    engine.rounds(30, seconds=60.0)
    before = _runs(engine)

    _jump_back(engine.world)
    engine.rounds(30, seconds=60.0)
    assert _runs(engine) == before, "what the clock shows again has its runs already"
    engine.rounds(80, seconds=60.0)

    dates = [run.logical_date for run in _runs(engine)]
    assert len(dates) > len(before)
    assert None not in dates
    assert dates == [dates[0] + timedelta(minutes=10) * number for number in range(len(dates))]  # type: ignore[operator]


def test_a_retry_waits_until_the_clock_has_come_to_its_instant() -> None:
    engine = Engine()
    engine.world.publish("tried_again", task("a", retries=1, retry_delay_seconds=60.0))
    run = engine.world.trigger("tried_again")
    engine.step()
    engine.work(FAILURE)
    engine.step()
    assert _state(engine, run) is TaskInstanceState.UP_FOR_RETRY

    _jump_back(engine.world)
    engine.rounds(10)
    assert _state(engine, run) is TaskInstanceState.UP_FOR_RETRY
    engine.world.clock.advance(HOUR.total_seconds() + 60)
    engine.scheduler.beat()
    engine.rounds(10)

    assert engine.run(run.run_key).state is DagRunState.SUCCESS


def _jump_back(world: World) -> None:
    world.clock.set_now(world.clock.now() - HOUR)


def _announce(engine: Engine) -> None:
    with engine.store.begin() as tx:
        dag = tx.dag_get("every_ten")
        assert dag is not None
        document = Documents().get(tx, dag.version_id).document
        tx.dag_set_next(dag.dag_id, following_run(tx, document, engine.world.clock.now()))


def _runs(engine: Engine) -> list[RunRow]:
    """By logical date, all ended."""
    with engine.store.read() as tx:
        runs = tx.list_runs(dag_id="every_ten", limit=1000)
    assert all(run.state is DagRunState.SUCCESS for run in runs), runs
    return sorted(runs, key=lambda run: run.run_id)


def _state(engine: Engine, run: RunRow) -> TaskInstanceState | None:
    with engine.store.read() as tx:
        return tx.task_list(run.run_key)[0].state
