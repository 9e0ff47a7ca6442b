"""The exam's part on task instances: identity, tokens, the table of legal changes, attempts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tradewind.domain.task_state import TASK_CHANGES, TaskChange
from tradewind.ports.rows import AttemptRow, TaskRow
from tradewind.ports.store import Store, TaskMove, Transaction
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

from .seeds import (
    START,
    component_row,
    new_id,
    one,
    put_dag,
    put_run,
    put_tasks,
    queue,
    start,
    start_run,
    state,
    undone,
)

S = TaskInstanceState
LATER = START + timedelta(seconds=90, microseconds=7)

_VALUES: dict[str, Any] = {
    "scheduled_at": LATER,
    "attempt_token": None,  # made fresh
    "try_number": 3,
    "queued_at": LATER,
    "holds_slot": True,
    "executor": "celery",
    "started_at": LATER,
    "agent": "agent-2",
    "hostname": "host-2",
    "pid": 99,
    "ended_at": LATER,
    "duration_seconds": 1.5,
    "xcom_length": 4,
    "skips": ("x", 'y"\\{},'),
    "cause": CauseOfDeath.TIMEOUT,
    "due_at": LATER,
    "max_tries": 7,
    "infrastructure_tries": 2,
    "first_started_at": LATER,
}
"""A value for every column that some change sets."""


def every_value(rule: TaskChange) -> dict[str, Any]:
    values = {column: _VALUES[column] for column in rule.sets}
    if "attempt_token" in values:
        values["attempt_token"] = new_id()
    return values


def instance_in(tx: Transaction, target: TaskInstanceState | None) -> TaskRow:
    """An instance in that state: by legal changes where they lead there, else inserted so."""
    run = start_run(tx, put_dag(tx), "s")
    by_owner = {S.SCHEDULED: "schedule", S.SKIPPED: "skip", S.UPSTREAM_FAILED: "fail_upstream", S.REMOVED: "remove"}
    by_worker = {
        S.SUCCESS: "succeed",
        S.FAILED: "fail",
        S.UP_FOR_RETRY: "retry",
        S.UP_FOR_RESCHEDULE: "reschedule",
        S.DEFERRED: "defer",
    }
    if target in {S.RESTARTING, S.AWAITING_INPUT}:
        (row,) = put_tasks(tx, run, "t", state=target, attempt_token=new_id(), try_number=1)
        return row
    (row,) = put_tasks(tx, run, "t")
    if target in by_owner:
        assert tx.task_move(by_owner[target], [TaskMove(row.ti_id)], START)
    elif target is S.QUEUED:
        queue(tx, [row])
    elif target is not None:
        tokens = start(tx, [row], "agent-1")
        if target in by_worker:
            rule = TASK_CHANGES[by_worker[target]]
            values = {"due_at": START, "ended_at": START} if "due_at" in rule.sets else {}
            move = TaskMove(
                row.ti_id, token=tokens[row.ti_id], values={k: v for k, v in values.items() if k in rule.sets}
            )
            assert tx.task_move(rule.name, [move], START)
    found = one(tx, row)
    assert found.state == target
    return found


class TaskExam:
    """What a store promises of task instances."""

    def test_an_instance_comes_back_as_it_was(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            (row,) = put_tasks(
                tx,
                run,
                ("load", "3.1"),
                state=S.RUNNING,
                reason="it runs",
                try_number=2,
                max_tries=3,
                infrastructure_tries=1,
                attempt_token=new_id(),
                holds_slot=True,
                pool="etl",
                pool_slots=2,
                queue="big",
                executor="local",
                priority_weight=-5,
                operator="PythonOperator",
                due_at=LATER,
                scheduled_at=LATER,
                queued_at=LATER,
                started_at=LATER,
                first_started_at=LATER,
                ended_at=LATER,
                duration_seconds=0.1,
                hostname="h",
                agent="a",
                pid=1,
                cause=CauseOfDeath.OUT_OF_MEMORY,
                skips=("x", "y"),
                xcom_length=3,
                map_index_label="three",
                note="n",
                updated_at=LATER,
            )
            (plain,) = put_tasks(tx, run, "plain")
            tx.task_insert([])
        with store.read() as tx:
            assert one(tx, row) == row
            assert one(tx, plain) == plain

    def test_get_many_in_the_order_asked(self, store: Store) -> None:
        with store.begin() as tx:
            a, b = put_tasks(tx, put_run(tx, put_dag(tx)), "a", "b")
            assert tx.task_get_many([b.ti_id, new_id(), a.ti_id, b.ti_id], lock=True) == [b, a]
            assert tx.task_get_many([]) == []

    def test_by_token(self, store: Store) -> None:
        with store.begin() as tx:
            rows = put_tasks(tx, start_run(tx, put_dag(tx), "s"), "a", "b", "c")
            tokens = queue(tx, rows[:2])
            found = tx.task_by_token([*tokens.values(), "unknown"])
            assert {token: row.ti_id for token, row in found.items()} == {t: ti_id for ti_id, t in tokens.items()}
            assert tx.task_by_token([], lock=False) == {}

    def test_list_of_a_run(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            put_tasks(tx, run, "a", ("b", "0"), ("b", "1"))
            assert {(row.task_id, row.map_path) for row in tx.task_list(run.run_key, ["b"])} == {("b", "0"), ("b", "1")}
            assert len(tx.task_list(run.run_key)) == 3
            assert tx.task_list(run.run_key, []) == []
            assert tx.task_list(new_id()) == []

    def test_a_placeholder_becomes_its_first_index(self, store: Store) -> None:
        with store.begin() as tx:
            (row,) = put_tasks(tx, put_run(tx, put_dag(tx)), "each")
            tx.task_rename(row.ti_id, "0")
            tx.task_set_label(row.ti_id, "first ☃")
            assert one(tx, row) == replace(row, map_path="0", map_index_label="first ☃")

    def test_orphans_are_running_without_a_registered_agent(self, store: Store) -> None:
        with store.begin() as tx:
            tx.component_start(component_row("agent", "a", START, id="alive"))
            tx.component_start(component_row("scheduler", "gone", START, id="gone"))
            run = start_run(tx, put_dag(tx), "s")
            a, b, c = put_tasks(tx, run, "a", "b", "c")
            start(tx, [a], "alive")
            start(tx, [b], "gone")
            queue(tx, [c])
            assert [row.ti_id for row in tx.task_list_orphaned()] == [b.ti_id]

    def test_text_that_no_database_likes(self, store: Store) -> None:
        """A message of a dying task holds anything; the report must be stored all the same."""
        ugly = "NUL \x00, half a pair \ud800, quotes ' \" \\ {a,b} NULL %s :now"
        with store.begin() as tx:
            row = instance_in(tx, S.RUNNING)
            assert tx.task_move("fail", [TaskMove(row.ti_id, reason=ugly, token=row.attempt_token)], START)
        with store.read() as tx:
            reason = one(tx, row).reason
        assert reason is not None
        assert reason.endswith("quotes ' \" \\ {a,b} NULL %s :now")


class TaskChangeExam:
    """The table of legal changes, row by row."""

    @pytest.mark.parametrize("rule", TASK_CHANGES.values(), ids=lambda rule: rule.name)
    @pytest.mark.parametrize("origin", [None, *S], ids=str)
    def test_from_legal_origins_only(self, store: Store, rule: TaskChange, origin: TaskInstanceState | None) -> None:
        with store.begin() as tx:
            before = instance_in(tx, origin)
            token = before.attempt_token or "none"
            values = every_value(rule)
            moved = tx.task_move(rule.name, [TaskMove(before.ti_id, "because", token, values)], LATER)
            after = one(tx, before)
        # A fenced change needs a token, which an instance at rest has no more.
        legal = origin in rule.origins and not (rule.fenced_by_token and before.attempt_token is None)
        assert moved == ([before.ti_id] if legal else [])
        if not legal:
            assert after == before
            return
        cleared = dict.fromkeys(rule.clears) | ({"holds_slot": False} if "holds_slot" in rule.clears else {})
        cleared |= {"skips": ()} if "skips" in rule.clears else {}
        expected = {"state": rule.target, "reason": "because", "updated_at": LATER, **cleared, **values}
        assert after == replace(before, **expected)

    @pytest.mark.parametrize(
        "rule", [rule for rule in TASK_CHANGES.values() if rule.fenced_by_token], ids=lambda rule: rule.name
    )
    def test_only_with_the_current_token(self, store: Store, rule: TaskChange) -> None:
        origin = next(each for each in (S.RUNNING, S.QUEUED, S.DEFERRED) if each in rule.origins)
        with store.begin() as tx:
            before = instance_in(tx, origin)
            values = every_value(rule)
            assert tx.task_move(rule.name, [TaskMove(before.ti_id, token="stale", values=values)], LATER) == []
            assert one(tx, before) == before
            with pytest.raises(ValueError, match="fenced by the attempt token"):
                tx.task_move(rule.name, [TaskMove(before.ti_id, values=values)], LATER)
            move = TaskMove(before.ti_id, token=before.attempt_token, values=values)
            assert tx.task_move(rule.name, [move], LATER) == [before.ti_id]

    @pytest.mark.parametrize("rule", TASK_CHANGES.values(), ids=lambda rule: rule.name)
    def test_what_is_not_given_stays(self, store: Store, rule: TaskChange) -> None:
        with store.begin() as tx:
            origin = next(each for each in (None, S.RUNNING, S.QUEUED, S.SCHEDULED, S.DEFERRED) if each in rule.origins)
            before = instance_in(tx, origin)
            needed = {column: _VALUES[column] for column in ("due_at",) if column in rule.sets}
            if rule.name in ("queue", "queue_on", "defer_at_start"):
                needed["attempt_token"] = new_id()
            move = TaskMove(before.ti_id, token=before.attempt_token or "none", values=needed)
            assert tx.task_move(rule.name, [move], LATER) == [before.ti_id]
            after = one(tx, before)
        untouched = set(rule.sets) - set(rule.clears) - set(needed)
        assert {column: getattr(after, column) for column in untouched} == {
            column: getattr(before, column) for column in untouched
        }

    def test_many_at_once_each_with_its_own_values(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), "s")
            rows = put_tasks(tx, run, *"abcde")
            tokens = start(tx, rows[:4], "agent")
            given: list[dict[str, Any]] = [
                {"ended_at": START, "duration_seconds": 1.0, "skips": ("x",)},
                {"ended_at": LATER, "duration_seconds": 2.0, "skips": ()},
                {"ended_at": LATER},
                {},
                {"ended_at": LATER},
            ]
            moves = [
                TaskMove(row.ti_id, f"reason {row.task_id}", tokens.get(row.ti_id, "none"), values)
                for row, values in zip(rows, given, strict=True)
            ]
            moved = tx.task_move("succeed", [moves[3], *moves, TaskMove(new_id(), token="t")], LATER)
            assert moved == [rows[3].ti_id, rows[0].ti_id, rows[1].ti_id, rows[2].ti_id]
            a, b, c, d, e = (one(tx, row) for row in rows)
        assert (a.ended_at, a.duration_seconds, a.skips, a.reason) == (START, 1.0, ("x",), "reason a")
        assert (b.ended_at, b.duration_seconds, b.skips, b.reason) == (LATER, 2.0, (), "reason b")
        assert (c.ended_at, c.duration_seconds) == (LATER, None)
        assert (d.state, d.ended_at) == (S.SUCCESS, None)
        assert e.state is None

    def test_wrong_words(self, store: Store) -> None:
        with store.begin() as tx:
            row = instance_in(tx, None)
            with pytest.raises(KeyError):
                tx.task_move("unknown", [TaskMove(row.ti_id)], START)
            with pytest.raises(ValueError, match="does not set pid"):
                tx.task_move("schedule", [TaskMove(row.ti_id, values={"pid": 1})], START)
            with pytest.raises(ValueError, match="does not set state"):
                tx.task_move("schedule", [TaskMove(row.ti_id, values={"state": "success"})], START)
            assert tx.task_move("schedule", [], START) == []
            assert state(tx, row) is None

    def test_a_rolled_back_change_did_not_happen(self, store: Store) -> None:
        with store.begin() as tx:
            row = instance_in(tx, S.RUNNING)
        with undone(store) as tx:
            assert tx.task_move("succeed", [TaskMove(row.ti_id, token=row.attempt_token)], START)
            assert state(tx, row) is S.SUCCESS
        with store.read() as tx:
            assert one(tx, row) == row

    def test_slots_are_released_apart(self, store: Store) -> None:
        with store.begin() as tx:
            a, b = put_tasks(tx, start_run(tx, put_dag(tx), "s"), "a", "b")
            queue(tx, [a, b])
            tx.task_release([a.ti_id, new_id()])
            tx.task_release([])
            assert (one(tx, a).holds_slot, one(tx, b).holds_slot) == (False, True)
            assert state(tx, a) is S.QUEUED


class AttemptExam:
    """What a store keeps of past attempts."""

    def test_a_retry_keeps_the_attempt_as_it_ended(self, store: Store) -> None:
        values = {
            "ended_at": LATER,
            "duration_seconds": 90.0,
            "cause": CauseOfDeath.EXCEPTION,
            "due_at": LATER,
            "max_tries": 2,
        }
        with store.begin() as tx:
            before = instance_in(tx, S.RUNNING)
            move = TaskMove(before.ti_id, "ValueError: no", before.attempt_token, values)
            assert tx.task_move("retry", [move], LATER)
            assert tx.attempt_list(before.ti_id) == [
                AttemptRow(
                    ti_id=before.ti_id,
                    try_number=1,
                    run_key=before.run_key,
                    dag_id="sales",
                    task_id="t",
                    map_path="",
                    state=S.FAILED,
                    reason="ValueError: no",
                    cause=CauseOfDeath.EXCEPTION,
                    queued_at=START,
                    started_at=START,
                    ended_at=LATER,
                    duration_seconds=90.0,
                    hostname="host",
                    agent="agent-1",
                    pid=42,
                    version_id=before.version_id,
                )
            ]
            assert tx.attempt_list(new_id()) == []

    def test_one_row_per_try(self, store: Store) -> None:
        with store.begin() as tx:
            row = instance_in(tx, S.UP_FOR_RETRY)
            start(tx, [row], "agent-2")
            again = one(tx, row)
            values = {"ended_at": LATER, "due_at": LATER}
            assert tx.task_move("retry", [TaskMove(row.ti_id, None, again.attempt_token, values)], LATER)
            assert [(each.try_number, each.agent) for each in tx.attempt_list(row.ti_id)] == [
                (1, "agent-1"),
                (2, "agent-2"),
            ]

    @pytest.mark.parametrize("origin", [S.SUCCESS, S.FAILED], ids=str)
    def test_a_clear_keeps_the_verdict(self, store: Store, origin: TaskInstanceState) -> None:
        with store.begin() as tx:
            before = instance_in(tx, origin)
            assert tx.task_move("clear", [TaskMove(before.ti_id, "cleared")], LATER)
            (kept,) = tx.attempt_list(before.ti_id)
        assert (kept.state, kept.try_number, kept.reason, kept.started_at) == (origin, 1, before.reason, START)

    @pytest.mark.parametrize("origin", [S.QUEUED, S.RUNNING, S.DEFERRED, S.UP_FOR_RESCHEDULE], ids=str)
    def test_a_clear_ends_a_live_attempt(self, store: Store, origin: TaskInstanceState) -> None:
        with store.begin() as tx:
            before = instance_in(tx, origin)
            assert tx.task_move("clear", [TaskMove(before.ti_id, "cleared by me")], LATER)
            (kept,) = tx.attempt_list(before.ti_id)
        assert (kept.state, kept.reason, kept.cause, kept.ended_at) == (
            S.FAILED,
            "cleared by me",
            CauseOfDeath.USER,
            LATER,
        )

    @pytest.mark.parametrize("origin", [None, S.SCHEDULED, S.SKIPPED, S.UPSTREAM_FAILED], ids=str)
    def test_what_has_not_tried_leaves_no_attempt(self, store: Store, origin: TaskInstanceState | None) -> None:
        with store.begin() as tx:
            before = instance_in(tx, origin)
            assert tx.task_move("clear", [TaskMove(before.ti_id)], LATER)
            assert tx.attempt_list(before.ti_id) == []

    def test_cleared_while_it_waits_for_its_retry(self, store: Store) -> None:
        with store.begin() as tx:
            before = instance_in(tx, S.UP_FOR_RETRY)
            kept = tx.attempt_list(before.ti_id)
            assert tx.task_move("clear", [TaskMove(before.ti_id, "cleared")], LATER)
            assert tx.attempt_list(before.ti_id) == kept
            assert tx.task_move("clear", [TaskMove(before.ti_id, "again")], LATER)
            assert tx.attempt_list(before.ti_id) == kept

    def test_a_refused_retry_keeps_nothing(self, store: Store) -> None:
        with store.begin() as tx:
            before = instance_in(tx, S.RUNNING)
            values = {"ended_at": LATER, "due_at": LATER}
            assert tx.task_move("retry", [TaskMove(before.ti_id, token="stale", values=values)], LATER) == []
            assert tx.attempt_list(before.ti_id) == []
