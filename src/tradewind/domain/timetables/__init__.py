"""When a DAG runs by itself. Pure decisions: schedules in, runs out, the time is an argument.

Begin with `choose.timetable_for` (schedule → timetable) and `base.Timetable` (what it is asked). `ticks` has the
rule of daylight saving, `trigger`, `interval` and `simple` those of catching up, `cron_text` says what a cron may be.
"""

from .base import DagRunInfo, Restriction, Timetable
from .choose import parse_schedule, timetable_for
from .cron_text import PRESETS, parse_cron
from .upcoming import upcoming
from .zone_clock import find_zone

__all__ = [
    "DagRunInfo",
    "PRESETS",
    "Restriction",
    "Timetable",
    "find_zone",
    "parse_cron",
    "parse_schedule",
    "timetable_for",
    "upcoming",
]
