"""Clearing, marking, deleting and backfills through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli, publish
from tests.unit.cli.test_dags_and_runs import SOURCE, Shelf

from tradewind.kernel.clock import SystemClock
from tradewind.scheduler.loop import Scheduler
from tradewind.store.sql import SqlStore


@pytest.fixture
def nightly(database: SqlStore, dags_folder: Path) -> SqlStore:
    publish(database, dags_folder, "nightly.py", SOURCE)
    with database.begin() as tx:
        tx.dag_set_paused("nightly", True)  # only what a test asks for runs
    return database


@pytest.fixture
def scheduler(nightly: SqlStore) -> Iterator[Scheduler]:
    made = Scheduler(nightly, SystemClock(), {"local": Shelf()})
    made.start()
    yield made
    made.close()


def read(cli: Cli, *words: str) -> Any:
    return json.loads(cli(*words, "-o", "json").out)


def begin(cli: Cli, scheduler: Scheduler) -> None:
    cli("dags", "trigger", "nightly", "--run-id", "r1")
    turn(scheduler)


def turn(scheduler: Scheduler) -> None:
    for _ in range(3):
        scheduler.listen(0)
        scheduler.step()


def states(cli: Cli) -> dict[str, str | None]:
    return {row["task"]: row["state"] for row in read(cli, "tasks", "states", "nightly", "r1")}


def test_mark_tasks_and_clear_what_follows(cli: Cli, scheduler: Scheduler) -> None:
    begin(cli, scheduler)
    mark = ("tasks", "mark", "nightly", "r1", "failed", "first")
    assert [row["task"] for row in read(cli, *mark, "--dry-run")] == ["first"]
    assert states(cli)["first"] == "queued"
    assert cli(*mark, "--yes").out == "DAG 'nightly': 1 task instance marked failed\n"
    turn(scheduler)
    assert (states(cli)["first"], states(cli)["each"]) == ("failed", "upstream_failed")
    dry = cli("tasks", "clear", "nightly", "r1", "first", "-d", "--dry-run").out
    assert "first" in dry
    assert "upstream_failed" in dry
    assert cli("tasks", "clear", "nightly", "r1", "first", "-d", "--yes").out.endswith("3 task instances cleared\n")
    said = cli("tasks", "mark", "nightly", "r1", "success", "nobody", code=4).err
    assert "no task 'nobody'" in said


def test_the_audit_log_names_what_a_command_changed(cli: Cli, scheduler: Scheduler) -> None:
    begin(cli, scheduler)
    cli("tasks", "note", "nightly", "latest", "first", "late")
    cli("tasks", "mark", "nightly", "r1", "failed", "first", "--yes")
    named = {row["event"]: (row["dag_id"], row["run_id"], row["task_id"]) for row in read(cli, "audit", "list")}
    assert named == {
        "cli_dags_trigger": ("nightly", "r1", None),
        "cli_tasks_note": ("nightly", "r1", "first"),
        "cli_tasks_mark": ("nightly", "r1", "first"),
    }


def test_latest_is_understood_where_a_question_is_asked_for(cli: Cli, scheduler: Scheduler) -> None:
    begin(cli, scheduler)
    assert "run 'r1'" in cli("questions", "show", "nightly", "latest", "first", code=4).err


def test_notes(cli: Cli, scheduler: Scheduler) -> None:
    begin(cli, scheduler)
    assert "has the note" in cli("runs", "note", "nightly", "r1", "look at this").out
    assert read(cli, "runs", "show", "nightly", "r1")["note"] == "look at this"
    assert cli("tasks", "note", "nightly", "r1", "first", "odd").out == "1 task instances have the note\n"
    assert "has no note" in cli("runs", "note", "nightly", "r1", "").out


def test_mark_clear_and_delete_a_run(cli: Cli, scheduler: Scheduler) -> None:
    begin(cli, scheduler)
    assert "is running" in cli("runs", "delete", "nightly", "r1", "--yes", code=5).err
    cli("runs", "mark", "nightly", "r1", "success", "--yes")
    turn(scheduler)
    assert read(cli, "runs", "show", "nightly", "r1")["state"] == "success"
    assert len(read(cli, "runs", "clear", "nightly", "r1", "--dry-run")) == 4
    assert cli("runs", "clear", "nightly", "r1", "-y").out == "DAG 'nightly': 1 run with 4 task instances cleared\n"
    assert read(cli, "runs", "show", "nightly", "r1")["state"] == "queued"
    assert "say which run" in cli("runs", "clear", "nightly", code=2).err
    cli("runs", "mark", "nightly", "r1", "failed", "--yes")
    assert cli("runs", "delete", "nightly", "r1", "--yes").out == "run 'r1' of DAG 'nightly' is deleted\n"
    assert read(cli, "runs", "list", "nightly") == []


def test_delete_a_dag(cli: Cli, nightly: SqlStore) -> None:
    cli("dags", "trigger", "nightly")
    assert "nightly.py still defines it" in cli("dags", "delete", "nightly", code=2).err
    assert cli("dags", "delete", "nightly", "--yes").out == "DAG 'nightly' is deleted with 1 run\n"
    assert read(cli, "dags", "list", "--all") == []


def test_a_backfill_from_plan_to_end(cli: Cli, scheduler: Scheduler) -> None:
    words = ("backfill", "create", "nightly", "--from", "2024-01-01", "--to", "2024-01-05")
    plan = cli(*words, "--dry-run").out
    assert plan.endswith("4 runs of 4 dates: 16 tasks, 10 runs at once\n")
    assert [row["does"] for row in read(cli, *words, "--dry-run")] == ["create"] * 4
    assert cli(*words, "--max-active-runs", "2", "-y").out == "backfill 1 of DAG 'nightly': 4 runs\n"
    assert "has a backfill already" in cli(*words, code=5).err
    assert cli("backfill", "pause", "1").out.endswith("is paused\n")
    assert read(cli, "backfill", "list")[0]["state"] == "paused"
    turn(scheduler)
    assert cli("backfill", "unpause", "1").out.endswith("is not paused\n")
    turn(scheduler)
    (row,) = read(cli, "backfill", "list", "nightly", "--active")
    assert (row["running"], row["queued"]) == (2, 2)
    assert cli("backfill", "cancel", "1", "--yes").out.endswith("is cancelled\n")
    shown = read(cli, "backfill", "show", "1")
    assert (shown["state"], [date["state"] for date in shown["dates"]]) == (
        "cancelled", ["running", "running", "failed", "failed"],
    )  # fmt: skip
    assert "2024-01-01" in cli("backfill", "show", "1").out
    assert "was cancelled" in cli("backfill", "cancel", "1", "--yes", code=5).err
    assert (
        "ends (2024" in cli("backfill", "create", "nightly", "--from", "2024-02-01", "--to", "2024-01-01", code=2).err
    )
    assert "no backfill 7" in cli("backfill", "show", "7", code=4).err


def test_versions_their_source_and_what_changed(cli: Cli, nightly: SqlStore, dags_folder: Path) -> None:
    publish(nightly, dags_folder, "nightly.py", SOURCE.replace("max_active_runs=1", "max_active_runs=2"))
    assert [row["number"] for row in read(cli, "dags", "versions", "nightly")] == [2, 1]
    assert "max_active_runs=1" in cli("dags", "source", "nightly", "1").out
    assert "max_active_runs=2" in cli("dags", "source", "nightly").out
    said = cli("dags", "diff", "nightly").out
    assert "~ max_active_runs: 1 → 2" in said
    assert "+@dag(schedule=" in said
    assert read(cli, "dags", "diff", "nightly", "1", "2")["fields"][0]["after"] == 2
    assert "no version 9" in cli("dags", "diff", "nightly", "9", code=4).err


def test_clean_export_and_drop(cli: Cli, nightly: SqlStore, tmp_path: Path) -> None:
    for number in range(3):
        cli("dags", "trigger", "nightly", "--run-id", f"r{number}")
        cli("runs", "mark", "nightly", f"r{number}", "failed", "--yes")
    assert "in the future" in cli("db", "clean", "--before", "2999-01-01", code=2).err
    words = ("db", "clean", "--before", "2099-01-01")
    assert "no 'nonsense'" in cli(*words[:3], "2020-01-01", "--tables", "nonsense", code=2).err
    assert cli("db", "clean", "--before", "2020-01-01", "--dry-run").out == "there is nothing to delete\n"
    now = SystemClock().now().isoformat()
    assert read(cli, "db", "clean", "--before", now, "--dry-run") == [{"dag_id": "nightly", "runs": 2, "tasks": 0}]
    assert cli("db", "clean", "--before", now, "--yes", "--dag-ids", "night*").out.startswith("2 runs are deleted")
    assert [row["run_id"] for row in read(cli, "runs", "list", "nightly")] == ["r2"]
    assert "is no folder" in cli("db", "export-archived", "--output-path", str(tmp_path / "no"), code=2).err
    assert cli("db", "export-archived", "--output-path", str(tmp_path)).out == f"{tmp_path}/dag_run.csv: 2 rows\n"
    assert (tmp_path / "dag_run.csv").read_text().count("nightly") == 2
    cli("db", "export-archived", "--output-path", str(tmp_path), "--export-format", "json", "--drop-archives", "-y")
    assert [json.loads(line)["run_id"] for line in (tmp_path / "dag_run.json").read_text().splitlines()] == ["r0", "r1"]
    assert cli("db", "drop-archived", "--yes").out == "0 archived rows are deleted\n"
