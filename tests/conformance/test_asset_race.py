"""Several producers and schedulers on one database at once: each event is taken by exactly one run of each consumer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.conformance.store_exam.seeds import START, new_id, put_dag
from tests.conformance.test_store_sql_race import race

from tradewind.commands.asset_events import Source, tell_changes
from tradewind.commands.documents import Documents
from tradewind.ports.rows import VersionRow
from tradewind.ports.store import Transaction
from tradewind.scheduler.assets import create_asset_runs
from tradewind.store.sql import SqlStore
from tradewind.wire.assets import AllOf, AnyOf, AssetEmission, AssetFacts, AssetLeaf, Delivery, asset_topic
from tradewind.wire.document import FORMAT, DagDocument, encode_document
from tradewind.wire.errors import Unavailable
from tradewind.wire.schedule import AssetSchedule

A, B = AssetLeaf("a", "a"), AssetLeaf("b", "b")
ROUNDS = 40
CONSUMERS = {
    "all": AssetSchedule(condition=A),
    "both": AssetSchedule(condition=AllOf((A, B))),
    "every": AssetSchedule(condition=AnyOf((A, B)), delivery=Delivery(mode="every")),
    "batch": AssetSchedule(condition=A, delivery=Delivery(mode="batch", count=7)),
}


@pytest.fixture
def stores(database_url: str) -> Iterator[list[SqlStore]]:
    stores = [SqlStore(database_url) for _ in range(2)]
    yield stores
    for store in stores:
        store.close()


def consumer(tx: Transaction, dag_id: str, schedule: AssetSchedule) -> None:
    document = DagDocument(format=FORMAT, dag_id=dag_id, file=f"{dag_id}.py", schedule=schedule)
    version_id = new_id()
    put_dag(tx, dag_id, version_id=version_id)
    tx.version_insert(
        VersionRow(
            version_id=version_id,
            dag_id=dag_id,
            number=2,
            hash=version_id,
            bundle="local",
            bundle_version="b1",
            file=document.file,
            document=encode_document(document),
            source="",
            created_at=START,
        )
    )
    tx.asset_cursor_set(dag_id, [asset_topic("a", "a"), asset_topic("b", "b")], paused=False)


def test_each_event_is_taken_once(stores: list[SqlStore]) -> None:
    with stores[0].begin() as tx:
        tx.asset_put([AssetFacts(name="a", uri="a"), AssetFacts(name="b", uri="b")], START)
        for dag_id, schedule in CONSUMERS.items():
            consumer(tx, dag_id, schedule)
    ended: list[str] = []

    def look(store: SqlStore, documents: Documents) -> int:
        with store.begin() as tx:
            return create_asset_runs(tx, documents, tx.now(), new_id, 10)

    def work(store: SqlStore, name: str) -> None:
        documents = Documents()
        if name in ("worker-0", "worker-1"):
            for n in range(ROUNDS):
                # In opposite order: producers must not wait for each other in a circle.
                names = "ab" if name == "worker-0" else "ba"
                emissions = [(Source(), AssetEmission(name=each, uri=each, extra={"n": n})) for each in names]
                with store.begin() as tx:
                    tell_changes(tx, emissions, tx.now())
            ended.append(name)
            return
        deadline = time.monotonic() + 30
        while len(ended) < 2 and time.monotonic() < deadline:
            try:
                made = look(store, documents)
            except Unavailable:  # the one who is asked to go again
                made = 0
            if not made:
                time.sleep(0.002)  # as a scheduler rests: SQLite gives the next turn to whoever comes first

    race(stores, work)
    documents = Documents()
    for _ in range(100):
        with stores[0].begin() as tx:
            create_asset_runs(tx, documents, tx.now(), new_id, 10)
            if tx.asset_next_wake() is None:
                break
    with stores[0].read() as tx:
        events = {row.event_id: row.name for row in tx.asset_event_list()}
        assert len(events) == 4 * ROUNDS
        for dag_id in CONSUMERS:
            runs = tx.list_runs(dag_id=dag_id, limit=1000)
            taken = Counter(row.event_id for run in runs for row in tx.asset_consumed_by(run.run_key))
            left = {each.event_id for each in tx.asset_waiting(dag_id)}
            assert set(taken.values()) <= {1}, dag_id
            assert not left & set(taken), dag_id
            wanted = {event_id for event_id, name in events.items() if name == "a" or dag_id in ("both", "every")}
            # Those of "b" that nobody asked for stay unread where the condition speaks of "a" alone.
            assert wanted <= set(taken) | left, dag_id
            if dag_id == "every":
                assert all(len(tx.asset_consumed_by(run.run_key)) <= 2 for run in runs)
