"""The database is locked, gone or full: the caller hears `Unavailable`, nothing is half done, later all is well."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.conformance.store_exam.seeds import put_dag, put_run, put_tasks

from tradewind.store.dialects.postgresql import PostgresDialect, conninfo_of_url
from tradewind.store.dialects.sqlite import SqliteDialect, path_of_url
from tradewind.store.sql import SqlStore
from tradewind.wire.errors import Unavailable
from tradewind.wire.execution import XComEntry, XComValue

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@contextmanager
def another_writer(path: Path) -> Iterator[None]:
    """Another process has the write lock of the file for the length of the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield
    process.communicate()
    assert process.returncode == 0


class TestLocked:
    def test_another_process_writes_for_too_long(self, sqlite_url: str) -> None:
        store = SqlStore(sqlite_url, busy_timeout_seconds=0.05)
        path = path_of_url(sqlite_url)
        with another_writer(path):
            with pytest.raises(Unavailable, match="locked") as caught, store.begin():
                raise AssertionError("the block must not be entered")
            assert str(path) in str(caught.value)
            assert "busy_timeout_seconds" in str(caught.value)
            with store.read() as tx:
                assert tx.pool_get("default_pool") is not None, "readers do not wait for writers"
        with store.begin() as tx:
            tx.pool_put("etl", 1)
        store.close()

    def test_the_writer_waits_its_turn(self, sqlite_url: str) -> None:
        store = SqlStore(sqlite_url, busy_timeout_seconds=60)
        with another_writer(path_of_url(sqlite_url)):
            pass  # released while we wait or before: either way the next line gets it
        with store.begin() as tx:
            tx.pool_put("etl", 1)
        store.close()

    def test_a_thread_that_is_inside_a_transaction_already(self, sqlite_url: str) -> None:
        store = SqlStore(sqlite_url, busy_timeout_seconds=0.05)
        with store.begin(), pytest.raises(Unavailable, match="inside a transaction already"), store.begin():
            raise AssertionError("the block must not be entered")
        store.close()


class TestFull:
    def test_the_file_cannot_grow(self, sqlite_url: str) -> None:
        store = SqlStore(sqlite_url)
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            (row,) = put_tasks(tx, run, "a")
        with _size_limit(store):
            with pytest.raises(Unavailable, match="full") as caught, store.begin() as tx:  # noqa: PT012
                tx.pool_put("half", 1)
                for number in range(100):
                    value = XComValue(data=b"x" * 100_000, size=100_000)
                    tx.xcom_put(row, [XComEntry(f"k{number}", value)], run.run_after)
            assert "make room" in str(caught.value)
        with store.begin() as tx:
            assert tx.pool_get("half") is None
            assert tx.list_xcoms(row.ti_id) == []
            tx.xcom_put(row, [XComEntry("k", XComValue(data=b"1", size=1))], run.run_after)
        store.close()


@contextmanager
def _size_limit(store: SqlStore) -> Iterator[None]:
    """The file of the store's writer cannot grow within the block."""
    dialect = store.dialect
    assert isinstance(dialect, SqliteDialect)

    def limit(pages: str) -> None:
        connection = dialect.writers.take()
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        dialect.writers.give(connection)

    limit("1")  # SQLite takes the size it has
    yield
    limit("4294967294")


@pytest.mark.postgres
class TestGone:
    @pytest.fixture
    def store(self, postgres_url: str) -> Iterator[SqlStore]:
        store = SqlStore(postgres_url, pool_size=3)
        yield store
        store.close()

    @pytest.mark.parametrize("moment", ["before", "in the middle", "at the commit"])
    def test_the_connection_is_cut(self, store: SqlStore, postgres_url: str, moment: str) -> None:
        with store.begin() as tx:
            tx.pool_put("kept", 1)
        with store.begin() as first, store.begin() as second:
            first.pool_list(), second.pool_list()  # two connections rest in the pool now
        if moment == "before":
            cut(postgres_url)
        with pytest.raises(Unavailable) as caught, store.begin() as tx:  # noqa: PT012
            tx.pool_put("half", 1)
            tx.pool_list()
            if moment == "in the middle":
                cut(postgres_url)
                tx.pool_list()
            tx.pool_put("other half", 1)
            if moment == "at the commit":
                cut(postgres_url)
        assert "PostgreSQL database" in str(caught.value)
        with store.begin() as tx:
            assert {row.name for row in tx.pool_list()} == {"default_pool", "kept"}
            tx.pool_put("after", 1)

    def test_nobody_answers(self) -> None:
        url = "postgresql://somebody:very-secret@127.0.0.1:1/nowhere"
        store = SqlStore(url, connect_timeout_seconds=2)
        with pytest.raises(Unavailable) as caught, store.begin() as tx:
            tx.pool_list()
        assert "nowhere at 127.0.0.1:1" in str(caught.value)
        assert "very-secret" not in str(caught.value)
        with pytest.raises(Unavailable):
            store.listen(["inbox"])

    def test_all_connections_are_busy(self, postgres_url: str) -> None:
        store = SqlStore(postgres_url, pool_size=1, pool_overflow_max=0, connect_timeout_seconds=1)
        with store.begin() as tx:
            tx.pool_list()
            with pytest.raises(Unavailable, match="pool_overflow_max"), store.begin():
                raise AssertionError("the block must not be entered")
        with store.begin() as tx:
            tx.pool_list()
        store.close()

    def test_a_statement_that_failed_is_not_committed_in_silence(self, store: SqlStore) -> None:
        with pytest.raises((AssertionError, psycopg.Error)), store.begin() as tx:  # noqa: PT012
            tx.pool_put("half", 1)
            try:
                tx.pool_use({"half": -1})
                tx.pool_list()
            except psycopg.IntegrityError:
                pass  # swallowed, as one must not
        with store.read() as tx:
            assert tx.pool_get("half") is None

    def test_the_servers_clock_judges(self, store: SqlStore, postgres_url: str) -> None:
        with psycopg.connect(conninfo_of_url(postgres_url)) as connection:
            before = connection.execute("SELECT clock_timestamp()").fetchone()
            with store.begin() as tx:
                now = tx.now()
                assert tx.now() == now
            with store.begin() as tx:
                again = tx.now()  # by the offset learned a moment ago
            after = connection.execute("SELECT clock_timestamp()").fetchone()
        assert before is not None
        assert after is not None
        assert before[0] <= now <= again
        assert abs((again - after[0]).total_seconds()) < 1.0
        assert isinstance(store.dialect, PostgresDialect)


def cut(url: str) -> None:
    """Every connection of the store under test is ended by the server."""
    with psycopg.connect(conninfo_of_url(url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'tradewind'"
        ).fetchall()
