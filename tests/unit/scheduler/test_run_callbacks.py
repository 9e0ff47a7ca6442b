"""The end of a run writes what is called because of it, in the same transaction, once."""

from __future__ import annotations

from typing import Any

from tests.unit.commands.world import task
from tests.unit.scheduler.engine import FAILURE, SUCCESS, Engine

from tradewind.ports.outbox_rows import OutboxRow
from tradewind.scheduler.callbacks import reason_word
from tradewind.wire.execution import Outcome
from tradewind.wire.inbox import RunStopAsked
from tradewind.wire.states import DagRunState


def _ended(outcome: Outcome, **counts: Any) -> list[OutboxRow]:
    engine = Engine()
    engine.world.publish("sales", task("extract"), **counts)
    engine.world.trigger("sales")
    for _ in range(4):
        engine.step()
        engine.work(outcome)
    with engine.store.read() as tx:
        return tx.outbox_list()


def test_a_line_for_each_callback_of_the_end() -> None:
    lines = _ended(FAILURE, on_failure_callback_count=2, on_success_callback_count=1)
    assert [(line.payload["callback"], line.payload["number"]) for line in sorted(lines, key=lambda x: x.id)] == [
        ("on_failure_callback", 0),
        ("on_failure_callback", 1),
    ]
    context = lines[0].payload["context"]
    assert (context["run_state"], context["reason"], context["ti"]["task_id"]) == ("failed", "task_failure", "extract")
    assert context["ti"]["state"] == "failed"
    assert (lines[0].dag_id, lines[0].payload["file"]) == ("sales", "sales.py")


def test_nothing_where_nobody_is_to_be_called() -> None:
    assert _ended(SUCCESS, on_failure_callback_count=2) == []
    (line,) = _ended(SUCCESS, on_success_callback_count=1)
    assert line.payload["context"]["reason"] == "success"


def test_what_a_person_ends_calls_nobody_back() -> None:
    engine = Engine()
    engine.world.publish("sales", task("extract"), on_failure_callback_count=1)
    run = engine.world.trigger("sales")
    engine.step()
    with engine.store.begin() as tx:
        tx.inbox_put([(run.run_key, RunStopAsked(state=DagRunState.FAILED, reason="a person said so"))])
    engine.rounds(3)
    assert engine.run(run.run_key).state is DagRunState.FAILED
    with engine.store.read() as tx:
        assert tx.outbox_list() == []


def test_words_for_reasons() -> None:
    failed = DagRunState.FAILED
    assert reason_word(failed, "the run passed its time-out of 5 s (dagrun_timeout)") == "timed_out"
    assert reason_word(failed, "deadlocked: nothing runs") == "all_tasks_deadlocked"
    assert reason_word(failed, "a is failed") == "task_failure"
