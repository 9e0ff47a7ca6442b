from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.commands.world import OWNER, START, World, task

from tradewind.commands import backfills
from tradewind.commands.backfills import BackfillWish, Deed
from tradewind.ports.backfill_rows import BackfillRow, Reprocess
from tradewind.ports.rows import RunRow
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.schedule import (
    CronIntervalSchedule,
    CronPartitionSchedule,
    CronTriggerSchedule,
    CustomSchedule,
    NullSchedule,
)
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState

DAILY = CronTriggerSchedule(crons=("0 0 * * *",))
DAY = timedelta(days=1)
FIRST = datetime(2026, 2, 1, tzinfo=UTC)


def wish(**given: Any) -> BackfillWish:
    return BackfillWish(**{"dag_id": "sales", "from_date": FIRST, "to_date": FIRST + 4 * DAY, **given})


def plan(world: World, **given: Any) -> backfills.BackfillPlan:
    with world.store.read() as tx:
        return backfills.plan_backfill(tx, world.documents, world.clock.now(), wish(**given))


def create(world: World, **given: Any) -> BackfillRow:
    with world.store.begin() as tx:
        return backfills.create_backfill(
            tx, world.documents, world.clock.now(), world.new_id, wish(**given), user="ann"
        )


def start(world: World, limit: int = 100) -> list[RunRow]:
    with world.store.begin() as tx:
        return tx.run_start_queued(OWNER, world.clock.now(), limit)


def end(world: World, run: RunRow, change: str = "succeed") -> None:
    with world.store.begin() as tx:
        assert tx.run_move(change, run.run_key, owner=OWNER, epoch=run.epoch, now=world.clock.now())
        assert run.backfill_id is not None
        tx.backfill_complete([run.backfill_id], world.clock.now())


def days(runs: list[RunRow]) -> list[int]:
    return [run.logical_date.day for run in runs if run.logical_date]


@pytest.fixture
def sales(world: World) -> World:
    world.publish("sales", task("a"), schedule=DAILY)
    return world


def test_the_dry_run_lists_what_is_then_made(sales: World) -> None:
    found = plan(sales)
    assert [each.info.logical_date.day for each in found.dates] == [1, 2, 3, 4, 5]
    assert (found.runs, found.tasks_per_run, found.seconds) == (5, 1, None)
    row = create(sales, conf={"a": 1}, max_active_runs=2)
    assert (row.backfill_id, row.completed_at, row.triggering_user_name) == (1, None, "ann")
    with sales.store.read() as tx:
        runs = tx.list_runs(dag_id="sales")
        dates = tx.backfill_run_list(1)
    assert [run.run_id for run in reversed(runs)] == [f"backfill__2026-02-0{day}T00:00:00+00:00" for day in range(1, 6)]
    assert {(run.run_type, run.backfill_id, str(run.conf)) for run in runs} == {(DagRunType.BACKFILL, 1, "{'a': 1}")}
    assert [(row.ordinal, row.reason, state) for row, state in dates] == [
        (number, None, DagRunState.QUEUED) for number in range(1, 6)
    ]


def test_intervals_of_runs_are_those_of_the_schedule(world: World) -> None:
    world.publish("sales", task("a"), schedule=CronIntervalSchedule(cron="0 0 * * *"))
    create(world, to_date=FIRST)
    (run,) = start(world)
    assert (run.logical_date, run.data_interval_end, run.run_after) == (FIRST, FIRST + DAY, FIRST + DAY)


def test_it_has_a_concurrency_of_its_own_beside_the_dag(sales: World) -> None:
    with sales.store.begin() as tx:
        dag = tx.dag_get("sales")
        assert dag is not None
    sales.publish("sales", task("a"), schedule=DAILY, row={"max_active_runs": 1})
    create(sales, max_active_runs=2)
    manual = [sales.trigger(), sales.trigger()]
    begun = start(sales)
    assert [run.run_key for run in begun][:1] == [manual[0].run_key]
    assert days(begun) == [1, 2]
    assert start(sales) == []
    end(sales, begun[1])
    assert days(start(sales)) == [3]
    with sales.store.begin() as tx:
        assert tx.slots_audit() == {}


def test_backwards_the_newest_date_comes_first(sales: World) -> None:
    create(sales, run_backwards=True, max_active_runs=2)
    assert sorted(days(start(sales))) == [4, 5]
    with sales.store.read() as tx:
        assert [row.logical_date.day for row, _ in tx.backfill_run_list(1) if row.logical_date] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("reprocess", "again"), [(Reprocess.NONE, []), (Reprocess.FAILED, [2]), (Reprocess.COMPLETED, [1, 2])]
)
def test_what_exists_is_left_alone_or_run_again(sales: World, reprocess: Reprocess, again: list[int]) -> None:
    for day, change in ((0, "succeed"), (1, "fail"), (2, None)):
        run = sales.start_run(logical_date=FIRST + day * DAY)
        sales.put_task(run, "a")
        if change is not None:
            with sales.store.begin() as tx:
                tx.run_move(change, run.run_key, owner=OWNER, epoch=run.epoch, now=sales.clock.now())
    found = plan(sales, reprocess=reprocess)
    assert [each.info.logical_date.day for each in found.dates if each.deed is Deed.REPROCESS] == again
    assert found.dates[2].reason == "in flight"
    create(sales, reprocess=reprocess)
    assert days(start(sales)) == [*again, 4, 5]


def test_pause_resume_and_progress(sales: World) -> None:
    create(sales, max_active_runs=1)
    (first,) = start(sales)
    with sales.store.begin() as tx:
        assert backfills.pause_backfill(tx, START, 1).is_paused
    end(sales, first)
    assert start(sales) == []
    with sales.store.begin() as tx:
        assert not backfills.unpause_backfill(tx, START, 1).is_paused
    assert days(start(sales)) == [2]
    with sales.store.read() as tx:
        assert backfills.backfill_progress(tx, 1) == backfills.Progress(total=5, queued=3, running=1, success=1)


