from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commands.test_clearing import CHAIN, S, end, ended_run, names, rows_of, run_of
from tests.unit.commands.world import World, task

from tradewind.commands.deletion import delete_dag, delete_instances, delete_run
from tradewind.commands.marking import MarkWish, mark, plan_mark, plan_run_state, set_run_state
from tradewind.commands.notes import set_run_note, set_task_note
from tradewind.ports.rows import RunRow
from tradewind.ports.store import TaskMove
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.inbox import InstanceReported, RunStopAsked
from tradewind.wire.states import DagRunState


def carry_out(world: World, run: RunRow, state: S, *tasks: str, **wish: Any) -> list[str]:
    asked = MarkWish(dag_id="sales", run_id=run.run_id, state=state, tasks=tuple((t, None) for t in tasks), **wish)
    with world.store.read() as tx:
        meant = names(plan_mark(tx, world.documents, asked))
    with world.store.begin() as tx:
        assert names(mark(tx, world.documents, world.clock.now(), asked)) == meant
    return meant


def set_state(world: World, run: RunRow, state: DagRunState) -> None:
    with world.store.begin() as tx:
        set_run_state(tx, world.clock.now(), "sales", run.run_id, state, "decided")


def test_marking_a_live_instance_tells_the_owner_which_attempt_to_stop(world: World) -> None:
    world.publish("sales", task("a"))
    run = world.start_run()
    _, token = world.queued_task(run, "a")
    assert carry_out(world, run, S.SUCCESS, "a", note="seen by hand") == ["a"]
    (event,) = world.inbox()
    assert isinstance(event, InstanceReported)
    assert (event.state, event.cancel_token) == (S.SUCCESS, token)
    row = rows_of(world, run)["a"]
    assert (row.state, row.reason, row.note) == (S.SUCCESS, "marked success", "seen by hand")


def test_marking_success_lets_what_failed_below_run_again(world: World) -> None:
    world.publish("sales", *CHAIN)
    run = ended_run(world, {"a": S.FAILED, "b": S.FAILED, "c": S.SUCCESS, "side": S.FAILED})
    assert carry_out(world, run, S.SUCCESS, "a") == ["a"]
    states = {task_id: row.state for task_id, row in rows_of(world, run).items()}
    assert states == {"a": S.SUCCESS, "b": None, "c": S.SUCCESS, "side": S.FAILED}
    assert run_of(world, run).state is DagRunState.QUEUED


def test_a_mark_keeps_what_the_task_left_and_tells_of_it(world: World) -> None:
    world.publish("sales", task("a"))
    run = world.start_run()
    row, token = world.queued_task(run, "a")
    now = world.clock.now()
    with world.store.begin() as tx:
        tx.task_move("start", [TaskMove(row.ti_id, None, token, {"started_at": now})], now)
        left = {"ended_at": now, "xcom_length": 3, "skips": ("b",)}
        tx.task_move("succeed", [TaskMove(row.ti_id, None, token, left)], now)
    carry_out(world, run, S.FAILED, "a")
    carry_out(world, run, S.SUCCESS, "a")
    kept = rows_of(world, run)["a"]
    assert (kept.xcom_length, tuple(kept.skips)) == (3, ("b",))
    told = [event for event in world.inbox() if isinstance(event, InstanceReported)]
    assert [(each.state, each.length, each.skips) for each in told] == [(S.FAILED, 3, ("b",)), (S.SUCCESS, 3, ("b",))]


def test_marking_failed_changes_only_what_was_named(world: World) -> None:
    world.publish("sales", *CHAIN)
    run = ended_run(world, {"a": S.SUCCESS, "b": S.SUCCESS, "c": S.FAILED})
    assert carry_out(world, run, S.FAILED, "a", downstream=True) == ["a", "b"]
    assert run_of(world, run).state is DagRunState.FAILED
    assert rows_of(world, run)["c"].state is S.FAILED


def test_setups_do_not_go_along_when_marking(world: World) -> None:
    world.publish("sales", task("s", is_setup=True), task("w", upstream=("s",)))
    run = ended_run(world, {"s": S.FAILED, "w": S.FAILED})
    assert carry_out(world, run, S.SKIPPED, "w") == ["w"]


def test_marks_that_nobody_can_set(world: World) -> None:
    world.publish("sales", task("a"))
    run = ended_run(world, {"a": S.FAILED})
    with pytest.raises(BadInput, match="not running"):
        carry_out(world, run, S.RUNNING, "a")
    with pytest.raises(BadInput, match="which tasks"):
        carry_out(world, run, S.SUCCESS)
    with pytest.raises(NotFound, match="no task 'x'"):
        carry_out(world, run, S.SUCCESS, "x")


