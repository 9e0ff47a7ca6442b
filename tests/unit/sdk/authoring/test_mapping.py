"""Mapped tasks: what is refused, what the planner is told, and what each instance gets."""

from __future__ import annotations

from typing import Any

import pytest

from tradewind.sdk import DAG, AirflowSkipException, task, task_group
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.mapped import instance_operator
from tradewind.sdk.node import Task
from tradewind.sdk.xcomarg import Resolved, XComArg, resolve_args
from tradewind.wire.document import Concatenated, FromTask, Literal, Mapping, Zipped
from tradewind.wire.errors import InvalidDag

from .operators import Nothing, Shell, arrows
from .reading import Reading


@task
def numbers() -> list[int]:
    return [1, 2, 3]


@task
def show(x: Any, y: Any = 0, z: Any = 0) -> Any:
    return x


def arguments(one: Task, path: tuple[int, ...], values: dict[Any, Any] | None = None) -> dict[str, Any]:
    """The function's arguments in one instance."""
    operator: Any = instance_operator(one, path, Reading(values))
    found: dict[str, Any] = resolve_args(operator.op_kwargs, Reading(values))
    return found


class TestRefusals:
    @pytest.mark.parametrize(
        ("mapped", "words"),
        [
            ({"comand": ["a"]}, "'comand' to map; did you mean 'command'"),
            ({"retries": [1]}, "'retries' is the same for all instances"),
            ({"task_id": ["a"]}, "'task_id'"),
            ({"env": [{}]}, "gives 'env', which partial.. fixed already"),
            ({}, "no arguments to expand over"),
            ({"command": "text"}, "cannot take 'text' of type str for 'command'"),
            ({"silent": [True]}, "Shell needs the argument 'command'"),
        ],
    )
    def test_operators(self, mapped: dict[str, Any], words: str) -> None:
        with DAG("d"), pytest.raises(InvalidDag, match=words) as caught:
            Shell.partial(task_id="t", env={}).expand(**mapped)
        assert "task 't'" in str(caught.value)

    def test_partial_checks_names(self) -> None:
        with (
            DAG("d"),
            pytest.raises(TypeError, match="task 't': Shell does not know the argument 'comand'; did you mean"),
        ):
            Shell.partial(task_id="t", comand="x")

    def test_functions(self) -> None:
        with DAG("d"):
            with pytest.raises(TypeError, match=r"unknown argument 'q'; the function is show\(x"):
                show.expand(q=[1])
            with pytest.raises(TypeError, match=r"'x' of expand.. is given by partial.. already"):
                show.partial(x=1).expand(x=[1])
            with pytest.raises(ValueError, match=r"expand_kwargs.. takes a list of dicts"):
                show.expand_kwargs(5)
            with pytest.raises(ValueError, match="1 is int"):
                show.expand_kwargs([{"x": 1}, 1])

    def test_outputs_that_cannot_be_counted(self) -> None:
        with DAG("d") as dag:
            show.expand(x=numbers()["key"])
        with pytest.raises(ValueError, match="cannot expand over output 'key' of task 'numbers'"):
            compile_dag(dag, file="f.py")
        with DAG("d") as dag:
            show.expand(x=numbers.override(do_xcom_push=False)())
        with pytest.raises(ValueError, match="'numbers': it has do_xcom_push=False"):
            compile_dag(dag, file="f.py")

    def test_never_expanded_warns(self) -> None:
        with DAG("d"), pytest.warns(UserWarning, match=r"'t' was given to partial.. but never expanded"):
            Shell.partial(task_id="t", command="x").__del__()

    def test_map_over_items_of_a_mapped_group_is_not_built(self) -> None:
        @task_group
        def g(x: Any) -> None:
            show.expand(x=x)

        with DAG("d"), pytest.raises(NotImplementedError, match="item of a mapped group is not available yet"):
            g.expand(x=[[1], [2]])


