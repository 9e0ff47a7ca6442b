"""The past, with real processes: a backfill beside a DAG that ticks, and a run that goes on with newer code of a git
repository, though its remote is gone."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.scenario.conftest import DATABASES, installation
from tests.scenario.harness import check_nothing_held, database_of, tell

from tradewind.wire.states import DagRunState

pytestmark = pytest.mark.scenario

DAYS = 150
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
LAST = FIRST + timedelta(days=DAYS - 1)
DELAY_SECONDS_MAX = 1.0
BESIDE = """
from datetime import datetime
from tradewind import dag, task

@dag(schedule="@daily", start_date=datetime(2025, 1, 1), is_paused_upon_creation=True)
def past():
    @task
    def first(): ...
    @task
    def second(): ...
    first() >> second()

@dag(schedule="* * * * * */2", start_date=datetime(2025, 1, 1))
def tick():
    @task
    def now(): ...
    now()

past()
tick()
"""
STEPS = """
from tradewind import dag, task

@dag(schedule=None)
def steps():
    @task
    def one(): return "{word}"
    @task(retries=0)
    def two(): {body}
    one() >> two()

steps()
"""


@pytest.mark.parametrize("database", DATABASES)
def test_a_backfill_beside_a_dag_that_ticks(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with installation(database, tmp_path / "home") as made:
        made.start()
        made.save("beside.py", BESIDE)
        made.wait_for_dag("past")
        made.wait_for_dag("tick")
        made.run("backfill", "create", "past", "--from", FIRST.isoformat(), "--to", LAST.isoformat(), "--yes")
        made.wait_for(lambda: made.json("backfill", "list")[0]["state"] == "completed", "the backfill", 120.0)
        (backfill,) = made.json("backfill", "list")
        assert (backfill["success"], backfill["failed"]) == (DAYS, 0)
        with database_of(made) as store, store.read() as tx:
            (row,) = tx.backfill_list()
            runs = [run for run in tx.list_runs(dag_id="tick", limit=1000) if run.run_after >= row.created_at]
            rows = [(run, each) for run in runs for each in tx.task_list(run.run_key)]
            delays = [(each.started_at - run.run_after).total_seconds() for run, each in rows if each.started_at]
        assert delays
        tell(capsys, "backfill", f"{DAYS} days beside {len(delays)} ticks", delay_seconds_max=max(delays))
        assert max(delays) < DELAY_SECONDS_MAX
        made.run("dags", "pause", "tick")
        made.wait_for(lambda: not made.json("runs", "list", "--state", "running"), "the last tick")
        check_nothing_held(made)


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    command = ["git", *identity, *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_run_goes_on_with_newer_code_of_a_repository(tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    git(remote, "init", "--quiet", "--initial-branch=main")

    def push(word: str, body: str) -> str:
        (remote / "steps.py").write_text(STEPS.format(word=word, body=body))
        git(remote, "add", "--all")
        git(remote, "commit", "--quiet", "-m", word)
        return git(remote, "rev-parse", "HEAD")

    first = push("old", "raise ValueError('not yet')")
    kwargs = {"repo_url": f"file://{remote}", "tracking_ref": "main", "refresh_interval": 1}
    sources = json.dumps([{"name": "dags"}, {"name": "team", "kind": "git", "kwargs": kwargs}])
    with installation("sqlite", tmp_path / "home", BUNDLES__SOURCES=sources) as made:
        made.start()
        made.wait_for_dag("steps")
        made.run("dags", "trigger", "steps", "--run-id", "r1")
        made.wait_for(lambda: made.json("runs", "show", "steps", "r1")["state"] == "failed", "the failure")
        second = push("new", "print('well')")
        made.wait_for(lambda: len(made.json("dags", "versions", "steps")) == 2, "the second version", 30.0)
        assert [each["bundle_version"] for each in made.json("dags", "versions", "steps")] == [second, first]
        remote.rename(tmp_path / "gone")
        made.run("tasks", "clear", "steps", "r1", "two", "--yes")
        made.wait_for(lambda: made.json("runs", "show", "steps", "r1")["state"] == "failed", "the same failure")
        made.run("tasks", "clear", "steps", "r1", "--only-failed", "--newest-version", "--yes")
        made.wait_for(lambda: made.json("runs", "show", "steps", "r1")["state"] == "success", "the end")
        with database_of(made) as store, store.read() as tx:
            run = tx.run_find("steps", "r1")
            assert run is not None
            assert (run.state, run.bundle_version) == (DagRunState.SUCCESS, second)
            tries = {row.task_id: row.try_number for row in tx.task_list(run.run_key)}
        assert tries == {"one": 1, "two": 3}
        check_nothing_held(made)