def test_a_running_run_marked_as_success_marks_its_tasks_and_asks_its_owner(world: World) -> None:
    world.publish("sales", *CHAIN)
    run = world.start_run()
    world.queued_task(run, "a")
    world.put_task(run, "b")
    with world.store.read() as tx:
        assert len(plan_run_state(tx, "sales", run.run_id, DagRunState.SUCCESS)) == 2
    set_state(world, run, DagRunState.SUCCESS)
    assert {row.state for row in rows_of(world, run).values()} == {S.SUCCESS}
    events = world.inbox()
    assert [type(event) for event in events] == [InstanceReported, InstanceReported, RunStopAsked]


def test_the_state_of_a_run_that_is_over(world: World) -> None:
    world.publish("sales", task("a"))
    run = ended_run(world, {"a": S.FAILED})
    set_state(world, run, DagRunState.SUCCESS)
    assert (run_of(world, run).state, rows_of(world, run)["a"].state) == (DagRunState.SUCCESS, S.SUCCESS)
    set_state(world, run, DagRunState.FAILED)
    assert (run_of(world, run).state, run_of(world, run).reason) == (DagRunState.FAILED, "decided")
    set_state(world, run, DagRunState.QUEUED)
    assert run_of(world, run).state is DagRunState.QUEUED
    set_state(world, run, DagRunState.QUEUED)


def test_a_running_run_cannot_be_queued(world: World) -> None:
    world.publish("sales", task("a"))
    run = world.start_run()
    with pytest.raises(Conflict, match="is running"):
        set_state(world, run, DagRunState.QUEUED)
    end(world, run)
    with pytest.raises(BadInput, match="not running"):
        set_state(world, run, DagRunState.RUNNING)


def test_notes(world: World) -> None:
    world.publish("sales", task("a"))
    run = ended_run(world, {"a[0]": S.FAILED, "a[1]": S.FAILED})
    with world.store.begin() as tx:
        set_run_note(tx, "sales", run.run_id, "look")
        assert set_task_note(tx, "sales", run.run_id, "a", "both") == 2
        assert set_task_note(tx, "sales", run.run_id, "a", None, map_path="1") == 1
        with pytest.raises(NotFound, match="index 2"):
            set_task_note(tx, "sales", run.run_id, "a", "x", map_path="2")
        with pytest.raises(BadInput, match="1001 characters"):
            set_run_note(tx, "sales", run.run_id, "x" * 1001)
        assert [row.note for row in tx.task_list(run.run_key)] == ["both", None]
    assert run_of(world, run).note == "look"


def test_deleting_a_run_a_task_and_a_dag(world: World) -> None:
    world.publish("sales", task("a"), task("b"))
    run = ended_run(world, {"a": S.FAILED, "b": S.SUCCESS})
    other = ended_run(world, {"a": S.FAILED}, 1)
    with world.store.begin() as tx:
        assert delete_instances(tx, "sales", run.run_id, "a") == 1
        assert [row.task_id for row in tx.task_list(run.run_key)] == ["b"]
        delete_run(tx, "sales", run.run_id)
        assert tx.run_get(run.run_key) is None
        assert tx.task_list(run.run_key) == []
        assert delete_dag(tx, "sales") == 1
        assert (tx.dag_get("sales"), tx.run_get(other.run_key), tx.list_versions("sales")) == (None, None, [])


def test_what_runs_is_not_deleted(world: World) -> None:
    world.publish("sales", task("a"))
    run = world.start_run()
    with world.store.begin() as tx:
        for refused in (
            lambda: delete_run(tx, "sales", run.run_id),
            lambda: delete_dag(tx, "sales"),
            lambda: delete_instances(tx, "sales", run.run_id, "a"),
        ):
            with pytest.raises(Conflict, match="run"):
                refused()


def test_a_queued_run_that_is_marked_failed_skips_what_its_dry_run_named(world: World) -> None:
    world.publish("sales", *CHAIN)
    run = ended_run(world, {"a": S.SUCCESS, "b": S.FAILED, "c": S.UPSTREAM_FAILED, "side": S.SUCCESS})
    set_state(world, run, DagRunState.QUEUED)
    carry_out(world, run, S.SUCCESS, "b")  # what failed below it may run again: it has no state now
    with world.store.read() as tx:
        meant = {row.task_id for row in plan_run_state(tx, "sales", run.run_id, DagRunState.FAILED)}
    assert meant
    before = {task_id: row.state for task_id, row in rows_of(world, run).items()}
    set_state(world, run, DagRunState.FAILED)
    after = {task_id: row.state for task_id, row in rows_of(world, run).items()}
    assert run_of(world, run).state is DagRunState.FAILED
    assert after == {task_id: S.SKIPPED if task_id in meant else state for task_id, state in before.items()}
