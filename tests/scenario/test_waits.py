"""Tasks that wait without a process, through real processes: triggers, deaths of those who host them, questions."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.scenario.installation import Installation, name_of

pytestmark = pytest.mark.scenario

FILE_DAG = """
import asyncio
from pathlib import Path
from tradewind import DAG, BaseOperator
from tradewind.sdk.triggers import BaseTrigger, TriggerEvent

class Arrives(BaseTrigger):
    def __init__(self, path):
        super().__init__()
        self.path = path
    def serialize(self):
        return f"{{type(self).__module__}}.Arrives", {{"path": self.path}}
    async def run(self):
        while not Path(self.path).exists():
            await asyncio.sleep(0.05)
        yield TriggerEvent(Path(self.path).read_text())
    async def on_kill(self):
        Path(self.path + ".killed").touch()

class Waits(BaseOperator):
    def __init__(self, path, **kwargs):
        super().__init__(**kwargs)
        self.path = path
    def execute(self, context):
        self.xcom_push(context, "before", "kept")
        self.defer(trigger=Arrives(self.path), method_name="go_on", timeout=600)
    def go_on(self, context, event):
        assert self.xcom_pull(context, task_ids=self.task_id, key="before") == "kept"
        return event

with DAG("{dag_id}", schedule=None):
    Waits(task_id="wait", path="{path}")
"""
HUMAN_DAG = """
from tradewind import DAG
from tradewind.standard import ApprovalOperator, EmptyOperator

with DAG("human", schedule=None):
    ApprovalOperator(task_id="ok", subject="Ship {{ dag.dag_id }}?") >> EmptyOperator(task_id="go")
"""


def begin(running: Installation, dag_id: str, path: Path) -> str:
    """A run whose task waits for the file; its id."""
    running.save(f"{dag_id}.py", FILE_DAG.format(dag_id=dag_id, path=path))
    running.wait_for_dag(dag_id)
    running.run("dags", "trigger", dag_id, "--run-id", "r1")
    running.wait_for(lambda: state(running, dag_id) == "deferred", "it is deferred")
    running.wait_for(lambda: "waits for" in log(running, dag_id), "it is hosted")
    return "r1"


def state(running: Installation, dag_id: str, task_id: str = "wait") -> str | None:
    rows = running.json("tasks", "states", dag_id, "r1")
    found: str | None = next(row["state"] for row in rows if row["task"] == task_id)
    return found


def log(running: Installation, dag_id: str) -> str:
    return running.run("tasks", "logs", dag_id, "r1", "wait", code=None).stdout


def test_a_task_waits_and_goes_on(running: Installation, tmp_path: Path) -> None:
    path = tmp_path / "arrives"
    begin(running, "waits", path)
    path.write_text("hello")
    running.wait_for(lambda: state(running, "waits") == "success", "it goes on")
    said = log(running, "waits")
    assert "Arrives fired" in said
    assert said.count("attempt 1 of waits/r1/wait starts") == 2


@pytest.mark.parametrize("who", ["tradewind-triggerer", "tradewind-trig"])
def test_who_hosts_it_dies(running: Installation, tmp_path: Path, who: str) -> None:
    path, dag_id = tmp_path / "arrives", who.replace("-", "_")
    begin(running, dag_id, path)
    for pid in running.family():
        if name_of(pid) == who[:15]:
            os.kill(pid, signal.SIGKILL)
    path.write_text("hello")
    running.wait_for(lambda: state(running, dag_id) == "success", "another one hosts it", 40)


def test_who_is_cleared_or_marked_is_told(running: Installation, tmp_path: Path) -> None:
    path = tmp_path / "arrives"
    begin(running, "marked", path)
    running.run("tasks", "mark", "marked", "r1", "failed", "wait", "--yes")
    running.wait_for(Path(f"{path}.killed").exists, "on_kill of the trigger")
    assert state(running, "marked") == "failed"


def test_a_person_answers(running: Installation) -> None:
    running.save("human.py", HUMAN_DAG)
    running.wait_for_dag("human")
    running.run("dags", "trigger", "human", "--run-id", "r1")
    running.wait_for(lambda: state(running, "human", "ok") == "awaiting_input", "it asks")
    (question,) = running.json("questions", "list")
    assert (question["subject"], question["options"]) == ("Ship human?", ["Approve", "Reject"])
    running.run("questions", "answer", "human", "r1", "ok", "--choose", "Approve")
    running.wait_for(lambda: state(running, "human", "go") == "success", "it goes on")
    assert running.json("questions", "list") == []
