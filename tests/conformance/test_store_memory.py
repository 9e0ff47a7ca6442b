"""The store in memory passes the exam of stores; and what it promises beyond it: serial transactions, hooks, undo."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.conformance.store_exam.exam_assets import AssetExam
from tests.conformance.store_exam.exam_backfills import BackfillExam
from tests.conformance.store_exam.exam_components import ComponentExam
from tests.conformance.store_exam.exam_deadlines import DeadlineExam
from tests.conformance.store_exam.exam_inbox import InboxExam
from tests.conformance.store_exam.exam_legal import LegalChangeExam
from tests.conformance.store_exam.exam_limits import LimitExam
from tests.conformance.store_exam.exam_outbox import OutboxExam
from tests.conformance.store_exam.exam_past import PastExam
from tests.conformance.store_exam.exam_people import PeopleExam
from tests.conformance.store_exam.exam_reads import ReadExam
from tests.conformance.store_exam.exam_retention import RetentionExam
from tests.conformance.store_exam.exam_waits import HitlExam, WaitExam
from tests.conformance.store_exam.exam_xcom import XComExam
from tests.conformance.store_exam.seeds import START, new_id, put_dag, put_run, put_tasks, queue, start_run, undone

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.store import Store, TaskMove
from tradewind.store.memory import BrokenRule, MemoryStore
from tradewind.store.memory.values import ValuePart
from tradewind.wire.inbox import RunNudged


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def store(clock: VirtualClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def spoil() -> Callable[[Store, str, bytes], None]:
    def spoil(store: Store, run_key: str, raw: bytes) -> None:
        with store.begin() as tx:
            assert isinstance(tx, ValuePart)
            tx._put_lines([(run_key, raw)])

    return spoil


class TestInbox(InboxExam): ...


class TestXCom(XComExam): ...


class TestAssets(AssetExam): ...


class TestWaits(WaitExam): ...


class TestHitl(HitlExam): ...


class TestLimits(LimitExam): ...


class TestComponents(ComponentExam): ...


class TestOutbox(OutboxExam): ...


class TestPeople(PeopleExam): ...


class TestReads(ReadExam): ...


class TestLegalChanges(LegalChangeExam): ...


class Crash(Exception):
    """The process dies at this moment."""


class TestSerial:
    def test_a_second_transaction_of_the_thread_is_refused(self, store: MemoryStore) -> None:
        with store.begin(), pytest.raises(RuntimeError, match="open"), store.begin():
            pass
        with store.begin(), pytest.raises(RuntimeError, match="open"), store.read():
            pass
        with store.begin():
            pass  # the refusals left nothing held

    def test_another_thread_waits_for_its_turn(self, store: MemoryStore) -> None:
        order: list[str] = []
        entered = threading.Event()

        def other() -> None:
            entered.set()
            with store.begin() as tx:
                order.append("other")
                tx.pool_put("b", 1)

        thread = threading.Thread(target=other)
        with store.begin() as tx:
            thread.start()
            assert entered.wait(20)
            tx.pool_put("a", 1)
            order.append("first")
        thread.join(20)
        assert order == ["first", "other"]
        with store.read() as tx:
            assert {row.name for row in tx.pool_list()} == {"default_pool", "a", "b"}

    def test_a_reader_writes_nothing(self, store: MemoryStore) -> None:
        with store.read() as tx:
            with pytest.raises(RuntimeError, match="for reading only"):
                tx.pool_put("a", 1)
            with pytest.raises(RuntimeError, match="for reading only"):
                tx.ring("inbox")

    def test_a_transaction_that_is_over_writes_nothing(self, store: MemoryStore) -> None:
        with store.begin() as tx:
            pass
        with pytest.raises(RuntimeError, match="is over"):
            tx.pool_put("a", 1)

    def test_writes_stay_when_a_reader_was_open(self, store: MemoryStore) -> None:
        with store.read() as reader:
            with store.begin() as tx:
                tx.pool_put("a", 1)
            with store.begin() as tx:
                assert tx.pool_get("a") is not None
                tx.pool_put("b", 1)
            assert [row.name for row in reader.pool_list()] == ["default_pool"]
        with store.read() as tx:
            assert [row.name for row in tx.pool_list()] == ["a", "b", "default_pool"]


class TestHooks:
    def test_every_write_is_announced_before_it_happens(self, store: MemoryStore) -> None:
        names: list[str] = []
        store.before_write = names.append
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            queue(tx, put_tasks(tx, run, "a"))
            tx.task_list(run.run_key)
        assert names == ["dag_put", "version_insert", "run_insert", "run_start_queued", "task_insert", "task_move"]

    def test_a_crash_before_any_write_leaves_nothing(self, clock: VirtualClock) -> None:
        steps = 0
        crashed = True
        while crashed:
            store, crashed = MemoryStore(clock), False
            store.before_write = _crash_after(steps)
            try:
                with store.begin() as tx:
                    run = start_run(tx, put_dag(tx), new_id())
                    queue(tx, put_tasks(tx, run, "a", "b"))
                    tx.pool_use({"default_pool": 2})
                    tx.inbox_put([(run.run_key, RunNudged())])
            except Crash:
                crashed = True
                store.before_write = None
                assert _everything(store) == _everything(MemoryStore(clock))
            steps += 1
        assert steps == 9  # eight writes, each crashed once, and the run that came through

    def test_a_crash_before_the_commit_leaves_nothing(self, store: MemoryStore) -> None:
        store.before_commit = _crash
        with store.listen(["inbox", "end"]) as listener:
            with pytest.raises(Crash), store.begin() as tx:  # noqa: PT012 # the end of the block raises
                tx.ring("inbox")
                tx.pool_put("a", 1)
            store.before_commit = None
            with store.begin() as tx:
                assert tx.pool_get("a") is None
                tx.ring("end")
            assert listener.wait(20) == {"end"}

    def test_a_crash_after_the_commit_loses_only_the_bell(self, store: MemoryStore) -> None:
        store.after_commit = _crash
        with store.listen(["inbox", "end"]) as listener:
            with pytest.raises(Crash), store.begin() as tx:  # noqa: PT012 # the end of the block raises
                tx.ring("inbox")
                tx.pool_put("a", 1)
            store.after_commit = None
            with store.begin() as tx:
                assert tx.pool_get("a") is not None
                tx.ring("end")
            assert listener.wait(20) == {"end"}

    def test_a_crash_beside_an_open_reader(self, store: MemoryStore) -> None:
        with store.read() as reader:
            with undone(store) as tx:
                tx.pool_put("a", 1)
            assert reader.pool_get("a") is None
        with store.read() as tx:
            assert tx.pool_get("a") is None


class TestRules:
    def test_an_attempt_token_is_unique(self, store: MemoryStore) -> None:
        with store.begin() as tx:
            run = start_run(tx, put_dag(tx), new_id())
            rows = put_tasks(tx, run, "a", "b")
            values = {"attempt_token": "same", "try_number": 1}
            with pytest.raises(BrokenRule, match="attempt_token 'same' exists already"):
                tx.task_move("queue", [TaskMove(row.ti_id, values=values) for row in rows], START)

    def test_nothing_executes_without_a_token(self, store: MemoryStore) -> None:
        with store.begin() as tx:
            (row,) = put_tasks(tx, start_run(tx, put_dag(tx), new_id()), "a")
            with pytest.raises(BrokenRule, match="without an attempt token"):
                tx.task_move("queue", [TaskMove(row.ti_id, values={"try_number": 1})], START)

    def test_a_refused_write_leaves_the_indexes_right(self, store: MemoryStore) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            a, b = put_tasks(tx, run, ("each", "0"), ("each", "1"))
            with pytest.raises(BrokenRule, match="exists already"):
                tx.task_rename(b.ti_id, "0")
            tx.task_rename(a.ti_id, "2")
            tx.task_rename(b.ti_id, "0")
            assert [row.map_path for row in tx.task_list(run.run_key)] == ["2", "0"]

    def test_tasks_belong_to_a_run(self, store: MemoryStore) -> None:
        with store.begin() as tx:
            run = put_run(tx, put_dag(tx))
            with pytest.raises(BrokenRule, match="does not exist"):
                put_tasks(tx, replace(run, run_key=new_id()), "a")


def _crash() -> None:
    raise Crash


def _crash_after(count: int) -> Callable[[str], None]:
    left = iter(range(count))

    def hook(_method: str) -> None:
        if next(left, None) is None:
            raise Crash

    return hook


def _everything(store: MemoryStore) -> dict[str, object]:
    """All rows and all indexes."""
    tables = {name: getattr(store._data, name) for name in type(store._data).__slots__}
    return {
        name: (
            table.rows,
            {key: unique._keys for key, unique in table.uniques.items()},
            {key: index._groups for key, index in table.indexes.items()},
        )
        for name, table in tables.items()
    }


class TestPast(PastExam): ...


class TestBackfills(BackfillExam): ...


class TestDeadlines(DeadlineExam): ...


class TestRetention(RetentionExam): ...
