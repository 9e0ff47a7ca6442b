"""What the scenarios of kills and faults share: a journal that tasks write, the wait for it, and the books afterwards.

Each task of the journaled DAG appends one line when it begins and one when it ends, in one write. The journal therefore
tells what really ran, whatever the database says; `Books` compares the two.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.scenario.installation import Installation, descendants, name_of

from tradewind.app.plugs import existing_database
from tradewind.commands.documents import Documents
from tradewind.commands.runs import trigger_run
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.settings import load_settings
from tradewind.ports.rows import AttemptRow, RunRow, TaskRow
from tradewind.store.sql import SqlStore
from tradewind.wire.errors import Unavailable
from tradewind.wire.states import INFRASTRUCTURE_CAUSES, LIVE_RUN_STATES, DagRunState, TaskInstanceState

DAG_ID = "journaled"
MIDDLE = 150
"""Tasks that have ended when a fault comes."""
FIGURES_VARIABLE = "TRADEWIND_SCENARIO_FIGURES"
"""A file that gets each figure as a line of JSON."""

_SOURCE = """
import os
import time

from tradewind import DAG, task

JOURNAL = {journal!r}
GATE = {gate!r}


def note(word, ti):
    line = f"{{time.monotonic():.6f}} {{word}} {{ti.run_id}} {{ti.task_id}} {{ti.try_number}} {{os.getpid()}}\\n"
    descriptor = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, line.encode())
    os.close(descriptor)


@task
def work(seconds, ti):
    note("begin", ti)
    if seconds:
        time.sleep(seconds)
    while seconds == {slow_seconds} and GATE and not os.path.exists(GATE):
        time.sleep(0.02)
    note("end", ti)


with DAG({dag_id!r}, schedule=None{arguments}):
    for chain in range({chains}):
        before = None
        for step in range({length}):
            seconds = {slow_seconds} if chain % 10 == 0 and step == {length} // 2 else {seconds}
            made = work.override(task_id=f"c{{chain:03}}_s{{step}}"{task_arguments})(seconds)
            if before is not None:
                before >> made
            before = made
"""


def journaled_dag(
    journal: Path,
    *,
    chains: int = 100,
    length: int = 5,
    seconds: float = 0.0,
    slow_seconds: float = 0.5,
    gate: Path | None = None,
    arguments: str = ", max_active_tasks=1000",
    task_arguments: str = "",
) -> str:
    """The source of a DAG of `chains` × `length` tasks that do nothing but keep the journal; the middle one of each
    tenth chain rests for `slow_seconds`, and until the file `gate` is there, so that something always runs."""
    return _SOURCE.format(
        journal=str(journal),
        gate=str(gate or ""),
        dag_id=DAG_ID,
        chains=chains,
        length=length,
        seconds=seconds,
        slow_seconds=slow_seconds,
        arguments=arguments,
        task_arguments=task_arguments,
    )


class Entry(NamedTuple):
    """A line of the journal."""

    at: float
    word: str
    run_id: str
    task_id: str
    try_number: int
    pid: int

    @property
    def attempt(self) -> tuple[str, str, int]:
        return (self.run_id, self.task_id, self.try_number)

    def is_slow(self, length: int = 5) -> bool:
        """One of the tasks that rest for a while."""
        chain, _, step = self.task_id.partition("_s")
        return int(chain.removeprefix("c")) % 10 == 0 and int(step) == length // 2


class Journal:
    """The file, and the wait for what is written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        libc = ctypes.CDLL(None, use_errno=True)
        self._notices = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        modified = 0x2
        assert libc.inotify_add_watch(self._notices, os.fsencode(path), modified) >= 0, os.strerror(ctypes.get_errno())

    def close(self) -> None:
        os.close(self._notices)

    def entries(self) -> list[Entry]:
        found = []
        # Up to the last line that is whole: a reader may come in the middle of a write.
        whole = self.path.read_text().rpartition("\n")[0]
        for line in whole.splitlines():
            at, word, run_id, task_id, try_number, pid = line.split()
            found.append(Entry(float(at), word, run_id, task_id, int(try_number), int(pid)))
        return found

    def ended(self) -> int:
        return sum(entry.word == "end" for entry in self.entries())

    def running(self) -> list[Entry]:
        """Those that have begun and not ended, and whose process lives; the youngest last."""
        ended = {entry.attempt for entry in self.entries() if entry.word == "end"}
        return [
            entry
            for entry in self.entries()
            if entry.word == "begin" and entry.attempt not in ended and Path(f"/proc/{entry.pid}").exists()
        ]

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float, story: Callable[[], str]) -> None:
        """Look whenever something was written, until the answer is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"{what} did not happen within {seconds} s; {self.ended()} tasks ended\n{story()}"
            select.select([self._notices], [], [], left)
            try:
                os.read(self._notices, 65536)
            except BlockingIOError:
                pass


@contextmanager
def journal_in(folder: Path) -> Iterator[Journal]:
    """A journal for the length of the block."""
    journal = Journal(folder / "journal.txt")
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def database_of(installation: Installation) -> Iterator[SqlStore]:
    """The installation's database, opened here."""
    with existing_database(load_settings(installation.environment)) as store:
        yield store


