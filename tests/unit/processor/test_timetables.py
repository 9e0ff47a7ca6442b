"""A timetable of the author's own from question to run, and what becomes of one that fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.commands.world import START
from tests.unit.scheduler.test_assets import Shop

from tradewind.commands.dags import unpause_dag
from tradewind.commands.documents import Documents
from tradewind.kernel.settings import load_settings
from tradewind.ports.rows import DagRow
from tradewind.processor.timetables import TimetableService
from tradewind.scheduler.reasons import explain_dag
from tradewind.wire.schedule import CustomSchedule
from tradewind.wire.timetables import RunWish, TimetableAnswer, TimetableQuestion

DAY = timedelta(days=1)


class Author:
    """Stands for the child that asks the timetable."""

    def __init__(self) -> None:
        self.asked: list[TimetableQuestion] = []
        self.problem: str | None = None
        self.step = DAY

    def __call__(self, _dag: DagRow, question: TimetableQuestion) -> TimetableAnswer:
        self.asked.append(question)
        if self.problem is not None:
            return TimetableAnswer(problem=self.problem)
        begin = question.last.run_after if question.last is not None else START
        runs = []
        for n in (1, 2):
            at = begin + n * self.step
            runs.append(RunWish(run_after=at, logical_date=at, data_interval_start=at, data_interval_end=at))
        return TimetableAnswer(runs=tuple(runs))


@pytest.fixture
def author() -> Author:
    return Author()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def service(shop: Shop, author: Author, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> TimetableService:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    return TimetableService(shop.store, load_settings(), shop.world.clock, ask=author)


def row(shop: Shop) -> DagRow:
    with shop.store.read() as tx:
        found = tx.dag_get("d")
    assert found is not None
    return found


def test_it_is_asked_after_publication_and_after_each_run(
    shop: Shop, service: TimetableService, author: Author
) -> None:
    shop.publish("d", CustomSchedule(path="m.Own", summary="mine"))
    assert row(shop).next_run_after is None
    assert row(shop).schedule_summary == "mine"
    with shop.store.read() as tx:
        assert "the DAG processor is asking it" in explain_dag(tx, row(shop)).sentence
    assert service.turn() == 1
    assert service.turn() == 0
    assert row(shop).next_run_after == START + DAY
    with shop.store.read() as tx:
        told = tx.timetable_get("d")
    assert told is not None
    assert told.forecast == ((START + DAY).isoformat(), (START + 2 * DAY).isoformat())
    shop.step(DAY.total_seconds())
    shop.step()
    (run,) = shop.runs("d")
    assert (run.logical_date, run.run_type) == (START + DAY, "scheduled")
    assert service.turn() == 1
    assert author.asked[-1].last is not None
    assert author.asked[-1].last.run_after == START + DAY
    assert row(shop).next_run_after == START + 2 * DAY


@pytest.mark.parametrize("problem", ["raised ValueError: no calendar", "did not answer within 20 s"])
def test_one_that_fails_pauses_its_dag_and_no_other(
    shop: Shop, service: TimetableService, author: Author, problem: str
) -> None:
    shop.publish("d", CustomSchedule(path="m.Own"))
    author.problem = problem
    service.turn()
    assert (row(shop).is_paused, row(shop).pause_reason) == (True, f"paused by itself: its timetable {problem}")
    author.problem = None
    with shop.store.begin() as tx:
        unpause_dag(tx, Documents(), shop.world.clock.now(), "d")
    assert service.turn() == 1
    assert not row(shop).is_paused
    assert row(shop).next_run_after == START + DAY


def test_a_run_that_is_not_later_is_nonsense(shop: Shop, service: TimetableService, author: Author) -> None:
    shop.publish("d", CustomSchedule(path="m.Own"))
    service.turn()
    shop.step(DAY.total_seconds())
    shop.step()
    author.step = timedelta(0)
    service.turn()
    assert row(shop).is_paused
    assert "which is not later than that of the last run" in (row(shop).pause_reason or "")


def test_an_answer_for_an_older_version_means_nothing(shop: Shop, service: TimetableService, author: Author) -> None:
    def slow(dag: DagRow, question: TimetableQuestion) -> TimetableAnswer:
        shop.publish("d", CustomSchedule(path="m.Own", data='{"new": 1}'))
        return author(dag, question)

    shop.publish("d", CustomSchedule(path="m.Own"))
    service._ask = slow
    service.turn()
    assert row(shop).next_run_after is None
    service._ask = author
    assert service.turn() == 1
    assert row(shop).next_run_after == START + DAY
