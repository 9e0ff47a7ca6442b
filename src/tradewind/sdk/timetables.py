"""Schedules as authors write them: cron texts, presets, timedeltas, and timetable classes under their public names.

Each class only carries its schedule; when it runs next is decided in `domain.timetables`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from tradewind.domain.timetables import PRESETS, Restriction, parse_schedule, timetable_for
from tradewind.domain.timetables import DagRunInfo as PlainRunInfo
from tradewind.domain.timetables.cron_text import normal_text
from tradewind.kernel.clock import SystemClock
from tradewind.wire.assets import AssetCondition, Delivery
from tradewind.wire.assets import leaves_of as wire_leaves_of
from tradewind.wire.errors import InvalidSchedule
from tradewind.wire.schedule import (
    AssetSchedule as WireAssetSchedule,
)
from tradewind.wire.schedule import (
    ContinuousSchedule,
    CronIntervalSchedule,
    CronTriggerSchedule,
    Delta,
    DeltaIntervalSchedule,
    DeltaTriggerSchedule,
    NullSchedule,
    OnceSchedule,
    Schedule,
    delta_of,
    events_of,
)

from .assets import BaseAsset, condition_of
from .dates import zone_name
from .defaults import authoring_defaults
from .errors import WrongArgument, WrongValue
from .own_timetables import DagRunInfo, DataInterval, TimeRestriction, is_own, own_schedule

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

    Length = timedelta | relativedelta


class Timetable:
    """When a DAG runs by itself. Use one of the subclasses here, or write one: answer `next_dagrun_info`.

    A timetable of one's own is asked in a child that loads the DAG file, after each run; it must answer within
    `processor.timetable_timeout_seconds`, and always with a later run than the last. What it says of itself
    (`summary`, `description`, `serialize`) is read when the file is loaded; another answer of `serialize` is another
    schedule.
    """

    schedule: Schedule
    description: str = ""
    periodic: bool = True
    """Whether it ticks again and again, so that a backfill makes sense."""
    can_be_scheduled: bool = True
    """Whether it makes runs at all."""
    active_runs_limit: int | None = None
    run_ordering: Sequence[str] = ("data_interval_end", "logical_date")

    @property
    def summary(self) -> str:
        """Short text for lists."""
        return type(self).__name__

    def validate(self) -> None:
        """Raise when something about it is wrong; called when the file is loaded."""

    def serialize(self) -> dict[str, Any]:
        """What tells it from others of its class, as JSON data."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:  # noqa: ARG003 # a subclass reads it
        """The timetable of such data. Kept for Airflow's sake: here the DAG file itself is loaded."""
        return cls()

    def infer_manual_data_interval(self, *, run_after: Any) -> DataInterval:
        """The data interval of a run that a person asks for."""
        start, end = timetable_for(self._known_schedule()).infer_manual_interval(run_after)
        return DataInterval(as_pendulum(start), as_pendulum(end))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The run after the last automated one; None when there is none."""
        schedule = self._known_schedule()
        after = None
        if last_automated_data_interval is not None:
            start, end = last_automated_data_interval
            after = PlainRunInfo(end, start, start, end)
        bounds = Restriction(restriction.earliest, restriction.latest, restriction.catchup)
        found = timetable_for(schedule).next_run(after, bounds, SystemClock().now())
        if found is None:
            return None
        interval = DataInterval(as_pendulum(found.data_interval_start), as_pendulum(found.data_interval_end))
        return DagRunInfo(as_pendulum(found.run_after), interval)

    def next_dagrun_info_v2(
        self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The same with all that is known of the last run."""
        interval = None if last_dagrun_info is None else last_dagrun_info.data_interval
        return self.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)

    def _known_schedule(self) -> Schedule:
        schedule = getattr(self, "schedule", None)
        if schedule is None:
            raise NotImplementedError(f"{type(self).__name__} must answer next_dagrun_info")
        found: Schedule = schedule
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timetable) and self._words() == other._words()

    def __hash__(self) -> int:
        return hash(self._words())

    def _words(self) -> Schedule:
        return own_schedule(self) if is_own(self) else self._known_schedule()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, 'schedule', None)!r})"


class NullTimetable(Timetable):
    """Never by itself."""

    def __init__(self) -> None:
        self.schedule = NullSchedule()


class OnceTimetable(Timetable):
    """Once, as soon as possible."""

    def __init__(self) -> None:
        self.schedule = OnceSchedule()


class ContinuousTimetable(Timetable):
    """The next run right after the last one ended."""

    def __init__(self) -> None:
        self.schedule = ContinuousSchedule()