def test_cancelled_its_queued_runs_fail_and_the_others_go_on(sales: World) -> None:
    create(sales, max_active_runs=1)
    (first,) = start(sales)
    with sales.store.begin() as tx:
        row = backfills.cancel_backfill(tx, START, 1, user="bob")
        assert (row.completed_at, row.cancelled_at) == (START, START)
        states = tx.backfill_count_states([1])[1]
    assert states == {DagRunState.RUNNING: 1, DagRunState.FAILED: 4}
    end(sales, first)
    with sales.store.begin() as tx:
        reasons = {run.reason for run in tx.list_runs(states=(DagRunState.FAILED,))}
        assert reasons == {"backfill 1 was cancelled by bob"}
        for refused in (backfills.cancel_backfill, backfills.pause_backfill, backfills.unpause_backfill):
            with pytest.raises(Conflict, match="was cancelled at"):
                refused(tx, START, 1)
        with pytest.raises(NotFound, match="no backfill 7"):
            backfills.pause_backfill(tx, START, 7)


def test_cancelled_the_tasks_of_a_run_that_was_to_run_again_stay_as_they_are(sales: World) -> None:
    create(sales, to_date=FIRST)
    (run,) = start(sales)
    waits = sales.put_task(run, "a", state=TaskInstanceState.SCHEDULED)
    with sales.store.begin() as tx:
        assert tx.run_move("fail", run.run_key, owner=OWNER, epoch=run.epoch, now=START)
        assert tx.run_move("requeue", run.run_key, reason=None, now=START)
        backfills.cancel_backfill(tx, START, 1)
        ended = tx.run_get(run.run_key)
        assert ended is not None
        assert (ended.state, ended.reason) == (DagRunState.FAILED, "backfill 1 was cancelled")
    assert sales.row(waits).state is TaskInstanceState.SCHEDULED
    with sales.store.begin() as tx:
        assert tx.slots_audit() == {}


def test_it_is_completed_by_its_last_run_and_then_another_may_begin(sales: World) -> None:
    create(sales, to_date=FIRST)
    with pytest.raises(Conflict, match="has a backfill already"):
        create(sales)
    (run,) = start(sales)
    end(sales, run, "fail")
    with sales.store.read() as tx:
        assert backfills.require_backfill(tx, 1).completed_at is not None
    assert create(sales).backfill_id == 2


def test_one_that_finds_nothing_to_do_is_completed_at_once(sales: World) -> None:
    create(sales, to_date=FIRST)
    end(sales, start(sales)[0])
    assert create(sales, to_date=FIRST).completed_at is not None


def test_runs_of_a_paused_dag_are_run_as_a_person_asked(sales: World) -> None:
    with sales.store.begin() as tx:
        tx.dag_set_paused("sales", True)
    create(sales, to_date=FIRST)
    assert days(start(sales)) == [1]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"dag_id": "nope"}, NotFound, "'nope'"),
        ({"from_date": FIRST + 9 * DAY}, BadInput, "ends .* before it begins"),
        ({"to_date": START + DAY}, BadInput, "in the future"),
        ({"from_date": datetime(2026, 1, 1)}, BadInput, "no time zone"),
        ({"max_active_runs": 0}, BadInput, "at least 1"),
        ({"from_date": FIRST + timedelta(hours=1), "to_date": FIRST + timedelta(hours=2)}, BadInput, "no run between"),
        ({"conf": [1]}, BadInput, "JSON object"),
    ],
)
def test_wishes_that_cannot_be_granted(
    sales: World, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        create(sales, **given)


@pytest.mark.parametrize(
    ("facts", "given", "error", "message"),
    [
        ({"schedule": NullSchedule()}, {}, BadInput, "no schedule"),
        ({"schedule": CustomSchedule(path="m.T", data="{}")}, {}, BadInput, "author's own"),
        ({"schedule": DAILY, "allowed_run_types": ("manual",)}, {}, Conflict, "only runs of type manual"),
        ({"schedule": DAILY, "past": True}, {}, BadInput, "reprocess failed"),
        ({"schedule": DAILY, "past": True}, {"run_backwards": True}, BadInput, "backwards"),
        ({"schedule": CronTriggerSchedule(crons=("* * * * *",))}, {"from_date": START - 50 * DAY, "to_date": START},
         BadInput, "more than 50000"),
    ],
)  # fmt: skip
def test_dags_that_cannot_be_backfilled(
    world: World, facts: dict[str, Any], given: dict[str, Any], error: type[Exception], message: str
) -> None:
    past = facts.pop("past", False)
    world.publish("sales", task("a", depends_on_past=past), **facts)
    with pytest.raises(error, match=message):
        create(world, **given)


def test_partitions_are_told_apart_by_their_key(world: World) -> None:
    world.publish("sales", task("a"), schedule=CronPartitionSchedule(cron="0 0 * * *"))
    found = plan(world, to_date=FIRST + 2 * DAY)
    keys = [each.info.partition_key for each in found.dates]
    assert len(set(keys)) == 3
    assert None not in keys
    create(world, to_date=FIRST + DAY)
    begun = start(world)
    assert [run.partition_key for run in begun] == keys[:2]
    assert {run.logical_date for run in begun} == {None}
    for run in begun:
        end(world, run)
    again = plan(world, to_date=FIRST + 2 * DAY, reprocess=Reprocess.COMPLETED)
    assert [each.deed for each in again.dates] == [Deed.REPROCESS, Deed.REPROCESS, Deed.CREATE]
