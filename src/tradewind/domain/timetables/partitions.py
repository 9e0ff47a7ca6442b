"""A timetable whose runs name partitions instead of logical dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from tradewind.wire.errors import BadInput
from tradewind.wire.partitions import KEY_LENGTH_MAX
from tradewind.wire.schedule import CronPartitionSchedule

from .base import DagRunInfo, Restriction
from .deltas import Backdate
from .ticks import CronTicks
from .trigger import CronTriggerTimetable
from .zone_clock import find_zone


class CronPartitionTimetable:
    """A run at each tick, for the partition whose date lies `run_offset` ticks from it."""

    periodic = True
    can_be_scheduled = True
    active_runs_limit: int | None = None

    def __init__(self, ticks: CronTicks, schedule: CronPartitionSchedule) -> None:
        self._ticks = ticks
        self._schedule = schedule
        self._zone = find_zone(schedule.timezone)
        self._trigger = CronTriggerTimetable([ticks], Backdate(None), schedule.run_immediately)

    @property
    def summary(self) -> str:
        """The cron."""
        return self._trigger.summary

    @property
    def description(self) -> str:
        """What the cron says."""
        return f"{self._trigger.description}, by partition"

    def next_run(self, after: DagRunInfo | None, restriction: Restriction, now: datetime) -> DagRunInfo | None:
        """The tick after the last one, with its partition. See `Timetable.next_run`."""
        run = self._trigger.next_run(after, restriction, now)
        return None if run is None else self.with_partition(run)

    def infer_manual_interval(self, run_after: datetime) -> tuple[datetime, datetime]:
        """That instant."""
        return run_after, run_after

    def partitions(self, earliest: datetime, latest: datetime) -> Iterator[DagRunInfo]:
        """A run for each partition whose date lies between the two, ends included."""
        date = self._ticks.at_or_after(earliest)
        while date is not None and date <= latest:
            yield replace(DagRunInfo.exact(date), partition_key=self.key_of(date), partition_date=date)
            date = self._ticks.after(date)

    def key_of(self, date: datetime) -> str:
        """The key of the partition of this date, written in the cron's time zone."""
        key = date.astimezone(self._zone).strftime(self._schedule.key_format)
        if not key.strip() or len(key) > KEY_LENGTH_MAX:
            raise BadInput(f"key_format {self._schedule.key_format!r} makes the key {key[:40]!r}: 1 to 250 characters")
        return key

    def date_of(self, key: str) -> datetime:
        """The date behind a key. Raises `BadInput` for a key that is not written so."""
        try:
            found = datetime.strptime(key, self._schedule.key_format)  # noqa: DTZ007 # the zone is the cron's
        except ValueError:
            raise BadInput(
                f"partition key {key!r} is not written as this schedule writes its keys "
                f"({self._schedule.key_format}), for example {self.key_of(datetime.fromtimestamp(0, self._zone))}"
            ) from None
        return found.replace(tzinfo=found.tzinfo or self._zone).astimezone(UTC)

    def with_partition(self, run: DagRunInfo) -> DagRunInfo:
        """The run of a tick with the partition it is for."""
        date: datetime | None = run.run_after
        for _ in range(abs(self._schedule.run_offset)):
            assert date is not None
            date = self._ticks.after(date) if self._schedule.run_offset > 0 else self._ticks.before(date)
            if date is None:
                return run
        assert date is not None
        return replace(run, partition_key=self.key_of(date), partition_date=date)
