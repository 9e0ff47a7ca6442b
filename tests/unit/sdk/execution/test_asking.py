"""Operators that ask people: what they ask, what they make of the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tradewind import DAG, Param, TaskInstanceState
from tradewind.sdk.errors import WrongValue
from tradewind.sdk.values import to_json
from tradewind.standard import ApprovalOperator, EmptyOperator, HITLBranchOperator, HITLEntryOperator, HITLOperator
from tradewind.wire.deferral import FailureOfWait, Resume

S = TaskInstanceState


def answer(*chosen: str, **given: Any) -> Resume:
    event = {
        "chosen_options": list(chosen),
        "params_input": given,
        "responded_at": datetime(2026, 1, 1, tzinfo=UTC),
        "responded_by_user": {"id": "1", "name": "Ann"},
        "timedout": False,
    }
    return Resume(method="execute_complete", event=to_json(event).decode())


def followed(make: Any) -> Any:
    """The task with two others after it."""
    with DAG("d"):
        task = make()
        after = EmptyOperator(task_id="after")
        task >> [after, EmptyOperator(task_id="other")]
        after >> EmptyOperator(task_id="last")
    return task


def test_it_asks(bench: Any) -> None:
    with DAG("d"):
        task = HITLOperator(
            task_id="t",
            subject="Ship {{ dag.dag_id }}?",
            body="now",
            options=["yes", "no"],
            defaults="no",
            params={"amount": Param(3, type="integer"), "note": "none"},
            assigned_users={"id": "1", "name": "Ann"},
            response_timeout=timedelta(hours=1),
        )
    outcome = bench.run(task)
    assert outcome.state is S.AWAITING_INPUT
    question = outcome.question
    assert (question.subject, question.body, question.options) == ("Ship d?", "now", ("yes", "no"))
    assert (question.defaults, question.multiple, question.assigned_users) == (("no",), False, (("1", "Ann"),))
    assert '"amount":{"value":3' in question.params
    assert (outcome.deferral.method, outcome.deferral.timeout_seconds) == ("execute_complete", 3600.0)


def test_the_answer_is_the_output(bench: Any) -> None:
    with DAG("d"):
        task = HITLOperator(task_id="t", subject="?", options=["yes", "no"])
    outcome = bench.run(task, resume=answer("yes", amount=4))
    assert outcome.state is S.SUCCESS
    assert b'"chosen_options":["yes"],"params_input":{"amount":4}' in outcome.xcoms[0].value.data


def test_nobody_answers(bench: Any) -> None:
    with DAG("d"):
        task = HITLOperator(task_id="t", subject="Well?", options=["yes"])
    outcome = bench.run(task, resume=Resume(method="execute_complete", failure=FailureOfWait.TIMEOUT))
    assert outcome.state is S.FAILED
    assert outcome.reason == "HITLTimeoutError: nobody answered 'Well?' in time, and it has no defaults"


@pytest.mark.parametrize(
    ("options", "chosen", "state", "skips"),
    [
        ({}, "Approve", S.SUCCESS, ()),
        ({}, "Reject", S.SUCCESS, ("after", "other")),
        ({"ignore_downstream_trigger_rules": True}, "Reject", S.SUCCESS, ("after", "last", "other")),
        ({"fail_on_reject": True}, "Reject", S.FAILED, ()),
    ],
)
def test_approval(bench: Any, options: dict[str, Any], chosen: str, state: S, skips: tuple[str, ...]) -> None:
    task = followed(lambda: ApprovalOperator(task_id="t", subject="?", **options))
    outcome = bench.run(task, resume=answer(chosen))
    assert (outcome.state, outcome.skips) == (state, skips)


def test_a_notifier_tells_where_to_answer(bench: Any) -> None:
    told: list[str] = []

    def tell(context: Any) -> None:
        told.append(
            HITLOperator.generate_link_to_ui_from_context(
                context=context, base_url="http://ui:1/x", options=["yes"], params_input={"amount": 4}
            )
        )

    with DAG("d"):
        task = HITLOperator(task_id="t", subject="?", options=["yes"], params={"amount": 1}, notifiers=tell)
    assert bench.run(task).state is S.AWAITING_INPUT
    query = "_options=%5B%27yes%27%5D&amount=4&map_index=-1"
    assert told == [f"http://ui:1/dags/d/runs/run/tasks/t/required_actions?{query}"]
    with pytest.raises(ValueError, match="not valid options"):
        task.generate_link_to_ui(task_instance=None, options="no")
    with pytest.raises(ValueError, match="not valid params"):
        task.generate_link_to_ui(task_instance=None, params_input={"colour": 1})


def test_a_branch(bench: Any) -> None:
    def make() -> Any:
        return HITLBranchOperator(
            task_id="t", subject="?", options=["first", "other"], options_mapping={"first": "after"}
        )

    assert bench.run(followed(make), resume=answer("first")).skips == ("other",)
    assert bench.run(followed(make), resume=answer("other")).skips == ("after",)


def test_an_entry_has_one_option(bench: Any) -> None:
    with DAG("d"):
        task = HITLEntryOperator(task_id="t", subject="?", params={"name": ""})
    question = bench.run(task).question
    assert (question.options, question.defaults) == (("OK",), ("OK",))


def test_in_a_test_the_defaults_are_taken() -> None:
    with DAG("d") as dag:
        task = ApprovalOperator(task_id="t", subject="?", defaults="Reject")
        task >> EmptyOperator(task_id="after")
        HITLOperator(task_id="open", subject="?", options=["a"])
    run = dag.test()
    assert run.states == {"t": S.SUCCESS, "after": S.SKIPPED, "open": S.FAILED}
    open_one = run.get_task_instance("open")
    assert open_one is not None
    assert "nobody answered" in open_one.reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"options": []}, "options must not be empty"),
        ({"options": ["a", "a"]}, "twice"),
        ({"options": ["a"], "defaults": "b"}, "not among the options"),
        ({"options": ["a", "b"], "defaults": ["a", "b"]}, "multiple=True"),
        ({"options": ["a"], "params": {"_options": 1}}, "is taken"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    with DAG("d"), pytest.raises(WrongValue, match=message):
        HITLOperator(task_id="t", subject="?", **arguments)
