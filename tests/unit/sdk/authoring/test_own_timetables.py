"""Timetables that authors write themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tradewind import DAG
from tradewind.domain.timetables import timetable_for
from tradewind.runtime.timetables import ask_timetable
from tradewind.sdk.errors import WrongValue
from tradewind.sdk.own_timetables import DagRunInfo, DataInterval, TimeRestriction, next_runs
from tradewind.sdk.timetables import CronDataIntervalTimetable, CronTriggerTimetable, Timetable
from tradewind.wire.schedule import CronTriggerSchedule, CustomSchedule
from tradewind.wire.timetables import RunWish, TimetableQuestion

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


class EveryOtherDay(Timetable):
    description = "every other day"
    active_runs_limit = 3

    def __init__(self, hour: int = 0) -> None:
        self.hour = hour

    @property
    def summary(self) -> str:
        return f"every other day at {self.hour}"

    def serialize(self) -> dict[str, Any]:
        return {"hour": self.hour}

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        if last_automated_data_interval is not None:
            start = last_automated_data_interval.end
        elif restriction.earliest is not None:
            start = restriction.earliest
        else:
            return None
        return DagRunInfo.interval(start, start.add(days=2))


def question(**facts: Any) -> TimetableQuestion:
    return TimetableQuestion(dag_id="d", file="f.py", **{"earliest": MONDAY, "count": 3, **facts})


def test_what_it_says_of_itself_is_the_schedule() -> None:
    dag = DAG("d", schedule=EveryOtherDay(6))
    assert dag.wire_schedule == CustomSchedule(
        path=f"{__name__}.EveryOtherDay",
        data='{"hour": 6}',
        summary="every other day at 6",
        description="every other day",
        active_runs_limit=3,
    )
    assert dag.wire_schedule != DAG("d", schedule=EveryOtherDay(7)).wire_schedule
    assert dag.max_active_runs == 3
    assert timetable_for(dag.wire_schedule).next_run(None, None, MONDAY) is None  # type: ignore[arg-type]
    assert EveryOtherDay(6) == EveryOtherDay(6) != EveryOtherDay(7)


def test_it_is_asked_run_by_run() -> None:
    answer = next_runs(EveryOtherDay(), question())
    assert [wish.run_after for wish in answer.runs] == [MONDAY + timedelta(days=n) for n in (2, 4, 6)]
    assert answer.runs[0].logical_date == MONDAY
    last = RunWish(run_after=MONDAY, data_interval_start=MONDAY - timedelta(days=2), data_interval_end=MONDAY)
    assert next_runs(EveryOtherDay(), question(last=last, count=1)).runs[0].run_after == MONDAY + timedelta(days=2)
    assert next_runs(EveryOtherDay(), question(earliest=None)).runs == ()


def test_a_subclass_of_a_known_one_may_ask_it() -> None:
    class NotOnFridays(CronDataIntervalTimetable):
        def next_dagrun_info(self, **asked: Any) -> DagRunInfo | None:
            found = super().next_dagrun_info(**asked)
            while found is not None and found.run_after.weekday() == 4:
                found = super().next_dagrun_info(
                    last_automated_data_interval=found.data_interval, restriction=asked["restriction"]
                )
            return found

    answer = next_runs(NotOnFridays("0 0 * * *", "UTC"), question(catchup=True, count=5))
    assert [wish.run_after.weekday() for wish in answer.runs] == [1, 2, 3, 5, 6]


def test_what_it_does_wrong_is_told() -> None:
    class Wrong(EveryOtherDay):
        def next_dagrun_info(self, **_: Any) -> Any:
            return self.says  # type: ignore[attr-defined]

    class Raising(EveryOtherDay):
        def next_dagrun_info(self, **_: Any) -> Any:
            raise ValueError("no calendar")

    assert next_runs(Raising(), question()).problem == "raised ValueError: no calendar"
    wrong = Wrong()
    wrong.says = datetime(2026, 1, 1)  # type: ignore[attr-defined]
    assert "must return a DagRunInfo or None" in (next_runs(wrong, question()).problem or "")
    wrong.says = DagRunInfo.exact(datetime(2026, 1, 1))  # type: ignore[attr-defined,arg-type]
    assert "with a time zone" in (next_runs(wrong, question()).problem or "")

    class Unsaid(EveryOtherDay):
        def serialize(self) -> dict[str, Any]:
            return {("a", "b"): 1}  # type: ignore[dict-item]

    with pytest.raises(WrongValue, match="JSON data"):
        DAG("d", schedule=Unsaid())


def test_known_ones_answer_too() -> None:
    cron = CronTriggerTimetable("0 6 * * *", timezone="UTC")
    bounds: Any = TimeRestriction(MONDAY, None, True)  # type: ignore[arg-type]
    found = cron.next_dagrun_info(last_automated_data_interval=None, restriction=bounds)
    assert found is not None
    assert found.run_after == MONDAY + timedelta(hours=6)
    assert cron.infer_manual_data_interval(run_after=MONDAY).end == MONDAY


def test_jitter_spreads_dags_and_keeps_dates() -> None:
    def due(dag_id: str) -> Any:
        schedule = CronTriggerTimetable("0 6 * * *", timezone="UTC", jitter=timedelta(minutes=10))
        wire = DAG(dag_id, schedule=schedule).wire_schedule
        assert isinstance(wire, CronTriggerSchedule)
        assert (wire.jitter_seconds, wire.jitter_key) == (600.0, dag_id)
        from tradewind.domain.timetables import Restriction

        return timetable_for(wire).next_run(None, Restriction(earliest=MONDAY), MONDAY)

    runs = [due(f"dag{n}") for n in range(20)]
    assert {run.logical_date for run in runs} == {MONDAY + timedelta(hours=6)}
    delays = {run.run_after - run.logical_date for run in runs}
    assert len(delays) == 20
    assert all(timedelta(0) <= delay < timedelta(minutes=10) for delay in delays)
    assert due("dag0") == runs[0]


SOURCE = """
import os, time
from tradewind import DAG
from tradewind.sdk.own_timetables import DagRunInfo
from tradewind.sdk.timetables import Timetable