class TestDocument:
    def test_sources(self) -> None:
        with DAG("d") as dag:
            n, m = numbers(), numbers()
            show.expand(x=n, y=[1, 2], z={"a": 1})
            show.expand_kwargs(n.map(lambda i: {"x": i}))
            show.partial(y=n).expand(x=n.zip(m).concat(m))
            show.expand(x=n.zip(m, fillvalue=None))
        mappings = {one.task_id: one.mapping for one in compile_dag(dag, file="f.py").tasks}
        a, b = FromTask("numbers"), FromTask("numbers__1")
        assert mappings["show"] == Mapping((("x", a), ("y", Literal(2)), ("z", Literal(1))))
        assert mappings["show__1"] == Mapping((("", a),))
        assert mappings["show__2"] == Mapping((("x", Concatenated((Zipped((a, b)), b))),))
        assert mappings["show__3"] == Mapping((("x", Zipped((a, b), fill=True)),))
        assert arrows(dag)["show__2"] == ["numbers", "numbers__1"]

    def test_mapped_tasks_have_the_common_arguments(self) -> None:
        with DAG("d", default_args={"retries": 2, "queue": "q"}) as dag:
            mapped = Shell.partial(task_id="t", pool="p", env={}).expand(command=["a"])
            mapped >> Nothing(task_id="after")
        assert (mapped.retries, mapped.queue, mapped.pool) == (2, "q", "p")
        document = {one.task_id: one for one in compile_dag(dag, file="f.py").tasks}["t"]
        assert (document.operator, document.retries, document.pool) == ("Shell", 2, "p")
        assert document.arguments == {"command (mapped)": "['a']"}


class TestInstances:
    def test_the_last_argument_varies_fastest(self) -> None:
        with DAG("d") as dag:
            show.partial(z="fixed").expand(x=numbers(), y={"a": 1, "b": 2})
        values = {"numbers": [10, 20, 30]}
        found = [arguments(dag.get_task("show"), (i,), values) for i in range(6)]
        assert [(each["x"], each["y"]) for each in found] == [
            (10, ("a", 1)),
            (10, ("b", 2)),
            (20, ("a", 1)),
            (20, ("b", 2)),
            (30, ("a", 1)),
            (30, ("b", 2)),
        ]
        assert found[0]["z"] == "fixed"
        with pytest.raises(IndexError):
            arguments(dag.get_task("show"), (6,), values)

    def test_map_zip_concat(self) -> None:
        with DAG("d") as dag:
            n, m = numbers(), numbers()
            show.expand(x=n.map(lambda i: i * 2).map(str).zip(m, fillvalue="-").concat(n))
        values = {"numbers": [1, 2], "numbers__1": [7]}
        found = [arguments(dag.get_task("show"), (i,), values)["x"] for i in range(4)]
        assert found == [("2", 7), ("4", "-"), 1, 2]

    def test_map_is_lazy_and_may_skip(self) -> None:
        seen: list[int] = []

        def choosy(item: int) -> int:
            seen.append(item)
            if item == 2:
                raise AirflowSkipException("not this one")
            return item

        with DAG("d") as dag:
            show.expand(x=numbers().map(choosy))
        values = {"numbers": [1, 2, 3]}
        assert arguments(dag.get_task("show"), (2,), values)["x"] == 3
        assert seen == [3]
        with pytest.raises(AirflowSkipException):
            arguments(dag.get_task("show"), (1,), values)

    def test_expand_kwargs(self) -> None:
        with DAG("d") as dag:
            show.expand_kwargs([{"x": 1}, {"x": numbers(), "y": 5}])
            Shell.partial(task_id="t", env={"a": "1"}).expand_kwargs(numbers().map(lambda i: {"command": f"echo {i}"}))
            Shell.partial(task_id="loose", env={}).expand_kwargs([{"command": "x", "env": {"b": "2"}}], strict=False)
        assert arguments(dag.get_task("show"), (1,), {"numbers": [9]}) == {"x": [9], "y": 5}
        one: Any = instance_operator(dag.get_task("t"), (1,), Reading({"numbers__1": [1, 2]}))
        assert resolve_args((one.command, one.env), Reading()) == ("echo 2", {"a": "1"})
        loose: Any = instance_operator(dag.get_task("loose"), (0,), Reading())
        assert loose.env == {"b": "2"}

    def test_items_that_do_not_fit_are_named(self) -> None:
        with DAG("d") as dag:
            Shell.partial(task_id="t", env={}).expand_kwargs(numbers())
        mapped = dag.get_task("t")
        with pytest.raises(TypeError, match="'t': Shell does not know the argument 'comand'"):
            instance_operator(mapped, (0,), Reading({"numbers": [{"comand": "x"}]}))
        with pytest.raises(TypeError, match=r"gives 'env', which partial.. fixed already"):
            instance_operator(mapped, (0,), Reading({"numbers": [{"command": "x", "env": {}}]}))
        with pytest.raises(ValueError, match="item 0 is int"):
            instance_operator(mapped, (0,), Reading({"numbers": [1]}))

    def test_sets_have_one_order_in_all_processes(self) -> None:
        with DAG("d") as dag:
            show.expand(x=numbers())
        values = {"numbers": {"b", "a", "c"}}
        assert [arguments(dag.get_task("show"), (i,), values)["x"] for i in range(3)] == ["a", "b", "c"]

    def test_what_came_from_a_task_is_never_a_template(self) -> None:
        with DAG("d") as dag:
            Shell.partial(task_id="t").expand(command=numbers(), env=[{"k": "{{ ds }}"}])
        one: Any = instance_operator(dag.get_task("t"), (0,), Reading({"numbers": ["{{ evil }}"]}))
        assert isinstance(one.command, Resolved)
        assert one.command.resolve(Reading()) == "{{ evil }}"
        assert one.env == {"k": "{{ ds }}"}  # written in the file: rendered later

    def test_nothing_of_the_dag_is_touched(self) -> None:
        with DAG("d") as dag:
            plain = Shell(task_id="plain", command="{{ ds }}")
            Shell.partial(task_id="t").expand(command=["a"])
        one: Any = instance_operator(plain, (), Reading())
        one.command = "rendered"
        assert plain.command == "{{ ds }}"
        mapped: Any = instance_operator(dag.get_task("t"), (0,), Reading())
        assert (mapped.task_id, mapped.dag, dag.task_ids) == ("t", dag, ["plain", "t"])
        assert dag.get_task("t").is_mapped

    def test_paths_that_do_not_fit(self) -> None:
        with DAG("d") as dag:
            show.expand(x=[1])
        with pytest.raises(ValueError, match=r"'show' stands in 1 mapped scopes, the path .* has 0"):
            instance_operator(dag.get_task("show"), (), Reading())


