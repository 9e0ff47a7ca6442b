"""Tasks that wait for a trigger: what they tell, how they go on, what `dag.test()` makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from tradewind import DAG, BaseOperator, BaseSensorOperator, TaskInstanceState
from tradewind.sdk.triggers import (
    BaseEventTrigger,
    BaseTrigger,
    StartTriggerArgs,
    TaskFailedEvent,
    TaskSkippedEvent,
    TaskSuccessEvent,
    TriggerEvent,
)
from tradewind.wire.deferral import FailureOfWait, Resume
from tradewind.wire.states import CauseOfDeath

S = TaskInstanceState


class Ends(BaseTrigger):
    """Ends as it is told."""

    cleaned: ClassVar[list[str]] = []

    def __init__(self, how: str = "event") -> None:
        super().__init__()
        self.how = how

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Ends", {"how": self.how}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await asyncio.sleep(0)
        match self.how:
            case "event":
                yield TriggerEvent({"answer": 42})
            case "success":
                yield TaskSuccessEvent(xcoms={"return_value": 7})
            case "failed":
                yield TaskFailedEvent()
            case "skipped":
                yield TaskSkippedEvent()
            case "raise":
                raise ValueError("no luck")
            case "never":
                await asyncio.sleep(3600)
            case "nonsense":
                yield "an event"  # type: ignore[misc]

    async def cleanup(self) -> None:
        self.cleaned.append(self.how)


class Unreadable(Ends):
    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Unreadable", {"how": object()}


class Waits(BaseOperator):
    def __init__(self, how: str = "event", *, timeout: Any = None, method: str = "go_on", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.how = how
        self.timeout = timeout
        self.method = method

    def execute(self, context: Any) -> Any:
        self.xcom_push(context, "before", "kept")
        self.defer(trigger=Ends(self.how), method_name=self.method, kwargs={"extra": (1, 2)}, timeout=self.timeout)

    def go_on(self, context: Any, event: Any, extra: Any) -> Any:
        return [event, list(extra), context["ti"].try_number]


class WaitingSensor(BaseSensorOperator):
    def __init__(self, how: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.how = how

    def execute(self, context: Any) -> Any:
        self.defer(trigger=Ends(self.how), method_name="go_on", timeout=timedelta(seconds=0.01))

    def go_on(self, context: Any, event: Any) -> Any:
        return event


def alone(made: Any) -> Any:
    with DAG("d") as dag:
        dag.add_task(made)
    return made


def test_a_task_says_what_it_waits_for(bench: Any) -> None:
    outcome = bench.run(alone(Waits(task_id="t", timeout=90)))
    assert outcome.state is S.DEFERRED
    deferral = outcome.deferral
    assert (deferral.classpath, deferral.kwargs) == (f"{__name__}.Ends", '{"how":"event"}')
    assert (deferral.method, deferral.timeout_seconds, deferral.queue) == ("go_on", 90.0, "default")


def test_it_goes_on_in_the_method_it_named(bench: Any) -> None:
    task = alone(Waits(task_id="t"))
    deferral = bench.run(task).deferral
    resume = Resume(method=deferral.method, kwargs=deferral.next_kwargs, event='{"answer": 42}')
    outcome = bench.run(task, resume=resume)
    assert outcome.state is S.SUCCESS
    assert bench.world.xcoms["t", ""]["return_value"].data == b'[{"answer":42},[1,2],1]'


@pytest.mark.parametrize(
    ("failure", "error", "told"),
    [
        (FailureOfWait.TIMEOUT, "", "TaskDeferralTimeout: Trigger timeout"),
        (FailureOfWait.TRIGGER, "Traceback\nValueError: no luck", "TaskDeferralError: Trigger failure: ValueError"),
    ],
)
def test_a_wait_that_failed_is_an_exception(bench: Any, failure: FailureOfWait, error: str, told: str) -> None:
    outcome = bench.run(alone(Waits(task_id="t")), resume=Resume(method="go_on", failure=failure, error=error))
    assert (outcome.state, outcome.cause) == (S.FAILED, CauseOfDeath.EXCEPTION)
    assert outcome.reason.startswith(told)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (lambda: Waits(task_id="t", method="nowhere"), "no such method"),
        (lambda: Waits(task_id="t", timeout=-1), "negative timeout"),
    ],
)
def test_what_could_not_go_on_fails_at_once(bench: Any, task: Any, message: str) -> None:
    outcome = bench.run(alone(task()))
    assert (outcome.state, outcome.cause) == (S.FAILED, CauseOfDeath.FAIL_NOW)
    assert message in outcome.reason
    assert "'t'" in outcome.reason


def test_a_trigger_that_cannot_be_handed_on_is_named(bench: Any) -> None:
    class Bad(Waits):
        def execute(self, context: Any) -> Any:
            self.defer(trigger=Unreadable(), method_name="go_on")

    class Local(BaseTrigger):
        def serialize(self) -> tuple[str, dict[str, Any]]:
            return f"{__name__}.{type(self).__qualname__}", {}

        async def run(self) -> AsyncIterator[TriggerEvent]:
            yield TriggerEvent(1)

    class BadPlace(Waits):
        def execute(self, context: Any) -> Any:
            self.defer(trigger=Local(), method_name="go_on")

    assert "Unreadable cannot be handed on" in bench.run(alone(Bad(task_id="t"))).reason
    assert "top of a module" in bench.run(alone(BadPlace(task_id="t"))).reason


class TestSensor:
    @pytest.mark.parametrize(
        ("failure", "state", "told"),
        [
            (FailureOfWait.TIMEOUT, S.FAILED, "AirflowSensorTimeout"),
            (FailureOfWait.TRIGGER, S.FAILED, "TaskDeferralError"),
        ],
    )
    def test_a_failed_wait(self, bench: Any, failure: FailureOfWait, state: S, told: str) -> None:
        outcome = bench.run(
            alone(WaitingSensor(how="event", task_id="t")), resume=Resume(method="go_on", failure=failure)
        )
        assert outcome.state is state
        assert told in outcome.reason
        expected = CauseOfDeath.FAIL_NOW if failure is FailureOfWait.TIMEOUT else CauseOfDeath.EXCEPTION
        assert outcome.cause is expected

    @pytest.mark.parametrize("mercy", ["soft_fail", "never_fail"])
    @pytest.mark.parametrize("failure", list(FailureOfWait))
    def test_mercy(self, bench: Any, failure: FailureOfWait, mercy: str) -> None:
        task = alone(WaitingSensor(how="event", task_id="t", **{mercy: True}))
        assert bench.run(task, resume=Resume(method="go_on", failure=failure)).state is S.SKIPPED


class TestHere:
    """In `dag.test()` triggers run in the same process."""

    @pytest.mark.parametrize(
        ("how", "state"),
        [
            ("event", S.SUCCESS),
            ("success", S.SUCCESS),
            ("failed", S.FAILED),
            ("skipped", S.SKIPPED),
            ("raise", S.FAILED),
            ("nonsense", S.FAILED),
        ],
    )
    def test_every_end(self, how: str, state: S) -> None:
        Ends.cleaned.clear()
        with DAG("d") as dag:
            Waits(how=how, task_id="t")
        run = dag.test()
        assert run.states == {"t": state}
        assert Ends.cleaned == [how]
        if how == "event":
            assert run.xcom("t") == [{"answer": 42}, [1, 2], 1]
        if how == "success":
            assert run.xcom("t") == 7
        assert run.xcom("t", "before") == "kept"

    def test_its_time(self) -> None:
        with DAG("d") as dag:
            Waits(how="never", task_id="t", timeout=0.01)
        run = dag.test()
        (task,) = run.task_instances
        assert (task.state, task.reason) == (S.FAILED, "TaskDeferralTimeout: Trigger timeout")

    def test_a_retry_begins_from_the_start(self) -> None:
        with DAG("d") as dag:
            Waits(how="raise", task_id="t", retries=1)
        (task,) = dag.test().task_instances
        assert (task.state, task.try_number) == (S.FAILED, 2)


def test_a_task_that_begins_in_the_triggerer_says_so() -> None:
    from tradewind.sdk.compile import compile_dag

    class Begins(Waits):
        start_from_trigger = True
        start_trigger_args = StartTriggerArgs(
            trigger_cls=f"{__name__}.Ends",
            next_method="go_on",
            trigger_kwargs={"how": "event"},
            timeout=timedelta(hours=1),
        )

    with DAG("d") as dag:
        Begins(task_id="begins")
        Waits(task_id="waits")
    begins, waits = compile_dag(dag, file="d.py").tasks
    assert waits.start_trigger is None
    assert begins.start_trigger is not None
    assert (begins.start_trigger.classpath, begins.start_trigger.method) == (f"{__name__}.Ends", "go_on")
    assert begins.start_trigger.timeout_seconds == 3600


def test_equal_event_triggers_have_equal_hashes() -> None:
    assert BaseEventTrigger.hash("a.B", {"x": 1, "y": 2}) == BaseEventTrigger.hash("a.B", {"y": 2, "x": 1})
    assert BaseEventTrigger.hash("a.B", {"x": 1}) != BaseEventTrigger.hash("a.B", {"x": 2})
