"""The exam's part on the inbox."""

from __future__ import annotations

from datetime import timedelta

from tradewind.ports.store import Store
from tradewind.wire.inbox import (
    ClearedInstance,
    InboxEvent,
    InstanceReported,
    InstancesCleared,
    PastChanged,
    RunNudged,
    RunStopAsked,
)
from tradewind.wire.states import CauseOfDeath, DagRunState, TaskInstanceState

from .seeds import START, new_id, put_dag, put_run, start_run, undone

LONG = 20.0

EVERY_KIND: list[InboxEvent] = [
    InstanceReported(
        ti_id="0",
        task_id="load",
        map_path="3.1",
        state=TaskInstanceState.UP_FOR_RETRY,
        try_number=2,
        due_at=START + timedelta(seconds=1, microseconds=5),
        length=4,
        skips=("a", "b"),
        cause=CauseOfDeath.EXCEPTION,
        cancel_token="token",
    ),
    InstancesCleared((ClearedInstance("1", "load"), ClearedInstance("2", "load", "7", "token"))),
    PastChanged(("a", "b")),
    RunStopAsked(state=DagRunState.FAILED, reason="Grüße \N{SNOWMAN} 'quoted' \"twice\""),
    RunNudged(),
]


class InboxExam:
    """What a store promises of the inbox. `spoil` is the plug's way to write a line that nobody can decode."""

    def test_every_kind_of_event_comes_back_as_it_was(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
            tx.inbox_put([(run.run_key, event) for event in EVERY_KIND])
        with store.begin() as tx:
            assert tx.inbox_take(owner, 100) == [(run.run_key, event) for event in EVERY_KIND]

    def test_oldest_first_over_transactions_and_runs(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            dag = put_dag(tx)
            first = start_run(tx, dag, owner, "r1")
            second = start_run(tx, dag, owner, "r2")
        written = [(run.run_key, PastChanged((f"t{number}",))) for number in range(4) for run in (second, first)]
        for item in written:
            with store.begin() as tx:
                tx.inbox_put([item])
        with store.begin() as tx:
            assert tx.inbox_take(owner, 100) == written

    def test_a_limit_leaves_the_newer_ones(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
            tx.inbox_put([(run.run_key, PastChanged((str(number),))) for number in range(5)])
        taken = []
        for size in (2, 2, 1, 0):
            with store.begin() as tx:
                batch = tx.inbox_take(owner, 2)
                assert len(batch) == size
                taken += batch
        assert [event for _, event in taken] == [PastChanged((str(number),)) for number in range(5)]

    def test_only_the_owner_gets_them(self, store: Store) -> None:
        mine, other = new_id(), new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), mine)
            tx.inbox_put([(run.run_key, RunNudged())])
        with store.begin() as tx:
            assert tx.inbox_take(other, 10) == []
        with store.begin() as tx:
            assert tx.run_release(mine) == 1
            assert tx.inbox_take(mine, 10) == []
            (taken,) = tx.run_take_over(other, 10.0, 10)
            assert taken.run_key == run.run_key
            assert tx.inbox_take(other, 10) == [(run.run_key, RunNudged())]

    def test_events_of_a_queued_run_wait_for_its_owner(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            tx.inbox_put([(run.run_key, RunNudged())])
        with store.begin() as tx:
            assert tx.inbox_take(owner, 10) == []
            tx.run_start_queued(owner, START, 10)
            assert tx.inbox_take(owner, 10) == [(run.run_key, RunNudged())]

    def test_taking_is_undone_with_the_consequences(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
            tx.inbox_put([(run.run_key, PastChanged(("a",))), (run.run_key, PastChanged(("b",)))])
        with undone(store) as tx:
            assert len(tx.inbox_take(owner, 10)) == 2
        with store.begin() as tx:
            tx.inbox_put([(run.run_key, PastChanged(("c",)))])
            events = [event for _, event in tx.inbox_take(owner, 10)]
        assert events == [PastChanged(("a",)), PastChanged(("b",)), PastChanged(("c",))]

    def test_writing_is_undone(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
        with undone(store) as tx:
            tx.inbox_put([(run.run_key, RunNudged())])
        with store.begin() as tx:
            assert tx.inbox_take(owner, 10) == []

    def test_writing_rings_after_the_commit(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
        with store.listen(["inbox", "end"]) as listener:
            with store.begin() as tx:
                tx.inbox_put([(run.run_key, RunNudged())])
                assert listener.wait(0) == frozenset()
            assert "inbox" in listener.wait(LONG)

    def test_what_was_undone_does_not_ring(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
        with store.listen(["inbox", "end"]) as listener:
            with undone(store) as tx:
                tx.inbox_put([(run.run_key, RunNudged())])
                tx.ring("inbox")
            with store.begin() as tx:
                tx.ring("end")
            rung: frozenset[str] = frozenset()
            while "end" not in rung:
                rung |= listener.wait(LONG)
            assert rung == {"end"}

    def test_a_line_that_cannot_be_decoded_is_put_aside(self, store: Store, spoil) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
            tx.inbox_put([(run.run_key, PastChanged(("before",)))])
        spoil(store, run.run_key, b'{"kind": "of a later version"}')
        spoil(store, run.run_key, b"not even JSON")
        with store.begin() as tx:
            tx.inbox_put([(run.run_key, PastChanged(("after",)))])
        with store.begin() as tx:
            taken = tx.inbox_take(owner, 10)
        assert [event for _, event in taken] == [PastChanged(("before",)), PastChanged(("after",))]
        with store.begin() as tx:
            assert tx.inbox_take(owner, 10) == []

    def test_lines_put_aside_do_not_use_up_the_turn_for_ever(self, store: Store, spoil) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
        for _ in range(3):
            spoil(store, run.run_key, b"{")
        with store.begin() as tx:
            tx.inbox_put([(run.run_key, RunNudged())])
        taken = []
        for _ in range(4):
            with store.begin() as tx:
                taken += tx.inbox_take(owner, 1)
        assert taken == [(run.run_key, RunNudged())]