class TestGroups:
    def test_items_of_the_group_and_own_items(self) -> None:
        @task_group
        def g(a: Any, b: Any) -> Any:
            show(a, [b, "x"])
            Shell(task_id="shell", command=b)
            return show.partial(y=a).expand(x=[1, 2])

        with DAG("d") as dag:
            g.partial(b="fixed").expand(a=numbers())
        values = {"numbers": ["p", "{{ q }}"]}
        one: Any = instance_operator(dag.get_task("g.show"), (1,), Reading(values))
        assert resolve_args(one.op_args, Reading(values)) == ("{{ q }}", ["fixed", "x"])
        assert isinstance(one.op_args[0], Resolved)
        assert arguments(dag.get_task("g.show__1"), (1, 0), values) == {"y": "{{ q }}", "x": 1}
        shell: Any = instance_operator(dag.get_task("g.shell"), (0,), Reading(values))
        assert shell.command == "fixed"
        assert isinstance(dag.get_task("g.show").op_args[0], XComArg)  # type: ignore[attr-defined]

    def test_nested_mapped_groups(self) -> None:
        @task_group
        def inner(x: Any, y: Any) -> None:
            show(x, y)

        @task_group
        def outer(x: Any) -> None:
            inner.partial(x=x).expand(y=["u", "v"])

        with DAG("d") as dag:
            outer.expand(x=["p", "q"])
        one: Any = instance_operator(dag.get_task("outer.inner.show"), (1, 0), Reading())
        assert resolve_args(one.op_args, Reading()) == ("q", "u")
