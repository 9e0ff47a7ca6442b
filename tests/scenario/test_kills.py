"""SIGKILL for each process in the middle of a run of 500 tasks: the run ends as it would have, no attempt is committed
twice, none is lost, and nothing but what ran in the killed processes is repeated."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.conftest import DATABASES, installation
from tests.scenario.harness import (
    Journal,
    begin_run,
    check_books,
    check_nothing_held,
    journal_in,
    kill,
    process_named,
    tell,
    wait_for_end,
)
from tests.scenario.installation import Installation, wait_until_gone

pytestmark = pytest.mark.scenario

TASKS = 500
SLOTS = 32
"""core.parallelism: what an agent has in hand at most."""
_BOTH = DATABASES
_SQLITE = DATABASES[:1]
_POSTGRESQL = DATABASES[1:]

Kill = Callable[[Installation, Journal], int]


def _named(comm: str) -> Kill:
    return lambda made, _journal: process_named(made, comm)


def _task(_made: Installation, journal: Journal) -> int:
    return next(entry.pid for entry in reversed(journal.running()) if entry.is_slow())


def _cases() -> list[Any]:
    cases: list[tuple[str, Kill, int, tuple[object, ...]]] = [
        ("scheduler", _named("tradewind-scheduler"), 0, _BOTH),
        ("agent", _named("tradewind-agent"), SLOTS, _BOTH),
        ("zygote", _named("tradewind-zyg"), SLOTS, _SQLITE),
        ("template", _named("tradewind-dag"), SLOTS, _POSTGRESQL),
        ("task", _task, 1, _SQLITE),
        ("api-server", _named("tradewind-api-server"), 0, _POSTGRESQL),
        ("dag-processor", _named("tradewind-dag-processor"), 0, _SQLITE),
    ]
    made: list[Any] = []
    for name, find, repeats, databases in cases:
        for database in databases:
            marks = getattr(database, "marks", ())
            key = getattr(database, "values", (database,))[0]
            made.append(pytest.param(name, find, repeats, key, marks=marks, id=f"{name}-{key}"))
    return made


@pytest.mark.parametrize(("name", "find", "repeats_max", "database"), _cases())
def test_a_process_is_killed_in_the_middle(
    name: str, find: Kill, repeats_max: int, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with installation(database, tmp_path) as made, journal_in(tmp_path) as journal:
        begin_run(made, journal)
        victim = find(made, journal)
        killed_at = kill(victim)
        wait_until_gone([victim])

        ended = wait_for_end(made)

        books = check_books(ended, journal, tasks=TASKS, fault_at=killed_at)
        tell(capsys, f"{name} killed, {database}", books, gap=books.gap_seconds, repeated=books.repeated)
        assert books.repeated <= repeats_max
        check_nothing_held(made)
        made.save("after.py", "from tradewind import DAG\n\nafter = DAG('after', schedule=None)\n")
        made.wait_for_dag("after")
        assert made.stop() == 0, made.story()


@pytest.mark.parametrize("database", _POSTGRESQL)
def test_the_parent_is_killed_and_all_is_started_again(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with installation(database, tmp_path) as made, journal_in(tmp_path) as journal:
        begin_run(made, journal)
        family = made.family()
        assert made.process is not None
        killed_at = kill(made.process.pid)
        made.process.wait()
        wait_until_gone(family)
        gone_seconds = time.monotonic() - killed_at
        made.start()

        ended = wait_for_end(made)

        books = check_books(ended, journal, tasks=TASKS, fault_at=killed_at)
        said = f"all gone after {gone_seconds:.2f} s; {books}"
        tell(capsys, f"parent killed and started again, {database}", said, gap=books.gap_seconds, gone=gone_seconds)
        assert books.repeated <= SLOTS
        check_nothing_held(made)
        assert made.stop() == 0, made.story()
