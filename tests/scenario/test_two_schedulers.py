"""Two schedulers on one PostgreSQL share the runs. One is killed: the other takes its runs over when the lease has
passed. Limits hold all the time."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.scenario.conftest import installation
from tests.scenario.harness import (
    DAG_ID,
    Journal,
    Service,
    check_nothing_held,
    database_of,
    journal_in,
    journaled_dag,
    kill,
    overlap_max,
    process_named,
    service,
    tell,
    trigger,
    wait_for_end,
)
from tests.scenario.installation import Installation

from tradewind.store.sql import SqlStore
from tradewind.wire.states import EXECUTING_STATES, DagRunState, TaskInstanceState

pytestmark = [pytest.mark.scenario, pytest.mark.postgres]

RUNS = 8
RUNS_AT_ONCE = 4
TASKS = 50
SLOTS = 6
GATE = "gate"
"""No run ends before this file is there."""
LEASE_SECONDS = float(os.environ.get("TRADEWIND_SCENARIO_LEASE_SECONDS", "4"))
SAFETY_POLL_SECONDS = LEASE_SECONDS / 2
"""The defaults have the same proportion."""


def test_one_of_two_schedulers_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with two_schedulers(tmp_path) as (made, journal, second):
        run_ids = [f"r{number}" for number in range(RUNS)]
        own_id = _trigger_shared(made, journal, second, run_ids)
        killed_at = kill(second.process.pid)
        (tmp_path / GATE).touch()
        watch = Watch(own_id)

        for run_id in run_ids:
            ended = wait_for_end(made, run_id, look=watch.look)

            assert ended.run.state is DagRunState.SUCCESS
            assert {row.state for row in ended.rows} == {TaskInstanceState.SUCCESS}
            assert all(row.try_number == 1 for row in ended.rows), "no task dies with a scheduler"

        attempts = [entry.attempt for entry in journal.entries() if entry.word == "end"]
        assert len(attempts) == len(set(attempts)) == RUNS * TASKS
        assert overlap_max(journal.entries()) <= SLOTS
        assert watch.looks > RUNS
        assert (watch.runs_max, watch.slots_max) <= (RUNS_AT_ONCE, SLOTS)
        assert watch.taken_at is not None
        taken = watch.taken_at - killed_at
        said = (
            f"its runs taken over after {taken:.2f} s (lease {LEASE_SECONDS:g} s, poll {SAFETY_POLL_SECONDS:g} s); "
            f"{watch.looks} looks, at most {watch.runs_max} runs and {watch.slots_max} slots"
        )
        tell(capsys, "one of two schedulers killed, postgresql", said, taken=taken)
        assert taken <= LEASE_SECONDS + SAFETY_POLL_SECONDS + 5
        check_nothing_held(made)


class Watch:
    """Looks whether limits hold, and when the last run of a dead scheduler has found another owner."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self.looks = 0
        self.runs_max = 0
        self.slots_max = 0
        self.taken_at: float | None = None

    def look(self, store: SqlStore) -> None:
        with store.read() as tx:
            running = tx.list_runs(dag_id=DAG_ID, states=[DagRunState.RUNNING])
            rows = [row for run in running for row in tx.task_list(run.run_key)]
            pool = tx.pool_get("small")
        self.looks += 1
        assert pool is not None
        executing = sum(row.pool_slots for row in rows if row.state in EXECUTING_STATES)
        held = sum(row.pool_slots for row in rows if row.holds_slot)
        assert len(running) <= RUNS_AT_ONCE, [run.run_id for run in running]
        assert max(executing, held, pool.used) <= SLOTS, (executing, held, pool.used)
        self.runs_max = max(self.runs_max, len(running))
        self.slots_max = max(self.slots_max, held)
        if self.taken_at is None and not any(run.owner == self._owner for run in running):
            self.taken_at = time.monotonic()


@contextmanager
def two_schedulers(folder: Path) -> Iterator[tuple[Installation, Journal, Service]]:
    """A standalone, and a second scheduler with an agent of its own in another home; database, keys and the trees of
    DAG code are shared."""
    settings = {
        "SCHEDULER__LEASE_SECONDS": f"{LEASE_SECONDS:g}",
        "SCHEDULER__HEARTBEAT_SECONDS": f"{LEASE_SECONDS / 5:g}",
        "SCHEDULER__SAFETY_POLL_SECONDS": f"{SAFETY_POLL_SECONDS:g}",
    }
    with ExitStack() as stack:
        made = stack.enter_context(installation("postgresql", folder, **settings))
        journal = stack.enter_context(journal_in(folder))
        made.dags.mkdir(parents=True)
        source = journaled_dag(
            journal.path,
            chains=10,
            seconds=0.03,
            gate=folder / GATE,
            arguments=f", max_active_tasks=1000, max_active_runs={RUNS_AT_ONCE}",
            task_arguments=", pool='small'",
        )
        made.start()
        made.run("pools", "set", "small", str(SLOTS))
        made.save("journaled.py", source)
        made.wait_for_dag(DAG_ID)
        environment = _second_home(made, folder / "second")
        stack.enter_context(service("agent", environment))
        second = stack.enter_context(service("scheduler", environment))
        made.wait_for(lambda: _counts(made) == {"scheduler": 2, "agent": 2}, "the second pair is there")
        yield made, journal, second
        assert made.stop() == 0, made.story()


def _second_home(made: Installation, home: Path) -> dict[str, str]:
    home.mkdir(mode=0o700)
    shutil.copytree(made.home / "keys", home / "keys")
    return made.environment | {
        "TRADEWIND_HOME": str(home),
        "TRADEWIND__BUNDLES__ROOT": str(made.home / "bundles"),
    }


def _counts(made: Installation) -> dict[str, int]:
    with database_of(made) as store, store.read() as tx:
        kinds = [row.kind for row in tx.component_list()]
    return {kind: kinds.count(kind) for kind in ("scheduler", "agent")}


def _trigger_shared(made: Installation, journal: Journal, second: Service, run_ids: list[str]) -> str:
    """Trigger the runs so that both schedulers own some: each sleeps while the other takes its share. Returns the id of
    the second, when both are in the middle of their work."""
    first = process_named(made, "tradewind-scheduler")
    share = RUNS_AT_ONCE // 2
    with _stopped(first):
        trigger(made, run_ids[:share])
        made.wait_for(lambda: len(_owners(made)) == share, "the second scheduler takes runs")
    (owner,) = set(_owners(made))
    with _stopped(second.process.pid):
        trigger(made, run_ids[share:])
        made.wait_for(lambda: len(_owners(made)) == RUNS_AT_ONCE, "the first scheduler takes runs")
    journal.wait_for(
        lambda: {entry.run_id for entry in journal.entries()} > set(run_ids[:share]) and bool(journal.running()),
        "both work",
        30.0,
        lambda: made.story() + "".join(second.log),
    )
    with database_of(made) as store, store.read() as tx:
        row = next(row for row in tx.component_list("scheduler") if row.id == owner)
    assert row.pid == second.process.pid
    assert sorted(_owners(made).count(each) for each in set(_owners(made))) == [share, share]
    return owner


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """The process stands still for the length of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _owners(made: Installation) -> list[str]:
    """Of the runs that are running."""
    with database_of(made) as store, store.read() as tx:
        return [run.owner for run in tx.list_runs(dag_id=DAG_ID, states=[DagRunState.RUNNING]) if run.owner is not None]
