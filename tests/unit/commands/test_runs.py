from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.commands.world import OWNER, START, World, task

from tradewind.commands import runs
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import TaskMove
from tradewind.wire.document import ParamDocument
from tradewind.wire.errors import BadInput, Conflict, InvalidConf, NotFound
from tradewind.wire.inbox import InstancesCleared, RunStopAsked
from tradewind.wire.schedule import CronIntervalSchedule
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState

S = TaskInstanceState
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_triggered_run_waits_in_the_queue_and_rings(world: World) -> None:
    world.publish()
    with world.store.listen(["runs"]) as bell:
        made = world.trigger(conf={"a": 1}, note="why", user="ann")
        assert bell.wait(0) == {"runs"}
    assert (made.state, made.run_after, made.conf, made.triggering_user_name) == (
        DagRunState.QUEUED,
        START,
        {"a": 1},
        "ann",
    )
    assert made.run_id.startswith("manual__")


def test_a_logical_date_names_the_run_and_gives_its_interval(world: World) -> None:
    world.publish(schedule=CronIntervalSchedule(cron="0 0 * * *"))
    made = world.trigger(logical_date=NOON)
    assert made.run_id == "manual__2026-01-02T12:00:00+00:00"
    assert (made.data_interval_start, made.data_interval_end) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=UTC),
    )


def test_two_runs_without_logical_date_at_one_instant_have_names_of_their_own(world: World) -> None:
    world.publish()
    assert world.trigger().run_id != world.trigger().run_id


def test_a_paused_dag_takes_the_wish_of_a_person(world: World) -> None:
    world.publish()
    with world.store.begin() as tx:
        tx.dag_set_paused("sales", True)
    world.start_run()


@pytest.mark.parametrize(
    ("wish", "error", "message"),
    [
        ({"dag_id": "sale"}, NotFound, "did you mean 'sales'"),
        ({"run_id": "a/b"}, BadInput, "a/b"),
        ({"run_id": "taken"}, Conflict, "'taken' already"),
        ({"logical_date": NOON}, Conflict, "2026-01-02T12:00:00"),
        ({"logical_date": datetime(2026, 1, 1)}, BadInput, "no time zone"),
        ({"conf": [1]}, InvalidConf, "JSON object"),
        ({"conf": {1: 2}}, InvalidConf, "texts"),
        ({"conf": {"size": "big"}}, InvalidConf, "size"),
        ({"conf": {}}, InvalidConf, "needs a value for param 'size'"),
        ({"run_type": DagRunType.BACKFILL}, Conflict, "only runs of type manual"),
    ],
)
def test_wishes_that_cannot_be_granted(
    world: World, wish: dict[str, Any], error: type[Exception], message: str
) -> None:
    world.publish(
        params={"size": ParamDocument(schema={"type": "integer"}, required=True)}, allowed_run_types=("manual",)
    )
    world.trigger(run_id="taken", logical_date=NOON, conf={"size": 1})
    given = {"dag_id": "sales", "conf": {"size": 2}, **wish}
    with pytest.raises(error, match=message):
        world.trigger(**given)


def test_a_dag_that_no_file_defines_is_not_triggered(world: World) -> None:
    world.publish()
    with world.store.begin() as tx:
        tx.dag_set_stale(["sales"], True)
    with pytest.raises(Conflict, match=r"sales\.py"):
        world.trigger()


def stop(world: World, run: RunRow, state: DagRunState = DagRunState.FAILED) -> None:
    with world.store.begin() as tx:
        runs.stop_run(tx, world.clock.now(), run.dag_id, run.run_id, state, "enough")


def test_a_running_run_is_ended_by_its_owner(world: World) -> None:
    world.publish()
    run = world.start_run()
    stop(world, run)
    assert world.inbox() == [RunStopAsked(state=DagRunState.FAILED, reason="enough")]


def test_a_queued_run_is_ended_at_once_and_an_ended_one_not_again(world: World) -> None:
    world.publish()
    run = world.trigger()
    stop(world, run, DagRunState.SUCCESS)
    with world.store.read() as tx:
        ended = tx.run_get(run.run_key)
    assert ended is not None
    assert (ended.state, ended.reason) == (DagRunState.SUCCESS, "enough")
    with pytest.raises(Conflict, match="over already"):
        stop(world, run)
    with pytest.raises(BadInput):
        stop(world, run, DagRunState.QUEUED)
    with world.store.begin() as tx, pytest.raises(NotFound, match="'nope'"):
        runs.require_run(tx, "sales", "nope")


def clear(world: World, run: RunRow, *rows: TaskRow) -> list[TaskRow]:
    with world.store.begin() as tx:
        present = tx.run_get(run.run_key)
        assert present is not None
        return runs.clear_instances(
            tx, world.documents, world.clock.now(), present, [tx.task_get_many([row.ti_id])[0] for row in rows]
        )


def test_clearing_a_live_instance_tells_the_owner_which_attempt_to_stop(world: World) -> None:
    world.publish("sales", task("extract", retries=2))
    run = world.start_run()
    row, token = world.queued_task(run)
    assert clear(world, run, row)
    (event,) = world.inbox()
    assert isinstance(event, InstancesCleared)
    assert event.instances[0].cancel_token == token
    present = world.row(row)
    assert (present.state, present.attempt_token, present.max_tries) == (None, None, 1 + 2)
    with world.store.read() as tx:
        assert [old.try_number for old in tx.attempt_list(row.ti_id)] == [1]


def test_clearing_an_ended_run_queues_it_again(world: World) -> None:
    world.publish()
    run = world.start_run()
    row, token = world.queued_task(run)
    now = world.clock.now()
    with world.store.begin() as tx:
        values = {"started_at": now, "agent": "a", "hostname": "h", "pid": 1}
        tx.task_move("start", [TaskMove(row.ti_id, None, token, values)], now)
        ended = {"ended_at": now, "duration_seconds": 1.0, "xcom_length": None, "skips": ()}
        tx.task_move("succeed", [TaskMove(row.ti_id, None, token, ended)], now)
        assert tx.run_move("succeed", run.run_key, owner=OWNER, epoch=run.epoch, now=now)
    assert [cleared.state for cleared in clear(world, run, row)] == [S.SUCCESS]
    with world.store.read() as tx:
        again = tx.run_get(run.run_key)
    assert again is not None
    assert (again.state, again.clear_number, again.ended_at) == (DagRunState.QUEUED, 1, None)
    assert clear(world, run) == []


def test_clearing_stops_the_attempt_that_lives_now_not_the_one_that_was_seen(world: World) -> None:
    world.publish()
    run = world.start_run()
    seen = world.put_task(run)
    token = world.queue(seen)
    with world.store.begin() as tx:
        runs.clear_instances(tx, world.documents, world.clock.now(), run, [seen])
    (event,) = world.inbox()
    assert event.instances[0].cancel_token == token


class TestClientKeys:
    def test_asking_again_gives_the_same_run(self, world: World) -> None:
        world.publish()
        made = world.trigger(client_key="order-7", conf={"a": 1})
        assert world.trigger(client_key="order-7", conf={"a": 1}).run_key == made.run_key
        assert world.trigger(client_key="order-8", conf={"a": 1}).run_key != made.run_key
        with pytest.raises(Conflict, match="with another conf: use a new key"):
            world.trigger(client_key="order-7", conf={"a": 2})
        with pytest.raises(BadInput, match="1 to 250 characters"):
            world.trigger(client_key=" ")
