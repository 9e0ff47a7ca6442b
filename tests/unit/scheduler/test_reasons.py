"""Why something does not run: the sentence, what holds it, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.commands.world import OWNER, START, World, task

from tradewind.commands.backfills import BackfillWish, create_backfill, pause_backfill
from tradewind.ports.rows import ImportErrorRow, RunRow, TaskRow
from tradewind.ports.store import TaskMove
from tradewind.scheduler.reasons import Why, WhyKind, explain_dag, explain_run, explain_task
from tradewind.wire.schedule import CronTriggerSchedule, NullSchedule, OnceSchedule
from tradewind.wire.states import DagRunState, TaskInstanceState

S = TaskInstanceState
K = WhyKind
DAILY = CronTriggerSchedule(crons=("0 0 * * *",))
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World()


def workers(world: World) -> None:
    world.beat("scheduler", id=OWNER)
    world.beat("agent")


def of_task(world: World, run: RunRow, row: TaskRow) -> Why:
    with world.store.read() as tx:
        present = tx.run_get(run.run_key)
        assert present is not None
        return explain_task(tx, present, tx.task_get_many([row.ti_id])[0])


def of_run(world: World, run: RunRow) -> Why:
    with world.store.read() as tx:
        present = tx.run_get(run.run_key)
        assert present is not None
        return explain_run(tx, present)


def of_dag(world: World, dag_id: str = "sales") -> Why:
    with world.store.read() as tx:
        dag = tx.dag_get(dag_id)
        assert dag is not None
        return explain_dag(tx, dag)


def start(world: World, row: TaskRow, token: str) -> None:
    now = world.clock.now()
    values = {"started_at": now, "agent": "x", "hostname": "box", "pid": 7}
    with world.store.begin() as tx:
        assert tx.task_move("start", [TaskMove(row.ti_id, None, token, values)], now)


def succeed(world: World, row: TaskRow, seconds: float) -> None:
    token = world.queue(row)
    start(world, row, token)
    now = world.clock.now()
    values = {"ended_at": now, "duration_seconds": seconds, "xcom_length": None, "skips": ()}
    with world.store.begin() as tx:
        assert tx.task_move("succeed", [TaskMove(row.ti_id, None, token, values)], now)


def end(world: World, run: RunRow, change: str = "succeed") -> None:
    with world.store.begin() as tx:
        assert tx.run_move(change, run.run_key, owner=OWNER, epoch=run.epoch, reason="so", now=world.clock.now())


def test_what_waits_for_its_upstream_says_when_it_should_start(world: World) -> None:
    workers(world)
    world.publish("sales", task("a"), task("b", upstream=("a",)), task("c", upstream=("b",)))
    before = world.start_run()
    succeed(world, world.put_task(before, "a"), 60.0)
    succeed(world, world.put_task(before, "b"), 30.0)
    end(world, before)
    run = world.start_run()
    a, token = world.queued_task(run, "a")
    start(world, a, token)
    b, c = world.put_task(run, "b"), world.put_task(run, "c")
    why = of_task(world, run, b)
    assert (why.kind, why.blocking, why.expected_at) == (K.UPSTREAM, ("a",), START + timedelta(seconds=60))
    assert why.sentence.startswith("'b' waits for 'a'")
    assert why.sentence.endswith("it should start at about 2026-03-01T12:01:00+00:00")
    assert of_task(world, run, c).expected_at == START + timedelta(seconds=90)
    running = of_task(world, run, a)
    assert (running.kind, running.expected_at) == (K.RUNNING, START + timedelta(seconds=60))


def test_without_anybody_who_works_that_is_the_reason(world: World) -> None:
    world.publish("sales", task("a"), task("b", upstream=("a",)))
    run = world.start_run()
    row, _ = world.queued_task(run, "a")
    assert of_task(world, run, row).kind is K.NO_SCHEDULER
    world.beat("scheduler", id=OWNER)
    assert of_task(world, run, row).kind is K.NO_AGENT
    world.beat("agent")
    assert of_task(world, run, row).kind is K.QUEUED
    world.clock.advance(60)
    assert of_task(world, run, row).sentence.endswith("no scheduler is running")


def test_pools_limits_and_retries(world: World) -> None:
    workers(world)
    world.publish("sales", task("a"))
    run = world.start_run()
    now = world.clock.now()
    waiting, other = world.put_task(run, "a", pool="narrow"), world.put_task(run, "b")
    retrying, token = world.queued_task(run, "c")
    with world.store.begin() as tx:
        tx.pool_put("narrow", 0)
        said = {"scheduled_at": now}
        tx.task_move("schedule", [TaskMove(waiting.ti_id, "pool 'narrow' is full", None, said)], now)
        tx.task_move(
            "schedule", [TaskMove(other.ti_id, "the run has max_active_tasks=1 tasks active", None, said)], now
        )
        values: dict[str, Any] = {"ended_at": now, "duration_seconds": 1.0, "cause": "exception", "due_at": now + HOUR}
        values |= {"max_tries": 2, "infrastructure_tries": 0}
        tx.task_move("retry", [TaskMove(retrying.ti_id, "it broke", token, values)], now)
    assert (of_task(world, run, waiting).kind, of_task(world, run, waiting).blocking) == (K.POOL, ("narrow",))
    assert of_task(world, run, other).kind is K.LIMIT


def test_runs_that_wait(world: World) -> None:
    world.publish("sales", task("a"), row={"max_active_runs": 1}, schedule=DAILY)
    later = world.trigger(run_after=START + HOUR)
    assert (of_run(world, later).kind, of_run(world, later).expected_at) == (K.DUE, START + HOUR)
    first = world.start_run()
    second = world.trigger()
    why = of_run(world, second)
    assert (why.kind, why.blocking) == (K.MAX_ACTIVE_RUNS, (first.run_id,))
    world.clock.advance(60)
    end(world, first)
    assert of_run(world, first).kind is K.OVER
    assert of_run(world, second).kind is K.NO_SCHEDULER
    world.beat("scheduler", id=OWNER)
    assert of_run(world, second).kind is K.SOON
    with world.store.begin() as tx:
        tx.dag_set_paused("sales", True)
    assert of_run(world, second).kind is K.SOON, "a person asked for it"


def test_runs_of_backfills(world: World) -> None:
    world.publish("sales", task("a"), schedule=DAILY)
    wish = BackfillWish(
        dag_id="sales",
        from_date=datetime(2026, 2, 1, tzinfo=UTC),
        to_date=datetime(2026, 2, 3, tzinfo=UTC),
        max_active_runs=1,
    )
    with world.store.begin() as tx:
        create_backfill(tx, world.documents, START, world.new_id, wish)
        tx.run_start_queued(OWNER, START, 10)
        waiting = tx.list_runs(states=(DagRunState.QUEUED,))[0]
    assert (of_run(world, waiting).kind, of_run(world, waiting).blocking) == (K.BACKFILL, ("backfill 1",))
    with world.store.begin() as tx:
        pause_backfill(tx, START, 1)
    assert "is paused" in of_run(world, waiting).sentence


def test_dags_and_their_schedules(world: World) -> None:
    world.beat("scheduler", id=OWNER)
    world.publish("none", schedule=NullSchedule())
    assert of_dag(world, "none").kind is K.NO_SCHEDULE
    world.publish("once", schedule=OnceSchedule())
    assert of_dag(world, "once").sentence.endswith("has ended")
    at = START + timedelta(days=1, hours=2)
    world.publish("sales", schedule=DAILY, row={"next_run_after": at, "schedule_summary": "0 0 * * *"})
    why = of_dag(world)
    assert (why.kind, why.expected_at) == (K.SCHEDULE, at)
    assert "in 1 d 2 h, by its schedule (0 0 * * *)" in why.sentence
    with world.store.begin() as tx:
        tx.import_error_put(
            ImportErrorRow(bundle="local", path="sales.py", message="line 3: oh", traceback="", at=START)
        )
        tx.dag_set_paused("sales", True, "quiet")
    paused = of_dag(world)
    assert paused.kind is K.PAUSED
    assert "(quiet)" in paused.sentence
    assert "sales.py cannot be loaded since 2026-03-01T12:00:00+00:00: line 3: oh" in paused.sentence
    with world.store.begin() as tx:
        tx.dag_set_stale(["sales"], True)
    assert of_dag(world).kind is K.STALE


def test_a_dag_whose_time_has_come(world: World) -> None:
    world.publish("sales", schedule=DAILY, row={"next_run_after": START})
    assert of_dag(world).kind is K.NO_SCHEDULER
    world.beat("scheduler", id=OWNER)
    assert of_dag(world).kind is K.SOON
