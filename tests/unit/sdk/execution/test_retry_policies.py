"""Retry policies decide by the exception itself, and never give more tries than there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tradewind import DAG, ExceptionRetryPolicy, RetryAction, RetryDecision, RetryPolicy, RetryRule, TaskInstanceState
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.exceptions import AirflowFailException
from tradewind.standard import PythonOperator

S = TaskInstanceState


class Own(RetryPolicy):
    def __init__(self, *decisions: Any) -> None:
        self.decisions = list(decisions)
        self.asked: list[tuple[str, int, int, str]] = []

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        self.asked.append((type(exception).__name__, try_number, max_tries, context["ti"].task_id))
        decision = self.decisions.pop(0)
        if isinstance(decision, Exception):
            raise decision
        return decision


def failing(policy: Any, error: BaseException, **arguments: Any) -> Any:
    def fail() -> None:
        raise error

    with DAG("d"):
        return PythonOperator(task_id="t", python_callable=fail, retry_policy=policy, **arguments)


def test_the_first_rule_that_matches_decides(bench: Any) -> None:
    policy = ExceptionRetryPolicy(
        rules=[
            RetryRule(exception="builtins.FileNotFoundError", action=RetryAction.FAIL, reason="it will not come"),
            RetryRule(exception=[OSError, "nowhere.Error"], retry_delay=timedelta(seconds=7)),
            RetryRule(exception=LookupError, action=RetryAction.FAIL, match_subclasses=False),
        ]
    )
    gone = bench.run(failing(policy, FileNotFoundError("x")))
    assert (gone.state, gone.retry, gone.retry_delay_seconds) == (S.FAILED, False, None)
    assert gone.reason == "FileNotFoundError: x; it will not come"
    busy = bench.run(failing(policy, ConnectionError("x")))
    assert (busy.retry, busy.retry_delay_seconds) == (True, 7.0)
    for error in (KeyError("x"), ValueError("x")):
        other = bench.run(failing(policy, error))
        assert (other.retry, other.retry_delay_seconds) == (None, None)
    assert bench.run(failing(ExceptionRetryPolicy([], default=RetryAction.FAIL), ValueError("x"))).retry is False


def test_it_hears_of_the_try(bench: Any) -> None:
    policy = Own(RetryDecision.fail("enough"))
    assert bench.run(failing(policy, ValueError("x")), try_number=2, max_tries=5).retry is False
    assert policy.asked == [("ValueError", 2, 5, "t")]


@pytest.mark.parametrize("decision", [RuntimeError("a bug"), "no decision", RetryDecision.default()])
def test_a_policy_that_fails_changes_nothing(bench: Any, decision: Any) -> None:
    outcome = bench.run(failing(Own(decision), ValueError("x")))
    assert (outcome.state, outcome.retry) == (S.FAILED, None)


def test_what_is_never_tried_again_is_not_asked_about(bench: Any) -> None:
    policy = Own()
    bench.run(failing(policy, AirflowFailException("x")))
    assert policy.asked == []


def test_the_callback_fits_the_decision(bench: Any) -> None:
    called: list[str] = []
    arguments = {
        "on_failure_callback": lambda _: called.append("failure"),
        "on_retry_callback": lambda _: called.append("retry"),
    }
    bench.run(failing(Own(RetryDecision.fail()), ValueError("x"), **arguments), max_tries=3)
    bench.run(failing(Own(RetryDecision.retry()), ValueError("x"), **arguments), max_tries=3)
    bench.run(failing(Own(RetryDecision.retry()), ValueError("x"), **arguments), try_number=4, max_tries=3)
    assert called == ["failure", "retry", "failure"]


def test_in_a_run() -> None:
    def fail() -> None:
        raise ConnectionError("x")

    def give_up() -> None:
        raise PermissionError("x")

    policy = ExceptionRetryPolicy([RetryRule(PermissionError, RetryAction.FAIL), RetryRule(ConnectionError)])
    with DAG("d") as dag:
        PythonOperator(task_id="busy", python_callable=fail, retries=2, retry_policy=policy)
        PythonOperator(task_id="shut", python_callable=give_up, retries=2, retry_policy=policy)
    tries = {task.task_id: task.try_number for task in dag.test().task_instances}
    assert tries == {"busy": 3, "shut": 1}


def test_it_comes_back_as_it_was() -> None:
    rules = [
        RetryRule([OSError, "a.B"], RetryAction.FAIL, reason="r"),
        RetryRule(ValueError, retry_delay=timedelta(minutes=1), match_subclasses=False),
    ]
    policy = ExceptionRetryPolicy(rules, RetryAction.FAIL)
    again = ExceptionRetryPolicy.deserialize(policy.serialize())
    assert again.serialize() == policy.serialize()
    assert again.rules[0].exception_path == "builtins.OSError,a.B"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RetryRule("ValueError"), WrongArgument, "dotted path"),
        (lambda: RetryRule(int), WrongArgument, "exception class"),  # type: ignore[arg-type]
        (lambda: RetryRule([]), WrongValue, "at least one"),
        (lambda: RetryRule(ValueError, retry_delay=timedelta(-1)), WrongValue, "negative"),
        (lambda: ExceptionRetryPolicy(["x"]), WrongArgument, "RetryRule objects"),  # type: ignore[list-item]
        (lambda: failing("often", ValueError("x")), WrongArgument, "must be a RetryPolicy"),
    ],
)
def test_wrong_uses(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
