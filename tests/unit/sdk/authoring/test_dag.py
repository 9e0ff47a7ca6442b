"""DAGs: arguments, content, checks of the whole."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta

from tradewind.sdk import DAG, Param, TaskGroup, dag, task
from tradewind.sdk.exceptions import AirflowDagCycleException, FailFastDagInvalidTriggerRule, NodeNotFound
from tradewind.sdk.params import DagParam
from tradewind.wire.errors import DagCycle, InvalidConf, InvalidDag, InvalidSchedule
from tradewind.wire.schedule import CronTriggerSchedule, Delta, DeltaTriggerSchedule, NullSchedule, OnceSchedule

from .operators import Nothing, arrows


def test_every_argument_is_taken() -> None:
    names = set(inspect.signature(DAG.__init__).parameters) - {"self"}
    airflow = set(
        """
        dag_id description default_args start_date end_date schedule template_searchpath template_undefined
        user_defined_macros user_defined_filters jinja_environment_kwargs render_template_as_native_obj
        max_active_tasks max_active_runs max_consecutive_failed_dag_runs dagrun_timeout deadline
        sla_miss_callback catchup on_success_callback on_failure_callback doc_md params access_control
        is_paused_upon_creation tags owner_links auto_register fail_fast allowed_run_types dag_display_name
        task_group disable_bundle_versioning rerun_with_latest_version
        """.split()  # noqa: SIM905 # read better as words
    )
    assert len(airflow) == 34
    own = {"isolation", "dag_retries", "dag_retry_delay", "dag_retry_scope"}
    own |= {"dag_retry_exponential_backoff", "dag_max_retry_delay"}
    assert names == airflow | own


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tagz": 1}, ["DAG 'd'", "'tagz'", "did you mean 'tags'"]),
        ({"schedule_interval": "@daily"}, ["'schedule_interval'", "write schedule="]),
        ({"concurrency": 1}, ["'concurrency'", "max_active_tasks"]),
        ({"tags": "a"}, ["tags of DAG 'd'", "list"]),
        ({"tags": ["x" * 101]}, ["101 characters", "1 to 100"]),
        ({"max_active_runs": 0}, ["max_active_runs of DAG 'd'", "at least 1"]),
        ({"max_active_tasks": "x"}, ["max_active_tasks of DAG 'd'", "whole number"]),
        ({"dagrun_timeout": 5}, ["dagrun_timeout of DAG 'd'", "timedelta"]),
        ({"dagrun_timeout": timedelta(0)}, ["dagrun_timeout of DAG 'd'", "positive"]),
        ({"owner_links": {"me": "nowhere"}}, ["'nowhere'", "'me'", "https://"]),
        ({"schedule": "@continuous", "max_active_runs": 2}, ["max_active_runs of DAG 'd' is 2", "allows 1"]),
        ({"allowed_run_types": ["never"]}, ["allowed_run_types of DAG 'd'", "scheduled"]),
        ({"params": 5}, ["params of DAG 'd'", "dict"]),
        ({"default_args": 5}, ["default_args of DAG 'd'", "dict"]),
        ({"on_failure_callback": "f"}, ["on_failure_callback of DAG 'd'", "function"]),
        ({"isolation": "no"}, ["isolation of DAG 'd'", "fork, spawn or reuse"]),
        ({"start_date": "soon"}, ["start_date of DAG 'd'", "'soon'"]),
        ({"start_date": datetime(2024, 2, 1), "end_date": datetime(2024, 1, 1)}, ["end_date of DAG 'd'", "before"]),
        ({"doc_md": "missing.md"}, ["doc_md of DAG 'd'", "'missing.md'"]),
        ({"template_searchpath": [5]}, ["template_searchpath of DAG 'd'", "folder"]),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InvalidDag) as caught:
        DAG("d", **arguments)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("dag_id", ["a b", "ä/ö", "", "a..b", "x" * 251, "a\n"])
def test_odd_dag_ids(dag_id: str) -> None:
    with pytest.raises(ValueError, match="DAG id"):
        DAG(dag_id)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (None, NullSchedule()),
        ("@once", OnceSchedule()),
        ("@daily", CronTriggerSchedule(crons=("0 0 * * *",), timezone="Europe/Berlin")),
        ("*/5 * * * *", CronTriggerSchedule(crons=("*/5 * * * *",), timezone="Europe/Berlin")),
        (timedelta(hours=2), DeltaTriggerSchedule(delta=Delta(seconds=7200))),
        (relativedelta(months=1), DeltaTriggerSchedule(delta=Delta(calendar=True, months=1))),
    ],
)
def test_schedules(schedule: Any, expected: Any) -> None:
    made = DAG("d", schedule=schedule, start_date=datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")))
    assert made.wire_schedule == expected


@pytest.mark.parametrize(
    ("schedule", "words"),
    [("0 0 * *", "4 fields"), ("61 * * * *", "minute"), ("@sometimes", "@sometimes"), (5, "not 5 of type int")],
)
def test_invalid_schedules_name_dag_and_value(schedule: Any, words: str) -> None:
    with pytest.raises(InvalidSchedule, match=words) as caught:
        DAG("d", schedule=schedule)
    assert "DAG 'd'" in str(caught.value)


def test_time_zones() -> None:
    import pendulum

    berlin = DAG("d", start_date=pendulum.datetime(2024, 7, 1, tz="Europe/Berlin"))
    assert (berlin.timezone_name, berlin.start_date) == ("Europe/Berlin", datetime(2024, 6, 30, 22, tzinfo=UTC))
    assert type(berlin.start_date) is datetime
    assert DAG("d", start_date=datetime(2024, 1, 1)).timezone_name == "UTC"
    assert DAG("d", start_date=datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5.5)))).timezone_name == "+05:30"
    from_defaults = DAG("d", default_args={"start_date": "2024-01-01T00:00:00+01:00"})
    assert from_defaults.start_date == datetime(2023, 12, 31, 23, tzinfo=UTC)


def test_doc_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "doc.md").write_text("# Hello")
    code = "from tradewind import DAG\nd = DAG('d', doc_md='doc.md')\n"
    scope: dict[str, Any] = {}
    exec(compile(code, str(tmp_path / "d.py"), "exec"), scope)
    assert scope["d"].doc_md == "# Hello"


class TestContent:
    def test_lookups(self) -> None:
        with DAG("d") as made:
            with TaskGroup("g"):
                a = Nothing(task_id="a")
            b = Nothing(task_id="b")
            a >> b
        assert made.task_ids == ["g.a", "b"]
        assert made.get_task("b") is b
        assert (made.roots, made.leaves) == ([a], [b])
        assert made.has_task("b")
        assert made.has_task_group("g")
        assert made.owner == "airflow"
        with pytest.raises(NodeNotFound, match=r"DAG 'd' has no task 'g.b'; did you mean"):
            made.get_task("g.b")

    def test_unknown_upstream(self) -> None:
        with DAG("d") as made:
            Nothing(task_id="load")
        with pytest.raises(KeyError, match="no task 'lode'; did you mean 'load'"):
            made.set_dependency("lode", "load")

    def test_tasks_without_block(self) -> None:
        made = DAG("d")
        a, b = Nothing(task_id="a", dag=made), Nothing(task_id="b")
        a >> b
        assert made.task_ids == ["a", "b"]
        c = Nothing(task_id="c")
        made.add_task(c)
        assert c.dag is made
        with pytest.raises(InvalidDag, match="DAG 'd' already and cannot move to 'e'"):
            DAG("e").add_task(c)

    def test_arrows_need_a_dag(self) -> None:
        with pytest.raises(InvalidDag, match="neither is in a DAG"):
            Nothing(task_id="a") >> Nothing(task_id="b")
        one, other = DAG("one"), DAG("other")
        with pytest.raises(InvalidDag, match=r"DAG 'one'.*DAG 'other'.*TriggerDagRunOperator"):
            Nothing(task_id="a", dag=one) >> Nothing(task_id="b", dag=other)

    def test_partial_subset(self) -> None:
        with DAG("d") as made:
            a, b, c, other = (Nothing(task_id=name) for name in ("a", "b", "c", "other"))
            a >> b >> c
            other >> c
        assert arrows(made.partial_subset(["b"])) == {"a": [], "b": ["a"]}
        assert arrows(made.partial_subset(["b"], include_downstream=True, include_upstream=False)) == {
            "b": [],
            "c": ["b"],
        }
        assert arrows(made) == {"a": [], "b": ["a"], "c": ["b", "other"], "other": []}
        with pytest.raises(InvalidDag, match="no task of DAG 'd' is chosen by 'x'"):
            made.partial_subset("x")


class TestWhole:
    def test_a_cycle_names_its_path(self) -> None:
        with DAG("d") as made:
            first, a, b, c, last = (Nothing(task_id=name) for name in ("first", "a", "b", "c", "last"))
            first >> a >> b >> c >> a
            c >> last
        with pytest.raises(AirflowDagCycleException, match="DAG 'd' has a cycle: a >> b >> c >> a;") as caught:
            made.check_cycle()
        assert isinstance(caught.value, DagCycle)

    def test_a_task_that_waits_for_itself(self) -> None:
        with DAG("d") as made:
            a = Nothing(task_id="a")
            a >> a
        with pytest.raises(DagCycle, match="a >> a;"):
            made.validate()

    def test_order(self) -> None:
        with DAG("d") as made:
            _c, b, a = (Nothing(task_id=name) for name in ("c", "b", "a"))
            a >> b
        assert [one.task_id for one in made.topological_sort()] == ["c", "a", "b"]

    def test_fail_fast_takes_all_success_only(self) -> None:
        with DAG("d", fail_fast=True) as made:
            Nothing(task_id="t", trigger_rule="all_done")
        with pytest.raises(FailFastDagInvalidTriggerRule, match="'t' of DAG 'd' has trigger rule all_done"):
            made.validate()

    def test_catchup_needs_a_start(self) -> None:
        made = DAG("d", schedule="@daily", catchup=True)
        with pytest.raises(InvalidDag, match="catchup=True but no start_date"):
            made.validate()
        DAG("d", schedule="@daily", catchup=True, start_date=datetime(2024, 1, 1)).validate()

    def test_run_types_must_contain_what_the_schedule_makes(self) -> None:
        with pytest.raises(InvalidDag, match="leaves out 'scheduled'"):
            DAG("d", schedule="@daily", allowed_run_types=["manual"]).validate()
        DAG("d", allowed_run_types="manual").validate()

    def test_params_of_a_scheduled_dag_need_defaults(self) -> None:
        with pytest.raises(InvalidConf, match="param 'x' of DAG 'd', which has a schedule"):
            DAG("d", schedule="@daily", params={"x": Param(type="string")}).validate()
        DAG("d", params={"x": Param(type="string")}).validate()


class TestDecorator:
    def test_arguments_become_params(self) -> None:
        seen: list[Any] = []

        @dag(schedule="@daily", tags=["a"], params={"n": Param(3, type="integer")})
        def my_dag(n: int = 5, m: str = "x") -> None:
            """What it is for."""
            seen.extend([n, m])

        made = my_dag()
        assert (made.dag_id, made.doc_md, made.tags) == ("my_dag", "What it is for.", {"a"})
        assert made.params.dump() == {"n": 5, "m": "x"}
        assert made.params.get_param("n").schema == {"type": "integer"}
        assert all(isinstance(one, DagParam) for one in seen)
        assert my_dag(n=7).params["n"] == 7

    def test_bare_and_named(self) -> None:
        @dag
        def bare() -> None: ...

        @dag("other")
        def named() -> None: ...

        assert (bare().dag_id, named().dag_id) == ("bare", "other")

    def test_a_returned_output_is_the_result(self) -> None:
        @dag
        def with_result() -> Any:
            @task
            def t() -> int:
                return 1

            return t()

        assert with_result().result_task_id == "t"

    def test_the_file_is_that_of_the_function(self) -> None:
        @dag
        def here() -> None: ...

        assert here().fileloc == __file__
