"""Whatever is put into whichever argument: it is taken, or refused with a message that names the task or the DAG."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradewind.sdk import DAG, BaseOperator, TaskGroup
from tradewind.sdk.compile import compile_dag


class Odd:
    """Nothing that any argument means."""

    def __repr__(self) -> str:
        return "<odd>"


ODD = Odd()
WRONG = (ODD, -7, "no such/thing", [ODD], {"a": ODD}, 3.5, b"raw")
TAKES_ALL = {"doc_json", "sla", "sla_miss_callback"}
"""JSON of any kind; what Airflow took away and still accepts."""
TAKES_OBJECTS = {"inlets", "outlets"}
"""Lineage knows entities of any class."""


def _arguments(of: type) -> list[str]:
    names = list(inspect.signature(of.__init__).parameters)  # type: ignore[misc]
    return [name for name in names if name not in ("self", "args", "kwargs", "task_id", "dag_id")]


def _task(name: str, value: Any) -> None:
    with DAG("odd_dag", schedule=None) as dag:
        BaseOperator(**{"task_id": "odd_task", name: value})
    compile_dag(dag, file="odd.py")


def _dag(name: str, value: Any) -> None:
    with DAG(**{"dag_id": "odd_dag", "schedule": None, name: value}) as dag:
        BaseOperator(task_id="odd_task")
    compile_dag(dag, file="odd.py")


def _refusal(make: Callable[[str, Any], None], name: str, value: Any) -> str | None:
    try:
        make(name, value)
    except Exception as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", _arguments(BaseOperator))
def test_each_argument_of_a_task_names_the_task_in_its_refusal(name: str) -> None:
    for value in WRONG:
        refusal = _refusal(_task, name, value)
        if refusal is None:
            assert value is not ODD or name in TAKES_ALL | TAKES_OBJECTS, value
        else:
            assert "'odd_task'" in refusal or "'odd_dag'" in refusal, value


@pytest.mark.parametrize("name", _arguments(DAG))
def test_each_argument_of_a_dag_names_the_dag_in_its_refusal(name: str) -> None:
    for value in WRONG:
        refusal = _refusal(_dag, name, value)
        if refusal is None:
            assert value is not ODD or name in TAKES_ALL, value
        else:
            assert "'odd_dag'" in refusal, value


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("email", 5, "email of task 't' must be an address or a list of addresses, not 5 of type int"),
        ("email", ["a@b.c", 5], "email of task 't' must be a list of addresses, but has 5 of type int"),
        ("outlets", 5, "outlets of task 't' must be assets, not 5 of type int"),
        ("task_group", "g", "task_group of task 't' must be a TaskGroup, not 'g' of type str"),
        ("dag", "d", "dag of task 't' must be a DAG, not 'd' of type str"),
        ("default_args", [1], "default_args of task 't' must be a dict, not [1] of type list"),
        ("params", {"a": {1}}, "params of task 't': param 'a': {1} cannot be JSON"),
    ],
)
def test_refusals_of_a_task_say_what_is_right(name: str, value: Any, words: str) -> None:
    with pytest.raises(Exception) as caught:  # of several classes; the words count
        BaseOperator(**{"task_id": "t", name: value})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("template_searchpath", 5, "template_searchpath of DAG 'd' must be a folder or a list of folders, not 5"),
        ("template_undefined", 5, "template_undefined of DAG 'd' must be a class, such as jinja2.StrictUndefined"),
        ("user_defined_macros", [1], "user_defined_macros of DAG 'd' must be a dict, not [1] of type list"),
        ("is_paused_upon_creation", "no", "is_paused_upon_creation of DAG 'd' must be True or False, not 'no'"),
        ("allowed_run_types", 5, "allowed_run_types of DAG 'd' must be a list of"),
        ("task_group", "g", "task_group of DAG 'd' must be a TaskGroup, not 'g'"),
        ("params", {"a": {1}}, "params of DAG 'd': param 'a': {1} cannot be JSON"),
    ],
)
def test_refusals_of_a_dag_say_what_is_right(name: str, value: Any, words: str) -> None:
    with pytest.raises(Exception) as caught:  # of several classes; the words count
        DAG(**{"dag_id": "d", "schedule": None, name: value})
    assert words in str(caught.value)


def test_folders_of_templates_may_be_paths_and_groups_are_taken() -> None:
    with DAG("d", schedule=None, template_searchpath=[Path("/srv/sql"), "/srv/more"]) as dag:
        group = TaskGroup("g")
    assert dag.template_searchpath == ["/srv/sql", "/srv/more"]
    assert BaseOperator(task_id="t", task_group=group).task_id == "g.t"