def begin_run(made: Installation, journal: Journal) -> None:
    """Start everything and a run, and wait until it is in its middle and a slow task has just begun."""
    made.dags.mkdir(parents=True)
    made.save("journaled.py", journaled_dag(journal.path))
    made.start()
    made.wait_for_dag(DAG_ID)
    trigger(made, ["r1"])
    journal.wait_for(
        lambda: journal.ended() >= MIDDLE and any(entry.is_slow() for entry in journal.running()),
        "the middle",
        60.0,
        made.story,
    )


@contextmanager
def started(folder: Path, url: str | None, **settings: str) -> Iterator[tuple[Installation, Journal]]:
    """An installation in the middle of a run of 500 tasks; it must end well."""
    made = Installation(folder, url, **settings)
    with journal_in(folder) as journal:
        try:
            begin_run(made, journal)
            yield made, journal
            assert made.stop() == 0, made.story()
        finally:
            made.abandon()


def trigger(installation: Installation, run_ids: list[str], dag_id: str = DAG_ID) -> None:
    """Runs, all at once; without the second that a command takes."""
    clock = SystemClock()
    with database_of(installation) as store, store.begin() as tx:
        for run_id in run_ids:
            trigger_run(tx, Documents(), clock.now(), lambda: str(uuid7()), dag_id, run_id=run_id)


@dataclass(frozen=True)
class Ended:
    """A run as the database tells it."""

    run: RunRow
    rows: list[TaskRow]
    attempts: dict[str, list[AttemptRow]]
    """By ti_id: those before the last."""


def wait_for_end(
    installation: Installation,
    run_id: str = "r1",
    *,
    dag_id: str = DAG_ID,
    seconds: float = 60.0,
    look: Callable[[SqlStore], None] | None = None,
) -> Ended:
    """Wait until a run is over; a database that is away is waited for.

    Parameters:
        look: called with the database whenever something changed.
    """
    deadline = time.monotonic() + seconds
    with database_of(installation) as store, store.listen(["changes"]) as bell:
        while True:
            try:
                with store.read() as tx:
                    run = tx.run_find(dag_id, run_id)
                assert run is not None
                if look is not None:
                    look(store)
                if run.state not in LIVE_RUN_STATES:
                    return _ended(store, run)
            except Unavailable:
                run = None
            left = deadline - time.monotonic()
            assert left > 0, (
                f"the run did not end within {seconds} s: {run}\n{_states(store, run)}\n{installation.story()}"
            )
            bell.wait(min(left, 1.0))


def _states(store: SqlStore, run: RunRow | None) -> str:
    if run is None:
        return "the database is away"
    with store.read() as tx:
        counted = tx.count_task_states([run.run_key])
        open_ones = [row for row in tx.task_list(run.run_key) if row.state is not TaskInstanceState.SUCCESS]
    return f"{counted}\n{open_ones[:5]}"


def _ended(store: SqlStore, run: RunRow) -> Ended:
    with store.read() as tx:
        rows = tx.task_list(run.run_key)
        attempts = {row.ti_id: tx.attempt_list(row.ti_id) for row in rows if row.try_number > 1}
    return Ended(run, rows, attempts)


@dataclass(frozen=True)
class Books:
    """What a run came to. Made by `check_books`."""

    tasks: int
    repeated: int
    """Tasks with more than one attempt."""
    done_twice: int
    """Tasks whose work was done, whose process or agent died before that was told, and which were done again."""
    gap_seconds: float
    """Longest time without a task that ended."""
    gap_quiet_seconds: float
    """The same before the fault."""
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.tasks} tasks in {self.seconds:.1f} s; longest gap {self.gap_seconds:.2f} s "
            f"(before: {self.gap_quiet_seconds:.2f} s); {self.repeated} repeated, {self.done_twice} of them done before"
        )


def check_books(ended: Ended, journal: Journal, *, tasks: int, fault_at: float, length: int = 5) -> Books:
    """Nothing lost, nothing run twice unasked, in order: what must hold whatever was killed.

    Parameters:
        fault_at: monotonic instant of the fault.
        length: of each chain.
    """
    run_id = ended.run.run_id
    entries = [entry for entry in journal.entries() if entry.run_id == run_id]
    begun, done = _counted(entries, "begin"), _counted(entries, "end")
    assert ended.run.state is DagRunState.SUCCESS, ended.run
    assert len(ended.rows) == tasks
    _check_rows(ended, begun, done)
    twice = {attempt: count for attempt, count in (begun + done).items() if count > 2}
    assert not twice, f"attempts that ran more than once: {twice}"
    _check_order(ended.rows, entries, length)
    ends = sorted(entry.at for entry in entries if entry.word == "end")
    tries_done = Counter(task_id for _, task_id, _ in done)
    first = min(entry.at for entry in entries)
    return Books(
        tasks=tasks,
        repeated=sum(row.try_number > 1 for row in ended.rows),
        done_twice=sum(count > 1 for count in tries_done.values()),
        gap_seconds=_longest_gap([first, *ends]),
        gap_quiet_seconds=_longest_gap([first, *(at for at in ends if at < fault_at)]),
        seconds=ends[-1] - first,
    )


