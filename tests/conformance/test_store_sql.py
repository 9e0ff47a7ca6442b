"""The stores in SQL pass the exam of stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conformance.store_exam.exam_assets import AssetExam
from tests.conformance.store_exam.exam_backfills import BackfillExam
from tests.conformance.store_exam.exam_bell import BellExam
from tests.conformance.store_exam.exam_components import ComponentExam
from tests.conformance.store_exam.exam_dags import DagExam, FileExam
from tests.conformance.store_exam.exam_deadlines import DeadlineExam
from tests.conformance.store_exam.exam_inbox import InboxExam
from tests.conformance.store_exam.exam_limits import LimitExam
from tests.conformance.store_exam.exam_outbox import OutboxExam
from tests.conformance.store_exam.exam_past import PastExam
from tests.conformance.store_exam.exam_people import PeopleExam
from tests.conformance.store_exam.exam_reads import ReadExam
from tests.conformance.store_exam.exam_retention import RetentionExam
from tests.conformance.store_exam.exam_runs import RunChangeExam, RunExam, RunNeighbourExam, RunOwnerExam, RunStartExam
from tests.conformance.store_exam.exam_tasks import AttemptExam, TaskChangeExam, TaskExam
from tests.conformance.store_exam.exam_waits import HitlExam, WaitExam
from tests.conformance.store_exam.exam_xcom import XComExam
from tests.conformance.store_exam.seeds import START

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.store import Store
from tradewind.store.kinds import Kind
from tradewind.store.sql import SqlStore
from tradewind.store.transaction import SqlTransaction


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def store(database_url: str, clock: VirtualClock) -> Iterator[SqlStore]:
    store = SqlStore(database_url, clock=clock)
    yield store
    store.close()


@pytest.fixture
def spoil() -> Callable[[Store, str, bytes], None]:
    def spoil(store: Store, run_key: str, raw: bytes) -> None:
        with store.begin() as tx:
            assert isinstance(tx, SqlTransaction)
            columns = (("run_key", Kind.ID), ("payload", Kind.TEXT))
            tx._session.insert("inbox", columns, [(run_key, raw.decode(errors="replace"))])

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


class TestFile(FileExam): ...


class TestDag(DagExam): ...


class TestRun(RunExam): ...


class TestRunStart(RunStartExam): ...


class TestRunOwner(RunOwnerExam): ...


class TestRunChange(RunChangeExam): ...


class TestRunNeighbour(RunNeighbourExam): ...


class TestTask(TaskExam): ...


class TestTaskChange(TaskChangeExam): ...


class TestAttempt(AttemptExam): ...


class TestBell(BellExam): ...


class TestPast(PastExam): ...


class TestBackfills(BackfillExam): ...


class TestDeadlines(DeadlineExam): ...


class TestRetention(RetentionExam): ...