class Mine(Timetable):
    def __init__(self, how): self.how = how
    def serialize(self): return {"how": self.how}
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        print("user code prints")
        if self.how == "raise": raise ValueError("no calendar")
        if self.how == "hang": time.sleep(1000)
        if self.how == "die": os._exit(3)
        start = last_automated_data_interval.end if last_automated_data_interval else restriction.earliest
        return DagRunInfo.interval(start, start.add(days=1))

for how in ("well", "raise", "hang", "die"):
    with DAG(how, schedule=Mine(how)):
        pass
"""


@pytest.mark.parametrize(
    ("dag_id", "seconds", "problem"),
    [
        ("well", 30.0, None),
        ("raise", 30.0, "raised ValueError: no calendar"),
        ("hang", 3.0, "did not answer within 3 s"),
        ("die", 30.0, "ended its process with code 3"),
        ("gone", 30.0, "cannot be loaded from f.py: the file does not define it"),
    ],
)
def test_in_a_child(tmp_path: Path, dag_id: str, seconds: float, problem: str | None) -> None:
    (tmp_path / "f.py").write_text(SOURCE)
    import os

    answer = ask_timetable(
        TimetableQuestion(dag_id=dag_id, file="f.py", earliest=MONDAY, count=2),
        tmp_path,
        dict(os.environ),
        seconds=seconds,
        memory_bytes_max=1 << 30,
    )
    assert (answer.problem or "").startswith(problem or "")
    if problem is None:
        assert [wish.run_after for wish in answer.runs] == [MONDAY + timedelta(days=n) for n in (1, 2)]