class CronTriggerTimetable(Timetable):
    """A run at each tick of a cron.

    Parameters:
        cron: 5 or 6 fields, or a preset.
        timezone: name or zone object.
        interval: how far before the tick the data interval starts (timedelta or relativedelta).
        run_immediately: for a DAG without start date: whether the tick just missed runs at once (True, False, None,
        or a timedelta:
            if it was missed by no more than that).
        jitter: each run is due up to so long after its tick, spread over DAGs; its dates are those of the tick.

    Raises:
        InvalidSchedule: the cron or the time zone is not valid.
    """

    def __init__(
        self,
        cron: str,
        *,
        timezone: Any,
        interval: Length = timedelta(0),
        run_immediately: bool | timedelta | None = False,
        jitter: timedelta = timedelta(0),
    ) -> None:
        self.schedule = _cron_trigger([cron], timezone, interval, run_immediately, jitter)


class MultipleCronTriggerTimetable(Timetable):
    """A run at each tick of any of several crons. Parameters as `CronTriggerTimetable`."""

    def __init__(
        self,
        *crons: str,
        timezone: Any,
        interval: Length = timedelta(0),
        run_immediately: bool | timedelta | None = False,
        jitter: timedelta = timedelta(0),
    ) -> None:
        self.schedule = _cron_trigger(crons, timezone, interval, run_immediately, jitter)


class CronDataIntervalTimetable(Timetable):
    """A run at the end of each interval between two ticks."""

    def __init__(self, cron: str, timezone: Any) -> None:
        self.schedule = checked(CronIntervalSchedule(cron=normal_text(cron), timezone=zone_name(timezone)))


class DeltaTriggerTimetable(Timetable):
    """A run each `delta`, at the instant itself."""

    def __init__(self, delta: Length, *, interval: Length = timedelta(0)) -> None:
        self.schedule = checked(DeltaTriggerSchedule(delta=delta_of(delta), interval=_back(interval)))


class DeltaDataIntervalTimetable(Timetable):
    """A run at the end of each interval of length `delta`."""

    def __init__(self, delta: Length) -> None:
        self.schedule = checked(DeltaIntervalSchedule(delta=delta_of(delta)))


class EventsTimetable(Timetable):
    """A run at each of a list of instants.

    Parameters:
        event_dates: aware datetimes.
        restrict_to_events: a manual run takes the last event before it as its data interval.
        presorted: accepted; the order does not matter.
        description: for people.
    """

    def __init__(
        self,
        event_dates: Iterable[datetime],
        restrict_to_events: bool = False,
        presorted: bool = False,  # noqa: ARG002 # sorting what is sorted costs nothing  # sorting what is sorted costs nothing
        description: str | None = None,
    ) -> None:
        self.schedule = checked(events_of(event_dates, restrict_to_events=restrict_to_events, description=description))


class AssetTriggeredTimetable(Timetable):
    """A run when a condition over assets holds: what assets in `schedule=` become.

    Parameters:
        assets: an asset, alias, reference or condition, or several of them: all.
    """

    def __init__(self, assets: BaseAsset | Collection[BaseAsset]) -> None:
        self.asset_condition = condition_of(assets)
        self.schedule = WireAssetSchedule(condition=_checked_condition(self.asset_condition))


class AssetOrTimeSchedule(AssetTriggeredTimetable):
    """A run by the clock, and also when a condition over assets holds.

    Parameters:
        assets: as for `AssetTriggeredTimetable`.
        timetable: the clock.
    """

    def __init__(self, *, assets: BaseAsset | Collection[BaseAsset], timetable: Timetable) -> None:
        self.asset_condition = condition_of(assets)
        if not isinstance(timetable, Timetable):
            raise WrongArgument(f"timetable of AssetOrTimeSchedule must be a timetable, not {timetable!r}")
        self.timetable = timetable
        self.schedule = WireAssetSchedule(condition=_checked_condition(self.asset_condition), time=timetable.schedule)


class AssetSchedule(AssetTriggeredTimetable):
    """A run on assets that says which of the waiting events one run takes.

    Parameters:
        assets: as for `AssetTriggeredTimetable`.
        deliver: "all" (one run takes everything that waits), "every" (one event of each asset per run, a run for each),
            "latest" (the newest of each asset; older ones are passed over) or "batch".
        count: with "batch": run when so many events wait.
        every: with "batch": or when the oldest has waited so long.
        timetable: also by this clock.
    """

    def __init__(
        self,
        assets: BaseAsset | Collection[BaseAsset],
        *,
        deliver: Literal["all", "every", "latest", "batch"] = "all",
        count: int | None = None,
        every: timedelta | None = None,
        timetable: Timetable | None = None,
    ) -> None:
        self.asset_condition = condition_of(assets)
        self.schedule = WireAssetSchedule(
            condition=_checked_condition(self.asset_condition),
            delivery=_delivery(deliver, count, every),
            time=None if timetable is None else timetable.schedule,
        )


