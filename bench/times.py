"""When user code began and ended, as the tasks themselves wrote it down: one line an attempt, in a file per DAG."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

NOTE = '''
import os
import time


def note(began, name):
    """The last thing a task does: one write, so that lines of several processes do not mix."""
    file = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{{name}} {{began}} {{time.time_ns()}}\\n".encode())
    os.close(file)
'''
"""Python text for the head of a DAG file; `path` is filled in."""


class Attempt(NamedTuple):
    """One attempt of a task: nanoseconds since the epoch at the first and the last line of its user code."""

    task: str
    began: int
    ended: int


class SideFile:
    """The lines of one DAG, read run by run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def note_text(self) -> str:
        """What a DAG file needs to write here."""
        return NOTE.format(path=str(self.path))

    def new_lines(self) -> list[Attempt]:
        """What was written since the last call."""
        if not self.path.exists():
            return []
        with self.path.open() as file:
            file.seek(self._read)
            text = file.read()
        self._read += len(text)
        return [Attempt(name, int(began), int(ended)) for name, began, ended in map(str.split, text.splitlines())]


def hops_ms(chain: list[Attempt]) -> list[float]:
    """From the end of one task's user code to the start of the next one's, in a run of a chain."""
    ordered = sorted(chain, key=lambda attempt: attempt.began)
    return [(after.began - before.ended) / 1e6 for before, after in pairwise(ordered)]
