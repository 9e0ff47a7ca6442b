"""Task groups."""

from __future__ import annotations

from typing import Any

import pytest

from tradewind.sdk import DAG, TaskGroup, task, task_group
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.exceptions import DuplicateTaskIdFound
from tradewind.wire.document import FromTask, Literal, Mapping
from tradewind.wire.errors import InvalidDag

from .operators import Nothing, arrows


def test_ids_and_nesting() -> None:
    with DAG("d") as dag, TaskGroup("outer", tooltip="tip") as outer:
        with TaskGroup("inner"):
            a = Nothing(task_id="a")
        with TaskGroup("plain", prefix_group_id=False):
            b = Nothing(task_id="b")
    assert (a.task_id, b.task_id, a.label) == ("outer.inner.a", "b", "a")
    assert [one.task_id for one in outer.iter_tasks()] == ["outer.inner.a", "b"]
    assert sorted(dag.task_group_dict) == ["outer", "outer.inner", "outer.plain"]
    document = compile_dag(dag, file="f.py")
    assert [(group.group_id, group.parent_id, group.label) for group in document.groups] == [
        ("outer", None, "outer"),
        ("outer.inner", "outer", "inner"),
        ("outer.plain", "outer", "plain"),
    ]
    assert {one.task_id: one.group_id for one in document.tasks} == {"b": "outer.plain", "outer.inner.a": "outer.inner"}


def test_errors_name_the_group() -> None:
    with pytest.raises(InvalidDag, match="task group 'g' is in no DAG"):
        TaskGroup("g")
    with DAG("d"):
        Nothing(task_id="x")
        with pytest.raises(DuplicateTaskIdFound, match="has a task 'x' already"):
            TaskGroup("x")
        with pytest.raises(ValueError, match="group id 'a b' contains"):
            TaskGroup("a b")
        with pytest.raises(
            TypeError, match=r"TaskGroup 'g' does not know the argument 'tooltipp'; did you mean 'tooltip'"
        ):
            TaskGroup("g", tooltipp="")  # type: ignore[call-arg]


def test_decorator_called_several_times() -> None:
    @task
    def t(x: Any = 1) -> Any:
        return x

    @task_group
    def g(y: Any) -> Any:
        """Doc of g."""
        return t(t(y))

    @task_group(group_id="named", tooltip="own")
    def without_result() -> None:
        t()

    with DAG("d") as dag:
        one = g(t())
        one >> t.override(task_id="end")()
        assert g(2).operator.task_id == "g__1.t__1"
        assert without_result().group_id == "named"
        assert g.override(group_id="other")(3).operator.task_id == "other.t__1"
    assert arrows(dag)["end"] == ["g.t__1"]
    assert dag.task_group_dict["g"].tooltip == "Doc of g."
    assert dag.task_group_dict["named"].tooltip == "own"


def test_mapped_group() -> None:
    @task
    def numbers() -> list[int]:
        return [1, 2]

    @task
    def t(x: Any, fixed: str) -> Any:
        return x

    @task_group
    def g(x: Any, fixed: str) -> Any:
        Nothing(task_id="free")
        return t(x, fixed)

    with DAG("d") as dag:
        g.partial(fixed="f").expand(x=numbers()) >> Nothing(task_id="after")
        g.expand_kwargs([{"x": 1, "fixed": "a"}])
    assert arrows(dag) == {
        "numbers": [],
        "g.free": ["numbers"],
        "g.t": ["numbers"],
        "after": ["g.t"],
        "g__1.free": [],
        "g__1.t": [],
    }
    document = compile_dag(dag, file="f.py")
    assert {group.group_id: group.mapping for group in document.groups} == {
        "g": Mapping((("x", FromTask("numbers")),)),
        "g__1": Mapping((("", Literal(1)),)),
    }
    inputs = {one.task_id: one.inputs for one in document.tasks}
    assert inputs["g.t"] == ("numbers",)


def test_mapped_group_refuses_what_the_function_does_not_know() -> None:
    @task_group
    def g(x: Any) -> None:
        Nothing(task_id="a")

    with DAG("d"):
        with pytest.raises(TypeError, match=r"task group 'g': expand.. got an unknown argument 'z'"):
            g.expand(z=[1])
        with pytest.raises(TypeError, match="task group 'g': missing a required argument: 'x'"):
            g()  # type: ignore[call-arg]
        with pytest.raises(TypeError, match=r"after partial.. call expand"):
            g.partial(x=1)()  # type: ignore[call-arg]
        with pytest.raises(TypeError, match=r"'x' of expand.. is given by partial.. already"):
            g.partial(x=1).expand(x=[1])


def test_arrows_from_a_group_leave_out_its_teardowns() -> None:
    with DAG("d") as dag:
        with TaskGroup("g") as group:
            setup, work, teardown = (Nothing(task_id=name) for name in ("setup", "work", "teardown"))
            setup >> work >> teardown.as_teardown(setups=setup)
        Nothing(task_id="before") >> group >> Nothing(task_id="after")
    assert arrows(dag)["after"] == ["g.work"]
    assert arrows(dag)["g.setup"] == ["before"]
