"""Real DAG files through agent, template and child."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.runtime.conftest import Worker

from tradewind.runtime.agent_settings import PRELOAD
from tradewind.runtime.user_code import LOADER
from tradewind.wire.states import CauseOfDeath, Isolation, TaskInstanceState

FLOW = """
import logging
import time
from tradewind import dag, task
from tradewind.sdk import BaseOperator

class Patient(BaseOperator):
    def execute(self, context):
        print("waiting")
        with open(self.task_id + ".begun", "w") as told:
            told.write("x")
        while True:
            time.sleep(1000)
    def on_kill(self):
        logging.getLogger("patient").warning("killed politely")

@dag(schedule=None)
def flow():
    @task
    def add():
        print("adding")
        return {"sum": 1 + 2}
    @task
    def fails():
        raise ValueError("not today")
    @task
    def exits():
        import sys
        sys.exit(5)
    @task
    def sleeps():
        time.sleep(1000)
    add() >> [fails(), exits(), sleeps(), Patient(task_id="patient")]

flow()
"""


@pytest.fixture
def dags(make_worker: Any) -> Worker:
    worker: Worker = make_worker(loader=LOADER, preload=PRELOAD)
    worker.write("flow.py", FLOW)
    return worker


@pytest.mark.parametrize("isolation", list(Isolation))
def test_a_task_runs_and_hands_on_its_value(dags: Worker, isolation: Isolation) -> None:
    workload = dags.submit("add", isolation=isolation)
    outcome = dags.face.outcome(workload.token)
    assert outcome.state is TaskInstanceState.SUCCESS
    assert {entry.key: entry.value.data for entry in outcome.xcoms}["return_value"] == b'{"sum":3}'
    assert "adding" in dags.texts(workload, "stdout")


def test_a_failure_has_its_reason_and_the_authors_frames(dags: Worker) -> None:
    workload = dags.submit("fails")
    outcome = dags.face.outcome(workload.token)
    assert (outcome.cause, outcome.reason) == (CauseOfDeath.EXCEPTION, "ValueError: not today")
    line = next(line for line in dags.log(workload) if "e" in line)
    assert [frame["function"] for frame in line["e"][0]["frames"]] == ["fails"]


def test_exit_and_timeout(dags: Worker) -> None:
    outcome = dags.run("exits")
    assert (outcome.cause, outcome.exit_code) == (CauseOfDeath.EXIT_CODE, 5)
    assert dags.run("sleeps", execution_timeout_seconds=0.2).cause is CauseOfDeath.TIMEOUT


def test_what_is_not_in_the_file(dags: Worker) -> None:
    outcome = dags.run("absent")
    assert outcome.cause is CauseOfDeath.LAUNCH
    assert "no task 'absent'" in outcome.reason
    dags.write("other.py", FLOW.replace("def flow()", "def another()").replace("\nflow()", "\nanother()"))
    outcome = dags.run("add", file="other.py")
    assert outcome.cause is CauseOfDeath.LAUNCH
    assert "DAGs there: another" in outcome.reason
    dags.write("broken.py", "from tradewind import dag\n1 / 0\n")
    workload = dags.submit("add", file="broken.py")
    assert dags.face.outcome(workload.token).reason == "broken.py cannot be loaded: ZeroDivisionError: division by zero"
    assert "1 / 0" in dags.texts(workload)[0]


def test_cancel_calls_on_kill(dags: Worker) -> None:
    begun = dags.fifo("patient.begun")
    dags.write("flow.py", FLOW.replace('open(self.task_id + ".begun", "w")', f"open({str(begun)!r}, 'w')"))
    workload = dags.submit("patient")
    begun.read_text()
    dags.executor.cancel([workload.token], "enough")
    outcome = dags.face.outcome(workload.token)
    assert (outcome.cause, outcome.reason) == (CauseOfDeath.USER, "enough")
    assert "killed politely" in dags.texts(workload, "log")
