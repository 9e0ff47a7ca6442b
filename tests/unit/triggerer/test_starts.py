"""Tasks that begin in the triggerer: their trigger is made with what the task says, mapped and rendered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.triggerer.test_service import Bench

from tradewind.commands.waits import wait_row
from tradewind.ports.store import TaskMove
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.loading import load_dag_file
from tradewind.triggerer.service import Triggerer

DAG_FILE = """
from tradewind import DAG, BaseOperator
from tradewind.sdk.triggers import BaseTrigger, StartTriggerArgs, TriggerEvent


class Says(BaseTrigger):
    def __init__(self, text):
        super().__init__()
        self.text = text

    def serialize(self):
        return "sales.Says", {"text": self.text}

    async def run(self):
        yield TriggerEvent(self.text)


class Begins(BaseOperator):
    template_fields = ("text",)
    start_from_trigger = True
    start_trigger_args = StartTriggerArgs(trigger_cls="sales.Says", next_method="go_on", trigger_kwargs={"text": ""})

    def __init__(self, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls="sales.Says", next_method="go_on", trigger_kwargs={"text": text}
        )

    def go_on(self, context, event):
        return event


with DAG("sales", schedule=None):
    Begins(task_id="one", text="{{ task.task_id }} of {{ run_id }}")
    Begins.partial(task_id="many").expand(text=["a", "b {{ ti.map_index }}"])
"""


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Bench(tmp_path)
    yield made
    for triggerer in made.triggerers:
        triggerer.stop(10)


def test_templates_and_mapped_arguments(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = bench.folder / "tree"
    tree.mkdir()
    (tree / "sales.py").write_text(DAG_FILE)
    loaded = load_dag_file(tree / "sales.py", bundle_root=tree, module_name="starts_of_test")
    document = compile_dag(loaded.dags["sales"], file="sales.py")
    bench.world.publish("sales", *document.tasks)
    run = bench.world.start_run()
    monkeypatch.setattr("tradewind.triggerer.service.tree_path", lambda *_: tree)
    now = bench.clock.now()
    tasks = {task.task_id: task for task in document.tasks}
    tokens: dict[str, str] = {}
    for task_id, map_path in (("one", ""), ("many", "0"), ("many", "1")):
        row = bench.world.put_task(run, task_id, map_path=map_path)
        token = tokens[f"{task_id}{map_path}"] = bench.world.new_id()
        start = tasks[task_id].start_trigger
        assert start is not None
        with bench.store.begin() as tx:
            values = {"attempt_token": token, "try_number": 1, "started_at": now, "first_started_at": now}
            assert tx.task_move("defer_at_start", [TaskMove(row.ti_id, values=values)], now)
            tx.trigger_put([wait_row(row, token, start, now)])
    triggerer: Triggerer = bench.triggerer()

    def events() -> dict[str, Any]:
        with bench.store.read() as tx:
            found = tx.trigger_get_many(tokens.values())
        return {name: json.loads(found[token].event or "null") for name, token in tokens.items()}

    bench.until(lambda: None not in events().values(), "all have fired")
    assert events() == {"one": f"one of {run.run_id}", "many0": "a", "many1": "b 1"}
    assert triggerer.hosts.tokens() == []
