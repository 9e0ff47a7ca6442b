"""Functions as tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypedDict

import pytest

from tradewind.sdk import DAG, AirflowSkipException, result, task
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.mapped import instance_operator
from tradewind.sdk.operator import BaseOperator
from tradewind.sdk.sensor import PokeReturnValue
from tradewind.sdk.taskflow import task_decorator_factory
from tradewind.wire.errors import InvalidDag

from .operators import arrows
from .reading import Reading


def call(dag: DAG, task_id: str, context: dict[str, Any] | None = None) -> Any:
    """Execute a task whose arguments are all known."""
    operator: Any = instance_operator(dag.get_task(task_id), (), Reading())
    return operator.execute(context or {})


def test_calls_make_tasks_with_free_ids() -> None:
    @task(retries=3, task_id="named")
    def f(x: Any) -> Any:
        """What it does."""
        return x

    with DAG("d") as dag:
        f(f(1))
        f.override(task_id="other", retries=1)(2)
    assert arrows(dag) == {"named": [], "named__1": ["named"], "other": []}
    assert (dag.get_task("named__1").retries, dag.get_task("other").retries) == (3, 1)
    assert dag.get_task("named").doc_md == "What it does."
    assert dag.get_task("named").operator_name == "@task"
    assert f.function(5) == 5
    assert f.__name__ == "f"


def test_bound_to_a_dag() -> None:
    dag = DAG("d")

    @dag.task
    def f() -> None: ...

    f()
    assert dag.task_ids == ["f"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": 1, "y": 1}, "task 'f': got an unexpected keyword argument 'y'"),
        ({}, "task 'f': missing a required argument: 'x'"),
        ({"x": 1, "z": 2, "xx": 3}, "did you mean 'x'"),
    ],
)
def test_wrong_calls(arguments: dict[str, Any], words: str) -> None:
    @task
    def f(x: int, ti: Any, z: int = 0) -> None: ...

    with DAG("d"), pytest.raises(TypeError, match=words):
        f(**arguments)


def test_wrong_decorations() -> None:
    with pytest.raises(InvalidDag, match="@task on 'f' does not know the argument 'retrys'; did you mean 'retries'"):

        @task(retrys=1)
        def f() -> None: ...

    with pytest.raises(InvalidDag, match="@task needs a plain function"):
        task(5)  # type: ignore[call-overload]
    with pytest.raises(InvalidDag, match="'C' is a class"):

        @task
        class C: ...

    with pytest.raises(AttributeError, match=r"there is no @task.brunch; did you mean 'branch'"):
        task.brunch  # noqa: B018
    with pytest.raises(NotImplementedError, match=r"@task.docker is not available yet"):
        task.docker  # noqa: B018


class Row(TypedDict):
    a: int


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (dict, True),
        (dict[str, int], True),
        ("dict[str, int]", True),
        (Row, True),
        ("Row", True),
        (list, False),
        (None, False),
        ("Unknown[str]", False),
        ("Dict[str, Unknown]", True),
        (int | None, False),
    ],
)
def test_multiple_outputs_is_inferred(annotation: Any, expected: bool) -> None:
    def f() -> Any: ...

    f.__annotations__["return"] = annotation
    assert task(f).multiple_outputs is expected
    assert task(multiple_outputs=not expected)(f).multiple_outputs is not expected


class TestExecution:
    def test_context_by_name_and_own_arguments_first(self) -> None:
        @task
        def f(a: Any, b: Any, ds: Any = None, ti: Any = None, **more: Any) -> Any:
            return (a, b, ds, ti, sorted(more))

        @task
        def only(ds: Any, missing: Any = "default") -> Any:
            return ds, missing

        with DAG("d") as dag:
            f(1, b=2, ti="mine")
            only()  # type: ignore[call-arg]
        context = {"ds": "today", "ti": "ti", "run_id": "r"}
        assert call(dag, "f", context) == (1, 2, "today", "mine", ["run_id"])
        assert call(dag, "only", context) == ("today", "default")

    def test_async_and_generator_functions(self) -> None:
        @task
        async def later() -> str:
            await asyncio.sleep(0)
            return "later"

        @task
        def steps() -> Any:
            yield 1
            return "end"

        with DAG("d") as dag:
            later()
            steps()
        assert (call(dag, "later"), call(dag, "steps")) == ("later", "end")

    def test_templates_dict(self) -> None:
        @task(templates_dict={"a": "{{ ds }}"})
        def f(templates_dict: Any = None) -> Any:
            return templates_dict

        with DAG("d") as dag:
            f()
        assert call(dag, "f") == {"a": "{{ ds }}"}

    def test_sensor(self) -> None:
        @task.sensor(poke_interval=5, mode="reschedule")
        def ready() -> PokeReturnValue:
            return PokeReturnValue(True, "value")

        with DAG("d") as dag:
            ready()
        operator: Any = dag.get_task("ready")
        assert operator.poke({}).xcom_value == "value"
        document = compile_dag(dag, file="f.py").tasks[0]
        assert (document.operator, document.is_sensor, document.reschedules) == ("@task.sensor", True, True)

    def test_conditions(self) -> None:
        asked: list[Any] = []

        def met(context: Any) -> bool:
            asked.append(context)
            return True

        @task.skip_if(met, skip_message="not today")
        @task
        def skipped() -> None: ...

        @task.run_if(lambda context: (False, "no rows"))
        @task
        def not_run() -> None: ...

        @task.run_if(met)
        @task.skip_if(lambda context: False)
        @task(task_id="ran")
        def both() -> None: ...

        with DAG("d") as dag:
            skipped()
            not_run()
            both()
        with pytest.raises(AirflowSkipException, match="not today"):
            dag.get_task("skipped").pre_execute("context")  # type: ignore[attr-defined]
        with pytest.raises(AirflowSkipException, match="no rows"):
            dag.get_task("not_run").pre_execute("context")  # type: ignore[attr-defined]
        dag.get_task("ran").pre_execute("context")  # type: ignore[attr-defined]
        assert asked == ["context", "context"]
        with pytest.raises(InvalidDag, match="must stand above @task"):
            task.run_if(met)(lambda: None)  # type: ignore[arg-type]


def test_result_marks_the_runs_result() -> None:
    @result
    @task
    def f() -> int:
        return 1

    with DAG("d") as dag:
        f()
    assert compile_dag(dag, file="f.py").extra == {"result_task_id": "f"}


def test_factory_for_own_operators() -> None:
    class Mine(BaseOperator):
        template_fields = ("op_args", "op_kwargs")
        custom_operator_name = "@task.mine"

        def __init__(
            self,
            *,
            python_callable: Callable[..., Any],
            op_args: Any = (),
            op_kwargs: Any = None,
            size: int,
            **kwargs: Any,
        ) -> None:
            super().__init__(**kwargs)
            self.op_args, self.op_kwargs = op_args, op_kwargs
            self.size = size

    def mine(python_callable: Any = None, **kwargs: Any) -> Any:
        return task_decorator_factory(python_callable, decorated_operator_class=Mine, **kwargs)

    @mine(size=5)
    def f(x: int) -> None: ...

    with DAG("d") as dag:
        f(1)
    operator: Any = dag.get_task("f")
    assert (operator.size, operator.op_args, operator.operator_name) == (5, (1,), "@task.mine")
