"""Timetables that run at the tick: catching up, bounds, first runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.domain.timetables import DagRunInfo, Restriction, timetable_for
from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import CronTriggerSchedule, DeltaTriggerSchedule, delta_of, events_of

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ran(text: str) -> DagRunInfo:
    return DagRunInfo.exact(at(text))


def cron(*crons: str, timezone: str = "UTC", interval: timedelta | None = None, **more: Any) -> CronTriggerSchedule:
    backdate = None if interval is None else delta_of(interval)
    return CronTriggerSchedule(crons=crons, timezone=timezone, interval=backdate, **more)


# now is 2024-05-10 12:30; an hourly cron. (last run, earliest, catchup) → the next tick
@pytest.mark.parametrize(
    ("after", "earliest", "catchup", "expected"),
    [
        # Without catchup: the latest missed tick, once.
        (None, "2024-05-01", False, "2024-05-10 12:00"),
        ("2024-05-10 09:00", "2024-05-01", False, "2024-05-10 12:00"),
        ("2024-05-10 11:00", "2024-05-01", False, "2024-05-10 12:00"),
        ("2024-05-10 12:00", "2024-05-01", False, "2024-05-10 13:00"),
        ("2024-05-10 12:00", None, False, "2024-05-10 13:00"),
        ("2024-05-10 09:00", None, False, "2024-05-10 12:00"),
        # With catchup: one after another.
        (None, "2024-05-01", True, "2024-05-01 00:00"),
        (None, "2024-05-01 00:01", True, "2024-05-01 01:00"),
        ("2024-05-10 09:00", "2024-05-01", True, "2024-05-10 10:00"),
        ("2024-05-10 12:00", None, True, "2024-05-10 13:00"),
        # A start date to come, also one that was moved there.
        (None, "2024-05-11 00:10", False, "2024-05-11 01:00"),
        (None, "2024-05-11 00:10", True, "2024-05-11 01:00"),
        ("2024-05-10 09:00", "2024-05-11", False, "2024-05-11 00:00"),
        ("2024-05-10 09:00", "2024-05-11", True, "2024-05-11 00:00"),
        # No start date and no run: the coming tick, the one missed is too long ago.
        (None, None, False, "2024-05-10 13:00"),
        (None, None, True, "2024-05-10 13:00"),
    ],
)
def test_cron_catching_up(after: str | None, earliest: str | None, catchup: bool, expected: str) -> None:
    run = timetable_for(cron("0 * * * *")).next_run(
        None if after is None else ran(after),
        Restriction(None if earliest is None else at(earliest), None, catchup),
        at("2024-05-10 12:30"),
    )
    assert run == ran(expected)


def test_a_tick_that_is_now_is_due() -> None:
    now = at("2024-05-10 12:00")
    for catchup in (False, True):
        run = timetable_for(cron("0 * * * *")).next_run(ran("2024-05-10 11:00"), Restriction(None, None, catchup), now)
        assert run == DagRunInfo.exact(now)


@pytest.mark.parametrize("catchup", [False, True])
def test_start_and_end_are_inclusive(catchup: bool) -> None:
    timetable = timetable_for(cron("0 0 * * *"))
    bounds = Restriction(at("2024-05-10"), at("2024-05-12"), catchup)
    assert timetable.next_run(None, bounds, at("2024-05-10")) == ran("2024-05-10")
    assert timetable.next_run(ran("2024-05-11"), bounds, at("2024-05-11 01:00")) == ran("2024-05-12")
    assert timetable.next_run(ran("2024-05-12"), bounds, at("2024-05-12 01:00")) is None


def test_after_the_end_only_catchup_goes_on() -> None:
    timetable = timetable_for(cron("0 0 * * *"))
    now, end = at("2024-06-01"), at("2024-05-12")
    assert timetable.next_run(ran("2024-05-10"), Restriction(None, end, True), now) == ran("2024-05-11")
    assert timetable.next_run(ran("2024-05-10"), Restriction(None, end, False), now) is None


# Daily cron without start date or runs; minutes since the tick → does the missed tick run?
@pytest.mark.parametrize(
    ("rule", "missed_by", "runs_missed"),
    [
        (True, timedelta(hours=23), True),
        (None, timedelta(hours=2.4), True),
        (None, timedelta(hours=2.5), False),
        (False, timedelta(hours=2.4), True),
        (False, timedelta(hours=2.5), False),
        (3600.0, timedelta(minutes=60), True),
        (3600.0, timedelta(minutes=61), False),
        (None, timedelta(0), True),
    ],
)
@pytest.mark.parametrize("catchup", [False, True])
def test_run_immediately(rule: bool | float | None, missed_by: timedelta, runs_missed: bool, catchup: bool) -> None:
    now = at("2024-05-10") + missed_by
    run = timetable_for(cron("0 0 * * *", run_immediately=rule)).next_run(None, Restriction(catchup=catchup), now)
    assert run == ran("2024-05-10" if runs_missed else "2024-05-11")


def test_the_grace_is_at_least_five_minutes() -> None:
    timetable = timetable_for(cron("*/10 * * * *"))
    assert timetable.next_run(None, Restriction(), at("2024-05-10 12:05")) == ran("2024-05-10 12:00")
    assert timetable.next_run(None, Restriction(), at("2024-05-10 12:05:01")) == ran("2024-05-10 12:10")


def test_true_and_one_second_are_not_the_same() -> None:
    """Python takes True and 1.0 for one key."""
    now = at("2024-05-10 20:00")
    assert timetable_for(cron("@daily", run_immediately=True)).next_run(None, Restriction(), now) == ran("2024-05-10")
    assert timetable_for(cron("@daily", run_immediately=1.0)).next_run(None, Restriction(), now) == ran("2024-05-11")


def test_run_immediately_is_not_asked_when_there_is_a_start_date() -> None:
    timetable = timetable_for(cron("0 0 * * *", run_immediately=True))
    bounds = Restriction(at("2024-05-10 01:00"))
    assert timetable.next_run(None, bounds, at("2024-05-10 02:00")) == ran("2024-05-11")


def test_interval_backdates_the_start() -> None:
    timetable = timetable_for(cron("0 0 * * *", interval=24 * HOUR))
    run = timetable.next_run(None, Restriction(at("2024-05-01"), None, True), at("2024-05-10"))
    assert run == DagRunInfo(at("2024-05-01"), at("2024-04-30"), at("2024-04-30"), at("2024-05-01"))
    assert timetable.next_run(run, Restriction(None, None, True), at("2024-05-10")) == DagRunInfo.interval(
        at("2024-05-01"), at("2024-05-02")
    )
    assert timetable.infer_manual_interval(at("2024-05-10 12:00")) == (at("2024-05-09 12:00"), at("2024-05-10 12:00"))


def test_interval_of_a_month_ends_at_month_ends() -> None:
    schedule = CronTriggerSchedule(crons=("0 0 L * *",), interval=delta_of(relativedelta(months=1)))
    run = timetable_for(schedule).next_run(None, Restriction(at("2024-03-30"), None, True), at("2024-05-10"))
    assert run == DagRunInfo.interval(at("2024-02-29"), at("2024-03-31"))


def test_a_negative_interval_is_refused() -> None:
    with pytest.raises(InvalidSchedule, match="must not be negative"):
        timetable_for(cron("0 0 * * *", interval=-HOUR))


class TestSeveralCrons:
    schedule = cron("0 6 * * *", "0 18 * * *", "0 6 * * mon")

    def test_union_without_doubles(self) -> None:
        run: DagRunInfo | None = ran("2024-05-11 18:00")  # Saturday
        found = []
        for _ in range(4):
            run = timetable_for(self.schedule).next_run(run, Restriction(None, None, True), at("2024-06-01"))
            assert run is not None
            found.append(run)
        assert found == [ran(f"2024-05-{day} {hour}") for day in (12, 13) for hour in ("06:00", "18:00")]

    def test_without_catchup_the_latest_missed_of_any(self) -> None:
        now = at("2024-05-12 17:00")
        run = timetable_for(self.schedule).next_run(ran("2024-05-10 06:00"), Restriction(), now)
        assert run == ran("2024-05-12 06:00")
        assert timetable_for(self.schedule).next_run(run, Restriction(), now) == ran("2024-05-12 18:00")

    def test_a_coming_tick_with_a_long_interval_is_not_taken_for_a_missed_one(self) -> None:
        schedule = cron("0 6 * * *", "0 18 * * *", interval=48 * HOUR)
        run = timetable_for(schedule).next_run(None, Restriction(at("2024-05-13")), at("2024-05-12 17:00"))
        assert run is not None
        assert run.run_after == at("2024-05-13 06:00")

    def test_words(self) -> None:
        assert timetable_for(self.schedule).summary == "0 6 * * *, 0 18 * * *, 0 6 * * mon"
        assert timetable_for(self.schedule).description == "At 06:00, At 18:00, At 06:00, on Monday"

    def test_none_is_refused(self) -> None:
        with pytest.raises(InvalidSchedule, match="at least one"):
            timetable_for(CronTriggerSchedule(crons=()))


@settings(max_examples=200, deadline=None)
@given(
    now=st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1)),
    last=st.integers(0, 100_000),
    begun=st.integers(0, 200_000),
    text=st.sampled_from(["*/5 * * * *", "@hourly", "30 2 * * *", "0 0 * * 1", "@monthly"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    catchup=st.booleans(),
)
def test_runs_follow_one_another(now: datetime, last: int, begun: int, text: str, zone: str, catchup: bool) -> None:
    """Whatever was missed: strictly later runs; catchup owes every tick, otherwise at most one lies behind."""
    timetable, moment = timetable_for(cron(text, timezone=zone)), now.replace(tzinfo=UTC)
    bounds = Restriction(moment - timedelta(minutes=begun), None, catchup)
    run = timetable.next_run(DagRunInfo.exact(moment - timedelta(minutes=last)), bounds, moment)
    overdue = 0
    for _ in range(5):
        assert run is not None
        assert run.run_after >= moment - timedelta(minutes=begun)
        overdue += run.run_after <= moment
        assert timetable.next_run(run, bounds, run.run_after) == timetable.next_run(
            run, Restriction(bounds.earliest, None, True), moment
        )
        following = timetable.next_run(run, bounds, moment)
        assert following is not None
        assert following.run_after > run.run_after
        run = following
    assert catchup or overdue <= 1


class TestDelta:
    hourly = DeltaTriggerSchedule(delta=delta_of(HOUR))

    @pytest.mark.parametrize(
        ("after", "earliest", "catchup", "expected"),
        [
            (None, None, False, "2024-05-10 12:30"),
            (None, None, True, "2024-05-10 12:30"),
            (None, "2024-05-10 08:10", True, "2024-05-10 08:10"),
            (None, "2024-05-10 08:10", False, "2024-05-10 12:10"),
            ("2024-05-10 08:10", None, True, "2024-05-10 09:10"),
            ("2024-05-10 08:10", None, False, "2024-05-10 12:10"),
            ("2024-05-10 12:10", "2024-05-01", False, "2024-05-10 13:10"),
            ("2024-05-10 12:10", "2024-05-20", True, "2024-05-20"),
            (None, "2024-05-20", False, "2024-05-20"),
        ],
    )
    def test_the_beat_is_kept(self, after: str | None, earliest: str | None, catchup: bool, expected: str) -> None:
        run = timetable_for(self.hourly).next_run(
            None if after is None else ran(after),
            Restriction(None if earliest is None else at(earliest), None, catchup),
            at("2024-05-10 12:30"),
        )
        assert run == ran(expected)

    def test_two_who_ask_a_moment_apart_name_the_same_run(self) -> None:
        timetable, bounds = timetable_for(self.hourly), Restriction(at("2024-05-01 00:10"))
        runs = {timetable.next_run(ran("2024-05-09 00:10"), bounds, at(f"2024-05-10 12:{m}:07.123")) for m in (30, 31)}
        assert runs == {ran("2024-05-10 12:10")}

    def test_end(self) -> None:
        bounds = Restriction(at("2024-05-10"), at("2024-05-10 02:00"), True)
        now = at("2024-05-11")
        assert timetable_for(self.hourly).next_run(ran("2024-05-10 01:00"), bounds, now) == ran("2024-05-10 02:00")
        assert timetable_for(self.hourly).next_run(ran("2024-05-10 02:00"), bounds, now) is None

    def test_interval(self) -> None:
        timetable = timetable_for(DeltaTriggerSchedule(delta=delta_of(HOUR), interval=delta_of(2 * HOUR)))
        run = timetable.next_run(ran("2024-05-10 12:00"), Restriction(), at("2024-05-10 12:30"))
        assert run == DagRunInfo.interval(at("2024-05-10 11:00"), at("2024-05-10 13:00"))
        assert timetable.infer_manual_interval(at("2024-05-10 12:00"))[0] == at("2024-05-10 10:00")

    def test_the_calendar_ends(self) -> None:
        assert timetable_for(self.hourly).next_run(ran("9999-12-31 23:30"), Restriction(), at("2024-05-10")) is None


class TestEvents:
    schedule = events_of([at("2024-05-03"), at("2024-05-01"), at("2024-05-02"), at("2024-05-02")])

    @pytest.mark.parametrize(
        ("after", "earliest", "catchup", "now", "expected"),
        [
            (None, None, False, "2024-04-30", "2024-05-01"),
            (None, None, False, "2024-05-01 00:00:01", "2024-05-01"),
            (None, None, False, "2024-05-01 12:00", "2024-05-02"),
            (None, "2024-04-01", False, "2024-05-01 12:00", "2024-05-02"),
            (None, "2024-05-03", False, "2024-05-01 12:00", "2024-05-03"),
            (None, None, True, "2024-05-02 12:00", "2024-05-01"),
            (None, "2024-05-01 00:01", True, "2024-05-02 12:00", "2024-05-02"),
            ("2024-05-01", None, True, "2024-05-08", "2024-05-02"),
            ("2024-05-01", None, False, "2024-05-08", "2024-05-03"),
            ("2024-05-03", None, False, "2024-05-08", None),
            ("2024-05-03", None, True, "2024-05-08", None),
            (None, None, False, "2024-05-08", None),
        ],
    )
    def test_next(self, after: str | None, earliest: str | None, catchup: bool, now: str, expected: str | None) -> None:
        run = timetable_for(self.schedule).next_run(
            None if after is None else ran(after),
            Restriction(None if earliest is None else at(earliest), None, catchup),
            at(now),
        )
        assert run == (None if expected is None else ran(expected))

    def test_end(self) -> None:
        bounds = Restriction(None, at("2024-05-02"), True)
        assert timetable_for(self.schedule).next_run(ran("2024-05-01"), bounds, at("2024-04-01")) == ran("2024-05-02")
        assert timetable_for(self.schedule).next_run(ran("2024-05-02"), bounds, at("2024-04-01")) is None

    @pytest.mark.parametrize(
        ("restrict", "asked", "expected"),
        [
            (False, "2024-05-02 12:00", "2024-05-02 12:00"),
            (True, "2024-05-02 12:00", "2024-05-02"),
            (True, "2024-05-02", "2024-05-02"),
            (True, "2024-04-01", "2024-05-01"),
            (True, "2025-04-01", "2024-05-03"),
        ],
    )
    def test_manual(self, restrict: bool, asked: str, expected: str) -> None:
        schedule = events_of(self.schedule.instants, restrict_to_events=restrict)
        assert timetable_for(schedule).infer_manual_interval(at(asked)) == (at(expected), at(expected))

    def test_words(self) -> None:
        assert timetable_for(self.schedule).summary == "3 events"
        assert timetable_for(self.schedule).description.startswith("3 events between 2024-05-01T00:00:00+00:00 and")
        named = timetable_for(events_of([], description="Matches"))
        assert (named.summary, named.description) == ("Matches", "Matches")
        assert timetable_for(events_of([])).description == "No events"
        assert timetable_for(events_of([], restrict_to_events=True)).infer_manual_interval(at("2024-05-01")) == (
            at("2024-05-01"),
            at("2024-05-01"),
        )
