"""Setups and teardowns."""

from __future__ import annotations

import pytest

from tradewind.sdk import DAG, TriggerRule, setup, task, teardown
from tradewind.sdk.compile import compile_dag
from tradewind.wire.errors import InvalidDag

from .operators import Nothing, arrows


def test_as_teardown_marks_setups_and_draws_arrows() -> None:
    with DAG("d") as dag:
        s1, s2, work, t = (Nothing(task_id=name) for name in ("s1", "s2", "work", "t"))
        s1 >> work >> t.as_teardown(setups=[s1, s2], on_failure_fail_dagrun=True)
    document = {one.task_id: one for one in compile_dag(dag, file="f.py").tasks}
    assert document["t"].setups == ("s1", "s2")
    assert document["t"].trigger_rule is TriggerRule.ALL_DONE_SETUP_SUCCESS
    assert document["t"].on_failure_fail_dagrun
    assert document["s1"].is_setup
    assert arrows(dag)["t"] == ["s1", "s2", "work"]


def test_blocks_put_work_between_and_nest() -> None:
    with DAG("d") as dag:
        s, t, s2, t2 = (Nothing(task_id=name) for name in ("s", "t", "s2", "t2"))
        with t.as_teardown(setups=s):
            Nothing(task_id="w1")
            with t2.as_teardown(setups=s2):
                Nothing(task_id="w2") >> Nothing(task_id="w3")
    assert arrows(dag) == {
        "s": [],
        "t": ["s", "t2", "w1"],
        "s2": ["s"],
        "t2": ["s2", "w3"],
        "w1": ["s"],
        "w2": ["s2"],
        "w3": ["w2"],
    }


def test_setups_made_inside_a_block_keep_to_their_own_arrows() -> None:
    with DAG("d") as dag:
        s, t, outside = (Nothing(task_id=name) for name in ("s", "t", "outside"))
        with t.as_teardown(setups=s) as scope:
            inner = Nothing(task_id="inner").as_setup()
            inner >> Nothing(task_id="work") >> Nothing(task_id="end").as_teardown(setups=inner)
            scope.add_task(outside)
    assert arrows(dag) == {
        "s": [],
        "t": ["outside", "s"],
        "outside": ["s"],
        "inner": [],
        "work": ["inner"],
        "end": ["inner", "work"],
    }


def test_decorators_and_block_over_outputs() -> None:
    @setup
    def start() -> str:
        return "cluster"

    @teardown(on_failure_fail_dagrun=True)
    def stop(cluster: str) -> None: ...

    @task
    def work(cluster: str) -> None: ...

    with DAG("d") as dag:
        cluster = start()
        with stop(cluster):
            work(cluster)
    assert arrows(dag) == {"start": [], "stop": ["start", "work"], "work": ["start"]}
    assert dag.get_task("start").is_setup
    assert dag.get_task("stop").is_teardown
    assert dag.get_task("stop").on_failure_fail_dagrun


def test_what_follows_a_setup_must_be_all_success() -> None:
    with DAG("d") as dag:
        Nothing(task_id="s").as_setup() >> Nothing(task_id="w", trigger_rule="all_done")
    with pytest.raises(InvalidDag, match="'w' follows the setup 's', so its trigger rule must be all_success"):
        dag.validate()


def test_one_task_cannot_be_both_and_plain_tasks_open_no_block() -> None:
    with DAG("d"):
        with pytest.raises(InvalidDag, match="'s' is a setup and cannot be a teardown"):
            Nothing(task_id="s").as_setup().as_teardown()
        with pytest.raises(InvalidDag, match="'t' is a teardown and cannot be a setup"):
            Nothing(task_id="t").as_teardown().as_setup()
        with pytest.raises(InvalidDag, match="'w' cannot open a with-block"), Nothing(task_id="w"):
            pass
