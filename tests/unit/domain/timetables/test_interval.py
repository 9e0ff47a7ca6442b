"""Timetables whose run ends an interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta

from tradewind.domain.timetables import DagRunInfo, Restriction, timetable_for
from tradewind.wire.schedule import CronIntervalSchedule, DeltaIntervalSchedule, delta_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start: str, end: str) -> DagRunInfo:
    return DagRunInfo.interval(at(start), at(end))


def delta(**parts: Any) -> DeltaIntervalSchedule:
    return DeltaIntervalSchedule(delta=delta_of(timedelta(**parts)))


def calendar(**parts: Any) -> DeltaIntervalSchedule:
    return DeltaIntervalSchedule(delta=delta_of(relativedelta(**parts)))


class TestCron:
    daily = CronIntervalSchedule(cron="0 0 * * *")

    # now is 2024-05-10 12:30
    @pytest.mark.parametrize(
        ("after", "earliest", "catchup", "start"),
        [
            (None, "2024-05-01", True, "2024-05-01"),
            (None, "2024-05-01 00:01", True, "2024-05-02"),
            (None, "2024-05-01", False, "2024-05-09"),
            (None, None, False, "2024-05-09"),
            (None, None, True, None),
            (("2024-05-05", "2024-05-06"), "2024-05-01", True, "2024-05-06"),
            (("2024-05-05", "2024-05-06"), "2024-05-01", False, "2024-05-09"),
            (("2024-05-05", "2024-05-06"), None, True, "2024-05-06"),
            (("2024-05-09", "2024-05-10"), "2024-05-01", False, "2024-05-10"),
            (("2024-05-09", "2024-05-10"), "2024-05-20 12:00", False, "2024-05-21"),
            (None, "2024-05-20", False, "2024-05-20"),
        ],
    )
    def test_catching_up(
        self, after: tuple[str, str] | None, earliest: str | None, catchup: bool, start: str | None
    ) -> None:
        run = timetable_for(self.daily).next_run(
            None if after is None else span(*after),
            Restriction(None if earliest is None else at(earliest), None, catchup),
            at("2024-05-10 12:30"),
        )
        if start is None:
            assert run is None
            return
        assert run is not None
        assert (run.logical_date, run.data_interval_start, run.data_interval_end, run.run_after) == (
            at(start),
            at(start),
            at(start) + timedelta(days=1),
            at(start) + timedelta(days=1),
        )

    def test_an_interval_that_ends_now_is_complete(self) -> None:
        run = timetable_for(self.daily).next_run(None, Restriction(at("2024-05-01")), at("2024-05-10"))
        assert run == span("2024-05-09", "2024-05-10")

    def test_the_end_bounds_the_start(self) -> None:
        bounds = Restriction(at("2024-05-01"), at("2024-05-02"), True)
        timetable, now = timetable_for(self.daily), at("2024-06-01")
        assert timetable.next_run(span("2024-05-01", "2024-05-02"), bounds, now) == span("2024-05-02", "2024-05-03")
        assert timetable.next_run(span("2024-05-02", "2024-05-03"), bounds, now) is None

    def test_a_coarser_cron_does_not_repeat_a_start(self) -> None:
        weekly = timetable_for(CronIntervalSchedule(cron="0 0 * * 0"))
        run = weekly.next_run(span("2024-05-08", "2024-05-09"), Restriction(None, None, True), at("2024-05-20"))
        assert run == span("2024-05-12", "2024-05-19")

    def test_manual_runs_are_about_the_last_whole_interval(self) -> None:
        timetable = timetable_for(self.daily)
        assert timetable.infer_manual_interval(at("2024-05-25 01:00")) == (at("2024-05-24"), at("2024-05-25"))
        assert timetable.infer_manual_interval(at("2024-05-25")) == (at("2024-05-24"), at("2024-05-25"))

    def test_intervals_touch_through_summer_time(self) -> None:
        timetable = timetable_for(CronIntervalSchedule(cron="30 2 * * *", timezone="Europe/Berlin"))
        run = span("2024-03-29 01:30", "2024-03-30 01:30")
        hours = []
        for _ in range(4):
            following = timetable.next_run(run, Restriction(None, None, True), at("2024-05-01"))
            assert following is not None
            assert following.data_interval_start == run.data_interval_end
            run = following
            hours.append((run.data_interval_end - run.data_interval_start) / timedelta(hours=1))
        assert hours == [24, 23, 24, 24]

    def test_words(self) -> None:
        assert timetable_for(self.daily).summary == "0 0 * * *"
        assert timetable_for(self.daily).description == "At 00:00"


class TestDelta:
    # now is 2024-05-10 12:30
    @pytest.mark.parametrize(
        ("after", "earliest", "catchup", "expected"),
        [
            (None, "2024-05-01 00:10", True, ("2024-05-01 00:10", "2024-05-01 01:10")),
            (None, "2024-05-01 00:10", False, ("2024-05-10 11:00", "2024-05-10 12:00")),
            (None, "2024-05-10 12:20", False, ("2024-05-10 12:20", "2024-05-10 13:20")),
            (None, None, False, ("2024-05-10 11:00", "2024-05-10 12:00")),
            (None, None, True, None),
            (("2024-05-10 10:00", "2024-05-10 11:00"), None, True, ("2024-05-10 11:00", "2024-05-10 12:00")),
            (("2024-05-09 10:00", "2024-05-09 11:00"), None, False, ("2024-05-10 11:00", "2024-05-10 12:00")),
            (("2024-05-10 11:20", "2024-05-10 12:20"), None, False, ("2024-05-10 12:20", "2024-05-10 13:20")),
            (("2024-05-10 11:20", "2024-05-10 12:20"), "2024-05-20", True, ("2024-05-20", "2024-05-20 01:00")),
        ],
    )
    def test_catching_up(
        self,
        after: tuple[str, str] | None,
        earliest: str | None,
        catchup: bool,
        expected: tuple[str, str] | None,
    ) -> None:
        run = timetable_for(delta(hours=1)).next_run(
            None if after is None else span(*after),
            Restriction(None if earliest is None else at(earliest), None, catchup),
            at("2024-05-10 12:30"),
        )
        assert run == (None if expected is None else span(*expected))

    def test_month_steps_keep_to_the_start_date(self) -> None:
        run = timetable_for(calendar(months=1)).next_run(None, Restriction(at("2023-01-15")), at("2024-05-20"))
        assert run == span("2024-04-15", "2024-05-15")

    def test_month_ends_drift_as_they_are_walked(self) -> None:
        timetable = timetable_for(calendar(months=1))
        bounds = Restriction(at("2024-01-31"), None, True)
        runs = [timetable.next_run(None, bounds, at("2025-01-01"))]
        for _ in range(2):
            runs.append(timetable.next_run(runs[-1], bounds, at("2025-01-01")))
        assert runs == [
            span("2024-01-31", "2024-02-29"),
            span("2024-02-29", "2024-03-29"),
            span("2024-03-29", "2024-04-29"),
        ]
        # Passing over lands on the same beat as walking.
        assert timetable.next_run(None, Restriction(at("2024-01-31")), at("2024-05-01")) == span(
            "2024-03-29", "2024-04-29"
        )

    def test_month_ends_stay_with_a_fixed_day(self) -> None:
        timetable = timetable_for(calendar(months=1, day=31))
        bounds = Restriction(at("2024-01-31"), None, True)
        run = timetable.next_run(None, bounds, at("2025-01-01"))
        ends = []
        for _ in range(4):
            assert run is not None
            ends.append(f"{run.data_interval_end:%m-%d}")
            run = timetable.next_run(run, bounds, at("2025-01-01"))
        assert ends == ["02-29", "03-31", "04-30", "05-31"]

    def test_leap_years(self) -> None:
        timetable = timetable_for(calendar(years=1))
        run = timetable.next_run(None, Restriction(at("2024-02-29"), None, True), at("2030-01-01"))
        assert run == span("2024-02-29", "2025-02-28")

    def test_end_and_manual_and_words(self) -> None:
        timetable = timetable_for(delta(days=1))
        bounds = Restriction(at("2024-05-01"), at("2024-05-02"), True)
        assert timetable.next_run(span("2024-05-02", "2024-05-03"), bounds, at("2024-06-01")) is None
        assert timetable.infer_manual_interval(at("2024-05-10")) == (at("2024-05-09"), at("2024-05-10"))
        assert (timetable.summary, timetable.description) == ("1 day, 0:00:00", "Every 1 day, 0:00:00")
        assert timetable_for(calendar(months=1)).summary == "relativedelta(months=+1)"