def _counted(entries: list[Entry], word: str) -> Counter[tuple[str, str, int]]:
    return Counter(entry.attempt for entry in entries if entry.word == word)


def _check_rows(ended: Ended, begun: Counter[tuple[str, str, int]], done: Counter[tuple[str, str, int]]) -> None:
    run_id = ended.run.run_id
    tries = defaultdict(set)
    for _, task_id, try_number in begun:
        tries[task_id].add(try_number)
    for row in ended.rows:
        last = (run_id, row.task_id, row.try_number)
        assert row.state is TaskInstanceState.SUCCESS, row
        assert begun[last] == 1, f"{row.task_id}: the attempt that counts, {row.try_number}, began {begun[last]} times"
        assert done[last] == 1, f"{row.task_id}: the attempt that counts, {row.try_number}, ended {done[last]} times"
        assert max(tries[row.task_id]) == row.try_number, f"{row.task_id} ran again after its success: {tries}"
        kept = {attempt.try_number: attempt for attempt in ended.attempts.get(row.ti_id, [])}
        assert sorted(kept) == list(range(1, row.try_number)), f"{row.task_id}: attempts {sorted(kept)}"
        for attempt in kept.values():
            assert attempt.state is not TaskInstanceState.SUCCESS, f"committed twice: {attempt}"
            assert attempt.cause in INFRASTRUCTURE_CAUSES, attempt


def _check_order(rows: list[TaskRow], entries: list[Entry], length: int) -> None:
    counts = {row.task_id: row.try_number for row in rows}
    ends = {e.task_id: e.at for e in entries if e.word == "end" and e.try_number == counts[e.task_id]}
    begins: dict[str, float] = {}
    for entry in entries:
        if entry.word == "begin":
            begins.setdefault(entry.task_id, entry.at)
    for task_id, began in begins.items():
        chain, _, step = task_id.partition("_s")
        if 0 < int(step) < length:
            assert ends[f"{chain}_s{int(step) - 1}"] <= began, f"{task_id} began before its upstream had ended"


def _longest_gap(instants: list[float]) -> float:
    return max((after - before for before, after in itertools.pairwise(instants)), default=0.0)


def check_nothing_held(installation: Installation) -> None:
    """All slots are free again, and nothing waits to be told."""
    with database_of(installation) as store, store.begin() as tx:
        assert tx.slots_audit() == {}
        assert all(pool.used == 0 for pool in tx.pool_list())
    spooled = list((installation.home / "spool").rglob("*.report"))
    assert spooled == []


def process_named(installation: Installation, comm: str, root: int | None = None) -> int:
    """The pid of the process of an installation with exactly this name."""
    family = installation.family() if root is None else descendants(root)
    return next(pid for pid in family if name_of(pid) == comm[:15])


def kill(pid: int) -> float:
    """SIGKILL; the instant, on the monotonic clock."""
    os.kill(pid, 9)
    return time.monotonic()


def tell(capsys: pytest.CaptureFixture[str], name: str, said: object, **figures: float) -> None:
    """Print figures past the capture, and keep them in the file that the environment names."""
    with capsys.disabled():
        print(f"\n    {name}: {said}")
    path = os.environ.get(FIGURES_VARIABLE)
    if path:
        with Path(path).open("a") as file:
            file.write(json.dumps({"name": name, "said": str(said), **figures}) + "\n")


class Service:
    """One serving process of its own, beside a standalone: `tradewind NAME`.

    Parameters:
        environment: with all settings.
    """

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tradewind", name],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)

    def end(self) -> None:
        """It and all below it end, however it is."""
        for pid in descendants(self.process.pid) if self.process.poll() is None else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


@contextmanager
def service(name: str, environment: dict[str, str]) -> Iterator[Service]:
    """A serving process for the length of the block."""
    made = Service(name, environment)
    try:
        yield made
    finally:
        made.end()


def overlap_max(entries: list[Entry], prefix: str = "") -> int:
    """How many tasks were between their beginning and their end at once, by the journal."""
    events = sorted(
        (entry.at, 1 if entry.word == "begin" else -1) for entry in entries if entry.task_id.startswith(prefix)
    )
    level = highest = 0
    for _, change in events:
        level += change
        highest = max(highest, level)
    return highest


class SmallDisk:
    """A file system in memory that can be filled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Take what is left, to the last byte."""
        with self._ballast.open("wb", buffering=0) as file:
            size = 1 << 20
            while size:
                try:
                    file.write(b"x" * size)
                except OSError:
                    size //= 2

    def make_room(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(path: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """Mounted for the length of the block. Skips the test where that is not allowed."""
    path.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path)]
    try:
        mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command for a small disk")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here (root may): {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
