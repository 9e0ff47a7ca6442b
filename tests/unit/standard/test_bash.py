from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tradewind.sdk import DAG
from tradewind.standard import BashOperator, BashSensor


def test_the_last_line_is_the_output(run: Any) -> None:
    ended = run(BashOperator, bash_command="echo {{ ds }}; echo {{ params.n }}", params={"n": 5})
    assert (ended.state, ended.value) == ("success", "5")
    assert ended.fields["bash_command"] == "echo 2024-01-01; echo 5"


def test_output_processor(run: Any) -> None:
    assert run(BashOperator, bash_command="echo 41", output_processor=lambda line: int(line) + 1).value == 42


@pytest.mark.parametrize(
    ("code", "kwargs", "state"),
    [
        (1, {}, "failed"),
        (99, {}, "skipped"),
        (99, {"skip_on_exit_code": None}, "failed"),
        (3, {"skip_on_exit_code": [3, 4]}, "skipped"),
        (0, {}, "success"),
    ],
)
def test_exit_codes(run: Any, code: int, kwargs: Any, state: str) -> None:
    ended = run(BashOperator, bash_command=f"echo why; exit {code}", **kwargs)
    assert ended.state == state
    if state == "failed":
        assert f"exit code {code}; its last line: why" in ended.reason


def test_environment(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE", "o")
    command = "echo ${OUTSIDE:-none} ${MINE:-none} $AIRFLOW_CTX_TASK_ID"
    assert run(BashOperator, bash_command=command).value == "o none t"
    assert run(BashOperator, bash_command=command, env={"MINE": "{{ ds }}"}).value == "none 2024-01-01 t"
    assert run(BashOperator, bash_command=command, env={"MINE": "m"}, append_env=True).value == "o m t"


def test_script_files_are_rendered(run: Any, tmp_path: Path) -> None:
    (tmp_path / "script.sh").write_text("echo from {{ task.task_id }}")
    assert (
        run(BashOperator, bash_command="script.sh", dag=DAG("d", template_searchpath=str(tmp_path))).value == "from t"
    )


def test_cwd(run: Any, tmp_path: Path) -> None:
    assert run(BashOperator, bash_command="pwd", cwd=str(tmp_path)).value == str(tmp_path)
    assert "Can not find the cwd" in run(BashOperator, bash_command="pwd", cwd="/nowhere").reason


def test_an_empty_command_is_refused(run: Any) -> None:
    assert "bash_command of task 't' must be a command" in run(BashOperator, bash_command=" ").reason


def test_a_time_out_ends_the_command(run: Any) -> None:
    from datetime import timedelta

    ended = run(BashOperator, bash_command="exec sleep 1000", execution_timeout=timedelta(seconds=0.1))
    assert ended.state == "failed"
    assert "execution_timeout" in ended.reason


def test_sensor(run: Any, tmp_path: Path) -> None:
    counter = f"echo x >> {tmp_path}/n; test $(wc -l < {tmp_path}/n) -ge 3"
    assert run(BashSensor, bash_command=counter).state == "success"
    ended = run(BashSensor, bash_command="exit 7", retry_exit_code=8)
    assert ended.state == "failed"
    assert "exit code 7; only 8 means: not yet" in ended.reason
