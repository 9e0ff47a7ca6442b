"""The doorbell on PostgreSQL passes the exam of doorbells, and outlives its connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg
import pytest
from tests.conformance.doorbell_exam import LONG, DoorbellExam, heard

from tradewind.kernel.doorbell import Doorbell, Listener
from tradewind.kernel.doorbell.port import checked_topics
from tradewind.store.dialects.postgresql import conninfo_of_url
from tradewind.store.sql import SqlStore

pytestmark = pytest.mark.postgres


class StoreBell:
    """The bell of a store, as a doorbell: each ring is a transaction."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def ring(self, topics: Iterable[str]) -> None:
        rung = checked_topics(topics)
        with self._store.begin() as tx:
            tx.ring(*rung)

    def listen(self, topics: Iterable[str]) -> Listener:
        return self._store.listen(topics)


@pytest.fixture
def stores(postgres_url: str) -> Iterator[tuple[SqlStore, SqlStore]]:
    stores = SqlStore(postgres_url), SqlStore(postgres_url)
    yield stores
    for store in stores:
        store.close()


class TestPostgresBell(DoorbellExam):
    @pytest.fixture
    def doorbells(self, stores: tuple[SqlStore, SqlStore]) -> tuple[Doorbell, Doorbell]:
        return StoreBell(stores[0]), StoreBell(stores[1])

    def test_after_a_lost_connection_every_topic_counts_as_rung(
        self, near: Doorbell, far: Doorbell, postgres_url: str
    ) -> None:
        with near.listen(["inbox", "runs"]) as listener:
            cut_listeners(postgres_url)
            assert listener.wait(LONG) == {"inbox", "runs"}
            far.ring(["inbox"])
            assert heard(listener, "inbox") == {"inbox"}

    def test_closing_while_the_connection_is_lost(self, near: Doorbell, postgres_url: str) -> None:
        listener = near.listen(["inbox"])
        cut_listeners(postgres_url)
        listener.wait(0)
        listener.close()
        with pytest.raises(ValueError, match="closed"):
            listener.wait(0)


def cut_listeners(url: str) -> None:
    with psycopg.connect(conninfo_of_url(url), autocommit=True) as connection:
        cut = connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        ).fetchall()
    assert cut == [(True,)]
