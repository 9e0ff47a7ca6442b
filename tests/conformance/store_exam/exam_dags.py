"""The exam's part on files, DAGs and versions."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.rows import DagRow, FileRow, ImportErrorRow
from tradewind.ports.store import NextRun, Store, Transaction
from tradewind.wire.states import DagRunState, DagRunType

from .seeds import START, new_id, put_dag, put_run, start_run

MINUTE = timedelta(minutes=1)


def due(tx: Transaction, dag_id: str, after: timedelta = timedelta(0), **fields: object) -> DagRow:
    """A DAG whose next run is due `after` the start of the exam."""
    row = put_dag(tx, dag_id, **fields)
    tx.dag_set_next(
        dag_id,
        NextRun(run_after=START + after, logical_date=START, interval_start=START, interval_end=START + after),
    )
    return row


def claimed(store: Store, limit: int = 10) -> list[str]:
    with store.begin() as tx:
        return [row.dag_id for row in tx.dag_claim_due(START + MINUTE, limit)]


class FileExam:
    """What a store promises of DAG files."""

    def test_a_file_comes_back_as_it_was(self, store: Store) -> None:
        row = FileRow(
            bundle="local",
            path="etl/sales.py",
            digest="d1",
            bundle_version="b1",
            parsed_at=START,
            parse_seconds=0.25,
            dag_count=2,
            imported=("common.py", "etl/é.py"),
        )
        with store.begin() as tx:
            tx.file_put(replace(row, digest="d0"))
            tx.file_put(row)
            tx.file_put(replace(row, bundle="other"))
            tx.file_put(FileRow(bundle="local", path="a.py"))
        with store.read() as tx:
            assert tx.file_list("local") == [FileRow(bundle="local", path="a.py"), row]
            assert tx.file_list("unknown") == []

    def test_a_deleted_file_takes_its_error_along(self, store: Store) -> None:
        error = ImportErrorRow(bundle="local", path="a.py", message="line 1", traceback="trace", at=START)
        with store.begin() as tx:
            for path in ("a.py", "b.py"):
                tx.file_put(FileRow(bundle="local", path=path))
                tx.import_error_put(replace(error, path=path))
        with store.begin() as tx:
            tx.file_delete("local", "a.py")
            tx.file_delete("local", "unknown.py")
        with store.read() as tx:
            assert [row.path for row in tx.file_list("local")] == ["b.py"]
            assert tx.list_import_errors() == [replace(error, path="b.py")]

    def test_an_import_error_is_replaced_and_cleared(self, store: Store) -> None:
        error = ImportErrorRow(bundle="local", path="a.py", message="line 1", traceback="trace", at=START)
        with store.begin() as tx:
            tx.import_error_put(error)
            tx.import_error_put(replace(error, message="line 2"))
            assert [row.message for row in tx.list_import_errors()] == ["line 2"]
            tx.import_error_clear("local", "a.py")
            assert tx.list_import_errors() == []

    def test_a_lease_keeps_others_out_until_it_ends(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            tx.file_put(FileRow(bundle="local", path="a.py", digest="d1"))
            assert tx.file_lease("local", ["a.py", "new.py"], "p1", 30.0) == ["a.py", "new.py"]
            assert tx.file_lease("local", [], "p1", 30.0) == []
        with store.begin() as tx:
            assert tx.file_lease("local", ["a.py", "new.py", "b.py"], "p2", 30.0) == ["b.py"]
            assert tx.file_lease("local", ["a.py"], "p1", 30.0) == ["a.py"], "one's own is renewed"
        with store.read() as tx:
            first = tx.file_list("local")[0]
            assert (first.digest, first.processor, first.leased_until) == ("d1", "p1", START + timedelta(seconds=30))
        clock.advance(31)
        with store.begin() as tx:
            assert tx.file_lease("local", ["a.py"], "p2", 30.0) == ["a.py"]

    def test_putting_a_file_ends_the_lease(self, store: Store) -> None:
        with store.begin() as tx:
            tx.file_lease("local", ["a.py"], "p1", 30.0)
            tx.file_put(FileRow(bundle="local", path="a.py", processor="p1", leased_until=START + MINUTE))
            assert tx.file_lease("local", ["a.py"], "p2", 30.0) == ["a.py"]


class DagExam:
    """What a store promises of DAGs and versions."""

    def test_a_dag_comes_back_as_it_was(self, store: Store) -> None:
        row = DagRow(
            dag_id="sales",
            bundle="local",
            file="sales.py",
            version_id=new_id(),
            is_paused=True,
            pause_reason="new",
            description="d",
            display_name="Sales ☃",
            schedule_summary="@daily",
            timezone="Europe/Zurich",
            tags=("a", "b"),
            owners=("me",),
            max_active_runs=3,
            max_consecutive_failed_dag_runs=2,
            bundle_version="t1",
            file_digest="d1",
            next_run_after=START,
            next_logical_date=START - MINUTE,
            next_interval_start=START - MINUTE,
            next_interval_end=START,
            parsed_at=START,
        )
        with store.begin() as tx:
            tx.dag_put(row)
        with store.read() as tx:
            assert tx.dag_get("sales") == row
            assert tx.dag_get("unknown") is None
            assert tx.dag_get_many(["sales", "unknown"]) == {"sales": row}
            assert tx.dag_get_many([]) == {}

    def test_publishing_again_leaves_what_people_and_runs_decided(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx, max_active_runs=5)
            start_run(tx, dag, new_id())
            assert tx.dag_set_paused("sales", True, "by hand")
            tx.dag_put(replace(dag, max_active_runs=7, tags=("x",), runs_active=0))
            seen = tx.dag_get("sales")
        assert seen is not None
        assert (seen.is_paused, seen.pause_reason, seen.runs_active) == (True, "by hand", 1)
        assert (seen.max_active_runs, seen.tags) == (7, ("x",))

    def test_pause_of_an_unknown_dag(self, store: Store) -> None:
        with store.begin() as tx:
            assert not tx.dag_set_paused("unknown", True)

    def test_a_tree_moves_for_the_state_of_a_file_it_was_seen_in(self, store: Store) -> None:
        with store.begin() as tx:
            for dag_id, file, digest in (
                ("a", "x.py", "d1"),
                ("b", "x.py", "d1"),
                ("c", "y.py", "d2"),
                ("d", "z.py", "d1"),
            ):
                put_dag(tx, dag_id, file=file, file_digest=digest, bundle_version="t1")
            put_dag(tx, "old", file="x.py")
            put_dag(tx, "other", file="x.py", bundle="other", file_digest="d1", bundle_version="t1")
            tx.dag_move_trees("local", "t2", [("x.py", "d1"), ("y.py", "d1"), ("unknown.py", "d1")])
            tx.dag_move_trees("local", "t3", [])
        with store.read() as tx:
            trees = {row.dag_id: row.bundle_version for row in tx.list_dags()}
        assert trees == {"a": "t2", "b": "t2", "c": "t1", "d": "t1", "old": None, "other": "t1"}

    def test_stale_and_back(self, store: Store) -> None:
        with store.begin() as tx:
            for dag_id in ("a", "b", "c"):
                put_dag(tx, dag_id, file="same.py")
            tx.dag_set_stale(["a", "b", "unknown"], True)
            tx.dag_set_stale(["b"], False)
            assert [row.is_stale for row in tx.dag_list_of_file("local", "same.py")] == [True, False, False]
            assert tx.dag_list_of_file("local", "other.py") == []

    def test_versions(self, store: Store) -> None:
        with store.begin() as tx:
            assert tx.version_newest("sales") is None
            first, second = put_dag(tx), put_dag(tx)
            old, new = tx.version_get(first.version_id), tx.version_newest("sales")
            assert tx.version_get(new_id()) is None
            listed = tx.list_versions("sales")
        assert old is not None
        assert new is not None
        assert (old.number, new.number, new.version_id) == (1, 2, second.version_id)
        assert (old.document, old.source, old.created_at) == (b"{}", "# source", START)
        assert listed == [new, old]

    def test_due_dags_oldest_first(self, store: Store) -> None:
        with store.begin() as tx:
            due(tx, "b", timedelta(seconds=2))
            due(tx, "a", timedelta(seconds=2))
            due(tx, "c", timedelta(seconds=1))
            due(tx, "later", timedelta(hours=1))
            put_dag(tx, "never")
            assert tx.dag_next_due() == START + timedelta(seconds=1)
        assert claimed(store) == ["c", "a", "b"]
        assert claimed(store, limit=2) == ["c", "a"]

    def test_neither_paused_nor_stale_ones_are_due(self, store: Store) -> None:
        with store.begin() as tx:
            for dag_id in ("paused", "stale"):
                due(tx, dag_id)
            tx.dag_set_paused("paused", True)
            tx.dag_set_stale(["stale"], True)
            assert tx.dag_next_due() is None
        assert claimed(store) == []

    def test_a_dag_is_due_while_it_has_a_free_run_slot(self, store: Store) -> None:
        with store.begin() as tx:
            dag = due(tx, "sales", max_active_runs=2)
            put_run(tx, dag, "manual", run_type=DagRunType.MANUAL)
            put_run(tx, dag, "s1", run_type=DagRunType.SCHEDULED, logical_date=START)
            done = put_run(
                tx, dag, "s0", run_type=DagRunType.SCHEDULED, logical_date=START - MINUTE, state=DagRunState.SUCCESS
            )
            assert done.state is DagRunState.SUCCESS
        assert claimed(store) == ["sales"]
        with store.begin() as tx:
            put_run(tx, dag, "s2", run_type=DagRunType.SCHEDULED, logical_date=START + MINUTE)
            assert tx.dag_next_due() is None
        assert claimed(store) == []

    def test_the_next_run_is_taken_away(self, store: Store) -> None:
        with store.begin() as tx:
            due(tx, "sales")
            tx.dag_set_next("sales", None)
            tx.dag_set_next("unknown", None)
            seen = tx.dag_get("sales")
            assert seen is not None
            assert (seen.next_run_after, seen.next_logical_date, seen.next_interval_start, seen.next_interval_end) == (
                None,
                None,
                None,
                None,
            )
        assert claimed(store) == []
