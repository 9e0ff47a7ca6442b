from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import pendulum
import pytest

from tradewind.sdk import DAG, BaseOperator, get_current_context, get_parsing_context, macros
from tradewind.sdk.connections import Connection
from tradewind.sdk.context import Later, parsing_context
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.values import encode_value
from tradewind.wire import execution as ex
from tradewind.wire.errors import NotFound


class Sees(BaseOperator):
    def __init__(self, *, sees: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sees = sees

    def execute(self, context: Any) -> None:
        self.sees(context)


@pytest.fixture
def see(bench: Any) -> Any:
    def look(function: Any, **kwargs: Any) -> None:
        outcome = bench.run(Sees(task_id="t", sees=function, dag=DAG("d"), do_xcom_push=False), **kwargs)
        assert outcome.state == "success", outcome.reason

    return look


def test_dates(see: Any) -> None:
    def check(c: Any) -> None:
        assert c["ds"] == "2024-03-04"
        assert c["ds_nodash"] == "20240304"
        assert c["ts"] == "2024-03-04T05:06:07+00:00"
        assert c["ts_nodash"] == "20240304T050607"
        assert c["ts_nodash_with_tz"] == "20240304T050607+0000"
        assert isinstance(c["logical_date"], pendulum.DateTime)
        assert c["logical_date"].add(days=1).day == 5
        assert c["data_interval_start"] == c["dag_run"].data_interval_start

    see(check)


def test_without_logical_date_the_names_are_absent_and_the_error_helps(see: Any) -> None:
    def check(c: Any) -> None:
        assert "ds" not in c
        assert c.get("logical_date") is None
        with pytest.raises(KeyError, match="no logical date"):
            c["ts"]
        assert c["dag_run"].logical_date is None

    see(check, logical_date=None)


def test_the_rest_of_the_context(see: Any, bench: Any) -> None:
    bench.world.variables.update(plain="x", js='{"a": 1}')
    bench.world.connections["db"] = Connection(conn_id="db", conn_type="sqlite", host="h")

    def check(c: Any) -> None:
        assert c is get_current_context()
        assert c["ti"] is c["task_instance"]
        assert c["ti"].get_template_context() is c
        assert c["run_id"] == "run"
        assert c["try_number"] == 2
        assert c["dag"].dag_id == "d"
        assert c["task"].task_id == "t"
        assert c["task_instance_key_str"] == "d__t__20240304"
        assert c["dag_run"].conf == {"k": 1}
        assert c["dag_run"].run_type == "manual"
        assert c["var"].value.plain == "x"
        assert c["var"].json.js == {"a": 1}
        assert c["var"].value.get("gone", "dflt") == "dflt"
        assert c["conn"].db.host == "h"
        assert c["conn"].get("gone") is None
        assert c["macros"].ds_add("2024-01-31", 1) == "2024-02-01"
        with pytest.raises(KeyError):
            c["nobody_knows"]
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(c)

    see(check, conf={"k": 1}, try_number=2)


def test_previous_runs_are_asked_for_only_when_read(see: Any, bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tradewind.sdk.memory_client import MemoryClient

    asked: list[Any] = []
    plain = MemoryClient.ask

    def ask(self: Any, message: Any) -> Any:
        if isinstance(message, ex.GetPreviousRun):
            asked.append(message.state)
            return ex.Run(run_id="before", start_date=datetime(2024, 1, 1, tzinfo=UTC))
        return plain(self, message)

    monkeypatch.setattr(MemoryClient, "ask", ask)

    def check(c: Any) -> None:
        copied = dict(**c)
        assert asked == []
        assert isinstance(copied["prev_start_date_success"], Later)
        assert copied["prev_start_date_success"].year == 2024
        assert f"{copied['prev_start_date_success']:%Y}" == "2024"
        assert copied["prev_start_date_success"] < pendulum.now()
        assert isinstance(c["prev_start_date_success"], pendulum.DateTime)
        assert c["prev_end_date_success"] is None
        assert asked == ["success"]
        assert c["ti"].get_previous_dagrun().run_id == "before"

    see(check)


def test_task_instance_facts(see: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND__API__BASE_URL", "https://tw.example/")

    def check(c: Any) -> None:
        ti = c["ti"]
        assert ti.key == ("d", "t", "run", 1, -1)
        assert ti.log_url == "https://tw.example/dags/d/runs/run/tasks/t?try_number=1"
        assert ti.map_index == -1
        assert ti.operator == "Sees"
        assert "d.t run try 1" in repr(ti)
        assert ti.get_dr_count("d") == 1
        assert ti.get_dr_count("other") == 0
        assert ti.get_dagrun_state("d", "run") == "running"
        with pytest.raises(NotFound, match="no run 'gone'"):
            ti.get_dagrun_state("d", "gone")
        assert ti.get_previous_ti() is None
        assert ti.stats_tags == {"dag_id": "d", "task_id": "t"}

    see(check)


def test_pulling_in_all_forms(see: Any, bench: Any) -> None:
    def put(task_id: str, path: str, value: Any, key: str = "return_value") -> None:
        bench.world.put((task_id, path), (ex.XComEntry(key, encode_value(value)),))

    put("one", "", "x")
    put("one", "", "other", key="k")
    for index in (0, 1, 10):
        put("many", str(index), index)

    def check(c: Any) -> None:
        pull = c["ti"].xcom_pull
        assert pull("one") == "x"
        assert pull(task_ids="one", key="k") == "other"
        assert pull("gone") is None
        assert pull("gone", default=5) == 5
        assert pull("many") == [0, 1, 10]
        assert pull("many", map_indexes=10) == 10
        assert pull("many", map_indexes=[1, 0, 7], default="-") == [1, 0, "-"]
        assert pull(["one", "gone", "many"], default="-") == ["x", "-", 0, 1, 10]
        assert pull(["one"]) == ["x"]
        assert pull("one", map_indexes=-1) == "x"
        assert pull() is None
        c["ti"].xcom_push("mine", {"a": (1,)})
        assert pull(key="mine") == {"a": (1,)}
        assert pull("one", dag_id="elsewhere") is None

    see(check)
    assert "mine" in bench.world.xcoms["t", ""]


def test_inputs_that_came_along_are_not_asked_for(see: Any, bench: Any) -> None:
    def check(c: Any) -> None:
        first = c["ti"].xcom_pull("up")
        first.append(3)
        assert c["ti"].xcom_pull("up") == [1, 2]

    see(check, inputs={"up": encode_value([1, 2])})


def test_states_of_others(see: Any, bench: Any) -> None:
    bench.world.states.update({("a", ""): "success", ("g.b", "1"): "failed"})

    def check(c: Any) -> None:
        ti = c["ti"]
        assert ti.get_task_states("d") == {"run": {"a": "success", "g.b[1]": "failed"}}
        assert ti.get_ti_count("d", states=["failed"]) == 1
        assert ti.get_task_states("d", task_group_id="g") == {"run": {"g.b[1]": "failed"}}

    see(check)


def test_outside_a_task() -> None:
    with pytest.raises(AirflowException, match="only while a task runs"):
        get_current_context()
    assert get_parsing_context().dag_id is None
    with parsing_context("d", "t"):
        assert (get_parsing_context().dag_id, get_parsing_context().task_id) == ("d", "t")


def test_macros() -> None:
    assert macros.ds_format("2024-01-02", "%Y-%m-%d", "%d.%m.%y") == "02.01.24"
    assert macros.ds_add("2024-01-02", 0) == "2024-01-02"
    assert macros.datetime_diff_for_humans(datetime(2024, 1, 1), datetime(2024, 1, 3)) == "2 days before"
    assert macros.dateutil.parser.parse("2024-01-02").day == 2
    assert macros.json.dumps([1]) == "[1]"
    assert macros.timedelta(days=1).days == 1
    with pytest.raises(AttributeError):
        _ = macros.nothing
