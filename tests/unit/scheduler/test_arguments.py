"""Arguments of DAGs and tasks that the scheduler gives their effect."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from tests.unit.commands.world import START, task
from tests.unit.scheduler.engine import Engine

from tradewind.commands.clearing import ClearWish, clear
from tradewind.wire.states import DagRunState, TaskInstanceState


def _rows(engine: Engine, run_key: str) -> dict[str, TaskInstanceState | None]:
    with engine.store.read() as tx:
        return {row.task_id: row.state for row in tx.task_list(run_key)}


def test_a_task_out_of_its_dates_has_no_instance() -> None:
    engine = Engine()
    tasks = (task("a"), task("b", upstream=("a",), start_date=START + timedelta(days=1)), task("c", upstream=("b",)))
    engine.world.publish("sales", *tasks)
    now = engine.world.trigger("sales", logical_date=START)
    engine.rounds(8)
    assert _rows(engine, now.run_key) == {"a": "success", "c": "success"}
    assert engine.run(now.run_key).state is DagRunState.SUCCESS
    engine.world.clock.advance(200_000)
    engine.scheduler.beat()
    later = engine.world.trigger("sales", logical_date=START + timedelta(days=2))
    engine.rounds(8)
    assert set(_rows(engine, later.run_key)) == {"a", "b", "c"}


def test_attempts_of_unpinned_runs_use_the_newest_tree() -> None:
    engine = Engine()
    engine.world.publish("sales", task("a"), row={"bundle_version": "b1"}, disable_bundle_versioning=True)
    engine.world.trigger("sales")
    with engine.store.begin() as tx:
        row = tx.dag_get("sales")
        assert row is not None
        tx.dag_put(replace(row, bundle_version="b2"))
    engine.step()
    assert engine.hand.given[-1].bundle_version == "b2"


def test_a_task_that_the_run_before_did_not_have() -> None:
    for ignore in (True, False):
        engine = Engine()
        engine.world.publish("sales", task("a"))
        engine.world.trigger("sales", logical_date=START)
        engine.rounds(3)
        new = task("new", depends_on_past=True, ignore_first_depends_on_past=ignore)
        engine.world.publish("sales", task("a"), new)
        second = engine.world.trigger("sales", logical_date=START + timedelta(seconds=2))
        engine.rounds(4)
        assert (_rows(engine, second.run_key)["new"] == "success") is ignore


def test_clearing_follows_what_the_dag_says_about_versions() -> None:
    for said, moves in ((None, True), (False, False)):
        engine = Engine()
        old = engine.world.publish("sales", task("a"))
        run = engine.world.trigger("sales")
        engine.rounds(3)
        new = engine.world.publish("sales", task("a", retries=1), rerun_with_latest_version=True)
        wish = ClearWish(dag_id="sales", run_id=run.run_id, newest_version=said)
        with engine.store.begin() as tx:
            clear(tx, engine.world.documents, tx.now(), wish)
        assert engine.run(run.run_key).version_id == (new if moves else old)
