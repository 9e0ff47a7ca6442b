from __future__ import annotations

import threading

import pytest
from tests.unit.commands.test_execution import Agent
from tests.unit.commands.world import OWNER, World, task

from tradewind.commands.pools import set_pool
from tradewind.kernel.service import ServiceState
from tradewind.kernel.settings import load_settings
from tradewind.maintenance import (
    ForgottenComponents,
    LostAgents,
    OrphanedHolds,
    Retention,
    SlotsAudit,
    maintenance_services,
)
from tradewind.maintenance.duty import Duty
from tradewind.ports.logs import attempt_log
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import TaskMove
from tradewind.wire.errors import Unavailable
from tradewind.wire.execution import XComEntry, XComValue
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

S = TaskInstanceState
LOST_SECONDS = 10.0


@pytest.fixture
def world() -> World:
    world = World()
    world.publish("sales", task("extract"), task("load"))
    return world


class Watch:
    """The duty, with API servers that beat (or do not) as time passes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.duty = LostAgents(world.store, world.clock, LOST_SECONDS, 3)
        self.server = world.beat("api-server", "host:8080")

    def pass_seconds(self, seconds: int, *, served: bool = True) -> None:
        for _ in range(seconds):
            self.world.clock.advance(1)
            if served:
                self.world.beat("api-server", "host:8080", self.server)
            self.duty.turn()


def test_a_silent_agent_is_lost_and_its_attempts_are_tried_again(world: World) -> None:
    run = world.start_run()
    agent = Agent(world)
    row, _ = agent.begin(world, run)
    with world.store.listen(["inbox", "agents"]) as bell:
        Watch(world).pass_seconds(12)
        assert bell.wait(0) == {"inbox", "agents"}
    present = world.row(row)
    assert (present.state, present.cause, present.infrastructure_tries) == (S.UP_FOR_RETRY, CauseOfDeath.LOST, 1)
    assert "fell silent" in (present.reason or "")
    assert [event.state for event in world.inbox()] == [S.UP_FOR_RETRY]
    with world.store.read() as tx:
        assert world.agents(tx) == []


def test_an_agent_that_is_heard_keeps_its_attempts(world: World) -> None:
    run = world.start_run()
    agent = Agent(world)
    row, _ = agent.begin(world, run)
    watch = Watch(world)
    for _ in range(4):
        watch.pass_seconds(9)
        world.beat("agent", agent.name, agent.incarnation)
    assert world.row(row).state is S.RUNNING


def test_nobody_is_lost_while_no_api_server_could_have_heard_him(world: World) -> None:
    run = world.start_run()
    agent = Agent(world)
    row, _ = agent.begin(world, run)
    watch = Watch(world)
    watch.pass_seconds(5)
    world.beat("agent", agent.name, agent.incarnation)
    watch.pass_seconds(60, served=False)
    assert world.row(row).state is S.RUNNING
    # The server is back: agents have their time to come back too.
    watch.pass_seconds(9)
    assert world.row(row).state is S.RUNNING
    world.beat("agent", agent.name, agent.incarnation)
    watch.pass_seconds(9)
    assert world.row(row).state is S.RUNNING
    watch.pass_seconds(4)
    assert world.row(row).state is S.UP_FOR_RETRY


def test_a_database_that_was_away_starts_the_watch_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run = world.start_run()
    row, _ = Agent(world).begin(world, run)
    watch = Watch(world)
    watch.pass_seconds(9)

    def away() -> None:
        raise Unavailable("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "read", away)
        with pytest.raises(Unavailable):
            watch.duty.turn()
    watch.pass_seconds(8)
    assert world.row(row).state is S.RUNNING
    watch.pass_seconds(4)
    assert world.row(row).state is S.UP_FOR_RETRY


def test_a_duty_that_stood_still_starts_the_watch_anew(world: World) -> None:
    """A database that answers late, a process that was stopped: agents were not heard then, though nothing failed."""
    run = world.start_run()
    row, _ = Agent(world).begin(world, run)
    watch = Watch(world)
    watch.pass_seconds(9)

    world.clock.advance(11)
    watch.pass_seconds(9)
    assert world.row(row).state is S.RUNNING
    watch.pass_seconds(4)
    assert world.row(row).state is S.UP_FOR_RETRY


def test_attempts_of_an_agent_that_is_not_registered_are_lost_too(world: World) -> None:
    run = world.start_run()
    agent = Agent(world)
    row, _ = agent.begin(world, run)
    with world.store.begin() as tx:
        tx.component_stop("agent", agent.incarnation)
    Watch(world).pass_seconds(12)
    assert world.row(row).state is S.UP_FOR_RETRY


def test_rows_of_processes_long_gone_are_removed(world: World) -> None:
    duty = ForgottenComponents(world.store, 60, lease_seconds=10)
    for kind in ("scheduler", "dag-processor", "agent"):
        world.beat(kind)
    world.clock.advance(299)
    duty.turn()
    world.beat("scheduler", "living")
    with world.store.read() as tx:
        assert len(tx.component_list()) == 4
    world.clock.advance(2)
    duty.turn()
    with world.store.read() as tx:
        assert {(row.kind, row.name) for row in tx.component_list()} == {("scheduler", "living"), ("agent", "host:0")}


def test_counters_that_went_wrong_are_corrected_and_rung(world: World) -> None:
    with world.store.begin() as tx:
        set_pool(tx, "db", 3)
        tx.pool_use({"db": 2})
    duty = SlotsAudit(world.store, 60)
    with world.store.listen(["limits"]) as bell:
        duty.turn()
        assert bell.wait(0) == {"limits"}
        duty.turn()
        assert bell.wait(0) == frozenset()
    with world.store.read() as tx:
        assert [(pool.name, pool.used) for pool in tx.pool_list()] == [("db", 0), ("default_pool", 0)]


def orphan(world: World) -> tuple[RunRow, TaskRow]:
    """An instance that kept its slot though its run has ended: what a bug of the owner would leave."""
    run = world.start_run()
    row, token = world.queued_task(run)
    now = world.clock.now()
    with world.store.begin() as tx:
        values = {"ended_at": now, "cause": CauseOfDeath.USER}
        assert tx.task_move("stop", [TaskMove(row.ti_id, None, token, values)], now)
        assert tx.run_move("fail", run.run_key, owner=OWNER, epoch=run.epoch, reason="x", now=now)
    return run, row


def used(world: World) -> int:
    with world.store.read() as tx:
        pool = tx.pool_get("default_pool")
    assert pool is not None
    return pool.used


def test_slots_that_instances_of_ended_runs_hold_are_given_back(world: World) -> None:
    _, row = orphan(world)
    live, _ = world.queued_task(world.start_run(), "load")
    duty = OrphanedHolds(world.store, 60, batch_max=100)
    duty.turn()
    assert used(world) == 2, "the end of the run was a moment ago: its owner may be about to do it"
    world.clock.advance(61)
    with world.store.listen(["limits"]) as bell:
        duty.turn()
        assert bell.wait(0) == {"limits"}
    assert (used(world), world.row(row).holds_slot, world.row(live).holds_slot) == (1, False, True)


def test_an_ended_run_is_looked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run, row = orphan(world)
    with world.store.begin() as tx:
        tx.task_release([row.ti_id])
    world.clock.advance(61)
    duty = OrphanedHolds(world.store, 60, batch_max=100)
    assert used(world) == 1
    duty.turn()

    def refuse(*_: object) -> None:
        raise AssertionError(f"run {run.run_key} was looked at again")

    with world.store.read() as tx:
        monkeypatch.setattr(type(tx), "task_list", refuse)
    duty.turn()


class Counting(Duty):
    """Fails in the way it is told, and says when it had its turns."""

    def __init__(self, world: World, error: Exception | None = None) -> None:
        super().__init__("counting", world.store, 0.001)
        self.error = error
        self.turns = 0
        self.third = threading.Event()

    def turn(self) -> float | None:
        self.turns += 1
        if self.turns == 3:
            self.third.set()
        if self.error is not None:
            raise self.error
        return None


@pytest.mark.parametrize("error", [None, Unavailable("away")])
def test_a_duty_goes_on_turn_by_turn_also_without_database(world: World, error: Exception | None) -> None:
    duty = Counting(world, error)
    duty.start()
    assert duty.third.wait(30)
    assert duty.stop(30)
    assert duty.state is ServiceState.STOPPED


def test_any_other_error_ends_the_duty(world: World) -> None:
    duty = Counting(world, ValueError("a bug"))
    duty.start()
    assert duty.join(30)
    assert isinstance(duty.failure, ValueError)


def test_all_duties_start_and_stop(world: World, tmp_path) -> None:
    duties = maintenance_services(world.store, world.clock, load_settings({}, tmp_path))
    for duty in duties:
        duty.start()
        assert duty.wait_ready(30)
    for duty in duties:
        duty.request_stop()
        assert duty.join(30)
    assert len({duty.name for duty in duties}) == len(duties) >= 5


def test_retention_deletes_runs_with_their_logs_and_values(world: World, tmp_path) -> None:
    settings = load_settings(
        {"TRADEWIND__RETENTION__RUNS_KEEP": "1", "TRADEWIND__RETENTION__DAGS": '{"kept": {}}'}, tmp_path
    )
    value = tmp_path / "values" / "v"
    value.parent.mkdir()
    value.write_text("1")
    foreign = tmp_path / "foreign"
    foreign.write_text("1")
    for dag_id in ("sales", "kept"):
        world.publish(dag_id)
        for number in range(3):
            run = world.start_run(dag_id, run_id=f"r{number}")
            row = world.put_task(run, "extract")
            outside = [
                XComEntry(key, XComValue(url=f"file://{path}", size=1)) for key, path in (("a", value), ("b", foreign))
            ]
            log = attempt_log(settings.logs.folder, dag_id, run.run_id, "extract", "", 1)
            log.parent.mkdir(parents=True)
            log.write_text("{}")
            with world.store.begin() as tx:
                tx.xcom_put(row, outside, world.clock.now())
                tx.run_move("succeed", run.run_key, owner=OWNER, epoch=run.epoch, now=world.clock.now())
            world.clock.advance(1)
    Retention(world.store, settings).turn()
    with world.store.read() as tx:
        assert [run.run_id for run in tx.list_runs(dag_id="sales")] == ["r2"]
        assert len(tx.list_runs(dag_id="kept")) == 3
    logs = settings.logs.folder
    assert sorted(path.name for path in (logs / "dag_id=sales").iterdir()) == ["run_id=r2"]
    assert len(list((logs / "dag_id=kept").iterdir())) == 3
    assert not value.exists()
    assert foreign.exists(), "only what lies where values go"
