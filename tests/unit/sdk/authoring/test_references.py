"""References to outputs and params."""

from __future__ import annotations

import pytest

from tradewind.sdk import DAG, XComArg, task
from tradewind.sdk.exceptions import XComNotFound
from tradewind.sdk.xcomarg import PlainXComArg, resolve_args

from .operators import Nothing
from .reading import Reading


@pytest.fixture
def output() -> PlainXComArg:
    with DAG("d"):
        return Nothing(task_id="t").output


def test_values_at_any_depth(output: PlainXComArg) -> None:
    reading = Reading({"t": 5, ("t", "k"): "v"}, {"p": 7})
    param = output.operator.dag.param("p", 1)
    nested = {"a": [output, (output["k"],)], "b": {"c": param}, "d": "plain"}
    assert resolve_args(nested, reading) == {"a": [5, ("v",)], "b": {"c": 7}, "d": "plain"}


def test_nothing_pushed(output: PlainXComArg) -> None:
    assert output.resolve(Reading()) is None  # the task returned None
    with pytest.raises(XComNotFound):
        output["k"].resolve(Reading())


def test_both_ways_to_make_one(output: PlainXComArg) -> None:
    made = XComArg(output.operator, "k")
    assert made == output["k"]
    assert len({made, output["k"], output}) == 2
    assert (repr(output), repr(made)) == ("XComArg('t')", "XComArg('t', key='k')")


def test_inside_texts(output: PlainXComArg) -> None:
    assert f"{output}" == "{{ task_instance.xcom_pull(task_ids='t', dag_id='d', key='return_value') }}"


def test_it_is_no_value_yet(output: PlainXComArg) -> None:
    with pytest.raises(TypeError, match="cannot be iterated while the DAG is built"):
        list(output)
    with pytest.raises(TypeError, match="length is not known"):
        len(output)
    with pytest.raises(ValueError, match="indexed by the text key"):
        output[0]  # type: ignore[index]


def test_map_needs_a_plain_function(output: PlainXComArg) -> None:
    @task
    def f(item: int) -> None: ...

    with pytest.raises(TypeError, match="needs a plain function, 'f' is a task"):
        output.map(f)


def test_only_return_values_are_composed(output: PlainXComArg) -> None:
    with pytest.raises(ValueError, match="cannot zip output 'k' of task 't'"):
        output.zip(output["k"])
