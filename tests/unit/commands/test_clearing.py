from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.unit.commands.world import OWNER, World, task

from tradewind.commands.clearing import ClearPlan, ClearWish, clear, clear_run, plan_clear
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import TaskMove
from tradewind.wire.document import GroupDocument
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.inbox import InstancesCleared, RunRenewed
from tradewind.wire.states import DagRunState, TaskInstanceState

S = TaskInstanceState
DAY = datetime(2026, 3, 1, tzinfo=UTC)
CHAIN = (task("a"), task("b", upstream=("a",)), task("c", upstream=("b",)), task("side"))


def end(world: World, run: RunRow, state: str = "fail") -> None:
    with world.store.begin() as tx:
        assert tx.run_move(state, run.run_key, owner=OWNER, epoch=run.epoch, now=world.clock.now())


def ended_run(world: World, states: dict[str, S | None], day: int = 0, tasks: tuple[Any, ...] = ()) -> RunRow:
    """A run that is over, with instances in these states ("id" or "id[path]")."""
    run = world.start_run(logical_date=DAY + timedelta(days=day - 10))
    for place, state in states.items():
        task_id, _, path = place.removesuffix("]").partition("[")
        row = world.put_task(run, task_id, map_path=path)
        if state is not None:
            world.queue(row)
            change = {S.SUCCESS: "mark_success", S.FAILED: "mark_failed", S.SKIPPED: "mark_skipped"}.get(state)
            now = world.clock.now()
            with world.store.begin() as tx:
                if change is not None:
                    tx.task_move(change, [TaskMove(row.ti_id, values={"ended_at": now})], now)
    end(world, run)
    return run


def plan(world: World, **wish: Any) -> list[str]:
    with world.store.read() as tx:
        return names(plan_clear(tx, world.documents, ClearWish(dag_id="sales", **wish)))


def names(found: ClearPlan) -> list[str]:
    return sorted(f"{row.task_id}[{row.map_path}]" if row.map_path else row.task_id for row in found.rows)


def carry_out(world: World, **wish: Any) -> ClearPlan:
    with world.store.begin() as tx:
        return clear(tx, world.documents, world.clock.now(), ClearWish(dag_id="sales", **wish))


def run_of(world: World, run: RunRow) -> RunRow:
    with world.store.read() as tx:
        found = tx.run_get(run.run_key)
    assert found is not None
    return found


def rows_of(world: World, run: RunRow) -> dict[str, TaskRow]:
    with world.store.read() as tx:
        return {row.task_id: row for row in tx.task_list(run.run_key)}


@pytest.mark.parametrize(
    ("wish", "meant"),
    [
        ({}, ["a", "b", "c", "side"]),
        ({"tasks": (("b", None),)}, ["b"]),
        ({"tasks": (("b", None),), "downstream": True}, ["b", "c"]),
        ({"tasks": (("b", None),), "upstream": True}, ["a", "b"]),
        ({"only_failed": True}, ["b"]),
        ({"tasks": (("a", None),), "downstream": True, "only_failed": True}, ["b"]),
        ({"groups": ("g",)}, ["side"]),
    ],
)
def test_what_a_wish_means(world: World, wish: dict[str, Any], meant: list[str]) -> None:
    world.publish("sales", *CHAIN[:3], task("side", group_id="g"), groups=(GroupDocument(group_id="g", label="g"),))
    run = ended_run(world, {"a": S.SUCCESS, "b": S.FAILED, "c": None, "side": S.SUCCESS})
    assert plan(world, run_id=run.run_id, **wish) == meant


def test_the_dry_run_changes_nothing_and_names_what_is_then_cleared(world: World) -> None:
    world.publish("sales", *CHAIN)
    run = ended_run(world, {"a": S.SUCCESS, "b": S.FAILED})
    wish = {"run_id": run.run_id, "tasks": (("b", None),)}
    before = plan(world, **wish)
    assert run_of(world, run).state is DagRunState.FAILED
    assert names(carry_out(world, note="again", **wish)) == before == ["b"]
    assert (run_of(world, run).state, run_of(world, run).clear_number) == (DagRunState.QUEUED, 1)
    row = rows_of(world, run)["b"]
    assert (row.state, row.note) == (None, "again")


