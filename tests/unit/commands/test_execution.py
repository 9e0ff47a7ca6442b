from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.commands.world import START, World, task

from tradewind.commands import secrets
from tradewind.commands.execution import FORGOTTEN_AFTER, ExecutionDesk
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.wire import execution as wire
from tradewind.wire.inbox import InstanceReported
from tradewind.wire.states import CauseOfDeath, DagRunType, TaskInstanceState

S = TaskInstanceState
SUCCESS = wire.Outcome(state=S.SUCCESS, duration_seconds=1.5)
HELLO = wire.Hello(hostname="host", pid=7, slots=4, executor="local")


def value(data: bytes, length: int | None = None) -> wire.XComValue:
    return wire.XComValue(data=data, size=len(data), length=length)


def failed(cause: CauseOfDeath = CauseOfDeath.EXCEPTION, **facts: Any) -> wire.Outcome:
    return wire.Outcome(state=S.FAILED, cause=cause, reason="ValueError: no", **facts)


class Agent:
    """Speaks to the desk as one incarnation."""

    def __init__(self, world: World, name: str = "host:0", *, introduced: bool = True) -> None:
        self.desk = ExecutionDesk(world.store, world.clock, world.vault, world.new_id)
        self.name = name
        self.incarnation = world.new_id()
        self.sequence = 0
        if introduced:
            self.say(HELLO)

    def say(self, *messages: wire.AgentMessage) -> list[wire.Reply]:
        self.sequence += 1
        return self.desk.exchange(
            wire.Exchange(
                agent=self.name, incarnation=self.incarnation, sequence=self.sequence, messages=list(messages)
            )
        )

    def ask(self, message: wire.AgentMessage) -> wire.Reply:
        (reply,) = self.say(message)
        return reply

    def begin(self, world: World, run: RunRow, task_id: str = "extract", **facts: Any) -> tuple[TaskRow, str]:
        row, token = world.queued_task(run, task_id, **facts)
        assert isinstance(self.ask(wire.Claim(token=token, pid=42)), wire.Go)
        return row, token


@pytest.fixture
def run(world: World) -> RunRow:
    world.publish("sales", task("extract"), task("load", retries=1, retry_delay_seconds=60.0))
    return world.start_run()


