"""Asking a timetable of an author's own from a server process, which imports no user code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tradewind.wire.timetables import TimetableAnswer, TimetableOrder, TimetableQuestion

_MODULE = "tradewind.runtime.timetable_child"


def ask_timetable(
    question: TimetableQuestion, tree: Path, environment: Mapping[str, str], *, seconds: float, memory_bytes_max: int
) -> TimetableAnswer:
    """What the timetable says; whatever goes wrong is part of the answer.

    Parameters:
        tree: folder of the bundle version.
        environment: of the child: nothing secret.
        seconds: after so long the child and what it started are ended.
    """
    order = TimetableOrder(question=question, tree=str(tree), seconds=seconds, memory_bytes_max=memory_bytes_max)
    process = subprocess.Popen(
        [sys.executable, "-m", _MODULE],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        told, errors = process.communicate(msgspec.json.encode(order), timeout=seconds)
    except subprocess.TimeoutExpired:
        return TimetableAnswer(problem=f"did not answer within {seconds:g} s")
    finally:
        _end(process)
    try:
        return msgspec.json.decode(told, type=TimetableAnswer)
    except msgspec.DecodeError:
        last = errors.decode(errors="replace").strip().splitlines()
        said = f": {last[-1]}" if last else ""
        return TimetableAnswer(problem=f"ended its process with code {process.returncode}{said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """The child and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all gone
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            stream.close()
