from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.commands.world import START, World

from tradewind.commands import dags
from tradewind.commands.schedules import following_run
from tradewind.wire.errors import NotFound
from tradewind.wire.schedule import CronIntervalSchedule, CronTriggerSchedule

HOURLY = CronTriggerSchedule(crons=("0 * * * *",))
EARLY = datetime(2026, 2, 1, tzinfo=UTC)


def announce(world: World, dag_id: str = "sales") -> None:
    """As the publication does."""
    with world.store.begin() as tx:
        row = tx.dag_get(dag_id)
        assert row is not None
        document = world.documents.get(tx, row.version_id).document
        tx.dag_set_next(dag_id, following_run(tx, document, world.clock.now()))


def next_run_after(world: World, dag_id: str = "sales") -> datetime | None:
    with world.store.read() as tx:
        row = tx.dag_get(dag_id)
        assert row is not None
        return row.next_run_after


def pause(world: World) -> bool:
    with world.store.begin() as tx:
        return dags.pause_dag(tx, "sales", "maintenance")


def unpause(world: World) -> bool:
    with world.store.begin() as tx:
        return dags.unpause_dag(tx, world.documents, world.clock.now(), "sales")


def test_pausing_twice_is_once_and_keeps_the_first_reason(world: World) -> None:
    world.publish()
    assert pause(world)
    assert not pause(world)
    with world.store.read() as tx:
        row = dags.get_dag(tx, "sales")
    assert row.is_paused
    assert row.pause_reason == "maintenance"
    assert unpause(world)
    assert not unpause(world)


def test_unknown_dags_are_named_with_the_nearest(world: World) -> None:
    world.publish()
    with world.store.begin() as tx, pytest.raises(NotFound, match="did you mean 'sales'"):
        dags.pause_dag(tx, "sale")


def test_without_catchup_what_was_missed_while_paused_is_not_made_up(world: World) -> None:
    world.publish(schedule=HOURLY)
    announce(world)
    pause(world)
    world.clock.advance(timedelta(hours=5, minutes=30).total_seconds())
    unpause(world)
    after = next_run_after(world)
    assert after is not None
    assert after == START + timedelta(hours=6)


def test_without_catchup_an_interval_schedule_makes_up_the_latest_one_only(world: World) -> None:
    world.publish(schedule=CronIntervalSchedule(cron="0 * * * *"), start_date=EARLY)
    announce(world)
    pause(world)
    world.clock.advance(timedelta(hours=5, minutes=30).total_seconds())
    unpause(world)
    assert next_run_after(world) == START + timedelta(hours=5)


def test_with_catchup_everything_missed_is_made_up(world: World) -> None:
    world.publish(schedule=HOURLY, start_date=EARLY, catchup=True)
    announce(world)
    pause(world)
    world.clock.advance(timedelta(hours=5).total_seconds())
    unpause(world)
    assert next_run_after(world) == EARLY


def test_unpausing_rings_for_runs_that_waited(world: World) -> None:
    world.publish()
    pause(world)
    with world.store.listen(["runs", "dags"]) as bell:
        unpause(world)
        assert bell.wait(0) == {"runs", "dags"}
