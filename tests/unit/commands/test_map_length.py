"""core.max_map_length: a task that returns too much for its mapped readers fails and says so. Grants: who may begin."""

from __future__ import annotations

from tests.unit.commands.test_execution import Agent, value
from tests.unit.commands.world import World, task

from tradewind.commands.execution import ExecutionDesk
from tradewind.domain.retry import RetryLimits
from tradewind.wire import execution as wire
from tradewind.wire.document import FromTask, Mapping
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

MAPPED = Mapping(arguments=(("x", FromTask("extract")),))


def returned(length: int) -> wire.Outcome:
    entry = wire.XComEntry("return_value", value(b"[]", length))
    return wire.Outcome(state=TaskInstanceState.SUCCESS, duration_seconds=0.1, xcoms=(entry,))


def agent_with_limit(world: World, length: int) -> Agent:
    agent = Agent(world)
    limits = RetryLimits(map_length_max=length)
    agent.desk = ExecutionDesk(world.store, world.clock, world.vault, world.new_id, limits)
    return agent


def test_a_value_too_long_for_its_mapped_readers_fails_its_task(world: World) -> None:
    world.publish("sales", task("extract", retries=3), task("load", upstream=("extract",), mapping=MAPPED))
    run = world.start_run()
    agent = agent_with_limit(world, 10)
    row, token = agent.begin(world, run)
    agent.ask(wire.Report(token, returned(11)))
    after = world.row(row)
    assert after.state is TaskInstanceState.FAILED
    assert after.cause is CauseOfDeath.FAIL_NOW
    assert "returned 11 items" in (after.reason or "")
    assert "core.max_map_length" in (after.reason or "")


def test_at_the_limit_or_without_mapped_readers_it_is_fine(world: World) -> None:
    world.publish("sales", task("extract"), task("load", upstream=("extract",), mapping=MAPPED), task("report"))
    run = world.start_run()
    agent = agent_with_limit(world, 10)
    for task_id, length in (("extract", 10), ("report", 11)):
        row, token = agent.begin(world, run, task_id)
        agent.ask(wire.Report(token, returned(length)))
        assert world.row(row).state is TaskInstanceState.SUCCESS
