"""Callbacks, listeners, policies, plugins and state stores through the real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.conftest import installation
from tests.scenario.installation import Installation

pytestmark = pytest.mark.scenario

DAGS = """
import os
from pathlib import Path
from tradewind import DAG, ResumableJobMixin, BaseOperator, Variable, task
from tradewind.sdk.exceptions import AirflowFailException

OUT = Path(os.environ["TRADEWIND_HOME"]) / "told.txt"

def tell(context):
    ti = context.get("ti")
    with OUT.open("a") as out:
        reason, who = context["reason"].split(";")[0], Variable.get("who", default="nobody")
        out.write(f"{context['dag'].dag_id} {reason} {ti.task_id} {who}\\n")

async def breaks(context):
    raise OSError("no network")

with DAG("tells", on_failure_callback=[tell, breaks], on_success_callback=tell):
    @task
    def maybe(params=None, dag_run=None):
        if dag_run.conf.get("fail"):
            raise AirflowFailException("as asked")
    maybe()

with DAG("dies"):
    @task(on_failure_callback=tell)
    def killed():
        os.kill(os.getpid(), 11)
    killed()

with DAG("remembers"):
    @task(retries=1, retry_delay=0)
    def counts(task_state_store, try_number):
        before = task_state_store.get("tries", [])
        task_state_store.set("tries", [*before, try_number])
        if try_number == 1:
            os.kill(os.getpid(), 11)
        with OUT.open("a") as out:
            out.write(f"tries {task_state_store.get('tries')}\\n")

    @task
    def shouts(text):
        with OUT.open("a") as out:
            out.write(f"shouts {text} {os.environ['TEAM']}\\n")

    shouts("{{ macros.company.shout('a') }}")
    counts()
"""

PLUGIN = """
import os
from tradewind.sdk.listeners import hookimpl
from tradewind.sdk.plugins import AirflowPlugin

def shout(text):
    return text.upper()

class Hears:
    @hookimpl
    def on_dag_run_success(self, dag_run, msg):
        with open(os.path.join(os.environ["TRADEWIND_HOME"], "heard.txt"), "a") as out:
            out.write(f"{dag_run.dag_id}\\n")

class Company(AirflowPlugin):
    name = "company"
    macros = [shout]
    listeners = [Hears()]
"""
POLICIES = """
def get_airflow_context_vars(context):
    return {"TEAM": context["dag"].dag_id}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("callbacks")
    with installation("sqlite", folder, CALLBACKS__TRIES_MAX="2", CALLBACKS__RETRY_SECONDS="0.1") as made:
        for name, text in (("plugins/company.py", PLUGIN), ("config/airflow_local_settings.py", POLICIES)):
            file = made.home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        made.start()
        made.save("told.py", DAGS)
        made.wait_for_dag("tells")
        yield made
        assert made.stop() == 0, made.story()


def _lines(here: Installation, name: str) -> list[str]:
    file: Path = here.home / name
    return file.read_text().splitlines() if file.exists() else []


def _callbacks(here: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = here.json("callbacks", "list", "--all")
    return found


def test_a_dag_tells_how_it_ended_and_one_callback_that_fails_waits(here: Installation) -> None:
    here.run("variables", "set", "who", "somebody")
    here.run("dags", "trigger", "tells", "--conf", '{"fail": true}', "--wait", code=1)
    here.wait_for(lambda: "tells task_failure maybe somebody" in _lines(here, "told.txt"), "the callback")
    dead = here.wait_for(
        lambda: [row for row in _callbacks(here) if row["state"] == "dead"], "the callback that cannot be delivered"
    )
    assert [(row["dag_id"], row["error"], row["tries"]) for row in dead] == [("tells", "OSError: no network", 2)]
    assert "1 callbacks are tried again" in here.run("callbacks", "retry").stdout
    assert here.run("callbacks", "retry", "nobody", code=4).stderr.startswith("error: there is no failed callback")


def test_a_task_that_was_killed_is_told_of(here: Installation) -> None:
    here.run("dags", "trigger", "dies", "--wait", code=1)
    here.wait_for(lambda: [line for line in _lines(here, "told.txt") if line.startswith("dies ")], "the callback")
    (line,) = [line for line in _lines(here, "told.txt") if line.startswith("dies ")]
    assert "killed" in line


def test_memory_plugins_policies_and_listeners(here: Installation) -> None:
    here.run("dags", "trigger", "remembers", "--run-id", "r", "--wait")
    rows = {row["task_id"]: row for row in here.json("tasks", "states", "remembers", "r")}
    assert rows["counts"]["state"] == "success"
    told = _lines(here, "told.txt")
    assert "tries [1, 2]" in told
    assert "shouts A remembers" in told
    here.wait_for(lambda: "remembers" in _lines(here, "heard.txt"), "the listener")
    (plugin,) = here.json("plugins", "list")
    assert plugin["plugin"] == "company"
