"""What a change of the clocks does to runs to come, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from tradewind.wire.schedule import Schedule

from .base import DagRunInfo
from .zone_clock import find_zone


def clock_notes(schedule: Schedule, runs: list[DagRunInfo], now: datetime) -> list[str]:
    """A note for each run, mostly empty: whether the clocks of the schedule's time zone change before it."""
    name = getattr(schedule, "timezone", None) or getattr(getattr(schedule, "time", None), "timezone", None)
    if not isinstance(name, str):
        return [""] * len(runs)
    zone = find_zone(name)
    notes, before = [], now
    for run in runs:
        change = _offset(run.run_after.astimezone(zone)) - _offset(before.astimezone(zone))
        notes.append(_words(change, name, run.run_after.astimezone(zone)) if change else "")
        before = run.run_after
    return notes


def _offset(at: datetime) -> timedelta:
    return at.utcoffset() or timedelta(0)


def _words(change: timedelta, zone: str, local: datetime) -> str:
    minutes = abs(int(change.total_seconds())) // 60
    length = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    way = "forward" if change > timedelta(0) else "back"
    return f"clocks in {zone} go {way} by {length} before it: {local.strftime('%H:%M')} there is {_utc(local)}"


def _utc(local: datetime) -> str:
    shown = local.strftime("%z")
    return f"UTC{shown[:3]}:{shown[3:]}"
