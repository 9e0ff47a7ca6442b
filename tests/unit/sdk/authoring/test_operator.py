"""Operators: arguments, defaults, and what is said about wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tradewind.sdk import DAG, BaseOperator, TaskGroup, TriggerRule, WeightRule
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.exceptions import DuplicateTaskIdFound, TaskDeferred
from tradewind.sdk.mapped import common_defaults
from tradewind.wire.errors import InvalidDag

from .operators import Nothing, Shell


def test_every_common_argument_is_taken() -> None:
    names = {*common_defaults(), "task_id", "dag", "task_group", "default_args"}
    airflow = set(
        """
        task_id owner email email_on_retry email_on_failure retries retry_delay retry_exponential_backoff
        max_retry_delay retry_policy start_date end_date depends_on_past ignore_first_depends_on_past
        wait_for_past_depends_before_skipping wait_for_downstream dag params default_args priority_weight
        weight_rule queue pool pool_slots sla execution_timeout on_execute_callback on_failure_callback
        on_success_callback on_retry_callback on_skipped_callback pre_execute post_execute trigger_rule resources
        run_as_user map_index_template max_active_tis_per_dag max_active_tis_per_dagrun executor executor_config
        do_xcom_push multiple_outputs inlets outlets task_group doc doc_md doc_json doc_yaml doc_rst
        task_display_name logger_name allow_nested_operators render_template_as_native_obj
        """.split()  # noqa: SIM905 # read better as words
    )
    assert len(airflow) == 55
    assert names == airflow | {"isolation", "deadline"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"retries": "2"}, {"retries": 2}),
        ({"retries": None}, {"retries": 0}),
        ({"retry_delay": 5}, {"retry_delay": timedelta(seconds=5)}),
        ({"retry_exponential_backoff": True}, {"retry_exponential_backoff": 2.0}),
        ({"max_retry_delay": 1.5}, {"max_retry_delay": timedelta(seconds=1.5)}),
        ({"priority_weight": 2**40}, {"priority_weight": 2**31 - 1}),
        ({"priority_weight": -(2**40)}, {"priority_weight": -(2**31)}),
        ({"weight_rule": "absolute"}, {"weight_rule": WeightRule.ABSOLUTE}),
        ({"trigger_rule": "all_done"}, {"trigger_rule": TriggerRule.ALL_DONE}),
        ({"pool": None}, {"pool": "default_pool"}),
        ({"wait_for_downstream": True}, {"depends_on_past": True}),
        ({"on_failure_callback": print}, {"on_failure_callback": [print]}),
        ({"start_date": datetime(2024, 1, 1)}, {"start_date": datetime(2024, 1, 1, tzinfo=UTC)}),
        ({"start_date": "2024-01-01T02:00:00+02:00"}, {"start_date": datetime(2024, 1, 1, tzinfo=UTC)}),
    ],
)
def test_arguments_become_exact(arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    with DAG("d"):
        task = Nothing(task_id="t", **arguments)
    assert {name: getattr(task, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"retrys": 1}, TypeError, ["'t'", "Nothing", "'retrys'", "did you mean 'retries'"]),
        ({"task_concurrency": 1}, TypeError, ["'task_concurrency'", "max_active_tis_per_dag"]),
        ({"retries": "many"}, TypeError, ["retries of task 't'", "whole number", "'many'"]),
        ({"retries": -1}, ValueError, ["retries of task 't'", "at least 0", "-1"]),
        ({"retry_delay": "5m"}, TypeError, ["retry_delay of task 't'", "timedelta", "'5m'"]),
        ({"retry_delay": -5}, ValueError, ["retry_delay of task 't'", "negative"]),
        ({"execution_timeout": 5}, TypeError, ["execution_timeout of task 't'", "timedelta(minutes=5)", "5"]),
        ({"trigger_rule": "all_sucess"}, ValueError, ["'all_sucess'", "did you mean 'all_success'"]),
        ({"trigger_rule": "dummy"}, ValueError, ["'dummy'", "it is called 'always' now"]),
        ({"weight_rule": "sideways"}, ValueError, ["weight_rule of task 't'", "downstream, upstream or absolute"]),
        ({"pool_slots": 0}, ValueError, ["pool_slots of task 't'", "at least 1"]),
        ({"depends_on_past": "yes"}, TypeError, ["depends_on_past of task 't'", "True or False", "'yes'"]),
        ({"on_success_callback": "f"}, TypeError, ["on_success_callback of task 't'", "function", "'f'"]),
        ({"start_date": "soon"}, ValueError, ["start_date of task 't'", "'soon'", "2024-01-31"]),
        ({"queue": 5}, TypeError, ["queue of task 't'", "text", "5"]),
        ({"resources": {"discs": 1}}, TypeError, ["resources of task 't'", "'discs'", "disk"]),
        ({"isolation": "jail"}, ValueError, ["isolation of task 't'", "fork, spawn or reuse", "'jail'"]),
        ({"params": [1]}, TypeError, ["params of task 't'", "dict"]),
        ({"executor_config": 1}, TypeError, ["executor_config of task 't'", "dict"]),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], kind: type[Exception], words: list[str]) -> None:
    with DAG("d"), pytest.raises(InvalidDag) as caught:
        Nothing(task_id="t", **arguments)
    assert isinstance(caught.value, kind)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_missing_argument_is_named_with_the_class() -> None:
    with DAG("d"), pytest.raises(TypeError, match=r"task 't': Shell needs the argument 'command'; add command="):
        Shell(task_id="t")  # type: ignore[call-arg]


def test_a_missing_task_id_is_named() -> None:
    with (
        DAG("d"),
        pytest.raises(TypeError, match="needs the argument 'command' and does not know 'comand'; did you mean"),
    ):
        Shell(task_id="t", comand="x")  # type: ignore[call-arg]
    with DAG("d"), pytest.raises(TypeError, match="Nothing needs the argument 'task_id'"):
        Nothing()  # type: ignore[call-arg]


def test_positional_arguments_are_refused_with_the_right_form() -> None:
    with DAG("d"), pytest.raises(TypeError, match=r"Nothing\(task_id='t'"):
        Nothing("t")  # type: ignore[call-arg]


def test_odd_characters_in_an_id() -> None:
    with DAG("d"), pytest.raises(ValueError, match="task id 'a b' contains ' '"):
        Nothing(task_id="a b")


def test_the_same_id_twice() -> None:
    with DAG("d"):
        Nothing(task_id="t")
        with pytest.raises(DuplicateTaskIdFound, match="DAG 'd' has a task 't' already"):
            Nothing(task_id="t")


def test_an_operator_that_forgets_its_parent() -> None:
    class Forgetful(BaseOperator):
        def __init__(self, **kwargs: Any) -> None:
            pass

    with DAG("d"), pytest.raises(TypeError, match=r"Forgetful.__init__ did not call super\(\).__init__"):
        Forgetful(task_id="t")


def test_template_fields_must_be_a_list() -> None:
    with pytest.raises(TypeError, match=r"Wrong.template_fields must be a tuple or list, not the text 'command'"):

        class Wrong(BaseOperator):
            template_fields = "command"


class TestDefaults:
    def test_dag_then_group_then_own_then_argument(self) -> None:
        outer = {"retries": 1, "owner": "dag", "queue": "dag", "pool": "dag"}
        inner = {"owner": "group", "queue": "group", "pool": "group"}
        with DAG("d", default_args=outer), TaskGroup("g", default_args=inner):
            task = Nothing(task_id="t", default_args={"queue": "own", "pool": "own"}, pool="argument")
        assert (task.retries, task.owner, task.queue, task.pool) == (1, "group", "own", "argument")

    def test_missing_arguments_of_a_subclass_are_filled(self) -> None:
        with DAG("d", default_args={"command": "from defaults", "unknown_to_all": 1}):
            assert Shell(task_id="t").command == "from defaults"  # type: ignore[call-arg]

    def test_a_subclass_that_computes_an_argument_is_not_overruled(self) -> None:
        class Fixed(Shell):
            def __init__(self, **kwargs: Any) -> None:
                super().__init__(command="fixed", **kwargs)

        with DAG("d", default_args={"command": "from defaults"}):
            assert Fixed(task_id="t").command == "fixed"

    def test_params_merge(self) -> None:
        inner = {"params": {"b": 2, "c": 2}}
        with (
            DAG("d", params={"x": 0}, default_args={"params": {"a": 1, "b": 1}}) as dag,
            TaskGroup("g", default_args=inner),
        ):
            task = Nothing(task_id="t", params={"c": 3})
        assert task.params.dump() == {"b": 2, "c": 3}
        assert dag.params.dump() == {"x": 0, "a": 1, "b": 1}


class TestReferences:
    def test_a_reference_in_a_field_draws_an_arrow(self) -> None:
        with DAG("d"):
            first, second = Nothing(task_id="first"), Nothing(task_id="second")
            third = Shell(task_id="third", command="x", env={"deep": [first.output["key"]]})  # type: ignore[dict-item]
            third.command = second.output  # assigned later, as authors do
        assert third.upstream_task_ids == {"first", "second"}

    def test_a_field_without_attribute_is_named(self) -> None:
        class Lacking(BaseOperator):
            template_fields = ("nowhere",)

        with DAG("d") as dag:
            Lacking(task_id="t")
        with pytest.raises(InvalidDag, match="'t': 'nowhere' is in template_fields of Lacking"):
            compile_dag(dag, file="f.py")


def test_defer_raises_what_ends_the_attempt() -> None:
    with DAG("d"):
        task = Nothing(task_id="t")
    with pytest.raises(TaskDeferred) as raised:
        task.defer(trigger=object(), method_name="go_on", kwargs={"a": 1}, timeout=60)
    assert (raised.value.method_name, raised.value.kwargs) == ("go_on", {"a": 1})
    assert raised.value.timeout == timedelta(minutes=1)


def test_hooks_around_execute() -> None:
    called: list[Any] = []
    with DAG("d"):
        task = Nothing(task_id="t", pre_execute=called.append, post_execute=lambda c, r: called.append((c, r)))
    task.pre_execute("context")
    task.post_execute("context", 5)
    assert called == ["context", ("context", 5)]


class TestNestedOperators:
    @pytest.mark.parametrize("allowed", [True, False])
    def test_execute_inside_another_task(self, allowed: bool) -> None:
        class Outer(BaseOperator):
            def execute(self, context: Any) -> Any:
                return Shell(task_id="inner", command="x", allow_nested_operators=allowed).execute(context)

        with DAG("d") as dag:
            Outer(task_id="outer")
        run = dag.test()
        assert str(run.state) == ("success" if allowed else "failed")

    def test_a_parents_execute_is_no_nesting(self, caplog: pytest.LogCaptureFixture) -> None:
        class Louder(Shell):
            def execute(self, context: Any) -> Any:
                return super().execute(context) + "!"

        with DAG("d") as dag:
            Louder(task_id="t", command="x", allow_nested_operators=False)
        run = dag.test()
        assert str(run.state) == "success"
        assert "executed inside" not in caplog.text