def asset_condition_of(schedule: Any) -> BaseAsset | None:
    """The condition over assets of what was given as `schedule=`; None when it has none."""
    if isinstance(schedule, BaseAsset):
        return schedule
    if isinstance(schedule, list | tuple | set | frozenset):
        return condition_of(schedule)
    found = getattr(schedule, "asset_condition", None)
    return found if isinstance(found, BaseAsset) else None


def _checked_condition(condition: BaseAsset) -> AssetCondition:
    leaf = condition.leaf()
    if not any(True for _ in wire_leaves_of(leaf)):
        raise WrongValue("a schedule on assets needs at least one asset")
    return leaf


def _delivery(mode: str, count: Any, every: Any) -> Delivery:
    if mode not in ("all", "every", "latest", "batch"):
        raise WrongValue(f"deliver must be all, every, latest or batch, not {mode!r}")
    if mode != "batch":
        if count is not None or every is not None:
            raise WrongValue(f"count and every belong to deliver='batch', not to {mode!r}")
        return Delivery(mode=mode)  # type: ignore[arg-type] # it is one of the words
    if count is None and every is None:
        raise WrongValue("deliver='batch' needs count, every, or both")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise WrongValue(f"count of a batch must be a whole number above 0, not {count!r}")
    if every is not None and (not isinstance(every, timedelta) or every <= timedelta(0)):
        raise WrongValue(f"every of a batch must be a positive timedelta, not {every!r}")
    return Delivery(mode="batch", count=count, seconds=None if every is None else every.total_seconds())


def schedule_of(value: Any, timezone: str) -> Schedule:
    """The wire form of what was given as `schedule=`.

    Parameters:
        value: None, cron text, preset, timedelta, relativedelta, timetable, asset, several assets, condition.
        timezone: of the DAG, for crons.

    Raises:
        InvalidSchedule: naming the value and what would be right.
        WrongArgument: a collection that holds something else than assets.
        NotImplementedError: a timetable of one's own that does not answer `next_dagrun_info`.
    """
    if value is None:
        return NullSchedule()
    if isinstance(value, str):
        return parse_schedule(value, timezone, data_intervals=authoring_defaults().data_intervals)
    if isinstance(value, Timetable):
        return checked(value._words())
    if isinstance(value, timedelta) or hasattr(value, "leapdays"):
        kind = DeltaIntervalSchedule if authoring_defaults().data_intervals else DeltaTriggerSchedule
        return checked(kind(delta=delta_of(value)))
    if isinstance(value, BaseAsset | list | tuple | set | frozenset):
        return AssetTriggeredTimetable(value).schedule
    raise InvalidSchedule(
        f"schedule must be a cron text, a preset ({', '.join(sorted(PRESETS))}, @once, @continuous), a timedelta, a "
        "timetable, "
        f"assets or None, not {value!r} of type {type(value).__name__}"
    )


def _cron_trigger(
    crons: Sequence[str], zone: Any, interval: Any, immediately: bool | timedelta | None, jitter: Any
) -> Schedule:
    if not isinstance(jitter, timedelta) or jitter < timedelta(0):
        raise InvalidSchedule(f"jitter must be a timedelta that is not negative, not {jitter!r}")
    for cron in crons:
        if not isinstance(cron, str):
            raise InvalidSchedule(f"a cron must be a text, not {cron!r}")
    return checked(
        CronTriggerSchedule(
            crons=tuple(normal_text(cron) for cron in crons),
            timezone=zone_name(zone),
            interval=_back(interval),
            run_immediately=seconds_of(immediately),
            jitter_seconds=jitter.total_seconds(),
        )
    )


def _back(interval: Any) -> Delta | None:
    return delta_of(interval) if interval else None


def seconds_of(immediately: bool | timedelta | None) -> bool | float | None:
    """The wire form of `run_immediately`."""
    return immediately.total_seconds() if isinstance(immediately, timedelta) else immediately


def checked(schedule: Schedule) -> Schedule:
    """The same, if a timetable can be made of it. Raises `InvalidSchedule`."""
    timetable_for(schedule)
    return schedule


def as_pendulum(at: datetime) -> Any:
    """As pendulum in UTC, which is what authors expect."""
    import pendulum

    return pendulum.instance(at).in_timezone("UTC")
