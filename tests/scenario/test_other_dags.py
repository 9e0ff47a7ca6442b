"""DAGs that start one another and wait for one another, through the real processes."""

from __future__ import annotations

import pytest
from tests.scenario.installation import Installation

pytestmark = pytest.mark.scenario

DAGS = """
from datetime import timedelta
from tradewind import DAG, task
from tradewind.standard import EmptyOperator, ExternalTaskSensor, PythonOperator, TriggerDagRunOperator

with DAG("child", schedule=None):
    @task
    def say(dag_run=None, **_):
        if dag_run.conf.get("fail"):
            raise ValueError("as asked")
        return dag_run.conf
    say()

for name, deferrable in (("polls", False), ("defers", True)):
    with DAG(f"parent_{name}", schedule=None):
        start = TriggerDagRunOperator(
            task_id="start", trigger_dag_id="child", trigger_run_id="of_{{ run_id }}", conf={"by": "{{ run_id }}"},
            wait_for_completion=True, poke_interval=0.2, deferrable=deferrable,
        )
        again = TriggerDagRunOperator(
            task_id="again", trigger_dag_id="child", trigger_run_id="of_{{ run_id }}", skip_when_already_exists=True,
        )
        reset = TriggerDagRunOperator(
            task_id="reset", trigger_dag_id="child", trigger_run_id="of_{{ run_id }}", reset_dag_run=True,
            wait_for_completion=True, poke_interval=0.2, deferrable=deferrable, trigger_rule="all_done",
        )
        bad = TriggerDagRunOperator(
            task_id="bad", trigger_dag_id="child", trigger_run_id="bad_{{ run_id }}", conf={"fail": True},
            wait_for_completion=True, poke_interval=0.2, deferrable=deferrable,
        )
        start >> again >> reset
        start >> bad

    with DAG(f"waits_{name}", schedule=None):
        ExternalTaskSensor(
            task_id="for_run", external_dag_id="child", poke_interval=0.2, poll_interval=0.2, timeout=60,
            deferrable=deferrable, check_existence=True,
        )
        ExternalTaskSensor(
            task_id="for_task", external_dag_id="child", external_task_id="say", poke_interval=0.2, poll_interval=0.2,
            timeout=60, deferrable=deferrable,
        )
        ExternalTaskSensor(
            task_id="for_nothing", external_dag_id="no_such_dag", check_existence=True, deferrable=deferrable,
        )
        ExternalTaskSensor(
            task_id="for_failure", external_dag_id="child", failed_states=["success"], allowed_states=["failed"],
            poke_interval=0.2, poll_interval=0.2, timeout=60, deferrable=deferrable, soft_fail=True,
        )
"""
DATE = "2024-05-01T00:00:00+00:00"


def states(installation: Installation, dag_id: str, run_id: str) -> dict[str, str]:
    """State of each task."""
    rows = installation.json("tasks", "states", dag_id, run_id)
    return {row["task_id"]: row["state"] for row in rows}


@pytest.mark.parametrize("name", ["polls", "defers"])
def test_one_dag_starts_another_and_waits(running: Installation, name: str) -> None:
    running.save("others.py", DAGS)
    running.wait_for_dag(f"parent_{name}")
    running.run("dags", "trigger", f"parent_{name}", "--run-id", f"r_{name}", "--wait", code=None)
    assert states(running, f"parent_{name}", f"r_{name}") == {
        "start": "success",
        "again": "skipped",
        "reset": "success",
        "bad": "failed",
    }
    child = running.json("tasks", "states", "child", f"of_r_{name}")
    assert [row["state"] for row in child] == ["success"]


@pytest.mark.parametrize("name", ["polls", "defers"])
def test_one_dag_waits_for_another(running: Installation, name: str) -> None:
    running.save("others.py", DAGS)
    running.wait_for_dag(f"waits_{name}")
    date = DATE.replace("01T", "01T" if name == "polls" else "02T")
    running.run("dags", "trigger", f"waits_{name}", "--run-id", f"w_{name}", "--logical-date", date)
    running.run("dags", "trigger", "child", "--run-id", f"for_{name}", "--logical-date", date, "--wait")
    running.wait_for(
        lambda: running.json("runs", "show", f"waits_{name}", f"w_{name}")["state"] in ("success", "failed"),
        f"the end of waits_{name}",
    )
    assert states(running, f"waits_{name}", f"w_{name}") == {
        "for_run": "success",
        "for_task": "success",
        "for_nothing": "failed",
        "for_failure": "skipped",
    }
