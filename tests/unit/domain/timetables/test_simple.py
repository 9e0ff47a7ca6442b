"""Never, once, continuously."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tradewind.domain.timetables import DagRunInfo, Restriction, timetable_for
from tradewind.wire.schedule import ContinuousSchedule, NullSchedule, OnceSchedule

NOW = datetime(2024, 5, 10, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def test_never() -> None:
    timetable = timetable_for(NullSchedule())
    assert timetable.next_run(None, Restriction(NOW - DAY, None, True), NOW) is None
    assert (timetable.summary, timetable.periodic, timetable.can_be_scheduled) == ("None", False, False)
    assert timetable.infer_manual_interval(NOW) == (NOW, NOW)


@pytest.mark.parametrize("catchup", [False, True])
def test_once(catchup: bool) -> None:
    timetable = timetable_for(OnceSchedule())
    assert timetable.next_run(None, Restriction(None, None, catchup), NOW) == DagRunInfo.exact(NOW)
    first = timetable.next_run(None, Restriction(NOW - DAY, None, catchup), NOW)
    assert first == DagRunInfo.exact(NOW - DAY)
    assert timetable.next_run(first, Restriction(NOW - DAY, None, catchup), NOW) is None
    assert timetable.next_run(None, Restriction(NOW + DAY, NOW, catchup), NOW) is None
    assert (timetable.summary, timetable.periodic, timetable.active_runs_limit) == ("@once", False, None)


class TestContinuous:
    timetable = timetable_for(ContinuousSchedule())

    def test_begins_at_the_start_date(self) -> None:
        assert self.timetable.next_run(None, Restriction(NOW - DAY), NOW) == DagRunInfo.interval(NOW - DAY, NOW)
        assert self.timetable.next_run(None, Restriction(NOW + DAY), NOW) == DagRunInfo.exact(NOW + DAY)
        assert self.timetable.next_run(None, Restriction(), NOW) == DagRunInfo.exact(NOW)

    def test_goes_on_where_the_last_one_ended(self) -> None:
        last = DagRunInfo.interval(NOW - 2 * DAY, NOW - DAY)
        assert self.timetable.next_run(last, Restriction(), NOW) == DagRunInfo.interval(NOW - DAY, NOW)

    @pytest.mark.parametrize("start", [None, NOW - 9 * DAY, NOW])
    def test_logical_dates_never_repeat(self, start: datetime | None) -> None:
        run = self.timetable.next_run(None, Restriction(start), NOW)
        for passed in (1, 2, 2, 1, 0, 3):  # the clock stands still, and goes back
            following = self.timetable.next_run(run, Restriction(start), NOW + timedelta(seconds=passed))
            assert run is not None
            assert following is not None
            assert following.logical_date > run.logical_date
            assert following.run_after > run.run_after
            assert following.data_interval_start == run.data_interval_end
            run = following

    def test_a_start_date_moved_ahead_is_waited_for(self) -> None:
        last = DagRunInfo.interval(NOW - 2 * DAY, NOW - DAY)
        assert self.timetable.next_run(last, Restriction(NOW + DAY), NOW) == DagRunInfo.exact(NOW + DAY)

    def test_end(self) -> None:
        assert self.timetable.next_run(None, Restriction(NOW - 2 * DAY, NOW - DAY), NOW) is None

    def test_one_at_a_time(self) -> None:
        assert (self.timetable.active_runs_limit, self.timetable.periodic, self.timetable.summary) == (
            1,
            False,
            "@continuous",
        )
