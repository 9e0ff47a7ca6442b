"""A run goes on by another version of its DAG, whatever its owner was about to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.commands.world import task
from tests.unit.scheduler.engine import FAILURE, Engine

from tradewind.commands.clearing import ClearWish, clear, clear_run
from tradewind.wire.states import DagRunState, TaskInstanceState


@pytest.fixture
def engine() -> Engine:
    return Engine()


def begin(engine: Engine) -> str:
    engine.world.publish("sales", task("a"), task("b", upstream=("a",)))
    run = engine.world.trigger()
    engine.step()
    return run.run_key


def clear_on_newest(engine: Engine, run_key: str, *tasks: str) -> None:
    run = engine.run(run_key)
    wish = ClearWish(
        dag_id="sales", run_id=run.run_id, tasks=tuple((each, None) for each in tasks), newest_version=True
    )
    with engine.store.begin() as tx:
        clear(tx, engine.world.documents, engine.world.clock.now(), wish)


def states(engine: Engine, run_key: str) -> dict[str, TaskInstanceState | None]:
    with engine.store.read() as tx:
        return {row.task_id: row.state for row in tx.task_list(run_key)}


def test_a_running_run_goes_on_by_the_newest_version(engine: Engine) -> None:
    run_key = begin(engine)
    old = engine.hand.given[-1]
    newest = engine.world.publish("sales", task("a"), task("b", upstream=("a",)), task("c", upstream=("b",)))
    clear_on_newest(engine, run_key, "a")
    engine.rounds(4)
    again = engine.hand.given[1]
    assert (again.task_id, again.version_id, again.try_number) == ("a", newest, 2)
    assert old.token not in engine.hand.taken
    assert set(states(engine, run_key)) == {"a", "b", "c"}
    assert set(states(engine, run_key).values()) == {TaskInstanceState.SUCCESS}
    assert engine.run(run_key).state is DagRunState.SUCCESS


def test_a_run_that_is_about_to_end_is_opened_by_news_of_a_version(engine: Engine) -> None:
    run_key = begin(engine)
    engine.work()
    engine.step()
    engine.work()  # b has ended, its owner has not heard of it
    engine.world.publish("sales", task("a"), task("b", upstream=("a",)), task("c", upstream=("b",)))
    run = engine.run(run_key)
    with engine.store.begin() as tx:
        clear_run(tx, engine.world.documents, engine.world.clock.now(), "sales", run.run_id, only_new=True)
    engine.rounds(4)
    assert states(engine, run_key) == dict.fromkeys(("a", "b", "c"), TaskInstanceState.SUCCESS)
    assert engine.run(run_key).state is DagRunState.SUCCESS


def test_a_run_that_is_over_is_gone_through_again_for_new_tasks(engine: Engine) -> None:
    run_key = begin(engine)
    engine.rounds(4)
    assert engine.run(run_key).state is DagRunState.SUCCESS
    engine.world.publish("sales", task("a"), task("c", upstream=("a",)))
    run = engine.run(run_key)
    with engine.store.begin() as tx:
        clear_run(tx, engine.world.documents, engine.world.clock.now(), "sales", run.run_id, only_new=True)
    engine.rounds(4)
    assert [given.task_id for given in engine.hand.given] == ["a", "b", "c"]
    assert engine.run(run_key).state is DagRunState.SUCCESS


def test_slots_are_counted_right_when_the_newer_version_names_another_pool(engine: Engine) -> None:
    with engine.store.begin() as tx:
        tx.pool_put("narrow", 1)
    run_key = begin(engine)
    engine.world.publish("sales", task("a", pool="narrow"), task("b", upstream=("a",)))
    clear_on_newest(engine, run_key, "a")
    engine.rounds(5)
    engine.world.clock.advance(timedelta(minutes=1).total_seconds())
    assert engine.run(run_key).state is DagRunState.SUCCESS
    with engine.store.begin() as tx:
        assert tx.slots_audit() == {}
        assert [pool.used for pool in tx.pool_list()] == [0, 0]


def test_a_failed_run_marked_and_cleared_ends_well(engine: Engine) -> None:
    run_key = begin(engine)
    engine.work(FAILURE)
    engine.rounds(3)
    assert engine.run(run_key).state is DagRunState.FAILED
    clear_on_newest(engine, run_key)
    engine.rounds(4)
    assert engine.run(run_key).state is DagRunState.SUCCESS
