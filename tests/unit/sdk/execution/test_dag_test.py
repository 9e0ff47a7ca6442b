from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tradewind.kernel.clock import VirtualClock
from tradewind.sdk import DAG, Variable, task, task_group
from tradewind.sdk.connections import Connection
from tradewind.sdk.exceptions import AirflowSkipException
from tradewind.sdk.testing import run_dag
from tradewind.standard import EmptyOperator
from tradewind.wire.errors import BadInput
from tradewind.wire.states import TaskInstanceState

S = TaskInstanceState


def run(dag: DAG, **kwargs: Any) -> Any:
    clock = VirtualClock()
    return run_dag(dag, clock=clock, pause=clock.advance, **kwargs)


def test_values_flow_and_states_are_told() -> None:
    with DAG("d", params={"n": 2}) as dag:

        @task
        def make(n: int) -> list[int]:
            return list(range(n))

        @task
        def double(x: int) -> int:
            return x * 2

        @task
        def total(xs: Any, params: Any = None) -> int:
            return sum(xs) + params["n"]

        total(double.expand(x=make(dag.param("n"))))  # type: ignore[arg-type] # stands for its value
    tested = run(dag, run_conf={"n": 4})
    assert tested.state == "success"
    assert tested.xcom("total") == 16
    assert tested.xcom("double", map_index=3) == 6
    assert tested.states["double[2]"] is S.SUCCESS
    assert len(tested.get_task_instances()) == 6
    assert tested.get_task_instance("double", 1).map_path == (1,)
    assert tested.xcom("nope", default="-") == "-"


def test_a_failure_is_a_state_and_retries_do_not_wait() -> None:
    tries: list[int] = []
    with DAG("d") as dag:

        @task(retries=2, retry_delay=timedelta(hours=5))
        def flaky(ti: Any = None) -> None:
            tries.append(ti.try_number)
            raise ValueError("no")

        flaky() >> EmptyOperator(task_id="after")
    begun = datetime(2024, 1, 1, tzinfo=UTC)
    tested = run(dag)
    assert tested.state == "failed"
    assert tested.states == {"flaky": S.FAILED, "after": S.UPSTREAM_FAILED}
    assert tries == [1, 2, 3]
    assert tested.get_task_instance("flaky").reason == "ValueError: no"
    assert tested.run_after == begun


def test_a_new_try_begins_without_the_values_of_the_old() -> None:
    with DAG("d") as dag:

        @task(retries=1)
        def pushes(ti: Any = None) -> None:
            if ti.try_number == 1:
                ti.xcom_push("old", 1)
                raise ValueError("x")
            ti.xcom_push("new", 2)

        pushes()
    tested = run(dag)
    assert (tested.xcom("pushes", "old"), tested.xcom("pushes", "new")) == (None, 2)


def test_rescheduled_sensors_are_called_again_soon() -> None:
    pokes: list[datetime] = []
    with DAG("d") as dag:

        @task.sensor(mode="reschedule", poke_interval=600, timeout=3000)
        def wait(ti: Any = None) -> bool:
            pokes.append(ti.get_first_reschedule_date())
            return len(pokes) == 3

        wait()
    tested = run(dag)
    assert tested.state == "success"
    assert tested.get_task_instance("wait").try_number == 1
    assert pokes[0] is None
    assert pokes[1] == pokes[2] == datetime(2024, 1, 1, tzinfo=UTC)


def test_groups_mapped_and_skips_inside() -> None:
    with DAG("d") as dag:

        @task
        def first(x: int) -> int:
            if x == 2:
                raise AirflowSkipException("not two")
            return x

        @task
        def second(y: int) -> int:
            return y * 10

        @task
        def gather(values: Any) -> list[int]:
            return list(values)

        @task_group
        def group(x: int) -> Any:
            return second(first(x))

        gather.override(trigger_rule="none_failed")(group.expand(x=[1, 2, 3]))
    tested = run(dag)
    assert tested.states["group.first[1]"] is S.SKIPPED
    assert tested.states["group.second[1]"] is S.SKIPPED
    assert tested.xcom("gather") == [10, 30]


def test_mapping_over_a_mapped_task_passes_over_what_left_nothing() -> None:
    with DAG("d") as dag:

        @task
        def some(x: int) -> int | None:
            return x if x % 2 else None

        @task
        def use(y: int) -> int:
            return y * 10

        use.expand(y=some.expand(x=[1, 2, 3]))
    tested = run(dag)
    assert tested.state == "success"
    assert [tested.xcom("use", map_index=i) for i in range(3)] == [10, 30, None]
    assert tested.states["use[2]"] is S.SKIPPED


def test_zip_map_and_concat() -> None:
    def odd_only(x: int) -> int:
        if x % 2 == 0:
            raise AirflowSkipException("even")
        return x

    with DAG("d") as dag:

        @task
        def numbers() -> list[int]:
            return [1, 2, 3]

        @task
        def letters() -> list[str]:
            return ["a", "b"]

        @task
        def pair(p: Any) -> Any:
            return p

        @task
        def odd(x: int) -> int:
            return x

        n, t = numbers(), letters()
        pair.expand(p=n.zip(t, fillvalue="-"))
        pair.override(task_id="both").expand(p=n.concat(t))
        odd.expand(x=n.map(odd_only))
    tested = run(dag)
    assert [tested.xcom("pair", map_index=i) for i in range(3)] == [(1, "a"), (2, "b"), (3, "-")]
    assert [tested.xcom("both", map_index=i) for i in range(5)] == [1, 2, 3, "a", "b"]
    assert [tested.states[f"odd[{i}]"] for i in range(3)] == [S.SUCCESS, S.SKIPPED, S.SUCCESS]


