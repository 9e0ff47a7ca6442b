"""DAGs, runs and tasks through the command line, over rows that the real scheduler makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli, publish

from tradewind.kernel.clock import SystemClock
from tradewind.ports.logs import attempt_log
from tradewind.scheduler.loop import Scheduler
from tradewind.store.sql import SqlStore
from tradewind.wire.workload import Workload

SOURCE = """
from datetime import datetime, timedelta
from tradewind import dag, task
from tradewind.standard import BashOperator

@dag(schedule="0 2 * * *", start_date=datetime(2024, 1, 1), tags=["night"], params={"x": 3}, max_active_runs=1)
def nightly():
    @task
    def first(): return [1, 2]

    @task
    def each(item): return item * 2

    @task(pool="narrow")
    def narrow(): ...

    shell = BashOperator(task_id="shell", bash_command="echo {{ ds }} {{ params.x }}")
    each.expand(item=first()) >> shell
    narrow()

nightly()
"""


class Shelf:
    """An executor that keeps what it is given: nothing ever starts."""

    name = "local"

    def __init__(self) -> None:
        self.workloads: list[Workload] = []

    def start(self) -> None: ...
    def stop(self, deadline_seconds: float) -> None: ...
    def capacity(self) -> int:
        return 10

    def grantee(self) -> str | None:
        return None

    def occupy(self, tokens: Any) -> None: ...
    def submit(self, workloads: Any) -> None:
        self.workloads += workloads

    def cancel(self, tokens: Any, reason: str) -> None: ...
    def release(self, tokens: Any) -> None: ...
    def unknown(self, tokens: Any) -> set[str]:
        return set()

    def events(self) -> list[Any]:
        return []


@pytest.fixture
def nightly(database: SqlStore, dags_folder: Path) -> SqlStore:
    publish(database, dags_folder, "nightly.py", SOURCE)
    return database


@pytest.fixture
def scheduler(nightly: SqlStore) -> Iterator[Scheduler]:
    with nightly.begin() as tx:
        tx.dag_set_paused("nightly", True)  # only what a test triggers runs
    made = Scheduler(nightly, SystemClock(), {"local": Shelf()})
    made.start()
    yield made
    made.close()


def read(cli: Cli, *words: str) -> Any:
    return json.loads(cli(*words, "-o", "json").out)


def why(cli: Cli, task_id: str, *words: str) -> str:
    return cli("tasks", "why", "nightly", "r1", task_id, *words).out.strip()


def test_list_and_show(cli: Cli, nightly: SqlStore) -> None:
    (row,) = read(cli, "dags", "list")
    assert (row["dag_id"], row["schedule"], row["paused"], row["tags"]) == ("nightly", "0 2 * * *", False, ["night"])
    assert read(cli, "dags", "list", "--tag", "other") == []
    assert read(cli, "dags", "list", "--pattern", "IGHT")[0]["dag_id"] == "nightly"
    assert cli("dags", "list", "--paused").out == "there are no DAGs\n"
    assert cli("dags", "show", "nightly").out.splitlines() == [
        "nightly (0 2 * * *)",
        "├── first (@task)",
        "│   └── each (@task, mapped)",
        "│       └── shell (BashOperator)",
        "└── narrow (@task)",
    ]
    assert read(cli, "dags", "show", "nightly")["dag_id"] == "nightly"
    assert cli("tasks", "list", "nightly", "-o", "plain").out.splitlines() == ["each", "first", "narrow", "shell"]
    assert "did you mean 'nightly'?" in cli("dags", "show", "nigtly", code=4).err


def test_pause_and_unpause(cli: Cli, nightly: SqlStore) -> None:
    assert cli("dags", "pause", "nightly", "--reason", "quiet").out == "DAG 'nightly' is paused\n"
    assert "already" in cli("dags", "pause", "nightly").out
    (row,) = read(cli, "dags", "list", "--paused")
    assert (row["pause_reason"], row["next_run"]) == ("quiet", None)
    assert cli("dags", "unpause", "nightly").out == "DAG 'nightly' is not paused\n"
    assert read(cli, "dags", "list", "--active")[0]["paused"] is False


def test_next_executions_of_the_database_and_of_a_file(cli: Cli, nightly: SqlStore, tmp_path: Path) -> None:
    expected = ["2024-03-01T02:00:00+00:00", "2024-03-02T02:00:00+00:00", "2024-03-03T02:00:00+00:00"]
    words = ("dags", "next-execution", "nightly", "--from", "2024-02-29T12:00:00+00:00", "-n", "3")
    assert cli(*words, "-o", "plain").out.splitlines() == expected
    assert [row["run_after"] for row in read(cli, *words)] == expected
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "mine.py").write_text(SOURCE)
    (folder / "noise.py").write_text("1 / 0")
    assert cli(*words, "--dags-folder", str(folder), "-o", "plain").out.splitlines() == expected
    one = cli("dags", "next-execution", "nightly", "--from", "2024-02-29 23:00", "-o", "plain")
    assert one.out == f"{expected[0]}\n"
    said = cli("dags", "next-execution", "x", "--dags-folder", str(folder), code=4).err
    assert "noise.py: ZeroDivisionError: division by zero" in said, "in short: that file does not speak of x"
    (folder / "noise.py").write_text("dag_id = 'x'; 1 / 0")
    assert "ZeroDivisionError" in cli("dags", "next-execution", "x", "--dags-folder", str(folder), code=2).err
    assert "there is no folder" in cli("dags", "next-execution", "x", "--dags-folder", str(tmp_path / "z"), code=2).err
    assert "no ISO instant" in cli("dags", "next-execution", "nightly", "--from", "tomorrow", code=2).err
    assert "at least 1" in cli("dags", "next-execution", "nightly", "-n", "0", code=2).err


def test_trigger(cli: Cli, nightly: SqlStore) -> None:
    words = ("dags", "trigger", "nightly", "--run-id", "r1", "--logical-date", "2024-01-05", "--conf", '{"x": 4}')
    assert cli(*words).out == "run r1 of DAG nightly is queued\n"
    run = read(cli, "runs", "show", "nightly", "r1")
    assert (run["state"], run["logical_date"], run["conf"]) == ("queued", "2024-01-05T00:00:00+00:00", {"x": 4})
    assert "choose another run id" in cli("dags", "trigger", "nightly", "--run-id", "r1", code=5).err
    assert "JSON object" in cli("dags", "trigger", "nightly", "--conf", "[1]", code=2).err
    assert "is not JSON" in cli("dags", "trigger", "nightly", "--conf", "{", code=2).err
    assert "does not exist" in cli("dags", "trigger", "nobody", code=4).err
    assert cli("runs", "list", "nightly", "-o", "plain").out.startswith("nightly\tr1\tqueued")
    assert cli("runs", "list", "--state", "failed").out == "there are no runs\n"


def test_a_paused_dag_and_one_without_schedule_say_so(cli: Cli, nightly: SqlStore, dags_folder: Path) -> None:
    cli("dags", "pause", "nightly")
    assert "is paused" in cli("dags", "next-execution", "nightly", "-o", "plain").err
    publish(nightly, dags_folder, "never.py", SOURCE.replace("nightly", "never").replace('"0 2 * * *"', "None"))
    assert cli("dags", "next-execution", "never").out == "DAG 'never' has no schedule: it runs when it is triggered\n"
    said = cli("dags", "trigger", "never", "-r", "later", "--logical-date", "2100-01-01T00:00:00+00:00").out
    assert said == "run later of DAG never is queued; it starts at 2100-01-01T00:00:00+00:00\n"


def test_instances_of_mapped_tasks_are_named(cli: Cli, nightly: SqlStore, scheduler: Scheduler) -> None:
    cli("dags", "trigger", "nightly", "--run-id", "r1")
    scheduler.step()
    scheduler.step()
    for verb in (("why", "nightly", "r1"), ("logs", "nightly", "r1"), ("test", "nightly"), ("render", "nightly")):
        said = cli("tasks", *verb, "shell", "--map-index", "0", code=2).err
        assert said == "error: task 'shell' is not mapped: leave out --map-index 0\n"
    for one in ("test", "render"):
        said = cli("tasks", one, "nightly", "each", code=2).err
        assert said == "error: task 'each' is mapped: say which instance, for example --map-index 0\n"


def test_why_a_run_waits(cli: Cli, nightly: SqlStore, scheduler: Scheduler) -> None:
    cli("dags", "trigger", "nightly", "--run-id", "r1", "--logical-date", "2100-01-01T00:00:00+00:00")
    assert why(cli, "shell") == "run 'r1' is queued: it is due at 2100-01-01T00:00:00+00:00"
    cli("dags", "trigger", "nightly", "--run-id", "r0")
    scheduler.step()
    cli("dags", "trigger", "nightly", "--run-id", "r2")
    said = cli("tasks", "why", "nightly", "r2", "shell").out
    assert said.strip() == "run 'r2' is queued: 1 runs of DAG 'nightly' are active, max_active_runs=1"


def test_why_a_task_waits(cli: Cli, nightly: SqlStore, scheduler: Scheduler) -> None:
    cli("pools", "set", "narrow", "0")
    cli("dags", "trigger", "nightly", "--run-id", "r1")
    scheduler.step()
    scheduler.step()

    assert why(cli, "first").startswith("'first' has its slots and is on its way to an agent")
    assert why(cli, "first").endswith("no agent is running")
    assert why(cli, "each").startswith("'each' waits for 'first': it expands over 1 task instance")
    assert why(cli, "shell").startswith("'shell' waits for 'each'")
    assert "'narrow' is ready, but pool 'narrow' is full (0 of 0 slots used); it has too few" in why(cli, "narrow")
    cli("pools", "set", "narrow", "1")
    assert why(cli, "narrow").startswith("'narrow' is ready, but waits for its turn"), "the pool has room by now"
    cli("pools", "delete", "narrow")
    assert "but pool 'narrow' does not exist: create it" in why(cli, "narrow")
    assert "has no task 'nobody'" in cli("tasks", "why", "nightly", "r1", "nobody", code=4).err
    states = {row["task"]: row["state"] for row in read(cli, "tasks", "states", "nightly", "latest")}
    assert states["first"] == "queued"


def test_cancel(cli: Cli, nightly: SqlStore, scheduler: Scheduler) -> None:
    cli("dags", "trigger", "nightly", "--run-id", "r1")
    scheduler.step()
    cli("runs", "cancel", "nightly", "r1", "--reason", "a mistake")
    scheduler.step()
    run = read(cli, "runs", "show", "nightly", "r1")
    assert (run["state"], run["reason"]) == ("failed", "a mistake")
    assert "is over already" in cli("runs", "cancel", "nightly", "r1", code=5).err
    assert "'first' is over" in why(cli, "first")


def test_clear(cli: Cli, nightly: SqlStore, scheduler: Scheduler) -> None:
    cli("dags", "trigger", "nightly", "--run-id", "r1")
    scheduler.step()
    cli("runs", "cancel", "nightly", "r1")
    scheduler.step()
    said = cli("tasks", "clear", "nightly", "r1", "each", "-d", code=2).err
    assert said == "error: Run again each, shell of run 'r1' of DAG 'nightly'? Say --yes to do it without asking.\n"
    assert cli("tasks", "clear", "nightly", "r1", "-f", "--yes").out.endswith("1 task instance cleared\n")
    assert read(cli, "runs", "show", "nightly", "r1")["state"] == "queued"
    scheduler.step()
    scheduler.step()
    states = {row["task"]: row["state"] for row in read(cli, "tasks", "states", "nightly", "r1")}
    assert states == {"first": "queued", "each": "skipped", "narrow": "skipped", "shell": "skipped"}
    assert "has no task 'nobody'; it has each, first" in cli("tasks", "clear", "nightly", "r1", "nobody", code=4).err
    assert "no index 7" in cli("tasks", "clear", "nightly", "r1", "each", "--map-index", "7", code=4).err
    assert "needs the id" in cli("tasks", "clear", "nightly", "r1", "--map-index", "7", code=2).err
    assert cli("tasks", "clear", "nightly", "r1", "shell", "-f").out.endswith(": 0 task instances cleared\n")


def test_logs(cli: Cli, nightly: SqlStore, scheduler: Scheduler, home: Path) -> None:
    cli("dags", "trigger", "nightly", "--run-id", "r1")
    scheduler.step()
    assert "has no log" in cli("tasks", "logs", "nightly", "r1", "first", code=4).err
    path = attempt_log(home / "logs", "nightly", "r1", "first", "", 1)
    path.parent.mkdir(parents=True)
    frame = {"file": "/dags/nightly.py", "line": 7, "function": "first", "text": "boom()"}
    error = {"type": "ValueError", "message": "no\nreally", "frames": [frame], "notes": ["in row 3"]}
    cause = {"type": "OSError", "message": "", "frames": [], "relation": "cause"}
    lines = [
        {"t": "2024-01-02T00:00:00Z", "l": "info", "s": "stdout", "m": "hello"},
        {"t": "2024-01-02T00:00:01Z", "l": "error", "s": "log", "n": "my.logger", "m": "failed", "e": [error, cause]},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"cut off')
    said = cli("tasks", "logs", "nightly", "r1", "first").out.splitlines()
    assert said[0].endswith("info    stdout: hello")
    assert said[1].endswith("error   my.logger: failed")
    assert said[2:] == [
        '    File "/dags/nightly.py", line 7, in first',
        "      boom()",
        "    ValueError: no",
        "    really",
        "    in row 3",
        "    which was caused by:",
        "    OSError",
        '{"cut off',
    ]
    assert json.loads(cli("tasks", "logs", "nightly", "r1", "first", "-o", "json").out.splitlines()[0])["m"] == "hello"
    assert "tries 1" in cli("tasks", "logs", "nightly", "r1", "first", "--try", "2", code=4).err


def test_test_and_render_in_this_process(cli: Cli, nightly: SqlStore) -> None:
    date = ("--logical-date", "2024-01-05")
    fields = read(cli, "tasks", "render", "nightly", "shell", *date)
    assert fields["bash_command"] == "echo 2024-01-05 3"
    assert read(cli, "tasks", "render", "nightly", "shell", *date, "--conf", '{"x": 9}')["bash_command"].endswith("9")
    assert read(cli, "tasks", "render", "nightly", "shell", "2024-01-05") == fields
    said = cli("tasks", "test", "nightly", "shell", *date)
    assert "shell: success" in said.out
    assert '"2024-01-05 3"' in said.out
    assert "did you mean 'shell'?" in cli("tasks", "test", "nightly", "shel", code=4).err
    whole = cli("dags", "test", "nightly", *date)
    assert whole.out.splitlines()[-1].startswith("run manual__2024-01-05T00:00:00+00:00: success")
    assert read(cli, "runs", "list") == [], "nothing is recorded"


def test_a_run_in_this_process_reads_what_is_stored(cli: Cli, database: SqlStore, dags_folder: Path) -> None:
    (dags_folder / "reads.py").write_text(
        "from tradewind import BaseHook, Variable, dag, task\n"
        "@dag(schedule=None)\n"
        "def reads():\n"
        "    @task\n"
        "    def look(): return [BaseHook.get_connection('db').host, Variable.get('v')]\n"
        "    look()\n"
        "reads()\n"
    )
    cli("connections", "set", "db", "--type", "sqlite", "--host", "/x.db")
    cli("variables", "set", "v", "from the database")
    assert '["/x.db","from the database"]' in cli("tasks", "test", "reads", "look").out
    assert ": success" in cli("dags", "test", "reads").out.splitlines()[-1]
