"""Branches and waits by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from tradewind.kernel.clock import VirtualClock
from tradewind.sdk import DAG
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.testing import run_dag
from tradewind.standard import (
    BranchDateTimeOperator,
    BranchDayOfWeekOperator,
    DayOfWeekSensor,
    EmptyOperator,
    LatestOnlyOperator,
    SmoothOperator,
    WeekDay,
)

MONDAY = datetime(2024, 1, 1, 12, tzinfo=UTC)


def branch(operator: Any, at: datetime = MONDAY, **kwargs: Any) -> str:
    """Which of `yes` and `no` is followed at an instant."""
    dag = DAG("d", schedule=None)
    with dag:
        chooser = operator(task_id="t", follow_task_ids_if_true="yes", follow_task_ids_if_false="no", **kwargs)
        chooser >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]
    tested = run_dag(dag, clock=VirtualClock(at), logical_date=kwargs.pop("of", at))
    (followed,) = [name for name in ("yes", "no") if tested.get_task_instance(name).state == "success"]  # type: ignore[union-attr]
    return followed


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (MONDAY, None, "yes"),
        (MONDAY + timedelta(seconds=1), None, "no"),
        (None, MONDAY - timedelta(seconds=1), "no"),
        (time(11), time(13), "yes"),
        (time(13), time(11), "no"),
        (time(11), time(1), "yes"),
    ],
)
def test_branch_between_moments(lower: Any, upper: Any, expected: str) -> None:
    assert branch(BranchDateTimeOperator, target_lower=lower, target_upper=upper) == expected


def test_a_branch_between_moments_needs_a_bound_and_one_kind() -> None:
    with pytest.raises(AirflowException, match="target_lower"):
        BranchDateTimeOperator(
            task_id="t", follow_task_ids_if_true="a", follow_task_ids_if_false="b", target_lower=None, target_upper=None
        )


@pytest.mark.parametrize(
    ("days", "expected"),
    [("Monday", "yes"), (["tuesday", "MONDAY"], "yes"), (WeekDay.SUNDAY, "no"), ({WeekDay.MONDAY: 1}, "yes")],
)
def test_branch_on_the_day(days: Any, expected: str) -> None:
    assert branch(BranchDayOfWeekOperator, week_day=days) == expected


def test_wrong_days_are_named() -> None:
    with pytest.raises(AttributeError, match="'Mondey'"):
        DayOfWeekSensor(task_id="t", week_day="Mondey")
    with pytest.raises(TypeError, match="5"):
        DayOfWeekSensor(task_id="t", week_day=[5])  # type: ignore[list-item]


def test_waiting_for_a_day(run: Any) -> None:
    # These runs begin on Monday, 2024-01-01; pauses move the clock.
    assert run(DayOfWeekSensor, week_day="Tuesday", poke_interval=3600).state == "success"
    assert run(DayOfWeekSensor, week_day="Sunday", use_task_logical_date=True, timeout=7200).state == "failed"
    assert run(SmoothOperator).state == "success"


@pytest.mark.parametrize(
    ("late", "run_type", "expected"),
    [(1, "scheduled", ["then"]), (48, "scheduled", []), (48, "manual", ["then"])],
)
def test_only_the_newest_interval_goes_on(late: int, run_type: str, expected: list[str]) -> None:
    from types import SimpleNamespace

    from tradewind.sdk.attempt import Attempt, working_on

    date = datetime(2024, 1, 1, tzinfo=UTC)
    dag = DAG("d", schedule="@daily", start_date=datetime(2023, 1, 1, tzinfo=UTC))
    with dag:
        latest = LatestOnlyOperator(task_id="latest")
        latest >> EmptyOperator(task_id="then")
    run = SimpleNamespace(
        run_type=run_type, logical_date=date, run_after=date, data_interval_start=date, data_interval_end=date
    )
    client: Any = None
    with working_on(Attempt(client, "", VirtualClock(date + timedelta(hours=late)))):
        assert latest.choose_branch({"dag_run": run}) == expected
