"""Every schedule as data: when a DAG runs by itself, in a form both ends can store, compare and hash.

What a schedule *means* (which instant comes next) is decided in `domain/timetables`; here are only its words.
All structs are frozen and hashable, encode canonically (defaults left out) and are told apart by the field `kind`.
The union is open: a later kind of schedule is one more struct in `Schedule`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from .assets import AssetCondition, Delivery, Leaf
from .errors import InvalidSchedule
from .partitions import INSTANT_FORMAT, IdentityMap, PartitionMap

_RELATIVE = ("years", "months", "days", "hours", "minutes", "seconds", "microseconds", "leapdays")
_ABSOLUTE = ("year", "month", "day", "hour", "minute", "second", "microsecond")


class Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A length of time: a `timedelta`, or with `calendar` a dateutil `relativedelta`. Make one with `delta_of`."""

    calendar: bool = False
    """False: exact length (days, seconds, microseconds as in `timedelta`). True: steps as `relativedelta` does."""
    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    microseconds: int = 0
    leapdays: int = 0
    year: int | None = None
    """This and the following replace a part of the date: `months=1, day=31` steps from month end to month end."""
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    microsecond: int | None = None
    weekday: tuple[int, int | None] | None = None
    """(0 = Monday … 6 = Sunday, which one, counted from the date reached; None: the first at or after it)."""


def delta_of(value: Any) -> Delta:
    """The wire form of a `timedelta` or a `relativedelta`. Raises `InvalidSchedule` for anything else.

    The second is recognised by its parts, so that dateutil need not be loaded here.
    """
    if isinstance(value, timedelta):
        return Delta(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
    if not all(hasattr(value, name) for name in ("normalized", *_RELATIVE, *_ABSOLUTE, "weekday")):
        raise InvalidSchedule(f"a timedelta or relativedelta is needed, not {value!r} of type {type(value).__name__}")
    whole = value.normalized()  # fractions ("hours=1.5") carried into the smaller parts
    parts: dict[str, Any] = {name: int(getattr(whole, name)) for name in _RELATIVE}
    parts |= {name: getattr(whole, name) for name in _ABSOLUTE}
    if whole.weekday is not None:
        parts["weekday"] = (whole.weekday.weekday, whole.weekday.n)
    return Delta(calendar=True, **parts)


class _Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What all schedules share: how they are encoded."""


class NullSchedule(_Schedule, frozen=True, kw_only=True, tag="none"):
    """Never by itself."""


class OnceSchedule(_Schedule, frozen=True, kw_only=True, tag="once"):
    """`@once`: one run, as soon as the start date allows."""


class ContinuousSchedule(_Schedule, frozen=True, kw_only=True, tag="continuous"):
    """`@continuous`: the next run right after the previous one ended; one at a time."""


class CronTriggerSchedule(_Schedule, frozen=True, kw_only=True, tag="cron_trigger"):
    """A run at each tick of any of the crons; at most one run per instant."""

    crons: tuple[str, ...]
    """Crons of 5 fields, or 6 with the seconds last. Presets are resolved, blanks single, letters small."""
    timezone: str = "UTC"
    """IANA name, or a fixed offset as `+05:30`."""
    interval: Delta | None = None
    """How far before the tick the data interval starts; None: at the tick."""
    run_immediately: bool | float | None = None
    """For a DAG without start date and without runs: does the tick just missed run at once? True: always. A number:
    if it was missed by no more than so many seconds. None and False: by no more than a tenth of the distance between
    ticks, or 5 minutes if that is more (Airflow treats False so too, whatever its page says)."""
    jitter_seconds: float = 0.0
    """Each run is due up to so many seconds after its tick: by how much is drawn from `jitter_key` and the tick, the
    same whoever asks. Its dates are those of the tick."""
    jitter_key: str = ""
    """The DAG, so that DAGs of one cron do not start together."""


class CronIntervalSchedule(_Schedule, frozen=True, kw_only=True, tag="cron_interval"):
    """A run at the end of each interval between two ticks of the cron."""

    cron: str
    timezone: str = "UTC"


class DeltaTriggerSchedule(_Schedule, frozen=True, kw_only=True, tag="delta_trigger"):
    """A run each `delta`, at the instant itself."""

    delta: Delta
    interval: Delta | None = None
    """How far before the instant the data interval starts; None: at the instant."""


class DeltaIntervalSchedule(_Schedule, frozen=True, kw_only=True, tag="delta_interval"):
    """A run at the end of each interval of length `delta`."""

    delta: Delta


class EventsSchedule(_Schedule, frozen=True, kw_only=True, tag="events"):
    """A run at each of a finite list of instants. Make one with `events_of`."""

    instants: tuple[Annotated[datetime, msgspec.Meta(tz=True)], ...]
    """UTC, ascending, each once."""
    restrict_to_events: bool = False
    """A manual run takes the last event before it as its data interval, not its own instant."""
    description: str | None = None


def events_of(
    instants: Iterable[datetime], *, restrict_to_events: bool = False, description: str | None = None
) -> EventsSchedule:
    """The schedule of these instants in canonical form: UTC, ascending, doubles dropped.

    Raises `InvalidSchedule` for an instant without time zone.
    """
    listed = list(instants)
    for instant in listed:
        if instant.utcoffset() is None:
            raise InvalidSchedule(f"event {instant!r} has no time zone: give each event one")
    ordered = tuple(sorted({instant.astimezone(UTC) for instant in listed}))
    return EventsSchedule(instants=ordered, restrict_to_events=restrict_to_events, description=description)


class AssetSchedule(_Schedule, frozen=True, kw_only=True, tag="assets"):
    """A run when the condition holds over the events that wait; with `time` also by the clock."""

    condition: AssetCondition
    delivery: Delivery = Delivery()
    time: Schedule | None = None


class PartitionedAssetSchedule(_Schedule, frozen=True, kw_only=True, tag="partitioned_assets"):
    """A run for each partition key for which the condition holds. Keys of events become keys of runs by mappers."""

    condition: AssetCondition
    mappers: tuple[tuple[Leaf, PartitionMap], ...] = ()
    """For assets that have one of their own, in the order of the condition."""
    default: PartitionMap = IdentityMap()


class CronPartitionSchedule(_Schedule, frozen=True, kw_only=True, tag="cron_partition"):
    """A run at each tick of the cron, which names a partition and no logical date."""

    cron: str
    timezone: str = "UTC"
    run_offset: int = 0
    """Ticks from the run to the date of its partition; negative: before it."""
    run_immediately: bool | float | None = None
    key_format: str = INSTANT_FORMAT


class RuntimePartitionSchedule(_Schedule, frozen=True, kw_only=True, tag="partitioned_at_runtime"):
    """Never by itself; a task names the partitions it made."""


class CustomSchedule(_Schedule, frozen=True, kw_only=True, tag="custom"):
    """A timetable of the author's own. Only its answers are known outside the process that loads the DAG file."""

    path: str
    """Import path of its class, for people."""
    data: str = "{}"
    """What its `serialize` gives, as canonical JSON: another text is another schedule."""
    summary: str = ""
    description: str = ""
    periodic: bool = True
    can_be_scheduled: bool = True
    active_runs_limit: int | None = None


Schedule = (
    NullSchedule
    | OnceSchedule
    | ContinuousSchedule
    | CronTriggerSchedule
    | CronIntervalSchedule
    | DeltaTriggerSchedule
    | DeltaIntervalSchedule
    | EventsSchedule
    | AssetSchedule
    | PartitionedAssetSchedule
    | CronPartitionSchedule
    | RuntimePartitionSchedule
    | CustomSchedule
)
"""Any schedule."""
