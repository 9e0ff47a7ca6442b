"""The database is cut off, away, locked or full in the middle of a run: work that runs goes on, nothing is lost or
repeated, the log names the trouble, and afterwards all goes on by itself."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.postgres import temporary_database
from tests.scenario.harness import (
    Journal,
    check_books,
    check_nothing_held,
    small_disk,
    started,
    tell,
    wait_for_end,
)
from tests.scenario.harness_proxy import Cut, proxied
from tests.scenario.installation import Installation

from tradewind.store.dialects.postgresql import conninfo_of_url

pytestmark = pytest.mark.scenario

AWAY_SECONDS = float(os.environ.get("TRADEWIND_SCENARIO_AWAY_SECONDS", "10"))
"""How long the database is unreachable. 30 s in the long form."""
TERMINATE_SECONDS = 3.0
LOCKED_SECONDS = 5.0
FULL_SECONDS = 4.0

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@pytest.mark.postgres
def test_all_connections_are_terminated_again_and_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with temporary_database() as url, started(tmp_path, url) as (made, journal):
        fault_at = time.monotonic()
        ended = _terminate_connections(url, TERMINATE_SECONDS)

        what = f"{ended} connections terminated in {TERMINATE_SECONDS:g} s"
        _check_all_is_well(made, journal, fault_at, capsys, what, named_max=ended)


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["refused", "silent"])
def test_postgresql_cannot_be_reached(how: Cut, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with temporary_database() as url, proxied(url) as proxy, started(tmp_path, proxy.url) as (made, journal):
        fault_at = time.monotonic()
        running = {entry.attempt for entry in journal.running()}
        proxy.cut(how)
        _rest(AWAY_SECONDS)
        ended = {entry.attempt for entry in journal.entries() if entry.word == "end"}
        proxy.mend()
        mended_at = time.monotonic()

        assert running <= ended, "what ran when the database went away went on"
        _check_all_is_well(
            made,
            journal,
            fault_at,
            capsys,
            f"PostgreSQL {how} for {AWAY_SECONDS:g} s",
            mended_at=mended_at,
            # A silence is a slow answer until its time limits have passed.
            is_noticed=how == "refused",
        )


def test_sqlite_is_locked_by_another_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(tmp_path, None, DATABASE__BUSY_TIMEOUT_SECONDS="1") as (made, journal):
        fault_at = time.monotonic()
        with _locked(made.home / "tradewind.db"):
            _rest(LOCKED_SECONDS)
        mended_at = time.monotonic()

        _check_all_is_well(
            made, journal, fault_at, capsys, f"SQLite locked for {LOCKED_SECONDS:g} s", mended_at=mended_at
        )
        assert any("another process writes too long" in line for line in made.log), made.story()


def test_the_disk_of_sqlite_is_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", 24 << 20))
        made, journal = stack.enter_context(started(tmp_path, f"sqlite:///{disk.path}/tradewind.db"))
        fault_at = time.monotonic()
        disk.fill()
        _rest(FULL_SECONDS)
        disk.make_room()
        mended_at = time.monotonic()

        _check_all_is_well(
            made, journal, fault_at, capsys, f"SQLite's disk full for {FULL_SECONDS:g} s", mended_at=mended_at
        )
        assert any("the disk is full" in line for line in made.log), made.story()
        with closing(sqlite3.connect(disk.path / "tradewind.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _check_all_is_well(
    made: Installation,
    journal: Journal,
    fault_at: float,
    capsys: pytest.CaptureFixture[str],
    what: str,
    *,
    mended_at: float | None = None,
    is_noticed: bool = True,
    named_max: int = 10,
) -> None:
    ended = wait_for_end(made)
    books = check_books(ended, journal, tasks=500, fault_at=fault_at)
    after = "" if mended_at is None else f"; first task {_first_after(journal, mended_at):.2f} s after the mending"
    named = [line for line in made.log if "unavailable" in line or "not_written" in line]
    tell(capsys, what, f"{books}{after}; {len(named)} lines of log", gap=books.gap_seconds, repeated=books.repeated)
    assert books.repeated == 0
    assert not any("Traceback" in line for line in made.log), made.story()
    assert named or not is_noticed, "the trouble is named"
    assert len(named) <= named_max, "\n".join(["it is named once by each part that meets it", *named])
    check_nothing_held(made)


def _first_after(journal: Journal, at: float) -> float:
    return min((entry.at for entry in journal.entries() if entry.word == "begin" and entry.at > at), default=at) - at


def _rest(seconds: float) -> None:
    """The length of the fault itself."""
    threading.Event().wait(seconds)


def _terminate_connections(url: str, seconds: float) -> int:
    count = 0
    deadline = time.monotonic() + seconds
    with psycopg.connect(conninfo_of_url(url), autocommit=True) as connection:
        while time.monotonic() < deadline:
            found = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
            count += len(found)
            _rest(0.05)
    return count


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield
    process.communicate()
