from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.commands.world import OWNER, World, task

from tradewind.commands import retention
from tradewind.commands.retention import Policy, chosen_dags, clean_runs, count_expired, prune_runs, read_policies
from tradewind.wire.errors import BadInput, InvalidSetting
from tradewind.wire.states import TaskInstanceState

DAY = timedelta(days=1)


def ended_runs(world: World, count: int, tasks: int = 1, dag_id: str = "sales") -> None:
    """One a day, the last one today."""
    for number in range(count):
        run = world.start_run(dag_id, run_id=f"r{number}")
        for each in range(tasks):
            world.put_task(run, f"t{each}", state=TaskInstanceState.SUCCESS)
        with world.store.begin() as tx:
            assert tx.run_move("succeed", run.run_key, owner=OWNER, epoch=run.epoch, now=world.clock.now())
        world.clock.advance(DAY.total_seconds())


def left(world: World, dag_id: str = "sales") -> list[str]:
    with world.store.read() as tx:
        return [run.run_id for run in reversed(tx.list_runs(dag_id=dag_id))]


def prune(world: World, policy: Policy) -> int:
    """Pieces until nothing is left to do; how many."""
    pieces = 0
    while True:
        with world.store.begin() as tx:
            piece = prune_runs(tx, "sales", policy, world.clock.now())
        if not piece.more:
            return pieces
        pieces += 1


def test_policies_by_age_and_count(world: World) -> None:
    world.publish("sales", task("a"))
    ended_runs(world, 6)
    assert prune(world, Policy()) == 0
    prune(world, Policy(age=4 * DAY))
    assert left(world) == ["r2", "r3", "r4", "r5"]
    prune(world, Policy(keep=2))
    assert left(world) == ["r4", "r5"]
    prune(world, Policy(age=timedelta(seconds=1), keep=1))
    assert left(world) == ["r5"], "the newest stays in any case"


def test_pieces_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_MAX", 4)
    world.publish("sales", task("a"))
    ended_runs(world, 4, tasks=3)
    assert prune(world, Policy(keep=1)) == 3, "one run of three tasks fits into a piece"
    monkeypatch.setattr(retention, "ROWS_MAX", 2)
    ended_runs_again = world.start_run(run_id="giant")
    for each in range(5):
        world.put_task(ended_runs_again, f"g{each}", state=TaskInstanceState.SUCCESS)
    with world.store.begin() as tx:
        now = world.clock.now()
        tx.run_move("succeed", ended_runs_again.run_key, owner=OWNER, epoch=ended_runs_again.epoch, now=now)
    world.clock.advance(1)
    ended = world.start_run(run_id="last")
    assert ended.run_id == "last"
    with world.store.begin() as tx:
        first = prune_runs(tx, "sales", Policy(keep=1), world.clock.now())
        assert (first.runs, first.rows, first.more) == ((), 2, True)
    prune(world, Policy(keep=1))
    assert left(world) == ["last"]


def test_what_is_deleted_can_be_archived(world: World) -> None:
    world.publish("sales", task("a"))
    ended_runs(world, 3)
    with world.store.begin() as tx:
        now = world.clock.now()
        assert count_expired(tx, ["sales"], now) == {"sales": (2, 2)}
        piece = clean_runs(tx, "sales", now, now)
        assert [run.run_id for run in piece.runs] == ["r0", "r1"]
        assert tx.archive_count() == {"dag_run": 2, "task_instance": 2}
        assert count_expired(tx, ["sales"], now) == {}


def test_the_policy_of_a_dag() -> None:
    found = read_policies(30, 0, '{"ticks_*": {"days": 7, "keep": 100}, "audit_?": {}}')
    assert found.of("sales") == Policy(30 * DAY)
    assert found.of("ticks_1") == Policy(7 * DAY, 100)
    assert found.of("audit_1").keeps_all
    assert read_policies(0, 0, "").of("x").keeps_all
    for wrong in ("[]", "{", '{"a": 1}', '{"a": {"weeks": 1}}', '{"a": {"days": -1}}'):
        with pytest.raises(InvalidSetting, match=r"retention\.dags"):
            read_policies(0, 0, wrong)


def test_dags_by_pattern(world: World) -> None:
    for dag_id in ("a1", "a2", "b"):
        world.publish(dag_id)
    with world.store.read() as tx:
        assert chosen_dags(tx) == ["a1", "a2", "b"]
        assert chosen_dags(tx, ["a*"], ["a2"]) == ["a1"]
        with pytest.raises(BadInput, match="'c'"):
            chosen_dags(tx, ["c"])
