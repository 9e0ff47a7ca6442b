from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.unit.commands.world import OWNER, START, World, task

from tradewind.commands.clearing import ClearWish, clear
from tradewind.commands.deadlines import judge_deadlines, settle_ended_run
from tradewind.ports.deadline_rows import DeadlineRow, DeadlineState
from tradewind.ports.rows import RunRow
from tradewind.ports.store import TaskMove
from tradewind.wire.deadlines import DeadlineDocument, DeadlineReference
from tradewind.wire.states import TaskInstanceState

R = DeadlineReference
D = DeadlineState
HOUR = timedelta(hours=1)


def deadline(reference: R = R.QUEUED_AT, seconds: float | None = 3600.0, **facts: Any) -> DeadlineDocument:
    return DeadlineDocument(reference=reference, interval_seconds=seconds, path="m.tell", **facts)


def rows(world: World, run: RunRow) -> list[DeadlineRow]:
    with world.store.read() as tx:
        return tx.deadline_list_of_run(run.run_key)


def judge(world: World, **variables: str) -> int:
    with world.store.begin() as tx:
        return len(judge_deadlines(tx, world.documents, world.clock.now(), 100, variables.get))


def finish(world: World, run: RunRow, settle: bool = True) -> None:
    with world.store.begin() as tx:
        now = world.clock.now()
        assert tx.run_move("succeed", run.run_key, owner=OWNER, epoch=run.epoch, now=now)
        if settle:
            settle_ended_run(tx, run.run_key, now)


def test_each_reference_has_its_base(world: World) -> None:
    at = START + 5 * HOUR
    world.publish(
        "sales",
        deadlines=(
            deadline(),
            deadline(R.LOGICAL_DATE, -60.0, name="early"),
            deadline(R.FIXED, 0.0, at=at),
            deadline(R.AVERAGE_RUNTIME, 60.0, runs_max=2, runs_min=1),
        ),
    )
    run = world.start_run(logical_date=START - HOUR)
    assert [(row.ordinal, row.due_at, row.name) for row in rows(world, run)] == [
        (1, START - HOUR - timedelta(seconds=60), "early"),
        (0, START + HOUR, None),
        (2, at, None),
    ]
    world.clock.advance(600)
    finish(world, run)
    second = world.trigger()
    found = {row.ordinal: row.due_at for row in rows(world, second)}
    assert found[3] == world.clock.now() + timedelta(seconds=600 + 60)
    assert 1 not in found, "a run without logical date has no deadline that counts from it"


def test_a_missed_one_calls_once(world: World) -> None:
    world.publish("sales", deadlines=(deadline(kwargs={"channel": "x"}),))
    run = world.start_run()
    assert judge(world) == 0
    world.clock.advance(3601)
    assert judge(world) == 1
    assert judge(world) == 0
    with world.store.read() as tx:
        (line,) = tx.outbox_list()
        ((row, state, _),) = tx.deadline_list()
    assert (row.state, row.settled_at) == (D.MISSED, world.clock.now())
    assert state is not None
    assert line.payload["path"] == "m.tell"
    assert line.payload["kwargs"] == {"channel": "x"}
    assert line.payload["context"]["deadline"]["deadline_time"] == (START + HOUR).isoformat()
    assert line.payload["context"]["run"]["run_id"] == run.run_id
    assert line.payload["bundle_version"] == "b1"


def test_what_ends_in_time_meets_it_with_or_without_a_scheduler_that_says_so(world: World) -> None:
    world.publish("sales", deadlines=(deadline(),))
    told, untold = world.start_run(), world.start_run()
    world.clock.advance(60)
    finish(world, told)
    finish(world, untold, settle=False)
    assert rows(world, told)[0].state is D.MET
    assert rows(world, untold)[0].state is D.PENDING
    world.clock.advance(3600)
    assert judge(world) == 0
    assert rows(world, untold)[0].state is D.MET


def test_what_ended_late_missed_it(world: World) -> None:
    world.publish("sales", deadlines=(deadline(),))
    run = world.start_run()
    world.clock.advance(3700)
    finish(world, run)
    assert judge(world) == 1


def test_an_interval_from_a_variable(world: World) -> None:
    world.publish("sales", deadlines=(deadline(seconds=None, interval_variable="patience"),))
    run = world.start_run()
    assert rows(world, run)[0].due_at is None
    assert judge(world, patience="60") == 0
    assert rows(world, run)[0].due_at == START + timedelta(seconds=60)
    world.clock.advance(61)
    assert judge(world) == 1


def test_a_variable_that_is_no_number_voids_it(world: World) -> None:
    world.publish("sales", deadlines=(deadline(seconds=None, interval_variable="patience"),))
    one, two = world.start_run(), world.trigger()
    assert judge(world) == 0
    assert rows(world, one)[0].reason == "variable 'patience' does not exist"
    assert rows(world, two)[0].state is D.VOID
    three = world.trigger()
    judge(world, patience="soon")
    assert rows(world, three)[0].reason == "variable 'patience' is no number of seconds"


def test_a_task_has_its_own(world: World) -> None:
    world.publish(
        "sales", task("a", deadlines=(deadline(seconds=60.0),)), task("b", deadlines=(deadline(seconds=60.0),))
    )
    run = world.start_run()
    done, slow = world.put_task(run, "a"), world.put_task(run, "b")
    now = world.clock.now()
    with world.store.begin() as tx:
        tx.task_move("mark_success", [TaskMove(done.ti_id, values={"ended_at": now})], now)
    world.clock.advance(61)
    assert judge(world) == 1
    found = {row.task_id: row.state for row in rows(world, run)}
    assert found == {"a": D.MET, slow.task_id: D.MISSED}


def test_a_run_that_is_queued_again_has_its_time_again(world: World) -> None:
    world.publish("sales", task("extract"), deadlines=(deadline(), deadline(R.FIXED, 0.0, at=START + HOUR)))
    run = world.start_run()
    world.put_task(run, "extract", state=TaskInstanceState.FAILED)
    world.clock.advance(60)
    finish(world, run)
    world.clock.advance(7200)
    with world.store.begin() as tx:
        clear(tx, world.documents, world.clock.now(), ClearWish(dag_id="sales", run_id=run.run_id))
    found = {row.ordinal: (row.state, row.due_at) for row in rows(world, run)}
    assert found == {0: (D.PENDING, world.clock.now() + HOUR), 1: (D.MET, START + HOUR)}
