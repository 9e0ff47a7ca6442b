from __future__ import annotations

from typing import Any

import pytest

from tradewind.sdk import DAG, BaseBranchOperator, TaskGroup
from tradewind.sdk.branching import short_circuit, skip_tasks
from tradewind.sdk.exceptions import AirflowException
from tradewind.standard import BranchPythonOperator, EmptyOperator, PythonOperator, ShortCircuitOperator
from tradewind.wire.states import TaskInstanceState

S = TaskInstanceState


class Chooses(BaseBranchOperator):
    def __init__(self, *, choice: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choice = choice

    def choose_branch(self, context: Any) -> Any:
        return self.choice


def tree(choice: Any) -> Chooses:
    """c >> a >> join, c >> b >> join, c >> join, c >> g.(x >> y), c >> clean (a teardown)."""
    with DAG("d"):
        chooses = Chooses(task_id="c", choice=choice)
        a, b, join = (EmptyOperator(task_id=name) for name in ("a", "b", "join"))
        with TaskGroup("g") as group:
            EmptyOperator(task_id="x") >> EmptyOperator(task_id="y")
        clean = EmptyOperator(task_id="clean").as_teardown()
        chooses >> [a, b, join, group, clean]
        [a, b] >> join
    return chooses


@pytest.mark.parametrize(
    ("choice", "skips"),
    [
        ("a", {"b", "g.x"}),
        (["a", "b"], {"g.x"}),
        ("join", {"a", "b", "g.x"}),
        ("g", {"a", "b", "join"}),
        (None, {"a", "b", "join", "g.x"}),
        ([], {"a", "b", "join", "g.x"}),
    ],
)
def test_what_is_not_followed_is_skipped(bench: Any, choice: Any, skips: set[str]) -> None:
    outcome = bench.run(tree(choice))
    assert (outcome.state, set(outcome.skips)) == (S.SUCCESS, skips)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("aa", "no task or group of this id; did you mean 'a'"),
        ("g.y", "not directly downstream"),
        (["a", 5], "ids of tasks as texts, not 5"),
        (5, "must return the id of a task"),
    ],
)
def test_wrong_choices(bench: Any, choice: Any, words: str) -> None:
    outcome = bench.run(tree(choice))
    assert outcome.state is S.FAILED
    assert words in outcome.reason
    assert "'c'" in outcome.reason


def line(operator: Any) -> Any:
    with DAG("d") as dag:
        first = operator()
        first >> EmptyOperator(task_id="a") >> EmptyOperator(task_id="b") >> EmptyOperator(task_id="z").as_teardown()
    return dag.get_task(first.task_id)


@pytest.mark.parametrize(
    ("result", "ignore", "skips"),
    [(True, True, ()), (0, True, ("a", "b")), (None, False, ("a",)), ([1], False, ())],
)
def test_short_circuit(bench: Any, result: Any, ignore: bool, skips: tuple[str, ...]) -> None:
    made = line(
        lambda: ShortCircuitOperator(
            task_id="s", python_callable=lambda: result, ignore_downstream_trigger_rules=ignore
        )
    )
    outcome = bench.run(made)
    assert (outcome.state, outcome.skips) == (S.SUCCESS, skips)


def test_branch_function(bench: Any) -> None:
    outcome = bench.run(line(lambda: BranchPythonOperator(task_id="s", python_callable=lambda: None)))
    assert outcome.skips == ("a",)


def test_a_task_that_fails_skips_nothing(bench: Any) -> None:
    def skips_and_fails(ti: Any) -> None:
        short_circuit(ti.task, False)
        raise ValueError("x")

    outcome = bench.run(line(lambda: PythonOperator(task_id="s", python_callable=skips_and_fails)))
    assert (outcome.state, outcome.skips) == (S.FAILED, ())


def test_outside_a_task() -> None:
    with pytest.raises(AirflowException, match="running"):
        skip_tasks(["a"])
