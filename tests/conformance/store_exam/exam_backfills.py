"""The exam's part on backfills: their rows, their own run slots, their end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tradewind.ports.backfill_rows import BackfillRow, BackfillRunRow, Reprocess
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Store, Transaction
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

from .seeds import START, new_id, put_dag, put_run, run_row

DAY = timedelta(days=1)
S = DagRunState


def at(day: int) -> datetime:
    return START + day * DAY


def put_backfill(tx: Transaction, dag_id: str = "sales", **facts: Any) -> int:
    return tx.backfill_insert(
        BackfillRow(
            **{
                "dag_id": dag_id,
                "from_date": START,
                "to_date": at(9),
                "created_at": START,
                "updated_at": START,
                "max_active_runs": 2,
                **facts,
            }
        )
    )


def put_runs(tx: Transaction, backfill_id: int, count: int, dag_id: str = "sales") -> list[RunRow]:
    dag = tx.dag_get(dag_id) or put_dag(tx, dag_id)
    rows = [
        run_row(
            dag,
            f"b{day}",
            run_type=DagRunType.BACKFILL,
            logical_date=at(day),
            run_after=at(day),
            backfill_id=backfill_id,
        )
        for day in range(count)
    ]
    assert tx.run_insert_many(rows) == {row.run_key for row in rows}
    return rows


def begin(tx: Transaction, limit: int = 100) -> list[str]:
    return [row.run_id for row in tx.run_start_queued("s", at(100), limit)]


class BackfillExam:
    """See `ports.backfills.BackfillTx`."""

    def test_a_backfill_comes_back_as_it_was(self, store: Store) -> None:
        row = BackfillRow(
            dag_id="sales", from_date=START, to_date=at(3), dag_run_conf={"a": [1, None]}, reprocess=Reprocess.FAILED,
            max_active_runs=3, run_backwards=True, newest_version=False, is_paused=True, created_at=at(4),
            updated_at=at(5), triggering_user_name="ann ☃",
        )  # fmt: skip
        with store.begin() as tx:
            first = tx.backfill_insert(row)
            second = tx.backfill_insert(replace(row, dag_id="other", is_paused=False, completed_at=at(6)))
        with store.read() as tx:
            assert tx.backfill_get(first) == replace(row, backfill_id=first)
            assert tx.backfill_get(first + second + 1) is None

            def listed(**which: Any) -> list[int]:
                return [found.backfill_id for found in tx.backfill_list(**which)]

            assert listed() == [second, first]
            assert (listed(active=True), listed(active=False), listed(dag_id="other")) == ([first], [second], [second])
            assert (listed(before=second), listed(limit=1)) == ([first], [second])

    def test_one_at_a_time_for_each_dag(self, store: Store) -> None:
        with pytest.raises(Exception, match=r"(?i)unique|exists|duplicate"), store.begin() as tx:  # noqa: PT012 # the commit may be what fails
            put_backfill(tx)
            put_backfill(tx)
            tx.now()

    def test_dates_in_order_with_the_state_of_their_runs(self, store: Store) -> None:
        with store.begin() as tx:
            one = put_backfill(tx)
            (run,) = put_runs(tx, one, 1)
            rows = [
                BackfillRunRow(backfill_id=one, ordinal=1, logical_date=at(0), run_key=run.run_key),
                BackfillRunRow(backfill_id=one, ordinal=2, logical_date=at(1), reason="already exists"),
                BackfillRunRow(backfill_id=one, ordinal=3, partition_key="k"),
            ]
            tx.backfill_runs_insert(rows)
            assert tx.backfill_run_list(one) == [(rows[0], S.QUEUED), (rows[1], None), (rows[2], None)]
            assert tx.backfill_run_list(one, limit=1, after=1) == [(rows[1], None)]

    def test_many_runs_are_inserted_but_those_that_exist(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            put_run(tx, dag, "there", logical_date=at(1))
            fresh, same_id, same_date = (
                run_row(dag, "fresh", logical_date=at(2)),
                run_row(dag, "there", logical_date=at(3)),
                run_row(dag, "other", logical_date=at(1)),
            )
            assert tx.run_insert_many([fresh, same_id, same_date]) == {fresh.run_key}
            assert tx.run_insert_many([]) == set()

    def test_its_runs_take_its_own_slots(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx, max_active_runs=1)
            put_runs(tx, put_backfill(tx), 4)
            put_run(tx, dag, "m1", run_after=at(50))
            put_run(tx, dag, "m2", run_after=at(51))
            assert begin(tx) == ["m1", "b0", "b1"]
            assert begin(tx) == []
        with store.begin() as tx:
            (backfill,) = tx.backfill_list()
            found = tx.dag_get("sales")
            assert found is not None
            assert (backfill.runs_active, found.runs_active) == (2, 1)
            run = tx.run_find("sales", "b0")
            assert run is not None
            assert tx.run_move("succeed", run.run_key, owner="s", epoch=run.epoch, now=at(100))
            assert begin(tx) == ["b2"]
            assert tx.slots_audit() == {}

    def test_the_batch_gives_others_the_first_places(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            put_runs(tx, put_backfill(tx), 4)
            put_run(tx, dag, "m1", run_after=at(50))
            assert begin(tx, limit=2) == ["m1", "b0"]

    def test_backwards_the_newest_begins_first(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx)
            put_runs(tx, put_backfill(tx, run_backwards=True), 4)
            assert sorted(begin(tx)) == ["b2", "b3"]

    def test_paused_none_begins(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx)
            one = put_backfill(tx, is_paused=True)
            put_runs(tx, one, 2)
            assert begin(tx) == []
            assert tx.backfill_set_paused(one, False, at(1))
            assert begin(tx) == ["b0", "b1"]
            assert not tx.backfill_set_paused(one + 1, True, at(1))

    def test_a_counter_that_is_wrong_is_found(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx)
            one = put_backfill(tx, runs_active=1)
            assert tx.slots_audit() == {f"backfill:{one}": (1, 0)}

    def test_it_is_completed_when_no_run_of_it_lives(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx)
            one, idle = put_backfill(tx), put_backfill(tx, "other")
            (run,) = put_runs(tx, one, 1)
            assert tx.backfill_complete([one], at(1)) == []
            assert begin(tx) == ["b0"]
            assert tx.backfill_complete(None, at(1)) == [idle]
            found = tx.run_get(run.run_key)
            assert found is not None
            assert tx.run_move("fail", run.run_key, owner="s", epoch=found.epoch, now=at(100))
            assert tx.backfill_complete([one], at(2)) == [one]
            assert tx.backfill_complete(None, at(3)) == []
            assert tx.backfill_count_states([one, idle]) == {one: {S.FAILED: 1}}

    def test_a_cleared_run_of_one_that_is_over_begins_again(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx)
            one = put_backfill(tx)
            (run,) = put_runs(tx, one, 1)
            assert tx.backfill_cancel(one, "enough", at(2)) == 1
            ended = tx.run_get(run.run_key)
            assert ended is not None
            assert (ended.state, ended.reason, ended.ended_at) == (S.FAILED, "enough", at(2))
            assert tx.run_move("requeue", run.run_key, now=at(3))
            assert begin(tx) == ["b0"]

    def test_a_run_that_is_over_is_adopted(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            one = put_backfill(tx)
            queued, done = put_run(tx, dag, "q"), put_run(tx, dag, "d")
            assert tx.run_move("mark_failed", done.run_key, now=at(1))
            assert not tx.run_adopt(queued.run_key, one, None)
            assert not tx.run_adopt(new_id(), one, None)
            assert tx.run_adopt(done.run_key, one, {"a": 1})
            found = tx.run_get(done.run_key)
            assert found is not None
            assert (found.backfill_id, found.run_type, found.triggered_by, found.conf) == (
                one, DagRunType.BACKFILL, DagRunTriggeredBy.BACKFILL, {"a": 1},
            )  # fmt: skip
