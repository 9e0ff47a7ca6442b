"""Children are started again, passed on, and stopped in order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("supervised.py")
STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.1; done"
POLITE = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"


class Supervised:
    """The program under test, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def until(self, wanted: str, count: int = 1) -> None:
        """Read until a line came `count` times. The test's own time-out is the deadline."""
        assert self.process.stdout is not None
        while self.lines.count(wanted) < count:
            line = self.process.stdout.readline()
            assert line, f"it ended without {wanted!r}: {self.lines}\n{self.process.stderr}"
            self.lines.append(line.rstrip("\n"))

    def end(self, number: int = signal.SIGTERM) -> list[dict[str, Any]]:
        """Signal it and wait; the events that it logged."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> list[dict[str, Any]]:
        out, err = self.process.communicate()
        self.lines += out.splitlines()
        assert self.process.returncode == 0, err
        return [json.loads(line) for line in err.splitlines()]


@contextmanager
def supervised(*children: str, stop_seconds: float = 10.0) -> Iterator[Supervised]:
    command = [sys.executable, str(PROGRAM), str(stop_seconds), *children]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Supervised(process)
    finally:
        process.kill()
        process.communicate()


def test_output_is_passed_on_line_by_line_also_what_has_no_end() -> None:
    with supervised("talker:0:printf 'one\\ntwo'; echo three >&2; exec sleep 60") as program:
        program.until("talker| one")
        program.until("talker| twothree")
        program.end()


def test_a_child_that_ends_is_started_again_ever_later() -> None:
    with supervised("restless:0:echo up; exit 4") as program:
        program.until("restless| up", 4)
        events = program.end()
    waits = [event["again_in_seconds"] for event in events if event["event"] == "child_died"]
    assert waits[:3] == [0.05, 0.1, 0.2]
    assert max(waits) == 0.2
    assert all(event["how"] == "exit code 4" for event in events if event["event"] == "child_died")


def test_a_child_that_is_killed_is_told_by_its_signal() -> None:
    with supervised("shot:0:echo up; kill -9 $$") as program:
        program.until("shot| up", 2)
        events = program.end()
    assert any(event.get("how") == "ended by SIGKILL" for event in events)


def test_one_that_is_started_once_stays_ended() -> None:
    with supervised("once:0:echo done", f"other:0:{POLITE}") as program:
        program.until("once| done")
        program.until("other| up")
        events = program.end()
    assert program.lines.count("once| done") == 1
    assert not [event for event in events if event["event"] == "child_died"]


def test_they_stop_rank_by_rank() -> None:
    with supervised(f"last:2:{POLITE}", f"first:0:{POLITE}", f"second:1:{POLITE}") as program:
        for name in ("last", "first", "second"):
            program.until(f"{name}| up")
        program.end()
    assert [line for line in program.lines if line.endswith("bye")] == ["first| bye", "second| bye", "last| bye"]
    assert program.lines[-1] == "over"


def test_one_that_does_not_stop_is_killed_in_time_and_the_others_still_end_well() -> None:
    with supervised(f"stubborn:0:{STUBBORN}", f"polite:1:{POLITE}", stop_seconds=2.0) as program:
        program.until("stubborn| up")
        program.until("polite| up")
        began = time.monotonic()
        events = program.end(signal.SIGINT)
        assert time.monotonic() - began < 2.0
    assert program.lines[-1] == "over, forced"
    assert "polite| bye" in program.lines
    assert [event["child"] for event in events if event["event"] == "child_killed"] == ["stubborn"]


def test_a_second_signal_does_not_wait() -> None:
    with supervised(f"stubborn:0:{STUBBORN}", stop_seconds=60.0) as program:
        program.until("stubborn| up")
        program.process.send_signal(signal.SIGTERM)
        assert program.process.stderr is not None
        while "stopping" not in (line := program.process.stderr.readline()):
            assert line
        program.end()
    assert program.lines[-1] == "over, forced"


def test_a_child_that_waits_to_be_started_again_is_not_started_while_stopping() -> None:
    with supervised("restless:0:echo up; exit 1", f"polite:1:{POLITE}") as program:
        program.until("restless| up", 4)
        program.until("polite| up")
        events = program.end()
    stopping = next(i for i, event in enumerate(events) if event["event"] == "stopping")
    assert not [event for event in events[stopping:] if event["event"] == "child_started"]