def test_indexes_of_a_mapped_task(world: World) -> None:
    world.publish("sales", task("a"), task("b", upstream=("a",)))
    run = ended_run(world, {"a[0]": S.FAILED, "a[1]": S.SUCCESS, "b": S.SUCCESS})
    assert plan(world, run_id=run.run_id, tasks=(("a", "0"),)) == ["a[0]"]
    assert plan(world, run_id=run.run_id, tasks=(("a", "0"),), downstream=True) == ["a[0]", "b"]
    with pytest.raises(NotFound, match="no index 7"):
        plan(world, run_id=run.run_id, tasks=(("a", "7"),))


def test_future_and_past_runs_go_along(world: World) -> None:
    world.publish("sales", task("a"))
    runs = [ended_run(world, {"a": S.SUCCESS}, day) for day in range(4)]
    with world.store.read() as tx:

        def days(**wish: Any) -> list[str]:
            found = plan_clear(tx, world.documents, ClearWish(dag_id="sales", tasks=(("a", None),), **wish))
            return [each.run.run_id for each in found.runs]

        ids = [run.run_id for run in runs]
        assert days(run_id=ids[1], future=True) == ids[1:]
        assert days(run_id=ids[1], past=True) == ids[:2]
        assert days(run_id=ids[1], past=True, future=True) == ids
        assert days(start=runs[1].logical_date, end=runs[2].logical_date) == ids[1:3]


def test_without_reset_the_run_stays_over(world: World) -> None:
    world.publish("sales", task("a"))
    run = ended_run(world, {"a": S.FAILED})
    carry_out(world, run_id=run.run_id, reset_runs=False)
    assert run_of(world, run).state is DagRunState.FAILED
    assert rows_of(world, run)["a"].state is None


def test_setups_and_teardowns_go_along(world: World) -> None:
    world.publish(
        "sales",
        task("s", is_setup=True),
        task("w", upstream=("s",)),
        task("t", upstream=("w", "s"), is_teardown=True, setups=("s",)),
    )
    run = ended_run(world, {"s": S.SUCCESS, "w": S.FAILED, "t": S.SUCCESS})
    assert plan(world, run_id=run.run_id, only_failed=True) == ["s", "t", "w"]


def test_the_newest_version_renews_rows_and_run_and_tells_the_owner(world: World) -> None:
    world.publish("sales", task("a"))
    run = world.start_run()
    row = world.put_task(run, "a")
    newest = world.publish("sales", task("a", pool="other", retries=3), task("b"))
    carry_out(world, run_id=run.run_id, newest_version=True)
    assert [type(event) for event in world.inbox()] == [RunRenewed, InstancesCleared]
    assert run_of(world, run).version_id == newest
    present = world.row(row)
    assert (present.version_id, present.pool, present.max_tries) == (newest, "other", 3)


def test_only_what_is_new_clears_nothing_and_starts_the_run_again(world: World) -> None:
    world.publish("sales", task("a"))
    run = ended_run(world, {"a": S.SUCCESS})
    newest = world.publish("sales", task("a"), task("b"))
    with world.store.begin() as tx:
        plan = clear_run(tx, world.documents, world.clock.now(), "sales", run.run_id, only_new=True, note="more")
    assert plan.rows == []
    present = run_of(world, run)
    assert (present.state, present.version_id, present.note) == (DagRunState.QUEUED, newest, "more")


def test_what_runs_can_be_spared(world: World) -> None:
    world.publish("sales", task("a"))
    run = world.start_run()
    row, token = world.queued_task(run, "a")
    now = world.clock.now()
    with world.store.begin() as tx:
        values = {"started_at": now, "agent": "x", "hostname": "h", "pid": 1}
        tx.task_move("start", [TaskMove(row.ti_id, None, token, values)], now)
    with pytest.raises(Conflict, match="'a' is running"):
        plan(world, run_id=run.run_id, prevent_running=True)
    assert plan(world, run_id=run.run_id, only_running=True) == ["a"]


