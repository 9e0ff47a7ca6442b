"""The exam's part on legal changes: every change of the tables, from every state, with and without the right fence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tradewind.domain.run_state import RUN_CHANGES
from tradewind.domain.task_state import TASK_CHANGES, Asker, TaskChange
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import Store, TaskMove, Transaction
from tradewind.wire.states import CauseOfDeath, DagRunState, TaskInstanceState

from .seeds import START, component_row, entry, new_id, one, put_dag, put_run, put_tasks, start, start_run, task_row

LATER = START + timedelta(seconds=5)
EVERY_STATE: list[TaskInstanceState | None] = [None, *TaskInstanceState]

# A value for each column that a change may set, other than the one `full_row` has.
GIVEN: dict[str, Any] = {
    "scheduled_at": LATER,
    "queued_at": LATER,
    "started_at": LATER,
    "first_started_at": LATER,
    "ended_at": LATER,
    "due_at": LATER,
    "attempt_token": "new-token",
    "try_number": 7,
    "max_tries": 9,
    "infrastructure_tries": 3,
    "holds_slot": True,
    "executor": "celery",
    "agent": "new-agent",
    "hostname": "new-host",
    "pid": 4711,
    "duration_seconds": 2.5,
    "xcom_length": 6,
    "skips": ("x", "y"),
    "cause": CauseOfDeath.TIMEOUT,
}


def full_row(run: RunRow, task_id: str, state: TaskInstanceState | None) -> TaskRow:
    """An instance in `state` in which every column has a value."""
    return task_row(
        run,
        task_id,
        state=state,
        reason="before",
        try_number=2,
        max_tries=4,
        infrastructure_tries=1,
        attempt_token=f"token-{task_id}",
        holds_slot=False,
        executor="local",
        due_at=START,
        scheduled_at=START,
        queued_at=START,
        started_at=START,
        first_started_at=START,
        ended_at=START,
        duration_seconds=1.5,
        hostname="host",
        agent="agent",
        pid=42,
        cause=CauseOfDeath.EXCEPTION,
        skips=("a",),
        xcom_length=3,
        map_index_label="label",
        note="note",
        updated_at=START,
    )


def expected(change: TaskChange, row: TaskRow, values: dict[str, Any]) -> dict[str, Any]:
    """The columns of `row` after the change."""
    cleared: dict[str, Any] = {"holds_slot": False, "skips": ()}
    after = {name: getattr(row, name) for name in TaskRow.__struct_fields__}
    after |= {column: cleared.get(column) for column in change.clears}
    return after | values | {"state": change.target, "reason": "because", "updated_at": LATER}


def columns(row: TaskRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TaskRow.__struct_fields__}


class LegalChangeExam:
    """What a store promises of changes of state."""

    @pytest.mark.parametrize("name", list(TASK_CHANGES))
    def test_a_task_moves_from_legal_origins_only_and_as_the_table_says(self, store: Store, name: str) -> None:
        change = TASK_CHANGES[name]
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            for number, state in enumerate(EVERY_STATE):
                row = full_row(run, f"t{number}", state)
                tx.task_insert([row])
                values = {column: GIVEN[column] for column in change.sets}
                if "attempt_token" in values:
                    values["attempt_token"] = f"new-{number}"
                move = TaskMove(row.ti_id, "because", row.attempt_token, values)
                moved = tx.task_move(name, [move], LATER)
                if state in change.origins:
                    assert moved == [row.ti_id], f"{name} from {state}"
                    assert columns(one(tx, row)) == expected(change, row, values), f"{name} from {state}"
                else:
                    assert moved == [], f"{name} from {state}"
                    assert one(tx, row) == row, f"{name} from {state}"

    @pytest.mark.parametrize("name", [name for name, change in TASK_CHANGES.items() if change.fenced_by_token])
    def test_a_task_does_not_move_with_another_token(self, store: Store, name: str) -> None:
        change = TASK_CHANGES[name]
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            states = [state for state in EVERY_STATE if state in change.origins]
            rows = [full_row(run, f"t{number}", state) for number, state in enumerate(states)]
            tx.task_insert(rows)
            assert tx.task_move(name, [TaskMove(row.ti_id, token="stale") for row in rows], LATER) == []
            assert tx.task_get_many([row.ti_id for row in rows]) == rows

    def test_what_the_table_does_not_have_is_refused(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            (row,) = put_tasks(tx, run, "a")
        with store.begin() as tx:
            with pytest.raises(KeyError):
                tx.task_move("teleport", [TaskMove(row.ti_id)], LATER)
            with pytest.raises(ValueError, match="does not set"):
                tx.task_move("schedule", [TaskMove(row.ti_id, values={"note": "no"})], LATER)
            with pytest.raises(ValueError, match="token"):
                tx.task_move("succeed", [TaskMove(row.ti_id)], LATER)
            assert one(tx, row) == row

    def test_many_rows_with_values_of_their_own(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            rows = put_tasks(tx, run, *"abcd")
            tokens = start(tx, rows[:3], new_id())
            moves = [
                TaskMove(rows[0].ti_id, "first", tokens[rows[0].ti_id], {"ended_at": LATER, "xcom_length": 1}),
                TaskMove(rows[1].ti_id, None, tokens[rows[0].ti_id], {"ended_at": LATER}),
                TaskMove(rows[2].ti_id, "third", tokens[rows[2].ti_id], {"skips": ("d",)}),
                TaskMove(rows[3].ti_id, "not running", "no token"),
                TaskMove(new_id(), "unknown", "no token"),
            ]
            assert tx.task_move("succeed", moves, LATER) == [rows[0].ti_id, rows[2].ti_id]
            first, second, third, fourth = tx.task_get_many([row.ti_id for row in rows])
            assert (first.state, first.reason, first.ended_at, first.xcom_length) == ("success", "first", LATER, 1)
            assert (second.state, fourth.state) == (TaskInstanceState.RUNNING, None)
            assert (third.state, third.reason, third.ended_at, third.skips) == ("success", "third", None, ("d",))
            assert tx.task_move("succeed", [], LATER) == []

    def test_the_same_row_twice_moves_once(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            (row,) = put_tasks(tx, run, "a")
            assert tx.task_move("clear", [TaskMove(row.ti_id, "one"), TaskMove(row.ti_id, "one")], LATER) == [row.ti_id]

    def test_a_retried_attempt_becomes_history_as_the_report_tells(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            (row,) = put_tasks(tx, run, ("each", "3"))
            token = start(tx, [row], "agent-1")[row.ti_id]
            values = {"ended_at": LATER, "duration_seconds": 5.0, "cause": CauseOfDeath.SIGNAL, "due_at": LATER}
            assert tx.task_move("retry", [TaskMove(row.ti_id, "it crashed", token, values)], LATER)
            (past,) = tx.attempt_list(row.ti_id)
            again = one(tx, row)
        assert (past.ti_id, past.try_number, past.task_id, past.map_path) == (row.ti_id, 1, "each", "3")
        assert (past.state, past.reason, past.cause) == ("failed", "it crashed", CauseOfDeath.SIGNAL)
        assert (past.queued_at, past.started_at, past.ended_at, past.duration_seconds) == (START, START, LATER, 5.0)
        assert (past.hostname, past.agent, past.pid, past.version_id) == ("host", "agent-1", 42, run.version_id)
        assert (past.run_key, past.dag_id) == (run.run_key, "sales")
        assert (again.state, again.attempt_token, again.try_number) == ("up_for_retry", None, 1)

    def test_a_cleared_attempt_becomes_history_with_its_own_verdict(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            done, live, fresh = put_tasks(tx, run, "done", "live", "fresh")
            tokens = start(tx, [done, live], new_id())
            ended = {"ended_at": LATER, "duration_seconds": 5.0}
            tx.task_move("succeed", [TaskMove(done.ti_id, "well", tokens[done.ti_id], ended)], LATER)
            at = LATER + timedelta(seconds=1)
            moves = [TaskMove(row.ti_id, "once more") for row in (done, live, fresh)]
            assert len(tx.task_move("clear", moves, at)) == 3
            (past,) = tx.attempt_list(done.ti_id)
            assert (past.state, past.reason, past.cause, past.ended_at) == ("success", "well", None, LATER)
            (past,) = tx.attempt_list(live.ti_id)
            assert (past.state, past.reason, past.cause, past.ended_at) == ("failed", "once more", "user", at)
            assert tx.attempt_list(fresh.ti_id) == []
            assert one(tx, live).state is None
            assert tx.task_by_token(tokens.values()) == {}

    def test_an_attempt_is_kept_once(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            (row,) = put_tasks(tx, run, "a")
            token = start(tx, [row], new_id())[row.ti_id]
            tx.task_move("retry", [TaskMove(row.ti_id, "first", token, {"ended_at": LATER, "due_at": LATER})], LATER)
            tx.task_move("clear", [TaskMove(row.ti_id, "second")], LATER)
            tx.task_move("clear", [TaskMove(row.ti_id, "third")], LATER)
            assert [past.reason for past in tx.attempt_list(row.ti_id)] == ["first"]
            start(tx, [one(tx, row)], new_id())
            tx.task_move("clear", [TaskMove(row.ti_id, "fourth")], LATER)
            assert [(past.try_number, past.reason) for past in tx.attempt_list(row.ti_id)] == [
                (1, "first"),
                (2, "fourth"),
            ]

    def test_a_refused_change_keeps_nothing(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            (row,) = put_tasks(tx, run, "a")
            start(tx, [row], new_id())
            tx.xcom_put(row, [entry("k", b"1")], START)
            assert tx.task_move("retry", [TaskMove(row.ti_id, "late", "stale", {"due_at": LATER})], LATER) == []
            assert tx.attempt_list(row.ti_id) == []

    def test_orphans_are_running_tasks_of_nobody(self, store: Store) -> None:
        agent = component_row("agent", "host/1", START)
        namesake = component_row("triggerer", "host/1", START)
        with store.begin() as tx:
            tx.component_start(agent)
            tx.component_start(namesake)
            run = start_run(tx, put_dag(tx), new_id())
            kept, lost, mistaken, ended = put_tasks(tx, run, "kept", "lost", "mistaken", "ended")
            start(tx, [kept], agent.id)
            start(tx, [lost], new_id())
            start(tx, [mistaken], namesake.id)
            token = start(tx, [ended], new_id())[ended.ti_id]
            tx.task_move("succeed", [TaskMove(ended.ti_id, token=token)], LATER)
            assert {row.task_id for row in tx.task_list_orphaned()} == {"lost", "mistaken"}
            tx.component_stop("agent", agent.id)
            assert {row.task_id for row in tx.task_list_orphaned()} == {"kept", "lost", "mistaken"}

    @pytest.mark.parametrize("name", list(RUN_CHANGES))
    def test_a_run_moves_from_legal_origins_only(self, store: Store, name: str) -> None:
        change = RUN_CHANGES[name]
        for state in DagRunState:
            owner = new_id()
            with store.begin() as tx:
                dag = put_dag(tx, f"{name}-{state}")
                run = _run_in(tx, put_run(tx, dag), owner, state)
                before = _active(tx, run)
                is_owners = Asker.OWNER in change.askers
                fence: dict[str, Any] = {"owner": owner, "epoch": run.epoch} if is_owners else {}
                moved = tx.run_move(name, run.run_key, reason="because", now=LATER, **fence)
                after = tx.run_get(run.run_key)
                assert after is not None
                assert moved == (state in change.origins), f"{name} from {state}"
                if not moved:
                    assert after == run
                    assert _active(tx, run) == before
                    continue
                assert after.state == change.target
                self._check_columns(change.sets, run, after, owner)
                for column in change.clears:
                    assert getattr(after, column) is None, column
                counted = (change.target is DagRunState.RUNNING) - (state is DagRunState.RUNNING)
                assert _active(tx, run) == before + counted

    def _check_columns(self, sets: tuple[str, ...], before: RunRow, after: RunRow, owner: str) -> None:
        values: dict[str, Any] = {
            "started_at": LATER,
            "ended_at": LATER,
            "queued_at": LATER,
            "owner": owner,
            "reason": "because",
            "epoch": before.epoch + 1,
            "clear_number": before.clear_number + 1,
        }
        for column in sets:
            assert getattr(after, column) == values[column], column

    @pytest.mark.parametrize("name", ["succeed", "fail"])
    def test_a_run_moves_for_its_owner_only(self, store: Store, name: str) -> None:
        owner = new_id()
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), owner)
            assert not tx.run_move(name, run.run_key, owner=new_id(), epoch=run.epoch, now=LATER)
            assert not tx.run_move(name, run.run_key, owner=owner, epoch=run.epoch - 1, now=LATER)
            assert not tx.run_move(name, new_id(), owner=owner, epoch=run.epoch, now=LATER)
            with pytest.raises(ValueError, match="owner"):
                tx.run_move(name, run.run_key, now=LATER)
            with pytest.raises(KeyError):
                tx.run_move("teleport", run.run_key, now=LATER)
            assert tx.run_get(run.run_key) == run
            assert tx.run_move(name, run.run_key, owner=owner, epoch=run.epoch, now=LATER)

    def test_a_run_does_not_start_without_a_free_slot(self, store: Store) -> None:
        owner = new_id()
        with store.begin() as tx:
            dag = put_dag(tx, max_active_runs=1)
            start_run(tx, dag, owner, "r1")
            second = put_run(tx, dag, "r2")
            assert not tx.run_move("start", second.run_key, owner=owner, epoch=0, now=LATER)
            assert tx.run_get(second.run_key) == second
            assert _active(tx, second) == 1


def _run_in(tx: Transaction, run: RunRow, owner: str, state: DagRunState, at: datetime = START) -> RunRow:
    """Bring a queued run to `state` by legal changes."""
    if state is not DagRunState.QUEUED:
        (run,) = [row for row in tx.run_start_queued(owner, at, 100) if row.run_key == run.run_key]
    if state in {DagRunState.SUCCESS, DagRunState.FAILED}:
        change = "succeed" if state is DagRunState.SUCCESS else "fail"
        assert tx.run_move(change, run.run_key, owner=owner, epoch=run.epoch, reason="before", now=at)
    found = tx.run_get(run.run_key)
    assert found is not None
    assert found.state is state
    return found


def _active(tx: Transaction, run: RunRow) -> int:
    dag = tx.dag_get(run.dag_id)
    assert dag is not None
    return dag.runs_active
