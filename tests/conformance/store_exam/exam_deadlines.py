"""The exam's part on deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from tradewind.ports.deadline_rows import DeadlineRow, DeadlineState
from tradewind.ports.outbox_rows import OutboxKind, OutboxRow, OutboxState
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Store

from .seeds import START, new_id, put_dag, put_run, start_run

MINUTE = timedelta(minutes=1)
D = DeadlineState


def deadline_row(run: RunRow, minutes: int | None, ordinal: int = 0, **facts: Any) -> DeadlineRow:
    return DeadlineRow(
        **{
            "deadline_id": new_id(),
            "run_key": run.run_key,
            "dag_id": run.dag_id,
            "run_id": run.run_id,
            "ordinal": ordinal,
            "reference": "queued_at",
            "base_at": START,
            "due_at": None if minutes is None else START + minutes * MINUTE,
            "path": "m.f",
            "created_at": START,
            **facts,
        }
    )


class DeadlineExam:
    """See `ports.deadlines.DeadlineTx`."""

    def test_a_deadline_comes_back_as_it_was_and_is_replaced_in_its_place(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            row = deadline_row(
                run,
                5,
                name="n",
                task_id="t",
                interval_seconds=-3.5,
                interval_variable="v",
                kwargs={"a": [1]},
                executor="x",
            )
            tx.deadline_put([row])
            assert tx.deadline_list_of_run(run.run_key) == [row]
            tx.deadline_put([replace(row, deadline_id=new_id(), due_at=START)])
            assert tx.deadline_list_of_run(run.run_key) == [replace(row, due_at=START)]

    def test_what_is_due_or_not_resolved_is_claimed(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            assert tx.deadline_next_due() is None
            later, sooner = deadline_row(run, 9), deadline_row(run, 3, 1)
            tx.deadline_put([later, sooner])
            assert tx.deadline_next_due() == sooner.due_at
            assert tx.deadline_claim(START, 10) == []
            assert tx.deadline_claim(START + 9 * MINUTE, 10) == [sooner, later]
            assert tx.deadline_claim(START + 9 * MINUTE, 1) == [sooner]
            open_one = deadline_row(run, None, 2, interval_variable="v")
            tx.deadline_put([open_one])
            assert tx.deadline_next_due() == datetime(1, 1, 1, tzinfo=UTC)
            assert tx.deadline_claim(START, 10) == [open_one]
            tx.deadline_resolve(open_one.deadline_id, 60.0, START + MINUTE)
            assert tx.deadline_next_due() == START + MINUTE

    def test_only_pending_ones_are_settled(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            one, two = deadline_row(run, 1), deadline_row(run, 2, 1)
            tx.deadline_put([one, two])
            assert tx.deadline_settle([one.deadline_id], D.MISSED, START + MINUTE) == 1
            assert tx.deadline_settle([one.deadline_id, two.deadline_id], D.VOID, START, "why") == 1
            found = tx.deadline_list_of_run(run.run_key)
            assert [(row.state, row.settled_at, row.reason) for row in found] == [
                (D.MISSED, START + MINUTE, None),
                (D.VOID, START, "why"),
            ]
            assert tx.deadline_next_due() is None

    def test_lists_with_the_state_of_the_callback(self, store: Store) -> None:
        with store.begin() as tx:
            run, other = put_run(tx, put_dag(tx)), put_run(tx, put_dag(tx, "other"))
            one, two = deadline_row(run, 1), deadline_row(other, 2, state=D.MISSED)
            tx.deadline_put([one, two])
            line = OutboxRow(
                id=new_id(), delivery_key=f"deadline/{two.deadline_id}", kind=OutboxKind.DEADLINE, error="no",
                state=OutboxState.DEAD, due_at=START, created_at=START,
            )  # fmt: skip
            tx.outbox_put([line])
            assert tx.deadline_list() == [(two, OutboxState.DEAD, "no"), (one, None, None)]
            assert tx.deadline_list(dag_id="sales") == [(one, None, None)]
            assert tx.deadline_list(states=[D.MISSED], limit=1)[0][0] == two
            assert tx.deadline_list(dag_id="other", run_id="nope") == []
            assert tx.deadline_list(offset=1) == [(one, None, None)]

    def test_the_average_of_the_newest_runs_that_ended(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            assert tx.run_average_seconds("sales", 10) == (0.0, 0)
            for number, minutes in enumerate((100, 2, 4)):
                run = start_run(tx, dag, "s", f"r{number}")
                started = run.started_at
                assert started is not None
                tx.run_move("succeed", run.run_key, owner="s", epoch=run.epoch, now=started + minutes * MINUTE)
            start_run(tx, dag, "s", "live")
            assert tx.run_average_seconds("sales", 2) == (180.0, 2)

    def test_they_go_with_their_run(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            tx.deadline_put([deadline_row(run, 1)])
            tx.run_delete([run.run_key])
            assert tx.deadline_list() == []
