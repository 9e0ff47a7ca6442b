"""The words of this room: what a timetable is asked and what it answers. All instants are aware; answers are in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DagRunInfo:
    """One run a timetable wants: due at `run_after`, named by `logical_date`, about the data of an interval; or, with
    a partition key, about that partition and without a logical date of its own."""

    run_after: datetime
    logical_date: datetime
    data_interval_start: datetime
    data_interval_end: datetime
    partition_key: str | None = None
    partition_date: datetime | None = None

    @classmethod
    def exact(cls, at: datetime) -> DagRunInfo:
        """A run at an instant, about that instant."""
        return cls(at, at, at, at)

    @classmethod
    def interval(cls, start: datetime, end: datetime) -> DagRunInfo:
        """A run at the end of an interval, named by its start."""
        return cls(end, start, start, end)


@dataclass(frozen=True, slots=True)
class Restriction:
    """What bounds the runs of a DAG.

    `earliest` and `latest` (start and end date, None: open) are inclusive. With `catchup` every tick since the start
    is run; without it only the latest missed one.
    """

    earliest: datetime | None = None
    latest: datetime | None = None
    catchup: bool = False

    def ends_before(self, instant: datetime) -> bool:
        """Whether `instant` lies after the end."""
        return self.latest is not None and self.latest < instant


class Timetable(Protocol):
    """Decides when a DAG runs by itself. Pure: the time is an argument, the same question has the same answer."""

    @property
    def summary(self) -> str:
        """Short text for lists: the cron, the delta, the preset."""
        ...

    @property
    def description(self) -> str:
        """A sentence for people."""
        ...

    @property
    def active_runs_limit(self) -> int | None:
        """The most runs that may be active at once; None: no limit of its own."""
        ...

    @property
    def periodic(self) -> bool:
        """Whether it ticks again and again, so that a backfill makes sense."""
        ...

    @property
    def can_be_scheduled(self) -> bool:
        """Whether it ever runs by itself."""
        ...

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The run that follows `after` (the last automated one, None: there was none), or None when there is none.

        It may lie in the past (it is due) or in the future, and is always later than `after`. Keep the answer until its
        run is made or the schedule changes: without start date or catchup a later question may have a later answer.
        """
        ...

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """The data interval (start, end) of a run that somebody triggers at `run_after`."""
        ...


def last_end(after: DagRunInfo) -> datetime:
    """Where the last automated run left off."""
    return after.data_interval_end.astimezone(UTC)


def in_utc(instant: datetime) -> datetime:
    """`instant` in UTC. Raises ValueError when it has no time zone, because guessing one would move every run."""
    if instant.utcoffset() is None:
        raise ValueError(f"the instant {instant!r} has no time zone")
    return instant.astimezone(UTC)
