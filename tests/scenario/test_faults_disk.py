"""The disk of the task logs is full: tasks go on, lines are dropped and counted, and the gap is told in the log as soon
as there is room."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.harness import check_books, check_nothing_held, small_disk, started, tell, wait_for_end
from tests.scenario.installation import Installation

pytestmark = pytest.mark.scenario

TALKING = """
import os
import time

from tradewind import dag, task

@dag(schedule=None)
def talking():
    @task
    def talk(params):
        for number in range(200):
            print(f"line {number} " + "x" * 1000)
        open(FOLDER + "/said", "w").close()
        while not os.path.exists(FOLDER + "/room"):
            time.sleep(0.02)
        print("there is room again")

    talk()

talking()
"""


def test_the_disk_of_the_logs_is_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", 24 << 20))
        made, journal = stack.enter_context(started(tmp_path, None, LOGS__FOLDER=str(disk.path / "logs")))
        fault_at = time.monotonic()
        disk.fill()

        books = check_books(wait_for_end(made), journal, tasks=500, fault_at=fault_at)

        told = [line for line in made.log if "attempt_log_not_written" in line]
        tell(capsys, "disk of the logs full", f"{books}; {len(told)} lines in the agent's log", gap=books.gap_seconds)
        assert books.repeated == 0
        assert 1 <= len(told) <= 3, "told once, not for each task"
        assert "No space left" in told[0]
        disk.make_room()
        check_nothing_held(made)


def test_a_gap_in_a_log_is_told_in_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", 24 << 20))
        made = Installation(tmp_path, None, LOGS__FOLDER=str(disk.path / "logs"))
        stack.callback(made.abandon)
        made.dags.mkdir(parents=True)
        made.start()
        made.save("talking.py", TALKING.replace("FOLDER", repr(str(tmp_path))))
        made.wait_for_dag("talking")
        disk.fill()
        made.run("dags", "trigger", "talking", "--run-id", "r1")
        made.wait_for(lambda: (tmp_path / "said").exists(), "the task has talked")
        made.wait_for(lambda: any("attempt_log_not_written" in line for line in made.log), "the trouble is told")
        disk.make_room()
        (tmp_path / "room").touch()

        ended = wait_for_end(made, dag_id="talking")

        assert ended.run.state == "success"
        lines = list(_lines(made, "talking", "r1", "talk"))
        texts = [str(line["m"]) for line in lines]
        gap = next(text for text in texts if "lines are missing here" in text)
        assert int(gap.split()[0]) >= 200
        assert texts.index(gap) < texts.index("there is room again")
        assert made.stop() == 0, made.story()


def _lines(made: Installation, *names: str) -> Iterator[dict[str, Any]]:
    for line in made.run("tasks", "logs", *names, "-o", "json").stdout.splitlines():
        yield json.loads(line)
