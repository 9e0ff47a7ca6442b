"""The exam's part on the outbox and the state store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.outbox_rows import OutboxKind, OutboxRow, OutboxState
from tradewind.ports.state_store_rows import StateRow, StateScope, task_place
from tradewind.ports.store import Store

from .seeds import new_id, put_dag, put_run, put_tasks

S = OutboxState


def _line(clock: VirtualClock, key: str, **more: Any) -> OutboxRow:
    facts = {"id": new_id(), "delivery_key": key, "kind": OutboxKind.DAG_CALLBACK, "payload": {"path": "a.b"}}
    return OutboxRow(**{**facts, "dag_id": "d", "due_at": clock.now(), "created_at": clock.now(), **more})


class OutboxExam:
    """What a store promises of what waits for delivery."""

    def test_a_line_comes_back_as_it_was_and_only_once_per_key(self, store: Store, clock: VirtualClock) -> None:
        first, twin = _line(clock, "run/failed"), _line(clock, "run/failed")
        with store.begin() as tx:
            tx.outbox_put([first])
            tx.outbox_put([twin])
            tx.outbox_put([])
        with store.read() as tx:
            assert tx.outbox_list() == [first]
            assert tx.outbox_next_due() == clock.now()

    def test_a_claim_is_a_lease(self, store: Store, clock: VirtualClock) -> None:
        line, later = _line(clock, "a"), _line(clock, "b", due_at=clock.now() + timedelta(seconds=100))
        with store.begin() as tx:
            tx.outbox_put([later, line])
            (held,) = tx.outbox_claim("x", clock.now(), 30.0, 10)
            assert (held.id, held.tries, held.lease_owner) == (line.id, 1, "x")
            assert tx.outbox_claim("y", clock.now(), 30.0, 10) == []
            assert tx.outbox_next_due() == clock.now() + timedelta(seconds=30)
        clock.advance(31)
        with store.begin() as tx:
            (again,) = tx.outbox_claim("y", clock.now(), 30.0, 10)
            assert (again.id, again.tries, again.lease_owner) == (line.id, 2, "y")
        clock.advance(100)
        with store.begin() as tx:
            assert [row.id for row in tx.outbox_claim("z", clock.now(), 30.0, 10)] == [line.id, later.id]

    def test_settling(self, store: Store, clock: VirtualClock) -> None:
        now = clock.now()
        good, bad, again = (_line(clock, key) for key in "abc")
        with store.begin() as tx:
            tx.outbox_put([good, bad, again])
            tx.outbox_claim("x", now, 30.0, 10)
            assert tx.outbox_settle(good.id, S.DELIVERED, now)
            assert tx.outbox_settle(bad.id, S.DEAD, now, error="ValueError: no")
            assert tx.outbox_settle(again.id, S.PENDING, now, error="busy", due_at=now + timedelta(seconds=5))
            assert not tx.outbox_settle(good.id, S.DEAD, now)
            assert not tx.outbox_settle("nobody", S.DEAD, now)
        with store.read() as tx:
            rows = {row.id: row for row in tx.outbox_list()}
            assert rows[good.id] == replace(good, state=S.DELIVERED, tries=1, ended_at=now)
            assert rows[bad.id] == replace(bad, state=S.DEAD, tries=1, ended_at=now, error="ValueError: no")
            assert rows[again.id].lease_owner is None
            assert tx.outbox_next_due() == now + timedelta(seconds=5)
            assert [row.id for row in tx.outbox_list((S.DEAD,))] == [bad.id]
            assert len(tx.outbox_list(limit=2)) == 2

    def test_dead_ones_may_be_tried_again(self, store: Store, clock: VirtualClock) -> None:
        dead, alive = _line(clock, "a"), _line(clock, "b")
        with store.begin() as tx:
            tx.outbox_put([dead, alive])
            tx.outbox_settle(dead.id, S.DEAD, clock.now(), error="no")
        clock.advance(5)
        with store.begin() as tx:
            assert tx.outbox_retry([dead.id, alive.id, "nobody"], clock.now()) == [dead.id]
            rows = {row.id: row for row in tx.outbox_list()}
            assert rows[dead.id] == replace(dead, due_at=clock.now())

    def test_what_was_delivered_is_forgotten_in_time(self, store: Store, clock: VirtualClock) -> None:
        lines = [_line(clock, key) for key in "abc"]
        with store.begin() as tx:
            tx.outbox_put(lines)
            for line in lines[:2]:
                tx.outbox_settle(line.id, S.DELIVERED, clock.now())
        clock.advance(10)
        with store.begin() as tx:
            assert tx.outbox_prune(clock.now() - timedelta(seconds=20), 10) == 0
            assert tx.outbox_prune(clock.now(), 1) == 1
            assert tx.outbox_prune(clock.now(), 10) == 1
            assert [row.id for row in tx.outbox_list()] == [lines[2].id]

    def test_values_of_tasks_and_assets(self, store: Store, clock: VirtualClock) -> None:
        place = task_place("d", "run/1", "t", "0")
        row = StateRow(
            scope=StateScope.TASK,
            place=place,
            key="job",
            value='{"id": 7}',
            ti_id=new_id(),
            dag_id="d",
            run_id="run/1",
            task_id="t",
            map_path="0",
            updated_at=clock.now(),
            expires_at=clock.now() + timedelta(seconds=10),
        )
        watermark = StateRow(scope=StateScope.ASSET, place="orders", key="w", value="1", updated_at=clock.now())
        with store.begin() as tx:
            tx.state_put(replace(row, value="1"))
            tx.state_put(row)
            tx.state_put(watermark)
            tx.state_put(replace(watermark, key="a"))
        with store.begin() as tx:
            assert tx.state_get(StateScope.TASK, place, "job", clock.now()) == row
            assert tx.state_get(StateScope.ASSET, place, "job", clock.now()) is None
            assert [one.key for one in tx.state_list(StateScope.ASSET, "orders", clock.now())] == ["a", "w"]
            clock.advance(10)
            assert tx.state_get(StateScope.TASK, place, "job", clock.now()) is None
            assert tx.state_list(StateScope.TASK, place, clock.now()) == []
            assert tx.state_expired(clock.now()) == 1
            assert tx.state_prune(clock.now(), 10) == 1
            assert tx.state_expired(clock.now()) == 0
            assert tx.state_delete(StateScope.ASSET, "orders", "a")
            assert not tx.state_delete(StateScope.ASSET, "orders", "a")
            assert tx.state_clear(StateScope.ASSET, "orders") == 1
            assert tx.state_clear(StateScope.ASSET, "orders") == 0

    def test_what_an_instance_remembers_goes_with_it(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            (task,) = put_tasks(tx, run, "t")
        row = StateRow(
            scope=StateScope.TASK,
            place=task_place(run.dag_id, run.run_id, "t", ""),
            key="job",
            value="7",
            ti_id=task.ti_id,
            dag_id=run.dag_id,
            run_id=run.run_id,
            updated_at=clock.now(),
        )
        with store.begin() as tx:
            tx.state_put(row)
            tx.state_put(StateRow(scope=StateScope.ASSET, place="orders", key="w", value="1", updated_at=clock.now()))
        with store.begin() as tx:
            assert tx.run_delete([run.run_key]) == 1
            assert tx.state_list(StateScope.TASK, row.place, clock.now()) == []
            assert len(tx.state_list(StateScope.ASSET, "orders", clock.now())) == 1