@pytest.mark.parametrize(
    ("wish", "error", "message"),
    [
        ({"run_id": "nope"}, NotFound, "no run 'nope'"),
        ({"tasks": (("x", None),)}, NotFound, "no task 'x'"),
        ({"groups": ("x",)}, NotFound, "no task group 'x'"),
        ({"future": True}, BadInput, "name it"),
        ({"start": DAY, "end": DAY - timedelta(days=1)}, BadInput, "ends .* before"),
        ({"run_id": "r", "start": DAY}, BadInput, "not both"),
        ({"only_failed": True, "only_running": True}, BadInput, "exclude"),
        ({"only_new": True}, BadInput, "newest version"),
    ],
)
def test_wishes_that_make_no_sense(world: World, wish: dict[str, Any], error: type[Exception], message: str) -> None:
    world.publish("sales", task("a"))
    ended_run(world, {"a": S.SUCCESS})
    with pytest.raises(error, match=message):
        plan(world, **wish)


def marker(task_id: str, dag_id: str, named: str, **facts: Any) -> Any:
    arguments = {
        "external_dag_id": repr(dag_id),
        "external_task_id": repr(named),
        "logical_date": "'{{ logical_date.isoformat() }}'",
    }
    return task(task_id, **facts, arguments=arguments)


def as_marker(document: Any) -> Any:
    return msgspec.structs.replace(document, operator="ExternalTaskMarker")


def marked_worlds(world: World) -> tuple[RunRow, RunRow]:
    """`sales` marks `later`, which marks `sales` again; a run of each for the same date."""
    world.publish("sales", task("a"), as_marker(marker("m", "later", "x", upstream=("a",))), task("side"))
    world.publish(
        "later",
        task("w"),
        task("x"),
        task("y", upstream=("x",)),
        as_marker(marker("back", "sales", "side", upstream=("y",))),
    )
    runs = []
    for dag_id, tasks in (("sales", "a m side"), ("later", "w x y back")):
        run = world.start_run(dag_id, logical_date=DAY)
        for task_id in tasks.split():
            world.put_task(run, task_id, state=S.SUCCESS)
        end(world, run, "succeed")
        runs.append(run)
    return runs[0], runs[1]


def test_marked_tasks_of_other_dags_run_again_too(world: World) -> None:
    sales, later = marked_worlds(world)
    wish = ClearWish(dag_id="sales", run_id=sales.run_id, tasks=(("a", None),), downstream=True)
    with world.store.read() as tx:
        plan = plan_clear(tx, world.documents, wish)
    found = {each.run.dag_id: sorted(row.task_id for row in each.rows) for each in plan.runs}
    assert found == {"sales": ["a", "m", "side"], "later": ["back", "x", "y"]}
    with world.store.begin() as tx:
        clear(tx, world.documents, world.clock.now(), wish)
    assert {run_of(world, run).state for run in (sales, later)} == {DagRunState.QUEUED}


def test_markers_that_are_not_meant_or_name_nothing(world: World) -> None:
    sales, _ = marked_worlds(world)
    with world.store.read() as tx:
        alone = plan_clear(tx, world.documents, ClearWish(dag_id="sales", run_id=sales.run_id, with_marked=False))
        assert {each.run.dag_id for each in alone.runs} == {"sales"}
    with world.store.begin() as tx:
        (row,) = (row for row in tx.task_list(sales.run_key) if row.task_id == "m")
        tx.rendered_put(row.ti_id, {"external_dag_id": "later", "external_task_id": "x", "logical_date": "2020-01-01"})
        plan = plan_clear(tx, world.documents, ClearWish(dag_id="sales", run_id=sales.run_id))
        assert {each.run.dag_id for each in plan.runs} == {"sales"}
