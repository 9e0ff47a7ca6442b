"""Run-level retry: what runs again, when, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.commands.world import World, task
from tests.unit.scheduler.engine import FAILURE, SUCCESS, Engine

from tradewind.commands.runs import stop_run
from tradewind.scheduler.loop import Scheduler, SchedulerOptions
from tradewind.wire.document import RunRetry, RunRetryScope
from tradewind.wire.states import DagRunState, TaskInstanceState

S = TaskInstanceState
R = DagRunState
CHAIN = (task("a"), task("b", upstream=("a",)), task("c", upstream=("b",)))


def lives(engine: Engine, fails: set[str], rounds: int = 40, seconds: float = 1.0) -> list[str]:
    """Task ids in the order they ran; those in `fails` fail the first time."""
    seen = len(engine.hand.given)
    failing = set(fails)
    ran: list[str] = []
    for _ in range(rounds):
        engine.step()
        for workload in engine.hand.given[seen:]:
            ran.append(workload.task_id)
            engine.work(FAILURE if workload.task_id in failing else SUCCESS)
            failing.discard(workload.task_id)
        seen = len(engine.hand.given)
        engine.world.clock.advance(seconds)
        engine.scheduler.beat()
    return ran


def states(world: World, run_key: str) -> dict[str, tuple[S | None, int]]:
    with world.store.read() as tx:
        return {row.task_id: (row.state, row.try_number) for row in tx.task_list(run_key)}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [(RunRetryScope.FAILED, ["a", "b", "b", "c"]), (RunRetryScope.ALL, ["a", "b", "a", "b", "c"])],
)
def test_what_runs_again(scope: RunRetryScope, expected: list[str]) -> None:
    engine = Engine()
    engine.world.publish("chain", *CHAIN, retry=RunRetry(retries=1, scope=scope))
    run = engine.world.trigger("chain")
    assert lives(engine, {"b"}) == expected
    assert engine.run(run.run_key).state is R.SUCCESS
    assert states(engine.world, run.run_key)["b"] == (S.SUCCESS, 2)
    assert not engine.hand.taken


def test_it_waits_in_between_and_gives_up_in_the_end() -> None:
    engine = Engine()
    engine.world.publish("chain", *CHAIN, retry=RunRetry(retries=2, delay_seconds=10, exponential_backoff=3))
    run = engine.world.trigger("chain")
    begun = engine.world.clock.now()
    at: list[float] = []
    for _ in range(80):
        engine.step()
        if len(engine.hand.given) > 1 + len(at):
            at.append(round((engine.world.clock.now() - begun).total_seconds()))
        engine.work(SUCCESS if len(engine.hand.given) == 1 else FAILURE)
        engine.world.clock.advance(1.0)
        engine.scheduler.beat()
    first, second, third = at
    assert 10 <= second - first <= 13
    assert 30 <= third - second <= 33
    ended = engine.run(run.run_key)
    assert (ended.state, ended.reason) == (R.FAILED, "'c' is upstream_failed")
    assert states(engine.world, run.run_key)["b"] == (S.FAILED, 3)


def test_another_scheduler_knows_when() -> None:
    engine = Engine()
    engine.world.publish("chain", *CHAIN, retry=RunRetry(retries=1, delay_seconds=60))
    run = engine.world.trigger("chain")
    assert lives(engine, {"b"}, rounds=10) == ["a", "b"]
    assert engine.run(run.run_key).state is R.RUNNING
    engine.scheduler.close()
    engine.scheduler = Scheduler(
        engine.store, engine.world.clock, {"local": engine.hand}, options=SchedulerOptions(name="two")
    )
    engine.scheduler.start()
    assert lives(engine, set(), rounds=40) == []
    assert lives(engine, set(), rounds=40) == ["b", "c"]
    assert engine.run(run.run_key).state is R.SUCCESS


def test_a_person_ends_it_while_it_waits() -> None:
    engine = Engine()
    engine.world.publish("chain", *CHAIN, retry=RunRetry(retries=1, delay_seconds=60))
    run = engine.world.trigger("chain")
    lives(engine, {"b"}, rounds=10)
    with engine.store.begin() as tx:
        stop_run(tx, engine.world.clock.now(), "chain", run.run_id, R.FAILED, "enough")
    assert lives(engine, set(), rounds=100) == []
    ended = engine.run(run.run_key)
    assert (ended.state, ended.reason) == (R.FAILED, "enough")


def test_a_time_out_is_no_reason_to_try_again() -> None:
    engine = Engine()
    engine.world.publish("chain", *CHAIN, retry=RunRetry(retries=5), dagrun_timeout_seconds=5.0)
    run = engine.world.trigger("chain")
    for _ in range(20):
        engine.step()
        engine.world.clock.advance(1.0)
        engine.scheduler.beat()
    assert engine.run(run.run_key).state is R.FAILED
    assert len(engine.hand.given) == 1


def test_with_setups_and_teardowns() -> None:
    engine = Engine()
    engine.world.publish(
        "house",
        task("up", is_setup=True),
        task("work", upstream=("up",)),
        task("down", upstream=("up", "work"), is_teardown=True, setups=("up",), trigger_rule="all_done_setup_success"),
        task("apart"),
        retry=RunRetry(retries=1),
    )
    run = engine.world.trigger("house")
    ran = lives(engine, {"work"})
    assert sorted(ran) == ["apart", "down", "down", "up", "up", "work", "work"]
    assert engine.run(run.run_key).state is R.SUCCESS


def test_the_delay_has_bounds() -> None:
    from tradewind.domain.retry import run_retry_delay_seconds

    retry = RunRetry(retries=9, delay_seconds=10, exponential_backoff=2, max_delay_seconds=35)
    assert [run_retry_delay_seconds(retry, number) for number in (1, 2, 3)] == [10, 20, 35]
    endless = RunRetry(retries=9, delay_seconds=10, exponential_backoff=1e300)
    assert run_retry_delay_seconds(endless, 5) == timedelta(days=1).total_seconds()