def test_an_attempt_from_claim_to_success(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, token = world.queued_task(run)
    assert agent.ask(wire.Claim(token=token, pid=42)) == wire.Go()
    present = world.row(row)
    assert (present.state, present.agent, present.hostname, present.pid) == (S.RUNNING, agent.incarnation, "host", 42)
    assert agent.ask(wire.Report(token, SUCCESS)) == wire.Done()
    assert world.row(row).state is S.SUCCESS
    assert world.inbox() == [InstanceReported(ti_id=row.ti_id, task_id="extract", state=S.SUCCESS, try_number=1)]


def test_everything_may_be_said_twice(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, token = agent.begin(world, run)
    assert agent.ask(wire.Claim(token=token, pid=42)) == wire.Go()
    for _ in range(2):
        assert agent.ask(wire.Report(token, SUCCESS)) == wire.Done()
    assert len(world.inbox()) == 1
    assert world.row(row).try_number == 1


def test_claim_and_report_may_come_in_one_exchange(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, token = world.queued_task(run)
    push = wire.PushXCom(token, (wire.XComEntry("k", value(b"1")),))
    pull = wire.PullXCom(token=token, task_ids=("extract",), key="k")
    go, done, found, end = agent.say(wire.Claim(token=token), push, pull, wire.Report(token, SUCCESS))
    assert (go, done, end) == (wire.Go(), wire.Done(), wire.Done())
    assert isinstance(found, wire.Values)
    assert [each.value.data for each in found.values] == [b"1"]
    assert world.row(row).state is S.SUCCESS


def test_a_report_whose_claim_was_lost_counts(world: World, run: RunRow) -> None:
    row, token = world.queued_task(run)
    assert Agent(world).ask(wire.Report(token, SUCCESS)) == wire.Done()
    assert world.row(row).state is S.SUCCESS


def test_a_token_that_is_void_is_told_to_stop(world: World, run: RunRow) -> None:
    agent = Agent(world)
    for message in (
        wire.Claim(token="no"),
        wire.Report("no", SUCCESS),
        wire.PushXCom("no", ()),
        wire.GetVariable("no", "k"),
    ):
        assert isinstance(agent.ask(message), wire.Stop)


def test_an_attempt_that_is_over_may_not_go_on_talking(world: World, run: RunRow) -> None:
    agent = Agent(world)
    _, token = agent.begin(world, run)
    done, stop = agent.say(wire.Report(token, SUCCESS), wire.GetVariable(token, "k"))
    assert done == wire.Done()
    assert isinstance(stop, wire.Stop)
    assert isinstance(agent.ask(wire.GetVariable(token, "k")), wire.Stop)
    assert isinstance(agent.ask(wire.Claim(token=token)), wire.Stop)


def test_two_agents_do_not_run_one_attempt(world: World, run: RunRow) -> None:
    _, token = Agent(world).begin(world, run)
    reply = Agent(world, "other:0").ask(wire.Claim(token=token))
    assert reply == wire.Stop("another agent runs this attempt")


def test_a_failure_with_a_retry_left_waits_for_it(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, token = agent.begin(world, run, "load", max_tries=1)
    world.clock.advance(5)
    agent.ask(wire.Report(token, failed()))
    present = world.row(row)
    assert (present.state, present.due_at, present.attempt_token) == (
        S.UP_FOR_RETRY,
        START + timedelta(seconds=65),
        None,
    )
    assert "ValueError: no" in (present.reason or "")
    (event,) = world.inbox()
    assert (event.state, event.due_at, event.cause) == (S.UP_FOR_RETRY, present.due_at, CauseOfDeath.EXCEPTION)
    with world.store.read() as tx:
        assert [old.try_number for old in tx.attempt_list(row.ti_id)] == [1]


@pytest.mark.parametrize(
    ("outcome", "max_tries", "state"),
    [
        (failed(), 0, S.FAILED),
        (failed(CauseOfDeath.FAIL_NOW), 3, S.FAILED),
        (failed(CauseOfDeath.LOST), 0, S.UP_FOR_RETRY),
        (wire.Outcome(state=S.SKIPPED, reason="not today"), 3, S.SKIPPED),
        (wire.Outcome(state=S.REMOVED), 3, S.REMOVED),
    ],
)
def test_how_an_attempt_may_end(
    world: World, run: RunRow, outcome: wire.Outcome, max_tries: int, state: TaskInstanceState
) -> None:
    agent = Agent(world)
    row, token = agent.begin(world, run, max_tries=max_tries)
    assert agent.ask(wire.Report(token, outcome)) == wire.Done()
    assert world.row(row).state is state
    assert [event.state for event in world.inbox()] == [state]


def test_a_launch_failure_ends_an_attempt_that_never_began(world: World, run: RunRow) -> None:
    row, token = world.queued_task(run)
    Agent(world).ask(wire.Report(token, failed(CauseOfDeath.LAUNCH)))
    assert (world.row(row).state, world.row(row).started_at) == (S.FAILED, None)


def test_a_sensor_is_called_again_and_remembers_its_first_call(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, token = agent.begin(world, run)
    due = START + timedelta(seconds=30)
    agent.ask(wire.Report(token, wire.Outcome(state=S.UP_FOR_RESCHEDULE, reschedule_at=due)))
    assert (world.row(row).state, world.row(row).due_at, world.row(row).first_started_at) == (
        S.UP_FOR_RESCHEDULE,
        due,
        START,
    )
    world.clock.advance(30)
    token = world.queue(row)
    agent.ask(wire.Claim(token=token))
    agent.ask(wire.Report(token, wire.Outcome(state=S.UP_FOR_RESCHEDULE, reschedule_at=world.clock.now())))
    assert world.row(row).first_started_at == START


def test_results_travel_with_the_report_and_to_the_next_claim(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, token = agent.begin(world, run)
    result = value(b"[1,2]", 2)
    outcome = wire.Outcome(
        state=S.SUCCESS,
        xcoms=(wire.XComEntry("return_value", result),),
        rendered_fields={"sql": "select 1"},
        map_index_label="north",
    )
    agent.ask(wire.Report(token, outcome))
    assert world.row(row).map_index_label == "north"
    (event,) = world.inbox()
    assert event.length == 2
    with world.store.read() as tx:
        assert tx.get_rendered(row.ti_id) == {"sql": "select 1"}
    _, reader = world.queued_task(run, "load")
    assert agent.ask(wire.Claim(token=reader, inputs=("extract",))) == wire.Go({"extract": result})


def test_a_new_incarnation_ends_what_the_one_before_ran(world: World, run: RunRow) -> None:
    row, _ = Agent(world).begin(world, run)
    Agent(world)
    present = world.row(row)
    assert (present.state, present.cause) == (S.UP_FOR_RETRY, CauseOfDeath.LOST)
    assert present.infrastructure_tries == 1
    assert "started again" in (present.reason or "")


def test_outcomes_kept_on_disk_are_taken_before_the_rest_is_lost(world: World, run: RunRow) -> None:
    before = Agent(world)
    kept, token = before.begin(world, run)
    lost, _ = before.begin(world, run, "load")
    agent = Agent(world, introduced=False)
    assert agent.say(HELLO, wire.Report(token, SUCCESS)) == [wire.Done(), wire.Done()]
    assert world.row(kept).state is S.SUCCESS
    assert world.row(lost).state is S.UP_FOR_RETRY


def test_saying_hello_again_loses_nothing(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, _ = agent.begin(world, run)
    agent.ask(HELLO)
    assert world.row(row).state is S.RUNNING


def test_a_heartbeat_names_what_must_stop(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, token = agent.begin(world, run)
    assert agent.ask(wire.Heartbeat((token, "void"))) == wire.Stops({"void": "the task was cleared, marked or retried"})
    assert world.row(row).state is S.RUNNING


def test_an_agent_that_was_declared_lost_has_to_introduce_itself(world: World) -> None:
    agent = Agent(world)
    world.clock.advance(60)
    with world.store.begin() as tx:
        tx.component_remove_lost("agent", 10)
    reply = agent.ask(wire.Heartbeat(()))
    assert isinstance(reply, wire.Refused)
    assert reply.error == "NotFound"


def test_what_an_agent_does_not_know_any_more_is_lost_after_a_while(world: World, run: RunRow) -> None:
    agent = Agent(world)
    row, _ = agent.begin(world, run)
    agent.ask(wire.Heartbeat(()))
    assert world.row(row).state is S.RUNNING
    world.clock.advance(FORGOTTEN_AFTER.total_seconds() + 1)
    agent.ask(wire.Heartbeat(()))
    assert world.row(row).state is S.UP_FOR_RETRY


def test_questions_of_a_task(world: World, run: RunRow) -> None:
    agent = Agent(world)
    _, token = agent.begin(world, run)
    with world.store.begin() as tx:
        secrets.set_connection(tx, world.vault, wire.ConnectionFacts(conn_id="db", conn_type="sqlite", password="pw"))
    assert agent.ask(wire.SetVariable(token, "k", "v")) == wire.Done()
    assert agent.ask(wire.GetVariable(token, "k")) == wire.Text("v")
    assert agent.ask(wire.DeleteVariable(token, "k")) == wire.Done()
    assert agent.ask(wire.GetVariable(token, "k")) == wire.Text(None)
    found = agent.ask(wire.GetConnection(token, "db"))
    assert isinstance(found, wire.ConnectionFacts)
    assert found.password == "pw"
    agent.ask(wire.PushXCom(token, (wire.XComEntry("k", value(b"1")),)))
    assert agent.ask(wire.DeleteXCom(token, "k")) == wire.Done()
    assert agent.ask(wire.PullXCom(token=token, task_ids=("extract",), key="k")) == wire.Values(())
    states = agent.ask(wire.GetStates(token=token, dag_id="sales", run_ids=(run.run_id, "no")))
    assert states == wire.States({run.run_id: {"extract": "running"}})


def test_a_question_that_cannot_be_answered_harms_nothing_else(world: World) -> None:
    world.publish()
    run = world.start_run(logical_date=START)
    agent = Agent(world)
    row, token = agent.begin(world, run)
    replies = agent.say(
        wire.PushXCom(token, (wire.XComEntry("k", value(b"1")),)),
        wire.GetConnection(token, "nope"),
        wire.DeleteVariable(token, "nope"),
        wire.TriggerRun(token=token, dag_id="nope"),
        wire.GetPreviousRun(token=token, state="sideways"),
        wire.Report(token, SUCCESS),
    )
    assert [type(reply).__name__ for reply in replies] == ["Done", *["Refused"] * 4, "Done"]
    assert [reply.error for reply in replies if isinstance(reply, wire.Refused)] == ["NotFound"] * 3 + ["BadInput"]
    assert world.row(row).state is S.SUCCESS


def test_a_task_may_trigger_a_run(world: World, run: RunRow) -> None:
    agent = Agent(world)
    _, token = agent.begin(world, run)
    world.publish("other")
    made = agent.ask(wire.TriggerRun(token=token, dag_id="other", run_id="r", conf={"a": 1}))
    assert isinstance(made, wire.Run)
    assert (made.run_id, made.run_type, made.state) == ("r", DagRunType.OPERATOR_TRIGGERED, "queued")
    again = agent.ask(wire.TriggerRun(token=token, dag_id="other", run_id="r"))
    assert isinstance(again, wire.Refused)
    assert again.error == "Conflict"


def test_values_of_earlier_runs_and_the_previous_run(world: World) -> None:
    world.publish("sales", task("extract"))
    agent = Agent(world)
    first = world.start_run(logical_date=START - timedelta(days=1))
    _, token = agent.begin(world, first)
    agent.ask(wire.PushXCom(token, (wire.XComEntry("k", value(b"1")),)))
    agent.ask(wire.Report(token, SUCCESS))
    second = world.start_run(logical_date=START)
    _, token = agent.begin(world, second)
    pull = wire.PullXCom(token=token, task_ids=("extract",), key="k")
    assert agent.ask(pull) == wire.Values(())
    prior = wire.PullXCom(token=token, task_ids=("extract",), key="k", include_prior_dates=True)
    found = agent.ask(prior)
    assert isinstance(found, wire.Values)
    assert [each.value.data for each in found.values] == [b"1"]
    before = agent.ask(wire.GetPreviousRun(token=token))
    assert isinstance(before, wire.Run)
    assert before.run_id == first.run_id
    assert agent.ask(wire.GetPreviousRun(token=token, state="failed")) == wire.Run()
