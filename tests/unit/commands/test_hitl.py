"""Answers of people: who may, what fits, and that the task goes on with it once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commands.world import World, task

from tradewind.commands.attempts import Settlement
from tradewind.commands.hitl import respond
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import TaskMove
from tradewind.wire.deferral import Deferral, HumanQuestion
from tradewind.wire.errors import BadInput, Conflict, Forbidden, NotFound
from tradewind.wire.execution import Outcome
from tradewind.wire.inbox import InstanceReported
from tradewind.wire.states import TaskInstanceState

S = TaskInstanceState


def asking(world: World, **facts: Any) -> TaskRow:
    """A task that waits for an answer."""
    world.publish("sales", task("ask"))
    run = world.start_run()
    row, token = world.queued_task(run, "ask")
    form = {"amount": {"value": 3, "schema": {"type": "integer", "minimum": 1}}}
    question = HumanQuestion(
        **{"subject": "Ship?", "options": ("yes", "no"), "params": msgspec.json.encode(form).decode(), **facts}
    )
    outcome = Outcome(state=S.AWAITING_INPUT, deferral=Deferral(method="go_on", timeout_seconds=60), question=question)
    now = world.clock.now()
    with world.store.begin() as tx:
        settlement = Settlement(tx, world.documents, now, DEFAULT_LIMITS)
        settlement.start(row, token, agent="agent", hostname="host", pid=1, at=now)
        settlement.end(world_row(tx, row), token, outcome)
        settlement.write()
    world.inbox()
    return row


def world_row(tx: Any, row: TaskRow) -> TaskRow:
    (found,) = tx.task_get_many([row.ti_id])
    return found


def answer(world: World, row: TaskRow, *chosen: str, **facts: Any) -> Any:
    with world.store.begin() as tx:
        return respond(tx, world.clock.now(), row.ti_id, chosen, **facts)


def test_the_task_goes_on_with_the_answer() -> None:
    world = World()
    row = asking(world)
    answered = answer(world, row, "yes", params_input={"amount": 5}, user_id="1", user_name="Ann")
    assert (answered.chosen_options, answered.params_input) == (("yes",), {"amount": 5})
    assert world.row(row).state is S.SCHEDULED
    (line,) = world.inbox()
    assert isinstance(line, InstanceReported)
    assert line.state is S.SCHEDULED
    with world.store.read() as tx:
        wait = tx.trigger_list_fired([row.ti_id])[row.ti_id]
    event = msgspec.json.decode(wait.event or "")
    assert (wait.method, event["chosen_options"], event["timedout"]) == ("go_on", ["yes"], False)
    assert event["responded_by_user"] == {"id": "1", "name": "Ann"}


def test_one_answer_is_enough() -> None:
    world = World()
    row = asking(world)
    answer(world, row, "yes", user_name="Ann", user_id="1")
    with pytest.raises(Conflict, match="answered already by Ann"):
        answer(world, row, "no")


def test_a_task_that_was_cleared_takes_no_answer() -> None:
    world = World()
    row = asking(world)
    with world.store.begin() as tx:
        tx.task_move("clear", [TaskMove(row.ti_id, "a person")], world.clock.now())
    with pytest.raises(Conflict, match="does not wait any more"):
        answer(world, row, "yes")


@pytest.mark.parametrize(
    ("chosen", "given", "message"),
    [
        (["maybe"], {}, "not offered"),
        ([], {}, "choose one"),
        (["yes", "no"], {}, "takes one option"),
        (["yes", "yes"], {}, "twice"),
        (["yes"], {"colour": 1}, "no field 'colour'"),
        (["yes"], {"amount": 0}, "field 'amount'"),
    ],
)
def test_what_does_not_fit(chosen: list[str], given: dict[str, Any], message: str) -> None:
    world = World()
    row = asking(world)
    with pytest.raises(BadInput, match=message):
        answer(world, row, *chosen, params_input=given)
    assert world.row(row).state is S.AWAITING_INPUT


def test_only_those_who_are_asked() -> None:
    world = World()
    row = asking(world, assigned_users=(("1", "Ann"),))
    with pytest.raises(Forbidden, match="is for Ann; Bob may not"):
        answer(world, row, "yes", user_id="2", user_name="Bob")
    answer(world, row, "yes", user_id="1")


def test_an_unknown_question() -> None:
    world = World()
    with pytest.raises(NotFound):
        answer(world, _other(world), "yes")


def _other(world: World) -> TaskRow:
    world.publish("other", task("plain"))
    return world.put_task(world.start_run("other"), "plain")


def test_several_may_be_chosen() -> None:
    world = World()
    row = asking(world, multiple=True)
    assert answer(world, row, "yes", "no").chosen_options == ("yes", "no")
