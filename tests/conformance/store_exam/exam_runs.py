"""The exam's part on DAG runs: identity, ownership, limits, changes, neighbours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from tradewind.domain.run_state import RUN_CHANGES, RunChange
from tradewind.domain.task_state import Asker
from tradewind.kernel.clock import VirtualClock
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Store, Transaction
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

from .seeds import START, component_row, new_id, put_dag, put_run, put_tasks, run_row, start_run, undone

S = DagRunState
MINUTE = timedelta(minutes=1)


def at(minutes: int) -> datetime:
    return START + minutes * MINUTE


def active(tx: Transaction, dag_id: str = "sales") -> int:
    dag = tx.dag_get(dag_id)
    assert dag is not None
    return dag.runs_active


def move(tx: Transaction, change: str, run: RunRow, now: datetime = START, reason: str | None = None) -> bool:
    """The change, asked as its asker must."""
    if Asker.OWNER not in RUN_CHANGES[change].askers:
        return tx.run_move(change, run.run_key, reason=reason, now=now)
    return tx.run_move(change, run.run_key, owner=run.owner or "s", epoch=run.epoch, reason=reason, now=now)


def run_in(tx: Transaction, state: DagRunState, run_id: str) -> RunRow:
    """A run of DAG `run_id`, brought to `state` by legal changes."""
    dag = put_dag(tx, run_id)
    if state is S.QUEUED:
        return put_run(tx, dag, run_id)
    run = start_run(tx, dag, "s", run_id)
    if state is not S.RUNNING:
        assert move(tx, "succeed" if state is S.SUCCESS else "fail", run)
    found = tx.run_get(run.run_key)
    assert found is not None
    assert found.state is state
    return found


class RunExam:
    """What a store promises of runs."""

    def test_a_run_comes_back_as_it_was(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            row = RunRow(
                run_key=new_id(),
                dag_id="sales",
                run_id="manual__2026 ☃",
                version_id=dag.version_id,
                run_type=DagRunType.BACKFILL,
                triggered_by=DagRunTriggeredBy.UI,
                state=S.QUEUED,
                run_after=START,
                logical_date=at(1),
                data_interval_start=at(2),
                data_interval_end=at(3),
                queued_at=at(4),
                conf={"a": [1, {"b": None}], "z": "ü", "A": 1.5},
                note="n",
                clear_number=2,
                triggering_user_name="me",
            )
            assert tx.run_insert(row) is None
        with store.read() as tx:
            assert tx.run_get(row.run_key) == row
            assert tx.run_find("sales", "manual__2026 ☃") == row
            assert list(row.conf) == ["a", "z", "A"]
            assert tx.run_get(new_id()) is None
            assert tx.run_get("no uuid at all") is None
            assert tx.run_find("sales", "unknown") is None

    def test_unique_keys(self, store: Store) -> None:
        with store.begin() as tx:
            sales, stock = put_dag(tx), put_dag(tx, "stock")
            put_run(tx, sales, "r1", logical_date=START)
            assert tx.run_insert(run_row(sales, "r1", logical_date=at(1))) == "run_id"
            assert tx.run_insert(run_row(sales, "r1", logical_date=START)) == "run_id"
            assert tx.run_insert(run_row(sales, "r2", logical_date=START)) == "logical_date"
            assert tx.run_insert(run_row(sales, "k1", client_key="key")) is None
            assert tx.run_insert(run_row(sales, "k2", client_key="key")) == "client_key"
            assert tx.run_insert(run_row(stock, "k1", client_key="key")) is None
            found = tx.run_find_by_client_key("sales", "key")
            assert found is not None
            assert found.run_id == "k1"
            assert tx.run_find_by_client_key("sales", "other") is None
            assert tx.run_insert(run_row(stock, "r1", logical_date=START)) is None
            assert tx.run_insert(run_row(sales, "r3")) is None
            assert tx.run_insert(run_row(sales, "r4")) is None, "runs without a date do not exclude each other"
            assert {row.run_id for row in tx.list_runs(dag_id="sales")} == {"r1", "r3", "r4", "k1"}

    def test_the_image_holds_all_instances(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            run, other = put_run(tx, dag), put_run(tx, dag, "r2")
            rows = put_tasks(tx, run, "a", ("b", "0"), ("b", "1"))
            put_tasks(tx, other, "a")
        with store.read() as tx:
            image = tx.run_load(run.run_key)
            assert tx.run_load(new_id()) is None
        assert image is not None
        assert image.run == run
        assert sorted(image.instances, key=lambda row: row.ti_id) == sorted(rows, key=lambda row: row.ti_id)

    def test_a_note(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            assert tx.run_set_note(run.run_key, "look")
            assert not tx.run_set_note(new_id(), "look")
            found = tx.run_get(run.run_key)
            assert found is not None
            assert found.note == "look"


class RunStartExam:
    """What a store promises of queued runs."""

    def test_oldest_first_backfills_last(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            put_run(tx, dag, "backfill", run_type=DagRunType.BACKFILL, run_after=at(-9))
            put_run(tx, dag, "second", run_after=at(-1))
            put_run(tx, dag, "first", run_after=at(-2))
            put_run(tx, dag, "later", run_after=at(1))
            assert tx.run_next_queued() == at(-9)
            assert [row.run_id for row in tx.run_start_queued("s", START, 2)] == ["first", "second"]
            assert [row.run_id for row in tx.run_start_queued("s", START, 9)] == ["backfill"]
            assert tx.run_start_queued("s", START, 9) == []
            assert tx.run_next_queued() == at(1)
            assert [row.run_id for row in tx.run_start_queued("s", at(1), 9)] == ["later"]
            assert tx.run_next_queued() is None

    def test_a_started_run_is_owned_and_counted(self, store: Store) -> None:
        with store.begin() as tx:
            queued = put_run(tx, put_dag(tx))
            (run,) = tx.run_start_queued("s", at(1), 9)
            assert run == replace(queued, state=S.RUNNING, owner="s", epoch=1, started_at=at(1))
            assert tx.run_get(run.run_key) == run
            assert active(tx) == 1

    def test_never_above_the_limit(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx, max_active_runs=2)
            for number in range(4):
                put_run(tx, dag, f"r{number}", run_after=at(number - 9))
            put_run(tx, put_dag(tx, "other"), "o")
            first = tx.run_start_queued("s", START, 9)
            assert [row.run_id for row in first] == ["r0", "r1", "o"]
            assert active(tx) == 2
            assert move(tx, "succeed", first[0])
            assert active(tx) == 1
            assert [row.run_id for row in tx.run_start_queued("s", START, 9)] == ["r2"]

    def test_a_full_dag_hides_no_other(self, store: Store) -> None:
        with store.begin() as tx:
            full = put_dag(tx, "full", max_active_runs=1)
            for number in range(5):
                put_run(tx, full, f"r{number}", run_after=at(number - 9))
            put_run(tx, put_dag(tx, "other"), "o")
            assert [row.run_id for row in tx.run_start_queued("s", START, 2)] == ["r0", "o"]

    def test_a_paused_dag_starts_what_people_asked_for(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx, is_paused=True)
            put_run(tx, dag, "scheduled", run_type=DagRunType.SCHEDULED, run_after=at(-2))
            put_run(tx, dag, "manual", run_after=at(-1))
            assert [row.run_id for row in tx.run_start_queued("s", START, 9)] == ["manual"]
            tx.dag_set_paused("sales", False)
            assert [row.run_id for row in tx.run_start_queued("s", START, 9)] == ["scheduled"]

    def test_undone_with_the_transaction(self, store: Store) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
        with undone(store) as tx:
            assert tx.run_start_queued("s", START, 9)
        with store.read() as tx:
            assert tx.run_get(run.run_key) == run
            assert active(tx) == 0


class RunOwnerExam:
    """What a store promises of ownership."""

    def test_hold_gives_the_epochs_of_ones_own(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            mine, theirs = start_run(tx, dag, "s1", "r1"), start_run(tx, dag, "s2", "r2")
            assert tx.run_hold("s1", [mine.run_key, theirs.run_key, new_id()]) == {mine.run_key: 1}
            assert tx.run_hold("s1", []) == {}

    def test_released_runs_are_taken_over(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            runs = [start_run(tx, dag, "s1", f"r{number}") for number in range(2)]
            start_run(tx, dag, "s2", "r9")
            assert tx.run_release("s1") == 2
            assert tx.run_release("s1") == 0
        with store.begin() as tx:
            tx.component_start(component_row("scheduler", "s2", START, id="s2"))
            taken = tx.run_take_over("s2", 10.0, 1)
            assert [(row.run_id, row.owner, row.epoch) for row in taken] == [("r0", "s2", 2)]
            assert [row.run_id for row in tx.run_take_over("s2", 10.0, 9)] == ["r1"]
            assert tx.run_take_over("s2", 10.0, 9) == []
            assert tx.run_hold("s1", [runs[0].run_key]) == {}

    def test_runs_of_silent_and_unknown_schedulers_are_taken_over(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            for owner in ("alive", "silent", "unknown"):
                start_run(tx, dag, owner, owner)
            for owner in ("alive", "silent"):
                tx.component_start(component_row("scheduler", owner, START, id=owner))
            tx.component_start(component_row("agent", "unknown", START, id="unknown"))
        clock.advance(9)
        with store.begin() as tx:
            assert tx.component_beat("scheduler", "alive")
            assert [row.run_id for row in tx.run_take_over("alive", 10.0, 9)] == ["unknown"]
        clock.advance(2)
        with store.begin() as tx:
            assert [row.run_id for row in tx.run_take_over("alive", 10.0, 9)] == ["silent"]

    def test_only_running_ones_are_taken_over(self, store: Store) -> None:
        with store.begin() as tx:
            for state in (S.RUNNING, S.SUCCESS, S.FAILED, S.QUEUED):
                run_in(tx, state, state.value)
            assert [row.run_id for row in tx.run_take_over("t", 10.0, 9)] == ["running"]

    def test_the_former_owner_cannot_move_it(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), "s1")
            (taken,) = tx.run_take_over("s2", 10.0, 9)
            assert not move(tx, "succeed", run)
            assert not tx.run_move("succeed", run.run_key, owner="s2", epoch=1, now=START)
            assert active(tx) == 1
            assert move(tx, "succeed", taken)
            assert active(tx) == 0

    def test_an_owners_change_names_its_owner(self, store: Store) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), "s1")
            with pytest.raises(ValueError, match="give owner and epoch"):
                tx.run_move("fail", run.run_key, now=START)
            with pytest.raises(KeyError):
                tx.run_move("unknown", run.run_key, now=START)


class RunChangeExam:
    """The table of legal changes, row by row."""

    @pytest.mark.parametrize("rule", RUN_CHANGES.values(), ids=lambda rule: rule.name)
    @pytest.mark.parametrize("origin", list(S), ids=str)
    def test_from_legal_origins_only(self, store: Store, rule: RunChange, origin: DagRunState) -> None:
        with store.begin() as tx:
            before = run_in(tx, origin, "sales")
            slots = active(tx)
            moved = move(tx, rule.name, before, at(5), "because")
            after = tx.run_get(before.run_key)
            assert after is not None
            assert moved == (origin in rule.origins)
            if not moved:
                assert after == before
                assert active(tx) == slots
                return
            assert after.state is rule.target
            assert active(tx) == (1 if after.state is S.RUNNING else 0)
            for column in rule.clears:
                assert getattr(after, column) is None
            for column in {"started_at", "ended_at", "queued_at"} & set(rule.sets):
                assert getattr(after, column) == at(5)
            for column in {"epoch", "clear_number"} & set(rule.sets):
                assert getattr(after, column) == getattr(before, column) + 1
            if "reason" in rule.sets:
                assert after.reason == "because"
            if "owner" in rule.sets:
                assert after.owner == "s"

    def test_a_full_dag_starts_nothing(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx, max_active_runs=1)
            start_run(tx, dag, "s")
            run = put_run(tx, dag, "r2")
            assert not move(tx, "start", run)
            assert tx.run_get(run.run_key) == run
            assert active(tx) == 1


class RunNeighbourExam:
    """What a store promises of the runs before and after one."""

    def test_previous_and_following(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            for minute, state in ((1, S.SUCCESS), (2, S.FAILED), (3, S.QUEUED), (4, S.SUCCESS)):
                put_run(tx, dag, f"r{minute}", logical_date=at(minute), state=state)
            put_run(tx, dag, "undated")
            put_run(tx, put_dag(tx, "other"), "o", logical_date=at(2))

            def previous(before: int, *states: DagRunState) -> str | None:
                row = tx.run_previous("sales", at(before), states=states or None)
                return None if row is None else row.run_id

            assert [previous(minute) for minute in (1, 2, 4, 9)] == [None, "r1", "r3", "r4"]
            assert previous(4, S.SUCCESS) == "r1"
            assert previous(4, S.SUCCESS, S.FAILED) == "r2"
            assert tx.run_previous("sales", at(4), states=[]) is None
            following = [tx.run_following("sales", at(minute)) for minute in (0, 3, 4)]
            assert [row and row.run_id for row in following] == ["r1", "r4", None]

    def test_the_newest_scheduled_run(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            assert tx.run_last_automated("sales") is None
            put_run(tx, dag, "s2", run_type=DagRunType.SCHEDULED, logical_date=at(2))
            put_run(tx, dag, "s1", run_type=DagRunType.SCHEDULED, logical_date=at(1))
            put_run(tx, dag, "manual", logical_date=at(9))
            found = tx.run_last_automated("sales")
            assert found is not None
            assert found.run_id == "s2"
            put_run(tx, dag, "undated", run_type=DagRunType.SCHEDULED, run_after=at(3))
            found = tx.run_last_automated("sales")
            assert found is not None
            assert found.run_id == "undated"

    def test_failed_in_a_row(self, store: Store) -> None:
        with store.begin() as tx:
            dag = put_dag(tx)
            assert tx.run_count_failed_in_row("sales", 5) == 0
            states = (S.FAILED, S.SUCCESS, S.FAILED, S.FAILED, S.QUEUED)
            for minute, state in enumerate(states):
                put_run(tx, dag, f"r{minute}", run_after=at(minute), state=state)
            assert tx.run_count_failed_in_row("sales", 5) == 2
            assert tx.run_count_failed_in_row("sales", 1) == 1