def test_marking_success_and_past_gates() -> None:
    ran: list[str] = []
    with DAG("d") as dag:

        @task(depends_on_past=True)
        def slow_part() -> None:
            ran.append("slow")

        @task
        def rest() -> None:
            ran.append("rest")

        slow_part() >> rest()
    tested = run(dag, mark_success_pattern="slow_.*")
    assert tested.state == "success"
    assert ran == ["rest"]
    assert run(dag).state == "success"
    assert ran == ["rest", "slow", "rest"]


def test_connections_and_variables_from_files(tmp_path: Path) -> None:
    connections, variables = tmp_path / "c.json", tmp_path / "v.env"
    connections.write_text(json.dumps({"db": "sqlite://h", "web": {"conn_type": "http", "host": "w"}}))
    variables.write_text("# comment\nexport REGION=eu\nNAME='x y'\n")
    with DAG("d") as dag:

        @task
        def read() -> list[Any]:
            Variable.set("made", "here")
            return [
                Connection.get("db").host,
                Connection.get("web").host,
                Variable.get("REGION"),
                Variable.get("NAME"),
                Variable.get("made"),
            ]

        read()
    tested = run(dag, conn_file_path=str(connections), variable_file_path=str(variables))
    assert tested.xcom("read") == ["h", "w", "eu", "x y", "here"]
    with pytest.raises(BadInput, match=r"gone\.json cannot be read"):
        run(dag, conn_file_path=str(tmp_path / "gone.json"))
    variables.write_text("oops")
    with pytest.raises(BadInput, match="line 1"):
        run(dag, variable_file_path=str(variables))
    connections.write_text("[]")
    with pytest.raises(BadInput, match="object of names"):
        run(dag, conn_file_path=str(connections))


def test_dates_of_the_run() -> None:
    with DAG("d", schedule="@daily", start_date=datetime(2024, 1, 1, tzinfo=UTC)) as dag:

        @task
        def dates(**context: Any) -> list[Any]:
            return [context.get("ds"), context["dag_run"].run_id]

        dates()
    assert run(dag, logical_date=datetime(2024, 5, 6, tzinfo=UTC)).xcom("dates") == [
        "2024-05-06",
        "manual__2024-05-06T00:00:00+00:00",
    ]
    for naive in (datetime(2024, 5, 6), "2024-05-06"):  # as people write it
        assert run(dag, logical_date=naive).run_id == "manual__2024-05-06T00:00:00+00:00"
    assert run(dag, logical_date=None).xcom("dates")[0] is None
    assert run(dag).xcom("dates")[0] == "2024-01-01"


def test_setup_and_teardown() -> None:
    said: list[str] = []
    with DAG("d") as dag:

        @task
        def up() -> None:
            said.append("up")

        @task
        def work() -> None:
            raise ValueError("x")

        @task
        def down() -> None:
            said.append("down")

        before, after = up().as_setup(), down()
        before >> work() >> after.as_teardown(setups=before)
    tested = run(dag)
    assert said == ["up", "down"]
    assert tested.state == "failed"


_HERE: list[str] = []


def test_attempts_in_processes_of_their_own() -> None:
    with DAG("d") as dag:

        @task
        def first() -> dict[str, int]:
            _HERE.append("changed")
            Variable.set("v", "set there")
            return {"pid": os.getpid()}

        @task
        def second(x: dict[str, int]) -> list[Any]:
            return [x["pid"] != os.getpid(), Variable.get("v"), list(_HERE)]

        @task
        def dies() -> None:
            os._exit(7)

        @task
        def raises() -> None:
            raise ValueError("no")

        @task
        def asks() -> None:
            Connection.get("nobody")

        second(first())
        dies()
        raises()
        asks()
    run = dag.test(use_executor=True)
    assert run.xcom("second") == [True, "set there", []]
    assert _HERE == []
    reasons = {each.task_id: each.reason for each in run.task_instances}
    assert reasons["dies"].startswith("the process ended with code 7")
    assert reasons["raises"].startswith("ValueError: no")
    assert "'nobody' is not defined" in reasons["asks"]


def test_callbacks_of_the_dag_are_called(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Any] = []

    def tell(context: Any) -> None:
        told.append((context["reason"], context["ti"].task_id, context["dag_run"].state))

    def breaks(context: Any) -> None:
        raise OSError("no network")

    with DAG("d", on_failure_callback=[breaks, tell], on_success_callback=tell) as dag:

        @task
        def maybe(params: Any = None) -> None:
            if params["fail"]:
                raise ValueError("no")

        maybe()
    dag.params["fail"] = False
    assert dag.test().state == "success"
    assert dag.test(run_conf={"fail": True}).state == "failed"
    assert told == [("success", "maybe", "success"), ("task_failure", "maybe", "failed")]
    assert "breaks of DAG d failed: no network" in caplog.text


def test_order_values_and_snapshot() -> None:
    with DAG("d") as dag:

        @task
        def a() -> int:
            return 1

        @task
        def b(x: int) -> int:
            return x + 1

        b(a())
    run = dag.test()
    assert run.order == ("a", "b")
    assert run.snapshot() == {
        "state": "success",
        "tasks": {"a": "success", "b": "success"},
        "order": ["a", "b"],
        "xcoms": {"a": {"return_value": 1}, "b": {"return_value": 2}},
    }


def test_an_empty_dag() -> None:
    assert run(DAG("d")).state == "success"


def test_secrets_do_not_reach_the_shown_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setenv("TRADEWIND_CONN_DB", "postgres://u:swordfish@h")
    with DAG("d") as dag:

        @task
        def read() -> None:
            logging.getLogger("mine").info("password %s", Connection.get("db").password)

        read()
    run(dag)
    shown = capsys.readouterr().err
    assert "password ***" in shown
    assert "swordfish" not in shown
    assert "read: success" in shown
