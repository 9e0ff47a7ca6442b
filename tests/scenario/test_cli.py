"""The natural path from a saved file to a finished run, through the command line, on both databases."""

from __future__ import annotations

import json
import time

import pytest
from tests.scenario.installation import Installation

pytestmark = pytest.mark.scenario

CHAIN = """
from datetime import timedelta
from tradewind import dag, task

@dag(schedule=None, params={"factor": 2})
def chain_of_two():
    @task
    def give(params): return 21 * params["factor"]

    @task
    def take(value):
        print(f"the answer is {value}")

    take(give())

chain_of_two()
"""

FAILING = """
from datetime import timedelta
from tradewind import dag, task

@dag(schedule=None)
def failing():
    @task(retries=1, retry_delay=timedelta(seconds=0.2))
    def fail():
        print("about to fail")
        raise ValueError("no luck today")

    @task
    def after(): ...

    fail() >> after()

failing()
"""

TICKING = """
from datetime import timedelta
from tradewind import dag, task

@dag(schedule=timedelta(seconds=1))
def ticking():
    @task
    def tick(): return 1
    tick()

ticking()
"""

SLOW = """
import time
from tradewind import dag, task

@dag(schedule=None)
def slow():
    @task
    def rest(): time.sleep(60)

    @task
    def after(): ...

    rest() >> after()

slow()
"""


def test_a_saved_file_is_listed_and_runs(running: Installation) -> None:
    began = time.monotonic()
    running.save("chain.py", CHAIN)
    running.wait_for_dag("chain_of_two")
    assert time.monotonic() - began < 20, "a second on a machine with nothing else to do; each look here costs one"

    done = running.run("dags", "trigger", "chain_of_two", "--run-id", "first", "--conf", '{"factor": 1}', "--wait")

    lines = done.stdout.splitlines()
    assert lines[0] == "run first of DAG chain_of_two"
    assert "success" in lines[-1]
    states = [tuple(line.split()[1:3]) for line in lines[1:-1]]
    assert states.index(("give", "success")) < states.index(("take", "success"))
    shown = running.json("runs", "show", "chain_of_two", "first")
    assert shown["state"] == "success"
    assert {task["task_id"]: task["state"] for task in shown["tasks"]} == {"give": "success", "take": "success"}
    assert "the answer is 21" in running.run("tasks", "logs", "chain_of_two", "first", "take").stdout
    raw = running.run("tasks", "logs", "chain_of_two", "first", "take", "-o", "json").stdout.splitlines()
    assert any(json.loads(line)["m"] == "the answer is 21" for line in raw)
    assert "is over: success" in running.run("tasks", "why", "chain_of_two", "first", "take").stdout
    assert running.json("tasks", "states", "chain_of_two", "latest")[0]["state"] == "success"


def test_a_run_id_is_used_once(running: Installation) -> None:
    running.save("chain.py", CHAIN)
    running.wait_for_dag("chain_of_two")
    running.run("dags", "trigger", "chain_of_two", "--run-id", "once")

    refused = running.run("dags", "trigger", "chain_of_two", "--run-id", "once", code=5)

    assert refused.stderr == "error: DAG 'chain_of_two' has a run 'once' already: choose another run id\n"


def test_a_failing_task_is_tried_again_and_fails_the_run(running: Installation) -> None:
    running.save("failing.py", FAILING)
    running.wait_for_dag("failing")

    done = running.run("dags", "trigger", "failing", "--run-id", "sad", "--wait", code=1)

    assert "up_for_retry" in done.stdout
    assert "no luck today" in done.stdout
    assert "upstream_failed" in done.stdout
    for number in ("1", "2"):
        log = running.run("tasks", "logs", "failing", "sad", "fail", "--try", number).stdout
        assert "about to fail" in log
        assert "ValueError: no luck today" in log
    missing = running.run("tasks", "logs", "failing", "sad", "fail", "--try", "3", code=4)
    assert "tries 1, 2" in missing.stderr
    document = running.json("dags", "trigger", "failing", "--wait", code=1)
    assert document["state"] == "failed"
    assert {task["task_id"]: task["try"] for task in document["tasks"]} == {"fail": 2, "after": 0}


def test_a_schedule_fires_until_it_is_paused(running: Installation) -> None:
    running.save("ticking.py", TICKING)

    running.wait_for(
        lambda: (
            len([run for run in running.json("runs", "list", "ticking", code=None) if run["state"] == "success"]) >= 2
            if running.run("runs", "list", "ticking", code=None).returncode == 0
            else False
        ),
        "two scheduled runs",
        60.0,
    )

    running.run("dags", "pause", "ticking", "--reason", "enough")
    (row,) = running.json("dags", "list", "--pattern", "ticking", "--paused")
    assert row["pause_reason"] == "enough"
    assert all(run["run_type"] == "scheduled" for run in running.json("runs", "list", "ticking"))


def test_a_running_task_is_followed_explained_and_cancelled(running: Installation) -> None:
    running.save("slow.py", SLOW)
    running.wait_for_dag("slow")
    running.run("dags", "trigger", "slow", "--run-id", "long")
    running.wait_for(
        lambda: [task["state"] for task in running.json("tasks", "states", "slow", "long")] == [None, "running"],
        "the task runs",
    )

    assert "is running since" in running.run("tasks", "why", "slow", "long", "rest").stdout
    waits = running.run("tasks", "why", "slow", "long", "after").stdout
    assert waits.startswith("'after' waits for 'rest'")
    running.run("runs", "cancel", "slow", "long", "--reason", "no time")
    followed = running.run("tasks", "logs", "slow", "long", "rest", "--follow")
    assert "attempt 1" in followed.stdout
    running.wait_for(lambda: running.json("runs", "show", "slow", "long")["state"] == "failed", "the end of the run")
    assert running.json("runs", "show", "slow", "long")["reason"] == "no time"


def test_a_broken_file_shows_its_traceback(running: Installation) -> None:
    running.save("broken.py", "from tradewind import dag\n\n1 / 0\n")
    errors = running.wait_for(lambda: running.json("dags", "errors"), "the error is told")

    assert errors[0]["file"] == "broken.py"
    assert "ZeroDivisionError" in errors[0]["error"]
    assert "line 3" in running.run("dags", "errors", "broken.py").stdout
    assert "could not be loaded" in running.run("dags", "list").stderr
    (running.dags / "broken.py").unlink()
    running.wait_for(lambda: not running.json("dags", "errors"), "the error is gone")


def test_everything_is_seen_alive(running: Installation) -> None:
    components = running.json("info")["components"]

    assert {row["component"] for row in components} == {
        "scheduler",
        "api-server",
        "dag-processor",
        "triggerer",
        "agent",
    }
    assert {row["state"] for row in components} == {"healthy"}
    assert running.json("db", "check")["state"] == "current"
