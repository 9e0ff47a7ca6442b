from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.shell import LINE_BYTES_MAX, ShellCommand, run_bash


def lives(pid: int) -> bool:
    """A process that ended and that nobody waited for still has its entry, as a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_lines_and_result() -> None:
    lines: list[str] = []
    result = run_bash("echo one; echo two >&2; printf three; exit 4", on_line=lines.append)
    assert sorted(lines) == ["one", "three", "two"]
    assert (result.exit_code, result.output) == (4, "three")


def test_environment_and_folder(tmp_path: Path) -> None:
    assert run_bash("echo $A $HOME", env={"A": "x", "PATH": os.environ["PATH"]}).output == "x"
    assert run_bash("pwd", cwd=str(tmp_path)).output == str(tmp_path)
    own = Path(run_bash("touch made; pwd").output)
    assert not own.exists()
    with pytest.raises(AirflowException, match="Can not find the cwd"):
        run_bash("pwd", cwd=str(tmp_path / "gone"))
    (tmp_path / "file").touch()
    with pytest.raises(AirflowException, match="must be a directory"):
        run_bash("pwd", cwd=str(tmp_path / "file"))


def test_bytes_that_are_not_text_and_endless_lines() -> None:
    assert run_bash(r"printf '\xff'").output == r"\xff"
    lines: list[str] = []
    run_bash(f"head -c {3 * LINE_BYTES_MAX} /dev/zero | tr '\\0' x", on_line=lines.append)
    assert [len(line) for line in lines] == [LINE_BYTES_MAX] * 3


def test_megabytes_pass_through() -> None:
    count = [0]

    def counts(_line: str) -> None:
        count[0] += 1

    assert run_bash("seq 1 300000", on_line=counts).output == "300000"
    assert count == [300_000]


def test_stop_ends_the_command_and_what_it_started() -> None:
    pids: list[int] = []
    begun = threading.Event()

    def on_line(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            begun.set()

    command = ShellCommand("echo $$; bash -c 'echo $$; exec sleep 1000' & wait", on_line=on_line)
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(command.run()))
    thread.start()
    assert begun.wait(20)
    command.stop()
    thread.join(20)
    assert results[0].exit_code < 0
    assert not any(map(lives, pids))
    command.stop()


def test_a_command_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradewind.sdk.shell.KILL_GRACE_SECONDS", 0.05)
    begun = threading.Event()
    command = ShellCommand(
        "trap '' TERM; echo ready; while true; do read -t 1 <> <(:); done", on_line=lambda _: begun.set()
    )
    thread = threading.Thread(target=command.run)
    thread.start()
    assert begun.wait(20)
    command.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_an_exception_while_reading_ends_it() -> None:
    def fails(_line: str) -> None:
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        run_bash("echo x; exec sleep 1000", on_line=fails)
