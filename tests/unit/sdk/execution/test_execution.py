from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tradewind.sdk import DAG, BaseOperator, task
from tradewind.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTerminated,
    DownstreamTasksSkipped,
)
from tradewind.sdk.execution import current_operator, reason_of, warm_up
from tradewind.sdk.values import ValueLimits
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

S, C = TaskInstanceState, CauseOfDeath


class Does(BaseOperator):
    """Calls a function with the context, and notes what happens to it."""

    template_fields = ("field", "password")

    def __init__(self, *, does: Any, field: Any = None, password: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.does, self.field, self.password = does, field, password
        self.killed: list[bool] = []

    def execute(self, context: Any) -> Any:
        return self.does(context)

    def on_kill(self) -> None:
        self.killed.append(True)


def make(does: Any, **kwargs: Any) -> Does:
    return Does(task_id="t", does=does, dag=DAG("d"), **kwargs)


def raises(error: BaseException) -> Any:
    def does(_context: Any) -> None:
        raise error

    return does


def test_success_hands_on_what_was_returned(bench: Any) -> None:
    started: list[bool] = []
    outcome = bench.run(make(lambda _: [1, 2]), on_started=lambda: started.append(True))
    assert (outcome.state, outcome.cause, outcome.reason) == (S.SUCCESS, None, "")
    [entry] = outcome.xcoms
    assert (entry.key, entry.value.data, entry.value.length) == ("return_value", b"[1,2]", 2)
    assert outcome.started_at == bench.clock.now()
    assert started == [True]
    assert current_operator() is None


@pytest.mark.parametrize("kwargs", [{"do_xcom_push": False}, {}])
def test_nothing_is_pushed_for_none_or_when_unwanted(bench: Any, kwargs: Any) -> None:
    assert bench.run(make(lambda _: 1 if kwargs else None, **kwargs)).xcoms == ()


def test_multiple_outputs(bench: Any) -> None:
    outcome = bench.run(make(lambda _: {"a": 1, "b": [2]}, multiple_outputs=True))
    assert {entry.key for entry in outcome.xcoms} == {"a", "b", "return_value"}
    wrong = bench.run(make(lambda _: [1], multiple_outputs=True))
    assert (wrong.state, wrong.cause) == (S.FAILED, C.EXCEPTION)
    assert "must return a dict, it returned list" in wrong.reason
    assert "must be texts, not 1" in bench.run(make(lambda _: {1: 1}, multiple_outputs=True)).reason


@pytest.mark.parametrize(
    ("error", "state", "cause", "reason"),
    [
        (ValueError("msg\nsecond line"), S.FAILED, C.EXCEPTION, "ValueError: msg"),
        (ValueError(), S.FAILED, C.EXCEPTION, "ValueError"),
        (AirflowException("x"), S.FAILED, C.EXCEPTION, "AirflowException: x"),
        (AirflowFailException("x"), S.FAILED, C.FAIL_NOW, "AirflowFailException: x"),
        (AirflowSensorTimeout("x"), S.FAILED, C.FAIL_NOW, "AirflowSensorTimeout: x"),
        (AirflowTaskTerminated("x"), S.FAILED, C.USER, "AirflowTaskTerminated: x"),
        (AirflowSkipException("why"), S.SKIPPED, None, "why"),
        (SystemExit(3), S.FAILED, C.EXIT_CODE, "the task called sys.exit(3)"),
        (SystemExit(), S.FAILED, C.EXIT_CODE, "the task called sys.exit(0)"),
        (SystemExit("bye"), S.FAILED, C.EXIT_CODE, "the task called sys.exit(1): bye"),
        (GeneratorExit(), S.FAILED, C.EXCEPTION, "GeneratorExit"),
        (MemoryError(), S.FAILED, C.EXCEPTION, "MemoryError"),
    ],
)
def test_how_an_attempt_ends(
    bench: Any, error: BaseException, state: TaskInstanceState, cause: CauseOfDeath | None, reason: str
) -> None:
    outcome = bench.run(make(raises(error)))
    assert (outcome.state, outcome.cause) == (state, cause)
    assert outcome.reason.startswith(reason)
    assert "second" not in outcome.reason
    if isinstance(error, SystemExit):
        assert outcome.exit_code == (error.code if isinstance(error.code, int) else 0 if error.code is None else 1)


def test_reschedule_and_skips(bench: Any) -> None:
    later = datetime(2024, 1, 2, tzinfo=UTC)
    outcome = bench.run(make(raises(AirflowRescheduleException(later))))
    assert (outcome.state, outcome.reschedule_at) == (S.UP_FOR_RESCHEDULE, later)
    outcome = bench.run(make(raises(DownstreamTasksSkipped(tasks=["a", ("b", 1)]))))
    assert (outcome.state, outcome.skips) == (S.SUCCESS, ("a", "b"))


def test_ctrl_c_comes_through_and_kills(bench: Any) -> None:
    seen: list[Any] = []

    def does(_: Any) -> None:
        seen.append(current_operator())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.run(make(does))
    assert seen[0].killed == [True]
    assert current_operator() is None


def test_time_out_interrupts_and_kills(bench: Any) -> None:
    running: list[Any] = []

    def does(_: Any) -> None:
        running.append(current_operator())
        while True:
            signal.pause()

    outcome = bench.run(make(does, execution_timeout=timedelta(seconds=0.05)))
    assert (outcome.state, outcome.cause) == (S.FAILED, C.TIMEOUT)
    assert "execution_timeout of task 't' passed after 0.05 s" in outcome.reason
    assert running[0].killed == [True]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    outcome = bench.run(make(does), execution_timeout_seconds=0.05)
    assert outcome.cause is C.TIMEOUT


def test_time_out_passes_through_except_exception(bench: Any) -> None:
    def does(_: Any) -> None:
        while True:
            try:
                signal.pause()
            except Exception:
                continue

    assert bench.run(make(does), execution_timeout_seconds=0.05).cause is C.TIMEOUT


def test_order_of_hooks_and_callbacks(bench: Any) -> None:
    said: list[str] = []
    operator = make(
        lambda _: said.append("execute"),
        pre_execute=lambda _: said.append("pre"),
        post_execute=lambda _, result: said.append(f"post {result}"),
        on_execute_callback=lambda _: said.append("on_execute"),
        on_success_callback=[
            lambda c: said.append(f"success {c['ti'].state}"),
            lambda _: 1 / 0,
            lambda _: said.append("2nd"),
        ],
        on_failure_callback=lambda _: said.append("failure"),
    )
    assert bench.run(operator).state is S.SUCCESS
    assert said == ["pre", "on_execute", "execute", "post None", "success success", "2nd"]


@pytest.mark.parametrize(
    ("error", "tries", "called"),
    [
        (ValueError("x"), (1, 0), "failure"),
        (ValueError("x"), (1, 1), "retry"),
        (ValueError("x"), (2, 1), "failure"),
        (AirflowFailException("x"), (1, 5), "failure"),
        (AirflowSkipException("x"), (1, 5), "skipped"),
        (AirflowTaskTerminated("x"), (1, 0), None),
    ],
)
def test_which_callback_is_called(bench: Any, error: BaseException, tries: Any, called: str | None) -> None:
    said: dict[str, Any] = {}
    kinds = ("success", "failure", "retry", "skipped")
    callbacks = {f"on_{kind}_callback": lambda c, kind=kind: said.update({kind: c.get("exception")}) for kind in kinds}
    bench.run(make(raises(error), **callbacks), try_number=tries[0], max_tries=tries[1])
    assert said == ({called: error} if called else {})


def test_pre_execute_may_stop_it(bench: Any) -> None:
    operator = make(lambda _: 1 / 0, pre_execute=raises(AirflowSkipException("not today")))
    assert bench.run(operator).state is S.SKIPPED


def test_the_log_begins_with_the_users_frames(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    def mine(_: Any) -> None:
        raise ValueError("x")

    with caplog.at_level(logging.INFO):
        bench.run(make(mine))
    [record] = [each for each in caplog.records if each.exc_info]
    assert record.exc_info is not None
    trace = record.exc_info[2]
    assert trace is not None
    assert trace.tb_frame.f_code.co_filename == __file__


def test_a_value_that_cannot_be_stored_fails_the_task(bench: Any) -> None:
    outcome = bench.run(make(lambda _: {"rows": [object()]}))
    assert outcome.state is S.FAILED
    assert "XCom d/run/t/return_value: value at $.rows[0]" in outcome.reason
    outcome = bench.run(make(lambda _: "x" * 100), limits=ValueLimits(10, 50))
    assert "values.bytes_max" in outcome.reason
    outcome = bench.run(make(lambda _: "x" * 100), limits=ValueLimits(10, 500))
    assert outcome.xcoms[0].value.url in bench.world.stored


def test_rendered_fields_are_short_and_without_secrets(bench: Any) -> None:
    bench.world.variables["api_token"] = "abcdefghij"
    operator = make(
        lambda _: None,
        field={"cmd": "curl {{ var.value.api_token }}", "password": "x", "long": "y" * 5000, "n": 1},
        password="{{ ds }}",
    )
    outcome = bench.run(operator)
    assert outcome.rendered_fields is not None
    assert outcome.rendered_fields["password"] == "***"
    text = outcome.rendered_fields["field"]
    assert isinstance(text, str)
    assert len(text) < 4200
    assert "curl ***" in text
    assert "abcdefghij" not in text
    short = bench.run(make(lambda _: None, field={"a": ("{{ ds }}", len)}))
    assert short.rendered_fields == {"field": {"a": ["2024-03-04", "builtins.len"]}, "password": None}


def test_reasons_are_masked(bench: Any) -> None:
    bench.world.variables["db_password"] = "swordfish"
    outcome = bench.run(make(lambda c: int(c["var"].value.db_password)))
    assert outcome.reason == "ValueError: invalid literal for int() with base 10: '***'"


def test_template_errors_fail_the_task(bench: Any) -> None:
    outcome = bench.run(make(lambda _: None, field="{{ nope }}"))
    assert outcome.state is S.FAILED
    assert "task 't', field 'field', line 1: 'nope' is undefined" in outcome.reason


def test_params_are_checked_and_callbacks_still_called(bench: Any) -> None:
    from tradewind.sdk import Param

    said: list[Any] = []
    dag = DAG("d", params={"n": Param(1, type="integer"), "m": 2})
    operator = Does(
        task_id="t", dag=dag, params={"m": 3}, does=lambda c: dict(c["params"]), on_failure_callback=said.append
    )
    outcome = bench.run(operator, conf={"n": 5, "more": [1]})
    assert bench.world.xcoms["t", ""]["return_value"].data == b'{"n":5,"m":3,"more":[1]}'
    assert outcome.state is S.SUCCESS
    outcome = bench.run(operator, conf={"n": "five"})
    assert outcome.state is S.FAILED
    assert "param 'n'" in outcome.reason
    assert len(said) == 1


def test_environment_of_a_task(bench: Any) -> None:
    def does(_: Any) -> Any:
        return {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CTX_")}

    before = dict(os.environ)
    bench.run(make(does, owner="me", email=["a@b", "c@d"]), owner="me", try_number=2)
    assert os.environ == before
    from tradewind.sdk.values import PatternGate, from_json

    stored = bench.world.xcoms["t", ""]["return_value"].data
    assert from_json(stored, PatternGate()) == {
        "AIRFLOW_CTX_DAG_ID": "d",
        "AIRFLOW_CTX_TASK_ID": "t",
        "AIRFLOW_CTX_LOGICAL_DATE": "2024-03-04T05:06:07+00:00",
        "AIRFLOW_CTX_TRY_NUMBER": "2",
        "AIRFLOW_CTX_DAG_RUN_ID": "run",
        "AIRFLOW_CTX_DAG_OWNER": "me",
        "AIRFLOW_CTX_DAG_EMAIL": "a@b,c@d",
    }


def test_label_of_a_mapped_instance(bench: Any) -> None:
    with DAG("d"):
        mapped = Does.partial(task_id="t", does=lambda _: None, map_index_template="{{ task.field }}!").expand(
            field=["a", "b"]
        )
    assert bench.run(mapped, map_path="1").map_index_label == "b!"


def test_a_label_that_fails_does_not_fail_the_task(bench: Any) -> None:
    with DAG("d"):
        mapped = Does.partial(task_id="t", does=lambda _: None, map_index_template="{{ nope }}").expand(field=["a"])
    outcome = bench.run(mapped, map_path="0")
    assert (outcome.state, outcome.map_index_label) == (S.SUCCESS, None)


def test_async_functions(bench: Any) -> None:
    with DAG("d") as dag:

        @task
        async def t(ds: str | None = None) -> str | None:
            return ds

        t()
    assert bench.run(dag.get_task("t")).xcoms[0].value.data == b'"2024-03-04"'


def test_warm_up_takes_any_dag() -> None:
    dag = DAG("d")
    Does(task_id="x", does=print, field=["{{ ds }}", "{% bad"], dag=dag)
    warm_up(dag)
    assert "pendulum" in sys.modules


def test_reason_is_one_line() -> None:
    assert reason_of(KeyError("a")) == "KeyError: 'a'"
