"""Arguments whose effect is decided when a DAG is compiled."""

from __future__ import annotations

from typing import Any

import pytest

from tradewind import DAG, BaseOperator, TaskGroup
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.weights import PriorityWeightStrategy
from tradewind.wire.document import DagDocument, TaskDocument
from tradewind.wire.states import Isolation, WeightRule


class Nothing(BaseOperator):
    def execute(self, context: Any) -> None: ...


def _task(dag: DAG, task_id: str = "t") -> TaskDocument:
    document: DagDocument = compile_dag(dag, file="f.py")
    return next(task for task in document.tasks if task.task_id == task_id)


class Doubled(PriorityWeightStrategy):
    def __init__(self, factor: int = 2) -> None:
        self.factor = factor

    def get_weight(self, ti: Any) -> int:
        return int(ti.priority_weight) * self.factor + (ti.task_id == "t")

    def serialize(self) -> dict[str, Any]:
        return {"factor": self.factor}


class Foreign:
    def get_weight(self, ti: Any) -> int:
        return 7


def test_weights_by_a_rule_of_ones_own() -> None:
    with DAG("d") as dag:
        Nothing(task_id="t", priority_weight=5, weight_rule=Doubled(3)) >> Nothing(task_id="u", weight_rule=Doubled)
        Nothing(task_id="v", weight_rule=Foreign())  # type: ignore[arg-type] # one of the same shape
    assert (_task(dag).effective_weight, _task(dag).weight_rule) == (16, WeightRule.ABSOLUTE)
    assert _task(dag, "u").effective_weight == 2
    assert _task(dag, "v").effective_weight == 7
    assert Doubled.deserialize(Doubled(4).serialize()) == Doubled(4) != Doubled(2)


def test_wrong_rules_for_weights() -> None:
    class Broken(PriorityWeightStrategy):
        def get_weight(self, ti: Any) -> int:
            return "high"  # type: ignore[return-value]

    with DAG("d") as dag:
        Nothing(task_id="t", weight_rule=Broken())
        with pytest.raises(WrongArgument, match="weight_rule of task 'u' must be downstream, upstream, absolute or a"):
            Nothing(task_id="u", weight_rule=5)  # type: ignore[arg-type]
    with pytest.raises(WrongValue, match="Broken gave task 't' the weight 'high'"):
        compile_dag(dag, file="f.py")


def test_what_becomes_another_user_has_a_process_of_its_own() -> None:
    with DAG("d", isolation="reuse") as dag:
        Nothing(task_id="t", run_as_user="nobody")
        Nothing(task_id="u")
    assert (_task(dag).run_as_user, _task(dag).isolation) == ("nobody", Isolation.FORK)
    assert _task(dag, "u").isolation is None


def test_grants_of_the_dag_itself() -> None:
    dag = DAG("d", access_control={"Ops": {"can_read", "can_edit"}, "Dev": {"DAG Runs": {"can_create"}}})
    access = compile_dag(dag, file="f.py").access
    assert [text.partition("=")[0] for text in access] == ["Dev", "Ops"]
    with pytest.raises(WrongValue, match=r"access_control of DAG 'd': .* unknown action 'fly'"):
        DAG("d", access_control={"Ops": {"fly"}})
    with pytest.raises(WrongArgument, match="must be a dict of roles"):
        DAG("d", access_control="Ops")  # type: ignore[arg-type]


def test_versions() -> None:
    document = compile_dag(DAG("d", disable_bundle_versioning=True, rerun_with_latest_version=True), file="f.py")
    assert (document.disable_bundle_versioning, document.rerun_with_latest_version) == (True, True)
    assert compile_dag(DAG("d"), file="f.py").rerun_with_latest_version is None
    with pytest.raises(WrongArgument, match="rerun_with_latest_version of DAG 'd' must be True or False"):
        DAG("d", rerun_with_latest_version="yes")  # type: ignore[arg-type]


def test_what_is_for_executors_reaches_the_document() -> None:
    with DAG("d") as dag:
        Nothing(
            task_id="t",
            queue="gpu",
            executor="celery",
            executor_config={"a": 1},
            resources={"cpus": 2, "ram": 1024},
        )
        with pytest.raises(WrongArgument, match="'tea' is not one of cpus, ram, disk, gpus"):
            Nothing(task_id="u", resources={"tea": 1})
    task = _task(dag)
    assert (task.queue, task.executor, task.executor_config) == ("gpu", "celery", {"a": 1})
    assert task.resources == {"cpus": 2, "ram": 1024}


def test_documentation_in_each_form() -> None:
    with DAG("d") as dag:
        Nothing(task_id="t", doc="plain", doc_json={"a": 1})
        Nothing(task_id="rst", doc_rst="*rst*")
        Nothing(task_id="yaml", doc_yaml="a: 1")
        Nothing(task_id="md", doc_md="# md", doc="other")
    assert (_task(dag).doc_md, _task(dag).extra["doc_json"]) == ("plain", {"a": 1})
    assert [_task(dag, name).doc_md for name in ("rst", "yaml", "md")] == ["*rst*", "a: 1", "# md"]


def test_a_task_names_its_logger_and_its_group() -> None:
    with DAG("d") as dag:
        group = TaskGroup("g")
        task = Nothing(task_id="t", logger_name="mine", task_group=group)
    assert task.log.name == "mine"
    assert (task.task_id, _task(dag, "g.t").group_id) == ("g.t", "g")


def test_a_dag_takes_a_root_group_that_was_made_before() -> None:
    first = DAG("first")
    assert DAG("second", task_group=first.task_group).task_group is first.task_group


def test_limits_of_a_run_reach_the_document() -> None:
    document = compile_dag(DAG("d", max_active_tasks=3, tags=["a", "b"]), file="f.py")
    assert (document.max_active_tasks, document.tags) == (3, ("a", "b"))


def test_waiting_for_downstream_waits_for_the_past_too() -> None:
    with DAG("d") as dag:
        Nothing(task_id="t", wait_for_downstream=True)
    assert (_task(dag).wait_for_downstream, _task(dag).depends_on_past) == (True, True)


def test_a_teardown_without_a_setup_is_told() -> None:
    with DAG("d") as dag:
        Nothing(task_id="t") >> Nothing(task_id="down").as_teardown()
    (warning,) = compile_dag(dag, file="f.py").warnings
    assert warning.startswith("a teardown without a setup")
