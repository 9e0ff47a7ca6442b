"""The exam's part on waits outside of processes: triggers, and questions to people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import Store, TaskMove, Transaction
from tradewind.ports.trigger_rows import TriggerFire, TriggerRow, TriggerState
from tradewind.wire.deferral import FailureOfWait
from tradewind.wire.states import TaskInstanceState

from .seeds import START, component_row, new_id, one, put_dag, put_tasks, start, start_run

LATER = START + timedelta(seconds=5)
LEASE = 10.0


def wait_of(row: TaskRow, token: str, at: datetime = START, **fields: Any) -> TriggerRow:
    facts: dict[str, Any] = {"classpath": "triggers.Moment", "created_at": at, "version_id": row.version_id}
    return TriggerRow(
        token=token,
        ti_id=row.ti_id,
        run_key=row.run_key,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        **{**facts, **fields},
    )


def deferred(tx: Transaction, *names: str, **fields: Any) -> list[tuple[TaskRow, TriggerRow]]:
    """Running instances that were deferred, oldest first."""
    run = start_run(tx, put_dag(tx), new_id())
    rows = put_tasks(tx, run, *names)
    tokens = start(tx, rows, new_id())
    moves = [TaskMove(row.ti_id, token=tokens[row.ti_id], values={"first_started_at": START}) for row in rows]
    assert len(tx.task_move("defer", moves, START)) == len(rows)
    waits = [
        wait_of(row, tokens[row.ti_id], START + timedelta(seconds=number), **fields) for number, row in enumerate(rows)
    ]
    tx.trigger_put(waits)
    return list(zip(rows, waits, strict=True))


def live_triggerer(tx: Transaction, clock: VirtualClock, name: str = "host") -> str:
    row = component_row("triggerer", name, clock.now())
    tx.component_start(row)
    return row.id


class WaitExam:
    """What a store promises of waits."""

    def test_a_wait_comes_back_as_it_was(self, store: Store) -> None:
        with store.begin() as tx:
            ((row, wait),) = deferred(
                tx, "a", kwargs='{"moment": 1}', method="go_on", next_kwargs='{"x": 2}', due_at=LATER, queue="slow"
            )
        with store.read() as tx:
            assert tx.trigger_get_many([wait.token, "unknown"]) == {wait.token: wait}
            assert tx.trigger_list_waiting([row.ti_id]) == {row.ti_id: wait}
            assert tx.trigger_list_fired([row.ti_id]) == {}

    def test_it_fires_once(self, store: Store) -> None:
        with store.begin() as tx:
            ((row, wait),) = deferred(tx, "a")
            assert tx.trigger_fire([TriggerFire(token=wait.token, event='"now"')]) == [wait.token]
            late = TriggerFire(token=wait.token, failure=FailureOfWait.TIMEOUT, error="too late")
            assert tx.trigger_fire([late, TriggerFire(token="unknown", event="1")]) == []
            fired = tx.trigger_list_fired([row.ti_id])[row.ti_id]
            assert (fired.state, fired.event, fired.failure) == (TriggerState.FIRED, '"now"', None)

    def test_a_failure_is_kept_with_its_message(self, store: Store) -> None:
        with store.begin() as tx:
            ((row, wait),) = deferred(tx, "a")
            tx.trigger_fire([TriggerFire(token=wait.token, failure=FailureOfWait.TRIGGER, error="boom")])
            fired = tx.trigger_list_fired([row.ti_id])[row.ti_id]
            assert (fired.failure, fired.error) == (FailureOfWait.TRIGGER, "boom")

    def test_a_triggerer_claims_the_oldest_of_what_is_free(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            waits = [wait for _, wait in deferred(tx, "a", "", "c")]
            mine, other = live_triggerer(tx, clock, "one"), live_triggerer(tx, clock, "two")
            claimed = tx.trigger_claim(mine, 2, LEASE)
            assert [row.token for row in claimed] == [waits[0].token, waits[1].token]
            assert [row.triggerer for row in claimed] == [mine, mine]
            assert [row.token for row in tx.trigger_claim(other, 5, LEASE)] == [waits[2].token]
            assert tx.trigger_claim(mine, 5, LEASE) == []
            assert sorted(tx.trigger_list_hosted(mine)) == sorted(wait.token for wait in waits[:2])
            assert tx.trigger_count() == {mine: 2, other: 1}

    def test_only_of_its_queues(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            deferred(tx, "a", queue="slow")
            mine = live_triggerer(tx, clock)
            assert tx.trigger_claim(mine, 5, LEASE, ["fast"]) == []
            assert len(tx.trigger_claim(mine, 5, LEASE, ["fast", "slow"])) == 1

    def test_waits_for_people_are_for_no_triggerer(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            deferred(tx, "a", classpath="")
            assert tx.trigger_claim(live_triggerer(tx, clock), 5, LEASE) == []
            assert tx.trigger_count() == {}

    def test_what_a_dead_triggerer_hosted_is_free(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            ((_, wait),) = deferred(tx, "a")
            dead = live_triggerer(tx, clock, "dead")
            assert len(tx.trigger_claim(dead, 5, LEASE)) == 1
            mine = live_triggerer(tx, clock, "mine")
            assert tx.trigger_claim(mine, 5, LEASE) == []
        clock.advance(LEASE + 1)
        with store.begin() as tx:
            tx.component_beat("triggerer", mine)
            assert [row.token for row in tx.trigger_claim(mine, 5, LEASE)] == [wait.token]

    def test_one_that_leaves_gives_them_back(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            ((_, wait),) = deferred(tx, "a")
            mine = live_triggerer(tx, clock, "one")
            tx.trigger_claim(mine, 5, LEASE)
            assert tx.trigger_release(mine) == 1
            assert [row.token for row in tx.trigger_claim(live_triggerer(tx, clock, "two"), 5, LEASE)] == [wait.token]

    @pytest.mark.parametrize("change", ["clear", "mark_success", "mark_failed", "mark_skipped", "stop", "stop_skipped"])
    def test_a_change_from_outside_cancels(self, store: Store, clock: VirtualClock, change: str) -> None:
        with store.begin() as tx:
            (hosted, hosted_wait), (free, free_wait) = deferred(tx, "a", "")
            mine = live_triggerer(tx, clock)
            assert [row.token for row in tx.trigger_claim(mine, 1, LEASE)] == [hosted_wait.token]
            moves = [TaskMove(row.ti_id, "ended") for row in (hosted, free)]
            assert len(tx.task_move(change, moves, LATER)) == 2
            assert tx.trigger_fire([TriggerFire(token=hosted_wait.token, event="1")]) == []
            assert tx.trigger_claim(mine, 5, LEASE) == []
            assert tx.trigger_take_cancelled(mine) == [hosted_wait.token]
            assert tx.trigger_take_cancelled(mine) == []
            assert tx.trigger_get_many([hosted_wait.token, free_wait.token]) == {}

    def test_a_try_that_goes_on_keeps_what_it_pushed_and_another_wait_takes_the_place(self, store: Store) -> None:
        with store.begin() as tx:
            ((row, wait),) = deferred(tx, "a")
            tx.trigger_fire([TriggerFire(token=wait.token, event="1")])
            assert tx.task_move("wake", [TaskMove(row.ti_id, None, wait.token, {"scheduled_at": LATER})], LATER)
            woken = one(tx, row)
            assert (woken.state, woken.attempt_token) == (TaskInstanceState.SCHEDULED, None)
            values = {"attempt_token": "second", "try_number": 1, "queued_at": LATER, "holds_slot": True}
            assert tx.task_move("queue_on", [TaskMove(row.ti_id, values=values)], LATER)
            assert tx.task_move("start", [TaskMove(row.ti_id, token="second")], LATER)
            assert tx.task_move("defer", [TaskMove(row.ti_id, token="second")], LATER)
            tx.trigger_put([wait_of(row, "second", LATER)])
            assert set(tx.trigger_get_many([wait.token, "second"])) == {"second"}
            tx.trigger_fire([TriggerFire(token="second", event="2")])
            tx.trigger_forget([row.ti_id])
            assert tx.trigger_get_many(["second"]) == {}


class HitlExam:
    """What a store promises of questions to people."""

    def test_a_question_is_answered_once(self, store: Store) -> None:
        with store.begin() as tx:
            ((row, wait),) = deferred(tx, "a", classpath="")
            question = HitlRow(
                token=wait.token,
                ti_id=row.ti_id,
                run_key=row.run_key,
                dag_id=row.dag_id,
                run_id=row.run_id,
                task_id=row.task_id,
                subject="Ship it?",
                options=("yes", "no"),
                body="**all** of it",
                has_defaults=True,
                defaults=("no",),
                params={"amount": {"value": 3}},
                assigned_users={"1": "Ann"},
                created_at=START,
                due_at=LATER,
            )
            tx.hitl_put([question])
        with store.begin() as tx:
            assert tx.hitl_get(row.ti_id) == question
            assert tx.hitl_get(row.ti_id, 2) is None
            assert tx.hitl_list_open(10) == [question]
            assert tx.hitl_answer(wait.token, LATER, ["yes"], {"amount": 4}, by="1", by_name="Ann")
            assert not tx.hitl_answer(wait.token, LATER, ["no"], {})
            answered = tx.hitl_get(row.ti_id, 1)
            assert answered is not None
            assert (answered.chosen_options, answered.params_input) == (("yes",), {"amount": 4})
            assert (answered.responded_at, answered.responded_by, answered.responded_by_name) == (LATER, "1", "Ann")
            assert tx.hitl_list([row.ti_id, new_id()]) == [answered]
            assert tx.hitl_list_open(10) == []
