"""What a timetable of an author's own is asked, and what it answers: words between a server process and the child that
loads the DAG file.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class RunWish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that a timetable names. Instants in UTC."""

    run_after: datetime
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None


class TimetableQuestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which runs come next?"""

    dag_id: str
    file: str
    """Inside the bundle."""
    last: RunWish | None = None
    """The last automated run."""
    earliest: datetime | None = None
    latest: datetime | None = None
    catchup: bool = False
    count: int = 1
    """How many runs, each asked for with the one before as the last."""


class TimetableAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The runs, or what went wrong."""

    runs: tuple[RunWish, ...] = ()
    problem: str | None = None
    """One line that goes on from "its timetable": "raised ValueError: ..."."""
    traceback: str = ""


class TimetableOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The question with where the code lies and how long it may take."""

    question: TimetableQuestion
    tree: str
    """Folder of the bundle version."""
    seconds: float
    memory_bytes_max: int
