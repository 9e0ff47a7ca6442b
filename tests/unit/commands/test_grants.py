"""Attempts granted in advance to one agent: nobody else may begin them, and they are lost with it."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.commands.test_execution import SUCCESS, Agent
from tests.unit.commands.world import World

from tradewind.commands.documents import Documents
from tradewind.commands.lost import GRANT_PATIENCE, end_lost_agents
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import TaskMove
from tradewind.wire import execution as wire
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

S = TaskInstanceState


def granted(world: World, incarnation: str) -> tuple[TaskRow, str]:
    """A task instance queued for one agent; its token."""
    world.publish("sales")
    row = world.put_task(world.start_run())
    token = world.new_id().replace("-", "")
    now = world.clock.now()
    values = {"attempt_token": token, "try_number": 1, "queued_at": now, "holds_slot": True, "agent": incarnation}
    with world.store.begin() as tx:
        tx.task_move("queue", [TaskMove(row.ti_id, values=values)], now)
        tx.pool_use({row.pool: row.pool_slots})
    return row, token


def test_only_its_agent_may_claim_it(world: World) -> None:
    chosen, other = Agent(world, "host:0"), Agent(world, "host:1")
    row, token = granted(world, chosen.incarnation)
    assert isinstance(other.ask(wire.Claim(token=token, pid=1)), wire.Stop)
    assert world.row(row).state is S.QUEUED
    assert isinstance(chosen.ask(wire.Claim(token=token, pid=1)), wire.Go)
    assert world.row(row).state is S.RUNNING


def test_claim_and_report_may_come_in_one_message(world: World) -> None:
    agent = Agent(world)
    row, token = granted(world, agent.incarnation)
    replies = agent.say(wire.Claim(token=token, pid=1), wire.Report(token, SUCCESS))
    assert [type(reply) for reply in replies] == [wire.Go, wire.Done]
    assert world.row(row).state is S.SUCCESS
    assert world.row(row).started_at is not None


def test_it_is_lost_with_its_agent_though_no_claim_came(world: World) -> None:
    agent = Agent(world, "host:0")
    row, token = granted(world, agent.incarnation)
    again = Agent(world, "host:0")
    after = world.row(row)
    assert after.state is S.UP_FOR_RETRY
    assert after.infrastructure_tries == 1
    assert isinstance(again.ask(wire.Claim(token=token, pid=1)), wire.Stop)


def test_an_agent_that_is_not_known_yet_keeps_its_grant_for_a_while(world: World) -> None:
    row, _ = granted(world, "not introduced yet")

    def look() -> None:
        with world.store.begin() as tx:
            end_lost_agents(tx, Documents(), world.clock.now(), 10.0, DEFAULT_LIMITS)

    look()
    assert world.row(row).state is S.QUEUED
    world.clock.advance((GRANT_PATIENCE + timedelta(seconds=1)).total_seconds())
    look()
    assert world.row(row).state is S.UP_FOR_RETRY
    assert world.row(row).cause is CauseOfDeath.LOST
