"""What the machine allows without Tradewind: forks, single-row commits, the bell, starting Python, loading files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import psycopg
from bench.forks import fork_floor
from bench.results import Floor
from bench.stats import summary

from tradewind.kernel.process import pss_bytes
from tradewind.store.dialects.postgresql import conninfo_of_url

ROUNDS = 5
_TABLE = "CREATE TABLE bench_floor (id integer PRIMARY KEY, value integer NOT NULL)"
_ROW = "INSERT INTO bench_floor VALUES (1, 0)"
_CHANGE = "UPDATE bench_floor SET value = value + 1 WHERE id = 1"
_WAIT_SECONDS_MAX = 10.0


def forks(parent_mib: float, parallel: int, count: int) -> Floor:
    """Fork + exit of children that do nothing, from a parent of this size, so many at a time."""
    rate = fork_floor(round(parent_mib), parallel, count)
    return Floor(f"fork + exit, {parent_mib:.0f} MiB parent, {parallel} at a time", rate, "/s")


def commits(kind: str, url: str, folder: Path, count: int = 1000) -> Floor:
    """One row changed and committed, again and again, durable."""
    if kind == "postgres":
        rates = _postgres_commits(url, count)
        return Floor("single-row commits, one connection", summary(rates).median, "/s")
    rates = _sqlite_commits(folder, count)
    return Floor("single-row commits, WAL, synchronous FULL", summary(rates).median, "/s")


def _postgres_commits(url: str, count: int) -> list[float]:
    with psycopg.connect(conninfo_of_url(url), autocommit=True) as connection:
        connection.execute(_TABLE)
        connection.execute(_ROW)
        rates = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(count):
                connection.execute(_CHANGE, prepare=True)
            rates.append(count / (time.perf_counter() - began))
        connection.execute("DROP TABLE bench_floor")
    return rates


def _sqlite_commits(folder: Path, count: int) -> list[float]:
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)
        connection.execute(_ROW)
        rates = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(count):
                connection.execute(_CHANGE)
            rates.append(count / (time.perf_counter() - began))
    return rates


def bell(url: str, count: int = 300) -> Floor:
    """From NOTIFY to the listener's thread, PostgreSQL."""
    conninfo = conninfo_of_url(url)
    heard: list[float] = []
    ready, again = threading.Event(), threading.Semaphore(0)

    def listen() -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("LISTEN bench_floor")
            ready.set()
            for notice in connection.notifies(timeout=_WAIT_SECONDS_MAX):
                heard.append((time.monotonic_ns() - int(notice.payload)) / 1e6)
                again.release()
                if len(heard) == count:
                    return

    listener = threading.Thread(target=listen, name="bench-bell", daemon=True)
    listener.start()
    ready.wait(_WAIT_SECONDS_MAX)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for _ in range(count):
            connection.execute("SELECT pg_notify('bench_floor', %s)", [str(time.monotonic_ns())])
            if not again.acquire(timeout=_WAIT_SECONDS_MAX):
                raise RuntimeError("a NOTIFY was not heard")
    listener.join(_WAIT_SECONDS_MAX)
    return Floor("NOTIFY to LISTEN", summary(heard).median, "ms")


def python_start(rounds: int = 20) -> Floor:
    """`python -c pass`."""
    times = [timed_ms([sys.executable, "-c", "pass"]) for _ in range(rounds)]
    return Floor("python -c pass", summary(times).median, "ms")


def python_file(path: Path, rounds: int = 5) -> Floor:
    """`python FILE`: the file loaded by a fresh interpreter."""
    times = [timed_ms([sys.executable, str(path)]) for _ in range(rounds)]
    return Floor("python FILE", summary(times).median, "ms")


_LOAD_ALL = """
import sys, time
import tradewind.sdk
began = time.perf_counter()
for path in sys.stdin.read().splitlines():
    exec(compile(open(path).read(), path, "exec"), {"__name__": "bench", "__file__": path})
print(time.perf_counter() - began)
"""


def load_files(paths: Iterable[Path]) -> Floor:
    """Plain Python loads all files one after another in one process; nothing is checked, compiled or stored."""
    listed = "\n".join(map(str, paths))
    done = subprocess.run([sys.executable, "-c", _LOAD_ALL], input=listed, capture_output=True, text=True, check=True)
    return Floor("the same files loaded by one Python", float(done.stdout), "s")


def bare_processes(count: int) -> Floor:
    """So many Python processes that have imported nothing and wait."""
    with subprocess.Popen(
        [sys.executable, "-c", "print('', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        mib = pss_bytes(process.pid) / (1 << 20)
        process.communicate("\n")
    return Floor(f"{count} bare Python processes", mib * count, "MiB")


def timed_ms(command: list[str]) -> float:
    """Wall time of a command that must succeed."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000
