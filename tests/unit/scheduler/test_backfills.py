"""Backfills beside daily runs: neither starves the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.commands.world import task
from tests.unit.scheduler.engine import Engine

from tradewind.commands.backfills import BackfillWish, create_backfill
from tradewind.wire.schedule import CronTriggerSchedule
from tradewind.wire.states import DagRunState

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAILY = CronTriggerSchedule(crons=("0 0 * * *",))


@pytest.fixture
def engine() -> Engine:
    return Engine()


def backfill(engine: Engine, days: int, max_active_runs: int = 10) -> None:
    world = engine.world
    world.publish("past", task("a"), schedule=DAILY, row={"max_active_runs": 1})
    asked = BackfillWish(
        dag_id="past", from_date=FIRST, to_date=FIRST + timedelta(days=days - 1), max_active_runs=max_active_runs
    )
    with engine.store.begin() as tx:
        create_backfill(tx, world.documents, world.clock.now(), world.new_id, asked)


def test_its_last_run_completes_it(engine: Engine) -> None:
    backfill(engine, 3)
    engine.rounds(8)
    with engine.store.read() as tx:
        (row,) = tx.backfill_list()
        assert row.completed_at is not None
        assert tx.backfill_count_states([1]) == {1: {DagRunState.SUCCESS: 3}}
    with engine.store.begin() as tx:
        assert tx.slots_audit() == {}


def test_backfills_leave_slots_for_what_is_due_now(engine: Engine) -> None:
    engine.hand.slots = 8
    backfill(engine, 20, max_active_runs=20)
    engine.step()
    engine.step()
    assert len(engine.hand.taken) == 6
    engine.world.publish("daily", task("now"))
    engine.world.trigger("daily")
    engine.step()
    engine.step()
    assert engine.hand.given[-1].task_id == "now"
    with engine.store.read() as tx:
        waiting = [
            row for run in tx.list_runs(dag_id="past") for row in tx.task_list(run.run_key) if row.state == "scheduled"
        ]
    assert {row.reason for row in waiting} == {"backfills hold their share of executor 'local' (75% of its slots)"}


def test_with_one_slot_a_backfill_goes_on_beside_a_stream_of_others(engine: Engine) -> None:
    backfill(engine, 1)
    engine.world.publish("daily", task("now"), row={"max_active_runs": 100})
    done = 0
    for _ in range(40):
        engine.world.trigger("daily")
        engine.world.trigger("daily")
        engine.rounds(1, seconds=60)
        done += 1
        if any(given.task_id == "a" for given in engine.hand.given):
            break
    assert done < 30
