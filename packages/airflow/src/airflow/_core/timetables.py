"""`airflow.timetables`: bases of timetables of one's own, and the trivial ones."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import pendulum


class DataInterval(NamedTuple):
    """The span of time whose data a run works on."""

    start: Any
    end: Any

    @classmethod
    def exact(cls, at: Any) -> DataInterval:
        """A moment."""
        return cls(start=at, end=at)


class TimeRestriction(NamedTuple):
    """Between which moments runs are made, and whether missed ones are."""

    earliest: Any
    latest: Any
    catchup: bool


class DagRunInfo(NamedTuple):
    """When a run is to be made, and for which span."""

    run_after: Any
    data_interval: DataInterval | None
    partition_date: Any = None
    partition_key: str | None = None

    @classmethod
    def exact(cls, at: Any) -> DagRunInfo:
        """A run at a moment, for that moment."""
        return cls(run_after=at, data_interval=DataInterval.exact(at))

    @classmethod
    def interval(cls, start: Any, end: Any) -> DagRunInfo:
        """A run at the end of a span."""
        return cls(run_after=end, data_interval=DataInterval(start, end))

    @property
    def logical_date(self) -> Any:
        """The start of the span."""
        return self.data_interval.start if self.data_interval is not None else None


def _sdk_base() -> type:
    import importlib

    for module in ("tradewind.sdk.timetables", "tradewind.sdk.custom_timetables"):
        try:
            found = getattr(importlib.import_module(module), "Timetable", None)
        except ImportError:
            continue
        if isinstance(found, type):
            return found
    return object


_Base: Any = _sdk_base()


class Timetable(_Base):  # type: ignore[misc,unused-ignore]
    """Base of timetables of one's own: implement `infer_manual_data_interval` and `next_dagrun_info`."""

    description: str = ""
    periodic: bool = True
    can_be_scheduled: bool = True
    run_ordering: Any = ("data_interval_end", "logical_date")
    active_runs_limit: int | None = None
    asset_condition: Any = None
    dataset_condition: Any = None

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:  # noqa: ARG003 # for subclasses
        """The timetable that `serialize` wrote."""
        return cls()

    def serialize(self) -> dict[str, Any]:
        """As data."""
        return {}

    def validate(self) -> None:
        """Raise AirflowTimetableInvalid when something is wrong."""

    @property
    def can_run(self) -> bool:
        """Older name of `can_be_scheduled`."""
        return self.can_be_scheduled

    @property
    def summary(self) -> str:
        """Short name for people."""
        return type(self).__name__

    @property
    def type_name(self) -> str:
        """Name of the kind."""
        return type(self).__name__

    def infer_manual_data_interval(self, *, run_after: Any) -> DataInterval:
        """The span of a run that a person starts."""
        raise NotImplementedError

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next run; None: there is none."""
        raise NotImplementedError

    def generate_run_id(self, *, run_type: Any, logical_date: Any = None, **extra: Any) -> str:
        """The id of a run."""
        moment = extra.get("run_after") or logical_date
        return f"{getattr(run_type, 'value', run_type)}__{moment.isoformat() if moment is not None else ''}"


BaseTimetable = Timetable


def _preset(text: str | None, name: str) -> Any:
    def make(*_: Any, **__: Any) -> Any:
        return text

    make.__name__ = name
    make.__doc__ = f"The schedule {text!r}."
    return make


NullTimetable = _preset(None, "NullTimetable")
OnceTimetable = _preset("@once", "OnceTimetable")
ContinuousTimetable = _preset("@continuous", "ContinuousTimetable")


def AssetTriggeredTimetable(assets: Any) -> Any:  # a class elsewhere
    """The schedule of assets."""
    return assets


def DatasetOrTimeSchedule(  # a class elsewhere
    *, timetable: Any, datasets: Collection[Any] | None = None, assets: Any = None
) -> Any:
    """`AssetOrTimeSchedule` by its older name."""
    from tradewind import sdk

    return sdk.AssetOrTimeSchedule(timetable=timetable, assets=assets if assets is not None else datasets)  # type: ignore[arg-type,unused-ignore]


class CronMixin:
    """Cron texts."""

    def __init__(self, cron: str, timezone: Any = "UTC") -> None:
        from airflow._core.dates import cron_presets

        self._expression = cron_presets.get(cron, cron)
        self._timezone = pendulum.timezone(timezone) if isinstance(timezone, str) else timezone
        self.description = ""

    @property
    def summary(self) -> str:
        """The text."""
        return self._expression

    def _next(self, current: datetime, backwards: bool) -> Any:
        import importlib

        croniter = importlib.import_module("croniter").croniter
        zone = self._timezone
        cron = croniter(self._expression, start_time=pendulum.instance(current).in_timezone(zone).naive())
        found = cron.get_prev(datetime) if backwards else cron.get_next(datetime)
        return pendulum.instance(found, tz=zone).in_timezone("UTC")

    def _get_next(self, current: datetime) -> Any:
        return self._next(current, False)

    def _get_prev(self, current: datetime) -> Any:
        return self._next(current, True)

    def _align_to_next(self, current: datetime) -> Any:
        following = self._get_next(current)
        return following if self._get_prev(following) != current else current

    def _align_to_prev(self, current: datetime) -> Any:
        before = self._get_prev(current)
        return before if self._get_next(before) != current else current


def get_last_dagrun(dag_id: str, *_: Any, **__: Any) -> Any:
    """Raises: that was a database query."""
    from airflow._core.session import NoDatabaseInTasks

    raise NoDatabaseInTasks(f"get_last_dagrun({dag_id!r}): use the REST API (/api/v2/dags/{dag_id}/dagRuns)")
