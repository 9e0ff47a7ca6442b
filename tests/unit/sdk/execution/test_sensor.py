from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tradewind.sdk import DAG, BaseSensorOperator, PokeReturnValue
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.exceptions import AirflowFailException, AirflowSkipException
from tradewind.sdk.sensor import poke_mode_only
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

S, C = TaskInstanceState, CauseOfDeath


class Answers(BaseSensorOperator):
    """Pokes with prepared answers; exceptions are raised; the last answer stays."""

    def __init__(self, *, answers: list[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answers = answers

    def poke(self, context: Any) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def sensor(*answers: Any, **kwargs: Any) -> Answers:
    return Answers(task_id="s", answers=list(answers), dag=DAG("d"), **kwargs)


def test_it_pokes_until_true(bench: Any) -> None:
    outcome = bench.run(sensor(False, False, True, poke_interval=7))
    assert outcome.state is S.SUCCESS
    assert bench.pauses == [7, 7]


def test_a_value_comes_with_the_end(bench: Any) -> None:
    outcome = bench.run(sensor(PokeReturnValue(False, 1), PokeReturnValue(True, {"a": 1})))
    assert outcome.xcoms[0].value.data == b'{"a":1}'


def test_timeout_fails_without_retry(bench: Any) -> None:
    outcome = bench.run(sensor(False, poke_interval=10, timeout=timedelta(seconds=25)), max_tries=3)
    assert (outcome.state, outcome.cause) == (S.FAILED, C.FAIL_NOW)
    assert "'s' has waited 30 s, its timeout is 25 s" in outcome.reason


@pytest.mark.parametrize("kwargs", [{"soft_fail": True}, {"never_fail": True}])
def test_timeout_may_skip(bench: Any, kwargs: Any) -> None:
    outcome = bench.run(sensor(False, poke_interval=10, timeout=5, **kwargs))
    assert outcome.state is S.SKIPPED
    assert next(iter(kwargs)) in outcome.reason


@pytest.mark.parametrize(
    ("error", "kwargs", "state"),
    [
        (ValueError("x"), {}, S.FAILED),
        (ValueError("x"), {"soft_fail": True}, S.FAILED),
        (ValueError("x"), {"never_fail": True}, S.SKIPPED),
        (ValueError("x"), {"silent_fail": True}, S.SUCCESS),
        (AirflowFailException("x"), {"soft_fail": True}, S.SKIPPED),
        (AirflowFailException("x"), {"silent_fail": True}, S.FAILED),
        (AirflowFailException("x"), {"never_fail": True}, S.SKIPPED),
        (AirflowSkipException("x"), {"silent_fail": True}, S.SKIPPED),
    ],
)
def test_failing_pokes(bench: Any, error: Exception, kwargs: Any, state: TaskInstanceState) -> None:
    assert bench.run(sensor(error, True, **kwargs)).state is state


def test_reschedule_gives_the_slot_back_and_counts_on(bench: Any) -> None:
    waiting = sensor(False, mode="reschedule", poke_interval=30, timeout=50)
    begun = bench.clock.now()
    first = bench.run(waiting)
    assert first.state is S.UP_FOR_RESCHEDULE
    assert first.reschedule_at == begun + timedelta(seconds=30)
    assert bench.pauses == []
    bench.clock.advance(31)
    assert bench.run(waiting, first_start=begun).state is S.UP_FOR_RESCHEDULE
    bench.clock.advance(31)
    late = bench.run(waiting, first_start=begun)
    assert (late.state, late.cause) == (S.FAILED, C.FAIL_NOW)
    assert "has waited 62 s" in late.reason


def test_backoff_doubles_with_steady_jitter_up_to_the_cap(bench: Any) -> None:
    bench.run(sensor(*[False] * 6, True, poke_interval=2, exponential_backoff=True))
    bounds = [(2 * 2**n, 4 * 2**n) for n in range(6)]
    assert all(low <= pause <= high for pause, (low, high) in zip(bench.pauses, bounds, strict=True))
    first, bench.pauses = bench.pauses, []
    bench.run(sensor(*[False] * 6, True, poke_interval=2, exponential_backoff=True))
    assert bench.pauses == first
    bench.pauses.clear()
    bench.run(sensor(*[False] * 4, True, poke_interval=2, exponential_backoff=True, max_wait=5))
    assert max(bench.pauses) == 5


def test_backoff_goes_on_over_reschedules(bench: Any) -> None:
    waiting = sensor(False, mode="reschedule", poke_interval=10, exponential_backoff=True)
    begun = bench.clock.now()
    bench.clock.advance(600)
    outcome = bench.run(waiting, first_start=begun)
    assert outcome.reschedule_at >= bench.clock.now() + timedelta(seconds=300)


@pytest.mark.parametrize(
    ("kwargs", "error", "words"),
    [
        ({"mode": "push"}, WrongValue, "'poke' or 'reschedule'"),
        ({"poke_interval": -1}, WrongValue, "poke_interval of task 's'"),
        ({"poke_interval": "5"}, WrongArgument, "seconds or a timedelta"),
        ({"timeout": None}, WrongArgument, "timeout of task 's'"),
        ({"soft_fail": True, "never_fail": True}, WrongValue, "keep one"),
    ],
)
def test_wrong_arguments(kwargs: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        sensor(True, **kwargs)


def test_poke_mode_only() -> None:
    @poke_mode_only
    class Keeps(Answers):
        pass

    assert Keeps(task_id="s", answers=[True]).mode == "poke"
    with pytest.raises(WrongValue, match="Keeps cannot be rescheduled"):
        Keeps(task_id="s", answers=[True], mode="reschedule")
