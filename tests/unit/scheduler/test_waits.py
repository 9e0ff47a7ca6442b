"""Instances that wait outside: slots, how they go on, what ends their waits."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commands.world import task
from tests.unit.scheduler.engine import FAILURE, Engine

from tradewind.commands.runs import stop_run
from tradewind.commands.waits import end_waits
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.trigger_rows import TriggerFire
from tradewind.wire.deferral import Deferral, FailureOfWait, HumanQuestion, Resume
from tradewind.wire.execution import Outcome
from tradewind.wire.states import CauseOfDeath, DagRunState, TaskInstanceState

S = TaskInstanceState
START = Deferral(classpath="a.B", method="go_on", timeout_seconds=60.0)
DEFERRED = Outcome(state=S.DEFERRED, deferral=Deferral(classpath="a.B", method="go_on", next_kwargs='{"x":1}'))


def asks(**facts: Any) -> Outcome:
    question = HumanQuestion(subject="well?", options=("yes", "no"), **facts)
    return Outcome(
        state=S.AWAITING_INPUT, question=question, deferral=Deferral(method="execute_complete", timeout_seconds=5.0)
    )


def one(engine: Engine, run: RunRow, task_id: str) -> TaskRow:
    with engine.store.read() as tx:
        (row,) = tx.task_list(run.run_key, [task_id])
    return row


def fire(engine: Engine, row: TaskRow, **facts: Any) -> None:
    assert row.attempt_token is not None
    with engine.store.begin() as tx:
        assert end_waits(tx, [TriggerFire(token=row.attempt_token, **facts)], engine.world.clock.now())


def used(engine: Engine) -> int:
    with engine.store.read() as tx:
        pool = tx.pool_get("p")
    assert pool is not None
    return pool.used


def waiting(engine: Engine, *, include_deferred: bool = False, outcome: Outcome = DEFERRED, **facts: Any) -> RunRow:
    """A run whose first task waits, and whose second wants the same slot."""
    with engine.store.begin() as tx:
        tx.pool_put("p", 1, include_deferred=include_deferred)
    engine.hand.slots = 8
    engine.world.publish("d", task("a", pool="p", effective_weight=9, **facts), task("b", pool="p"))
    run = engine.world.trigger("d")
    engine.step()
    engine.work(outcome)
    engine.step()
    return run


def test_its_slots_are_for_others() -> None:
    engine = Engine()
    run = waiting(engine)
    assert one(engine, run, "a").state is S.DEFERRED
    assert one(engine, run, "b").state is S.QUEUED
    assert used(engine) == 1


def test_a_pool_may_go_on_counting_it() -> None:
    engine = Engine()
    run = waiting(engine, include_deferred=True)
    assert one(engine, run, "b").state is S.SCHEDULED
    assert "pool 'p' is full" in (one(engine, run, "b").reason or "")
    assert used(engine) == 1
    fire(engine, one(engine, run, "a"), event="1")
    engine.step()
    assert one(engine, run, "a").state is S.QUEUED, "it has the greater weight"
    engine.work()
    engine.rounds(3)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS
    assert used(engine) == 0


def test_it_goes_on_with_the_event_in_the_same_try() -> None:
    engine = Engine()
    run = waiting(engine)
    engine.work()
    fire(engine, one(engine, run, "a"), event='"there"')
    engine.step()
    workload = engine.hand.given[-1]
    assert (workload.task_id, workload.try_number) == ("a", 1)
    assert workload.resume == Resume(method="go_on", kwargs='{"x":1}', event='"there"')
    engine.work(DEFERRED)
    engine.step()
    fire(engine, one(engine, run, "a"), failure=FailureOfWait.TRIGGER, error="boom")
    engine.step()
    assert engine.hand.given[-1].resume == Resume(
        method="go_on", kwargs='{"x":1}', failure=FailureOfWait.TRIGGER, error="boom"
    )
    engine.work()
    engine.rounds(2)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS


def test_a_try_after_it_begins_from_the_start() -> None:
    engine = Engine()
    run = waiting(engine, retries=1, retry_delay_seconds=0.0)
    engine.work()
    fire(engine, one(engine, run, "a"), event="1")
    engine.step()
    engine.work(FAILURE)
    engine.step()
    workload = engine.hand.given[-1]
    assert (workload.task_id, workload.try_number, workload.resume) == ("a", 2, None)


def test_what_died_after_its_wait_does_not_wait_again() -> None:
    engine = Engine()
    run = waiting(engine)
    engine.work()
    fire(engine, one(engine, run, "a"), event="1")
    engine.step()
    engine.work(Outcome(state=S.FAILED, cause=CauseOfDeath.KILLED, reason="the machine is gone"))
    engine.step()
    workload = engine.hand.given[-1]
    assert (workload.task_id, workload.try_number) == ("a", 2)
    assert workload.resume == Resume(method="go_on", kwargs='{"x":1}', event="1")
    engine.work()
    engine.rounds(2)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS
    with engine.store.read() as tx:
        assert tx.trigger_list_fired([one(engine, run, "a").ti_id]) == {}


@pytest.mark.parametrize("defaults", [None, ("no",)])
def test_nobody_answers_in_time(defaults: tuple[str, ...] | None) -> None:
    engine = Engine()
    run = waiting(engine, outcome=asks(defaults=defaults))
    engine.work()
    assert one(engine, run, "a").state is S.AWAITING_INPUT
    engine.rounds(7)
    workload = next(w for w in reversed(engine.hand.given) if w.task_id == "a")
    assert workload.resume is not None
    assert workload.resume.method == "execute_complete"
    if defaults is None:
        assert workload.resume.failure is FailureOfWait.TIMEOUT
    else:
        assert '"chosen_options":["no"]' in (workload.resume.event or "")
        assert '"timedout":true' in (workload.resume.event or "")


def test_a_task_may_begin_in_the_triggerer() -> None:
    engine = Engine()
    engine.world.publish("d", task("a", start_trigger=START, retries=1, retry_delay_seconds=0.0))
    run = engine.world.trigger("d")
    engine.step()
    row = one(engine, run, "a")
    assert (row.state, row.try_number, engine.hand.given) == (S.DEFERRED, 1, [])
    fire(engine, row, event="1")
    engine.step()
    assert engine.hand.given[-1].resume == Resume(method="go_on", event="1")
    engine.work(FAILURE)
    engine.step()
    row = one(engine, run, "a")
    assert (row.state, row.try_number) == (S.DEFERRED, 2), "each try begins there"
    fire(engine, row, event="2")
    engine.step()
    engine.work()
    engine.rounds(2)
    assert engine.run(run.run_key).state is DagRunState.SUCCESS


def test_a_try_that_is_decided_twice_in_one_step_waits_once() -> None:
    engine = Engine()
    engine.world.publish("d", task("a", start_trigger=START, retries=1, retry_delay_seconds=0.0))
    run = engine.world.trigger("d")
    engine.step()
    fire(engine, one(engine, run, "a"), event="1")
    engine.step()
    engine.work(FAILURE)
    # Its memory is thrown away: the next step loads the rows, which say that the try is due, and then hears the same.
    engine.store.plan = ["undone"]
    engine.step()
    engine.step()
    row = one(engine, run, "a")
    assert (row.state, row.try_number) == (S.DEFERRED, 2)
    with engine.store.begin() as tx:
        assert [wait.token for wait in tx.trigger_claim("t", 9, 60.0)] == [row.attempt_token]


@pytest.mark.parametrize(("state", "left"), [(DagRunState.FAILED, S.SKIPPED), (DagRunState.SUCCESS, None)])
def test_what_would_begin_in_the_triggerer_does_not_once_its_run_is_stopped(
    state: DagRunState, left: TaskInstanceState | None
) -> None:
    engine = Engine()
    engine.world.publish("d", task("a"), task("b", upstream=("a",), start_trigger=START))
    run = engine.world.trigger("d")
    engine.step()
    engine.work()
    with engine.store.begin() as tx:
        stop_run(tx, engine.world.clock.now(), "d", run.run_id, state, "enough")
    engine.step()
    assert engine.run(run.run_key).state is state
    row = one(engine, run, "b")
    assert (row.state, row.try_number) == (left, 0)
    with engine.store.begin() as tx:
        assert tx.trigger_claim("t", 9, 60.0) == []


def test_its_owner_knows_that_it_was_skipped_while_a_teardown_goes_on() -> None:
    engine = Engine()
    down = task("down", upstream=("a", "b"), trigger_rule="all_done_setup_success", is_teardown=True, setups=("a",))
    engine.world.publish("d", task("a", is_setup=True), task("b", upstream=("a",), start_trigger=START), down)
    run = engine.world.trigger("d")
    engine.step()
    engine.work()
    with engine.store.begin() as tx:
        stop_run(tx, engine.world.clock.now(), "d", run.run_id, DagRunState.FAILED, "enough")
    engine.step()
    assert one(engine, run, "b").state is S.SKIPPED
    assert engine.scheduler.memory.runs[run.run_key].plan.state(("b", ())) is S.SKIPPED
    engine.work()
    engine.rounds(2)
    assert engine.run(run.run_key).state is DagRunState.FAILED
