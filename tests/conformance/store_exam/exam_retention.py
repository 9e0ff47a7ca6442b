"""The exam's part on keeping history short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tradewind.ports.rows import DagRow, RunRow
from tradewind.ports.store import Store, Transaction
from tradewind.wire.execution import XComEntry, XComValue
from tradewind.wire.inbox import RunNudged
from tradewind.wire.states import DagRunType

from .exam_backfills import put_backfill
from .seeds import START, entry, new_id, one, put_dag, put_run, put_tasks, start_run

DAY = timedelta(days=1)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)


def ended(tx: Transaction, dag: DagRow, run_id: str, day: int, **facts) -> RunRow:
    """A run that was made and ended on that day."""
    run = start_run(tx, dag, "s", run_id, run_key=key_at(START + day * DAY), **facts)
    assert tx.run_move("succeed", run.run_key, owner="s", epoch=run.epoch, now=START + day * DAY)
    return run


def key_at(instant: datetime) -> str:
    """A run key that was made then."""
    milliseconds = f"{int(instant.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}{new_id()[13:]}"


def expired(tx: Transaction, before: datetime | None, keep: int | None = None, **page) -> list[str]:
    return [row.run_id for row in tx.run_list_expired("sales", before, keep, page.pop("limit", 100), **page)]


class RetentionExam:
    """See `ports.retention.RetentionTx`."""

    def test_what_ended_before_or_is_too_much(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            runs = [ended(tx, dag, f"r{day}", day) for day in range(6)]
            ended(tx, put_dag(tx, "other"), "x", 0)
            start_run(tx, dag, "s", "live")
            assert expired(tx, START + 3 * DAY) == ["r0", "r1", "r2"]
            assert expired(tx, None, 3) == ["r0", "r1", "r2", "r3"]
            assert expired(tx, START + DAY, 3) == ["r0", "r1", "r2", "r3"]
            assert expired(tx, START, None) == []
            assert expired(tx, None, None) == []
            assert expired(tx, NEVER, None, limit=2) == ["r0", "r1"]
            assert expired(tx, NEVER, None, after=runs[3].run_key) == ["r4", "r5"]

    def test_the_newest_run_and_the_newest_scheduled_one_stay(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            ended(tx, dag, "s1", 0, run_type=DagRunType.SCHEDULED, logical_date=START)
            ended(tx, dag, "s2", 1, run_type=DagRunType.SCHEDULED, logical_date=START + DAY)
            ended(tx, dag, "m1", 2)
            ended(tx, dag, "m2", 3)
            assert expired(tx, NEVER, 1) == ["s1", "m1"]

    def test_a_run_of_many_tasks_goes_in_pieces(self, store: Store) -> None:
        with store.begin() as tx:
            run = ended(tx, put_dag(tx), "r", 0)
            rows = put_tasks(tx, run, *(f"t{n}" for n in range(5)))
            for row in rows:
                tx.xcom_put(row, [entry("k", b"1")], START)
            assert [tx.run_delete_some_tasks(run.run_key, 2) for _ in range(4)] == [2, 2, 1, 0]
            assert tx.task_list(run.run_key) == []
            assert tx.list_xcoms(rows[0].ti_id) == []

    def test_the_archive_has_what_was_there(self, store: Store) -> None:
        with store.begin() as tx:
            run = ended(tx, put_dag(tx), "r", 0, conf={"a": 1})
            (row,) = put_tasks(tx, run, "t")
            tx.xcom_put(row, [entry("k", b"1")], START)
            assert tx.run_archive([run.run_key], START) == 3
            assert tx.archive_count() == {"dag_run": 1, "task_instance": 1, "xcom": 1}
            (kept,) = tx.archive_list("dag_run")
            assert (kept.dag_id, kept.archived_at) == ("sales", START)
            assert (kept.payload["run_id"], kept.payload["conf"]) == ("r", {"a": 1})
            first, *rest = tx.archive_list()
            assert [each.line for each in tx.archive_list(after=first.line)] == [each.line for each in rest]
            assert len(tx.archive_list(limit=1)) == 1
            assert tx.archive_drop(["xcom"], 10) == 1
            assert tx.archive_drop(None, 1) == 1
            assert tx.archive_drop(None, 10) == 1
            assert tx.archive_count() == {}

    def test_addresses_of_values_outside(self, store: Store) -> None:
        with store.begin() as tx:
            run = ended(tx, put_dag(tx), "r", 0)
            (row,) = put_tasks(tx, run, "t")
            big = XComEntry("big", XComValue(url="file:///x", size=3))
            tx.xcom_put(row, [entry("k", b"1"), big], START)
            assert tx.xcom_list_urls([run.run_key]) == ["file:///x"]
            assert tx.xcom_list_urls([]) == []

    def test_lines_for_runs_that_are_over_or_gone(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            over, running = ended(tx, dag, "over", 0), start_run(tx, put_dag(tx, "other"), "s", "running")
            queued = put_run(tx, dag, "queued")
            keys = [over.run_key, queued.run_key, running.run_key, new_id()]
            tx.inbox_put([(run_key, RunNudged()) for run_key in keys])
            assert tx.inbox_prune(1) == 1
            assert tx.inbox_prune(10) == 1
            assert tx.inbox_prune(10) == 0

    def test_backfills_without_runs(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            old = put_backfill(tx, completed_at=START)
            held = put_backfill(tx, "b", completed_at=START)
            put_backfill(tx, "c", completed_at=START + DAY)
            put_backfill(tx, "d")
            put_run(tx, dag, "r", backfill_id=held)
            assert tx.backfill_prune(START + DAY, 10) == 1
            assert tx.backfill_get(old) is None
            assert len(tx.backfill_list()) == 3

    def test_versions_that_nothing_needs(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx)
            pinned = put_dag(tx)
            for _ in range(3):
                put_dag(tx)
            began = put_dag(tx)
            put_run(tx, pinned, "old version")
            put_run(tx, began, "r")
            newest = put_dag(tx)

            def numbers() -> list[int]:
                return [row.number for row in tx.list_versions("sales")]

            assert numbers() == [7, 6, 5, 4, 3, 2, 1]
            assert tx.version_prune("sales", 5, 1) == 1
            assert numbers() == [7, 6, 5, 4, 3, 2]
            assert tx.version_prune("sales", 1, 10) == 3
            assert numbers() == [7, 6, 2], "the newest, the one the oldest run began with, and one that a run names"
            assert newest.version_id
            assert tx.version_prune("nope", 1, 10) == 0

    def test_deleted_runs_leave_nothing_in_other_tables(self, store: Store) -> None:
        with store.begin() as tx:
            run = ended(tx, put_dag(tx), "r", 0)
            (row,) = put_tasks(tx, run, "t")
            tx.inbox_put([(run.run_key, RunNudged())])
            assert one(tx, row).task_id == "t"
            assert tx.run_delete([run.run_key]) == 1
            assert tx.inbox_prune(10) == 0
