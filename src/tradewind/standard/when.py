"""Going on, or waiting, by the calendar: newest interval, windows of time, days of the week."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum
from typing import Any

from tradewind.domain.timetables.base import DagRunInfo, Restriction
from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.branching import BaseBranchOperator
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.operator import BaseOperator
from tradewind.sdk.sensor import BaseSensorOperator


class WeekDay(IntEnum):
    """Days of the week as `isoweekday` counts them."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7

    @classmethod
    def get_weekday_number(cls, week_day_str: str) -> int:
        """Number of a day by its English name. Raises `AttributeError` for another text."""
        try:
            return cls[week_day_str.strip().upper()].value
        except KeyError:
            raise AttributeError(
                f"{week_day_str!r} is no day of the week; write one of {', '.join(day.name.title() for day in cls)}"
            ) from None

    @classmethod
    def convert(cls, day: str | WeekDay) -> int:
        """Number of a day given either way. Raises `AttributeError`, `TypeError`."""
        if isinstance(day, cls):
            return day.value
        if isinstance(day, str):
            return cls.get_weekday_number(day)
        raise TypeError(f"a day of the week is a WeekDay or its name, not {day!r} of type {type(day).__name__}")

    @classmethod
    def validate_week_day(cls, week_day: str | WeekDay | Iterable[str | WeekDay]) -> set[int]:
        """Numbers of one or several days. Raises `AttributeError`, `TypeError`."""
        if isinstance(week_day, str | WeekDay):
            return {cls.convert(week_day)}
        if not isinstance(week_day, Iterable):
            raise TypeError(f"week_day must be a day or several, not {week_day!r} of type {type(week_day).__name__}")
        return {cls.convert(day) for day in week_day}


class LatestOnlyOperator(BaseBranchOperator):
    """Skip what is directly downstream, unless this run is of the newest interval. Runs that a person or another DAG
    asked for always go on.
    """

    ui_color = "#e9ffdb"

    def choose_branch(self, context: Any) -> list[str]:
        """All direct downstream tasks, or none."""
        everything = sorted(self.downstream_task_ids)
        run = context["dag_run"]
        if str(run.run_type) in {"manual", "operator_triggered"}:
            self.log.info("A run of type %s: going on", run.run_type)
            return everything
        now, window = now_of_attempt(), self._newest_from_to(run)
        if window is None or window[0] <= now <= window[1]:
            return everything
        self.log.info("%s is not between %s and %s: this is not the newest interval", now, *window)
        return []

    def _newest_from_to(self, run: Any) -> tuple[datetime, datetime] | None:
        """While the run is the newest: from the end of its interval to the next run. None: nothing comes after it."""
        end = run.data_interval_end or run.run_after
        start = run.data_interval_start or end
        before = DagRunInfo(run.run_after, run.logical_date or start, start, end)
        following = self.dag.timetable.next_run(before, Restriction(catchup=True), now_of_attempt())
        return None if following is None else (end, following.run_after)


class BranchDateTimeOperator(BaseBranchOperator):
    """Branch on whether it is between two moments; both are included.

    Parameters:
        follow_task_ids_if_true, follow_task_ids_if_false: tasks or groups to follow.
        target_lower, target_upper: bounds, at least one: instants, or times of the day. With two times, an upper one
        that is earlier than the lower is meant on the next day.
        use_task_logical_date: compare the logical date instead of the present.

    Raises:
        AirflowException: no bound, or bounds of two kinds.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        target_lower: datetime | time | None,
        target_upper: datetime | time | None,
        use_task_logical_date: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if target_lower is None and target_upper is None:
            raise AirflowException(f"task {self.task_id!r} needs target_lower, target_upper or both")
        self.target_lower = target_lower
        self.target_upper = target_upper
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.use_task_logical_date = use_task_logical_date

    def choose_branch(self, context: Any) -> str | Iterable[str]:
        """Which side the moment is on."""
        now = _moment(context, self.use_task_logical_date)
        lower, upper = _window(self.target_lower, self.target_upper, now)
        within = (lower is None or lower <= now) and (upper is None or now <= upper)
        return self.follow_task_ids_if_true if within else self.follow_task_ids_if_false


class BranchDayOfWeekOperator(BaseBranchOperator):
    """Branch on the day of the week.

    Parameters:
        follow_task_ids_if_true, follow_task_ids_if_false: tasks or groups to follow.
        week_day: one or several days: names, or `WeekDay`.
        use_task_logical_date: of the logical date instead of the present.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        week_day: str | WeekDay | Iterable[str | WeekDay],
        use_task_logical_date: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date
        self._days = WeekDay.validate_week_day(week_day)

    def choose_branch(self, context: Any) -> str | Iterable[str]:
        """Whether it is one of the days."""
        today = _moment(context, self.use_task_logical_date).isoweekday()
        return self.follow_task_ids_if_true if today in self._days else self.follow_task_ids_if_false


class DayOfWeekSensor(BaseSensorOperator):
    """Wait for a day of the week.

    Parameters:
        week_day: one or several days: names, or `WeekDay`.
        use_task_logical_date: of the logical date instead of the present.
    """

    def __init__(
        self,
        *,
        week_day: str | WeekDay | Iterable[str | WeekDay],
        use_task_logical_date: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date
        self._days = WeekDay.validate_week_day(week_day)

    def poke(self, context: Any) -> bool:
        """Whether it is one of the days."""
        today = _moment(context, self.use_task_logical_date).isoweekday()
        self.log.info("Poking for a day among %s; it is %s", sorted(self._days), today)
        return today in self._days


class SmoothOperator(BaseOperator):
    """Says where to find a song."""

    ui_color = "#e8f7e4"

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        self.log.info("Enjoy Sade - Smooth Operator: https://www.youtube.com/watch?v=4TYv2PhG89A")


def _moment(context: Any, of_run: bool) -> datetime:
    """The present, or the logical date (`run_after` without one), in the zone of the DAG."""
    if of_run:
        run = context["dag_run"]
        moment: datetime = run.logical_date or run.run_after
        return moment.astimezone(context["dag"].timezone)
    return now_of_attempt().astimezone(context["dag"].timezone)


def _window(
    lower: datetime | time | None, upper: datetime | time | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    kinds = {type(bound) for bound in (lower, upper) if bound is not None}
    if any(issubclass(kind, time) for kind in kinds) and any(issubclass(kind, datetime) for kind in kinds):
        raise AirflowException("target_lower and target_upper must both be instants or both be times of the day")
    first, last = _at(lower, now), _at(upper, now)
    if isinstance(lower, time) and isinstance(upper, time) and first is not None and last is not None and last < first:
        last += timedelta(days=1)
    return first, last


def _at(bound: datetime | time | None, now: datetime) -> datetime | None:
    """A bound as an instant: a time is meant on the day of `now`, one without zone in the zone of `now`."""
    if bound is None:
        return None
    moment = bound if isinstance(bound, datetime) else datetime.combine(now.date(), bound)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def now_of_attempt() -> datetime:
    """The present, by the clock of the attempt."""
    attempt = attempt_at_hand()
    return attempt.clock.now() if attempt is not None else datetime.now(UTC)
