"""From a schedule of the wire to the timetable that decides for it; from the text an author writes to a schedule."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import (
    AssetSchedule,
    ContinuousSchedule,
    CronIntervalSchedule,
    CronPartitionSchedule,
    CronTriggerSchedule,
    CustomSchedule,
    DeltaIntervalSchedule,
    DeltaTriggerSchedule,
    EventsSchedule,
    NullSchedule,
    OnceSchedule,
    PartitionedAssetSchedule,
    RuntimePartitionSchedule,
    Schedule,
)

from .assets import AssetTimetable
from .base import Timetable, in_utc
from .cron_text import normal_text
from .custom import CustomTimetable
from .deltas import Backdate, Step
from .interval import CronIntervalTimetable, DeltaIntervalTimetable
from .jitter import Jitter
from .partitions import CronPartitionTimetable
from .simple import ContinuousTimetable, NullTimetable, OnceTimetable
from .ticks import CronTicks
from .trigger import CronTriggerTimetable, DeltaTriggerTimetable, EventsTimetable

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Schedule).decode


def timetable_for(schedule: Schedule) -> Timetable:
    """The timetable of a schedule; one object per schedule, kept. Raises `InvalidSchedule` for one that cannot be."""
    # Keyed by the encoding, because Python takes `True` and `1.0` (run_immediately) for the same key.
    return _timetable(_encode(schedule))


def parse_schedule(value: str, timezone: str = "UTC", *, data_intervals: bool = False) -> Schedule:
    """The schedule of a cron text or preset in a time zone (IANA name or `+05:30`).

    With `data_intervals` a cron means a run after each interval instead of a run at each tick.
    Raises `InvalidSchedule` naming the text and the field, or the time zone and the nearest known one.
    """
    text = normal_text(value)
    schedule: Schedule
    if text == "@once":
        schedule = OnceSchedule()
    elif text == "@continuous":
        schedule = ContinuousSchedule()
    elif data_intervals:
        schedule = CronIntervalSchedule(cron=text, timezone=timezone)
    else:
        schedule = CronTriggerSchedule(crons=(text,), timezone=timezone)
    timetable_for(schedule)
    return schedule


@lru_cache(maxsize=4096)
def _timetable(encoded: bytes) -> Timetable:
    schedule: Schedule = _decode(encoded)
    match schedule:
        case NullSchedule():
            return NullTimetable()
        case OnceSchedule():
            return OnceTimetable()
        case ContinuousSchedule():
            return ContinuousTimetable()
        case CronTriggerSchedule():
            if not schedule.crons:
                raise InvalidSchedule("a cron schedule needs at least one cron")
            ticks = [CronTicks(cron, schedule.timezone) for cron in schedule.crons]
            jitter = Jitter(schedule.jitter_seconds, schedule.jitter_key) if schedule.jitter_seconds else None
            return CronTriggerTimetable(ticks, Backdate(schedule.interval), schedule.run_immediately, jitter)
        case CronIntervalSchedule():
            return CronIntervalTimetable(CronTicks(schedule.cron, schedule.timezone))
        case DeltaTriggerSchedule():
            return DeltaTriggerTimetable(Step(schedule.delta), Backdate(schedule.interval))
        case DeltaIntervalSchedule():
            return DeltaIntervalTimetable(Step(schedule.delta))
        case EventsSchedule():
            instants = [in_utc(instant) for instant in schedule.instants]
            return EventsTimetable(instants, schedule.restrict_to_events, schedule.description)
        case AssetSchedule():
            time = timetable_for(schedule.time) if schedule.time is not None else None
            return AssetTimetable(schedule.condition, time)
        case PartitionedAssetSchedule():
            return AssetTimetable(schedule.condition, name="Partitioned asset")
        case CronPartitionSchedule():
            return CronPartitionTimetable(CronTicks(schedule.cron, schedule.timezone), schedule)
        case RuntimePartitionSchedule():
            return NullTimetable()
        case CustomSchedule():
            return CustomTimetable(schedule)
