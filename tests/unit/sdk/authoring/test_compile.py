"""From DAGs to documents."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.sdk import DAG, task
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.shown import shown
from tradewind.wire.document import FORMAT, decode_document, encode_document
from tradewind.wire.schedule import CronTriggerSchedule
from tradewind.wire.states import DagRunType, Isolation, WeightRule

from .operators import Nothing, Shell


def test_every_field_of_the_dag_arrives() -> None:
    with DAG(
        "d",
        description="what",
        schedule="@daily",
        start_date=datetime(2024, 1, 1),
        end_date=datetime(2025, 1, 1),
        catchup=True,
        max_active_runs=3,
        max_active_tasks=4,
        max_consecutive_failed_dag_runs=5,
        dagrun_timeout=timedelta(minutes=1),
        fail_fast=True,
        is_paused_upon_creation=True,
        isolation="reuse",
        tags=["b", "a"],
        owner_links={"me": "mailto:me@example.org"},
        allowed_run_types=["scheduled", DagRunType.MANUAL],
        render_template_as_native_obj=True,
        on_success_callback=print,
        dag_display_name="The D",
        doc_md="doc",
        disable_bundle_versioning=True,
        rerun_with_latest_version=False,
        sla_miss_callback=print,
        access_control={"x": {"can_read"}},
    ) as dag:
        Nothing(task_id="t", owner="me", email="me@example.org", sla=timedelta(1))
    document = compile_dag(dag, file="folder/f.py", code_digest="abc")
    assert document.format == FORMAT
    assert (document.dag_id, document.file, document.code_digest) == ("d", "folder/f.py", "abc")
    assert (document.display_name, document.description, document.doc_md) == ("The D", "what", "doc")
    assert document.schedule == CronTriggerSchedule(crons=("0 0 * * *",))
    assert document.start_date == datetime(2024, 1, 1, tzinfo=UTC)
    assert document.end_date == datetime(2025, 1, 1, tzinfo=UTC)
    assert (document.max_active_runs, document.max_active_tasks) == (3, 4)
    assert (document.max_consecutive_failed_dag_runs, document.dagrun_timeout_seconds) == (5, 60.0)
    assert all([document.catchup, document.fail_fast, document.is_paused_upon_creation])
    assert document.isolation is Isolation.REUSE
    assert (document.tags, document.owners) == (("a", "b"), ("me",))
    assert document.owner_links == {"me": "mailto:me@example.org"}
    assert document.allowed_run_types == ("manual", "scheduled")
    assert (document.has_on_success_callback, document.has_on_failure_callback) == (True, False)
    assert (document.disable_bundle_versioning, document.rerun_with_latest_version) == (True, False)
    assert document.access == ("x=read:DAGs",) or document.access[0].startswith("x=read:")
    assert document.warnings == ("sla_miss_callback has no effect any more", "sla has no effect any more (tasks: t)")
    assert decode_document(encode_document(document)) == document


def test_every_field_of_a_task_arrives() -> None:
    with DAG("d") as dag:
        Nothing(task_id="first")
        task_ = Shell(
            task_id="t",
            command="echo {{ ds }}",
            env={"API_KEY": "hush", "A": "1"},
            owner="me",
            retries=2,
            retry_delay=5,
            retry_exponential_backoff=2,
            max_retry_delay=60,
            execution_timeout=timedelta(seconds=9),
            depends_on_past=True,
            wait_for_past_depends_before_skipping=True,
            priority_weight=7,
            weight_rule="absolute",
            queue="q",
            pool="p",
            pool_slots=2,
            executor="celery",
            executor_config={"b": 1, "a": {"x"}},
            isolation="spawn",
            max_active_tis_per_dag=3,
            max_active_tis_per_dagrun=2,
            start_date=datetime(2024, 1, 1),
            do_xcom_push=False,
            multiple_outputs=True,
            on_retry_callback=print,
            map_index_template="{{ x }}",
            task_display_name="T",
            doc_md="doc",
            resources={"cpus": 2},
            params={"x": 1},
            trigger_rule="none_failed",
        )
        dag.set_dependency("first", "t")
        task_ >> Nothing(task_id="after")
    document = {one.task_id: one for one in compile_dag(dag, file="f.py").tasks}["t"]
    assert (document.operator, document.module, document.display_name) == ("Shell", Shell.__module__, "T")
    assert (document.upstream, document.trigger_rule) == (("first",), "none_failed")
    assert (document.retries, document.retry_delay_seconds, document.retry_exponential_backoff) == (2, 5.0, 2.0)
    assert (document.max_retry_delay_seconds, document.execution_timeout_seconds) == (60.0, 9.0)
    assert document.depends_on_past
    assert document.wait_for_past_depends_before_skipping
    assert (document.priority_weight, document.weight_rule, document.effective_weight) == (7, "absolute", 7)
    assert (document.queue, document.pool, document.pool_slots, document.executor) == ("q", "p", 2, "celery")
    assert document.executor_config == {"a": "{'x'}", "b": 1}
    assert document.isolation is Isolation.SPAWN
    assert (document.max_active_tis_per_dag, document.max_active_tis_per_dagrun) == (3, 2)
    assert (document.do_xcom_push, document.multiple_outputs, document.has_callbacks) == (False, True, True)
    assert document.template_fields == ("command", "env")
    assert document.arguments == {"command": "echo {{ ds }}", "env": "{'API_KEY': '***', 'A': '1'}"}
    assert (document.doc_md, document.resources, document.extra) == ("doc", {"cpus": 2}, {"params": {"x": 1}})


def test_inputs_are_what_arguments_read() -> None:
    @task
    def f(x: Any = None, y: Any = None) -> Any: ...

    with DAG("d") as dag:
        a, b = f.override(task_id="a")(), f.override(task_id="b")()
        f.override(task_id="c")(a, {"deep": [b["key"]]}) >> f.override(task_id="e")()
        f.override(task_id="m").partial(y=b).expand(x=a)
    inputs = {one.task_id: one.inputs for one in compile_dag(dag, file="f.py").tasks}
    assert inputs == {"a": (), "b": (), "c": ("a",), "e": (), "m": ("a", "b")}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, True),
        ({"on_failure_callback": print}, True),
        ({"on_success_callback": print}, False),
        ({"on_execute_callback": print}, False),
        ({"pre_execute": print}, False),
    ],
)
def test_empty_tasks(arguments: dict[str, Any], expected: bool) -> None:
    with DAG("d") as dag:
        Nothing(task_id="t", **arguments)
    assert compile_dag(dag, file="f.py").tasks[0].is_empty is expected


class TestWeights:
    def test_by_rule(self) -> None:
        with DAG("d") as dag:
            a, b, c = (
                Nothing(task_id=name, priority_weight=number) for name, number in (("a", 1), ("b", 10), ("c", 100))
            )
            up = Nothing(task_id="up", weight_rule="upstream", priority_weight=1000)
            alone = Nothing(task_id="alone", weight_rule="absolute", priority_weight=5)
            a >> [b, c] >> up >> alone
            a >> up
        weights = {one.task_id: one.effective_weight for one in compile_dag(dag, file="f.py").tasks}
        assert weights == {"a": 1116, "b": 1015, "c": 1105, "up": 1111, "alone": 5}

    def test_clamped(self) -> None:
        with DAG("d") as dag:
            Nothing(task_id="a", priority_weight=2**31 - 1) >> Nothing(task_id="b", priority_weight=5)
        assert compile_dag(dag, file="f.py").tasks[0].effective_weight == 2**31 - 1

    @given(
        st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40),
        st.lists(st.integers(-5, 5), min_size=12, max_size=12),
        st.sampled_from([WeightRule.DOWNSTREAM, WeightRule.UPSTREAM]),
    )
    def test_against_the_definition(self, pairs: list[tuple[int, int]], own: list[int], rule: WeightRule) -> None:
        with DAG("d", default_args={"weight_rule": rule}) as dag:
            tasks = [Nothing(task_id=f"t{i:02}", priority_weight=weight) for i, weight in enumerate(own)]
            for low, high in pairs:
                if low != high:
                    tasks[min(low, high)] >> tasks[max(low, high)]
        for one in compile_dag(dag, file="f.py").tasks:
            relatives = dag.get_task(one.task_id).get_flat_relatives(upstream=rule is WeightRule.UPSTREAM)
            assert one.effective_weight == one.priority_weight + sum(other.priority_weight for other in relatives)


class _Thing:
    def __init__(self) -> None:
        self.size = 5
        self.other = object()
        self.password = "hush"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ([1, "a", None], "[1, 'a', None]"),
        ((1,), "(1,)"),
        ({"b", "a"}, "{'a', 'b'}"),
        ({"token": "x", "n": 1}, "{'token': '***', 'n': 1}"),
        (test_every_field_of_a_task_arrives, f"{__name__}.test_every_field_of_a_task_arrives"),
        (_Thing, f"{__name__}._Thing"),
        (_Thing(), "_Thing(other=object, password='***', size=5)"),
        ("x" * 5000, "x" * 4095 + "…"),
    ],
)
def test_arguments_as_text(value: Any, expected: str) -> None:
    assert shown("field", value) == expected
    assert "0x" not in shown("field", [value])


_FILE = """
from tradewind import DAG, task
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.operator import BaseOperator
from tradewind.wire.document import encode_document
class Thing: pass
class Op(BaseOperator):
    template_fields = ("a", "b")
    def __init__(self, a, b, **kwargs):
        super().__init__(**kwargs)
        self.a, self.b = a, b
with DAG("d", tags={"x", "y", "z", "w"}) as dag:
    @task
    def f(x): ...
    [f.override(task_id=f"t{i}")({"p", "q", "r", "s"}) for i in range(5)] >> Op(task_id="o", a=Thing(), b=lambda: 1)
print(encode_document(compile_dag(dag, file="f.py")).decode())
"""


def test_parsing_twice_gives_equal_bytes() -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-c", _FILE], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
    assert "0x" not in texts.pop()
