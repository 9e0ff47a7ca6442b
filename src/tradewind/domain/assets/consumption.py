"""Which of the waiting events one run takes. The answer names the events, so that a run is made once for each set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tradewind.wire.schedule import AssetSchedule

from .conditions import describe, is_met, missing


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event at its place in the log of a topic."""

    topic: str
    place: int
    """Rises by one with each event of the topic."""
    event_id: int
    at: datetime
    partition_key: str | None = None


@dataclass(frozen=True, slots=True)
class Taking:
    """What one run takes."""

    event_ids: tuple[int, ...]
    """Ascending, each once."""
    places: dict[str, int] = field(hash=False)
    """Topic → how far its log is read after this."""
    at: datetime
    """When the last of the events happened."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run or none, and why."""

    taking: Taking | None
    reason: str
    again_at: datetime | None = None
    """When time alone may change the answer."""


def decide(schedule: AssetSchedule, waiting: Sequence[Waiting], now: datetime) -> Verdict:
    """What the next run takes of the events that wait, in the consumer's mode of delivery."""
    by_topic: dict[str, list[Waiting]] = {}
    for each in sorted(waiting, key=lambda one: (one.topic, one.place)):
        by_topic.setdefault(each.topic, []).append(each)
    if not is_met(schedule.condition, by_topic):
        gap = missing(schedule.condition, by_topic)
        return Verdict(None, f"waits for events of {describe(gap)}" if gap is not None else "waits for events")
    match schedule.delivery.mode:
        case "every":
            return _taken([events[0] for events in by_topic.values()], by_topic, all_read=False)
        case "latest":
            return _taken([events[-1] for events in by_topic.values()], by_topic, all_read=True)
        case "batch":
            return _batch(schedule, by_topic, now)
        case _:
            return _taken([each for events in by_topic.values() for each in events], by_topic, all_read=True)


def _batch(schedule: AssetSchedule, by_topic: dict[str, list[Waiting]], now: datetime) -> Verdict:
    count, seconds = schedule.delivery.count, schedule.delivery.seconds
    everything = [each for events in by_topic.values() for each in events]
    events = {each.event_id for each in everything}
    if count is not None and len(events) >= count:
        return _taken(everything, by_topic, all_read=True)
    if seconds is not None:
        due = min(each.at for each in everything) + timedelta(seconds=seconds)
        if due <= now:
            return _taken(everything, by_topic, all_read=True)
        return Verdict(None, f"gathers events until {due.isoformat()}: {len(events)} wait", due)
    return Verdict(None, f"gathers events: {len(events)} of {count} wait")


def _taken(chosen: Sequence[Waiting], by_topic: dict[str, list[Waiting]], *, all_read: bool) -> Verdict:
    places = {
        topic: events[-1].place if all_read else next(each.place for each in chosen if each.topic == topic)
        for topic, events in by_topic.items()
    }
    ids = tuple(sorted({each.event_id for each in chosen}))
    return Verdict(Taking(ids, places, max(each.at for each in chosen)), f"{len(ids)} events wait")
