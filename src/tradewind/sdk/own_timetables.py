"""Timetables that authors write themselves: the words they are asked in, and how they are asked.

A timetable of one's own subclasses `Timetable` and answers `next_dagrun_info` (or `next_dagrun_info_v2`). It is never
asked in a server process.
"""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tradewind.wire.schedule import CustomSchedule
from tradewind.wire.timetables import RunWish, TimetableAnswer, TimetableQuestion

from .errors import WrongValue

if TYPE_CHECKING:
    from pendulum import DateTime

    from .timetables import Timetable

_TRACE_LENGTH_MAX = 8000


class DataInterval(NamedTuple):
    """What a run is about: from `start` to `end`."""

    start: DateTime
    end: DateTime

    @classmethod
    def exact(cls, at: DateTime) -> DataInterval:
        """An instant."""
        return cls(at, at)


class TimeRestriction(NamedTuple):
    """What bounds the runs of a DAG: start and end date, and whether missed runs are made up."""

    earliest: DateTime | None
    latest: DateTime | None
    catchup: bool


class DagRunInfo(NamedTuple):
    """A run that a timetable wants."""

    run_after: DateTime
    data_interval: DataInterval | None
    partition_date: DateTime | None = None
    partition_key: str | None = None

    @classmethod
    def exact(cls, at: DateTime) -> DagRunInfo:
        """At an instant, about that instant."""
        return cls(at, DataInterval.exact(at))

    @classmethod
    def interval(cls, start: DateTime, end: DateTime) -> DagRunInfo:
        """At the end of an interval, about it."""
        return cls(end, DataInterval(start, end))

    @property
    def logical_date(self) -> DateTime | None:
        """The start of the interval."""
        return None if self.data_interval is None else self.data_interval.start


def is_own(timetable: Timetable) -> bool:
    """Whether the author wrote what decides about the next run."""
    from .timetables import Timetable as Base

    kind = type(timetable)
    return any(getattr(kind, name) is not getattr(Base, name) for name in ("next_dagrun_info", "next_dagrun_info_v2"))


def own_schedule(timetable: Timetable) -> CustomSchedule:
    """The words of an author's timetable. Raises `WrongValue` when what it says of itself is not right."""
    kind = type(timetable)
    timetable.validate()
    try:
        data = json.dumps(timetable.serialize(), sort_keys=True, default=str)
    except (TypeError, ValueError) as error:
        raise WrongValue(f"{kind.__name__}.serialize() must return JSON data: {error}") from None
    limit = timetable.active_runs_limit
    return CustomSchedule(
        path=f"{kind.__module__}.{kind.__qualname__}",
        data=data,
        summary=str(timetable.summary),
        description=str(timetable.description or ""),
        periodic=bool(timetable.periodic),
        can_be_scheduled=bool(timetable.can_be_scheduled),
        active_runs_limit=None if limit is None else int(limit),
    )


def next_runs(timetable: Any, question: TimetableQuestion) -> TimetableAnswer:
    """Ask a timetable for its next runs, each with the one before as the last; what it raises is the answer's
    problem."""
    restriction = TimeRestriction(_moment(question.earliest), _moment(question.latest), question.catchup)
    last = None if question.last is None else _info(question.last)
    runs: list[RunWish] = []
    while len(runs) < question.count:
        try:
            found = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=restriction)
            if found is None:
                break
            wish = _wish(found)
        except Exception as error:
            text = "".join(traceback.format_exception(error))[-_TRACE_LENGTH_MAX:]
            if runs:
                break  # the next run is known; what is beyond it is only shown
            line = str(error).strip().splitlines()
            said = f": {line[0]}" if line else ""
            return TimetableAnswer(problem=f"raised {type(error).__name__}{said}", traceback=text)
        if runs and wish.run_after <= runs[-1].run_after:
            break
        runs.append(wish)
        last = found
    return TimetableAnswer(runs=tuple(runs))


def _info(wish: RunWish) -> DagRunInfo:
    start, end = _moment(wish.data_interval_start), _moment(wish.data_interval_end)
    interval = DataInterval(start, end) if start is not None and end is not None else None
    after = _moment(wish.run_after)
    assert after is not None
    return DagRunInfo(after, interval)


def _wish(info: Any) -> RunWish:
    if not isinstance(info, DagRunInfo):
        raise TypeError(
            f"next_dagrun_info must return a DagRunInfo or None, not {info!r} of type {type(info).__name__}"
        )
    interval = info.data_interval
    return RunWish(
        run_after=_in_utc("run_after", info.run_after),
        logical_date=None if interval is None else _in_utc("data_interval.start", interval.start),
        data_interval_start=None if interval is None else _in_utc("data_interval.start", interval.start),
        data_interval_end=None if interval is None else _in_utc("data_interval.end", interval.end),
    )


def _in_utc(what: str, at: Any) -> datetime:
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise TypeError(f"{what} must be a datetime with a time zone, not {at!r}")
    found = at.astimezone(UTC)
    return datetime(
        found.year, found.month, found.day, found.hour, found.minute, found.second, found.microsecond, tzinfo=UTC
    )


def _moment(at: datetime | None) -> DateTime | None:
    if at is None:
        return None
    import pendulum

    return pendulum.instance(at).in_timezone("UTC")
