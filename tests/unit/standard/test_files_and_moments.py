from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tradewind.sdk import DAG
from tradewind.sdk.errors import WrongArgument
from tradewind.standard import (
    DateTimeSensor,
    DateTimeSensorAsync,
    FileSensor,
    FSHook,
    TimeDeltaSensor,
    TimeSensor,
    WaitSensor,
)


def test_file_sensor_finds_files_patterns_and_folders(run: Any, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "deep" / "er" / "x.csv").touch()

    def found(path: str, **kwargs: Any) -> str:
        return str(run(FileSensor, filepath=path, timeout=100, soft_fail=True, **kwargs).state)

    assert found(str(tmp_path / "deep" / "er" / "x.csv")) == "success"
    assert found(str(tmp_path / "deep" / "*" / "*.csv")) == "success"
    assert found(str(tmp_path / "deep")) == "success"
    assert found(str(tmp_path / "empty")) == "skipped"
    assert found(str(tmp_path / "**" / "x.csv")) == "skipped"
    assert found(str(tmp_path / "**" / "x.csv"), recursive=True) == "success"


def test_file_sensor_below_a_connection(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "2024-01-01.txt").touch()
    ended = run(FileSensor, filepath="{{ ds }}.txt")
    assert "relative" in ended.reason
    assert "'fs_default' is not defined" in ended.reason
    monkeypatch.setenv("AIRFLOW_CONN_FS_DEFAULT", f'{{"conn_type": "fs", "extra": {{"path": "{tmp_path}"}}}}')
    assert run(FileSensor, filepath="{{ ds }}.txt").state == "success"
    assert FSHook().test_connection() == (True, f"{tmp_path} exists")


def test_moments_are_waited_for(run: Any) -> None:
    # The clock of these runs begins at 2024-01-01T00:00Z; pauses move it.
    assert run(DateTimeSensor, target_time="2024-01-01T01:00:00+00:00").state == "success"
    assert run(DateTimeSensor, target_time="{{ logical_date.add(hours=1) }}").state == "success"
    assert run(TimeSensor, target_time=time(0, 30)).state == "success"
    assert run(TimeDeltaSensor, delta=timedelta(minutes=5)).state == "success"
    assert run(WaitSensor, time_to_wait=2).state == "success"
    assert run(DateTimeSensor, target_time=datetime(2025, 1, 1, tzinfo=UTC), timeout=3600).state == "failed"
    assert "ISO form" in run(DateTimeSensor, target_time="tomorrow").reason


def test_a_moment_far_away_is_rescheduled_once(run: Any) -> None:
    from tradewind.kernel.clock import VirtualClock
    from tradewind.sdk.testing import run_dag

    clock, pauses = VirtualClock(), []

    def leap(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(3600)

    dag = DAG("d")
    DateTimeSensor(task_id="t", dag=dag, target_time=datetime(2024, 1, 1, 1, tzinfo=UTC), mode="reschedule")
    assert run_dag(dag, clock=clock, pause=leap).state == "success"
    assert len(pauses) == 1


def test_wrong_moments_are_refused() -> None:
    with pytest.raises(WrongArgument, match="target_time"):
        DateTimeSensor(task_id="t", target_time=5)  # type: ignore[arg-type]


def test_files_and_moments_that_are_there_need_no_trigger(run: Any, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert run(FileSensor, filepath=str(tmp_path / "x"), deferrable=True).state == "success"
    assert run(DateTimeSensor, target_time="2023-12-31T23:00:00+00:00", deferrable=True).state == "success"


def test_waits_in_the_triggerer_go_on_afterwards(run: Any) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=50)
    assert run(DateTimeSensorAsync, target_time=soon).state == "success"
    assert run(DateTimeSensor, target_time=soon, deferrable=True, end_from_trigger=True).state == "success"
