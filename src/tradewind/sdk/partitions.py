"""Partitions as authors write them: mappers from keys upstream to keys downstream, windows, wait policies, and the
timetables that know partitions.

Each class only carries its words (`wire()`); what it decides stands in `domain.assets.partitions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from tradewind.domain.assets import partitions as domain
from tradewind.domain.timetables.cron_text import normal_text
from tradewind.wire import partitions as wire
from tradewind.wire.assets import AliasLeaf, Leaf, leaves_of, topic_of
from tradewind.wire.errors import BadInput, InvalidSchedule
from tradewind.wire.schedule import CronPartitionSchedule, PartitionedAssetSchedule, RuntimePartitionSchedule

from .assets import Asset, AssetAlias, AssetRef, BaseAsset
from .dates import zone_name
from .errors import WrongArgument, WrongValue
from .timetables import AssetTriggeredTimetable, Timetable, checked, seconds_of


class Window:
    """The members of one period.

    Parameters:
        direction: `Window.Direction.FORWARD` (the period that begins at the key) or `BACKWARD` (that which ends there).
    """

    class Direction(StrEnum):
        """Which way a window looks from its key."""

        FORWARD = "forward"
        BACKWARD = "backward"

    unit: ClassVar[str] = ""

    def __init__(self, *, direction: Any = Direction.FORWARD) -> None:
        try:
            self.direction = self.Direction(direction)
        except ValueError:
            raise WrongValue(f"direction of a window must be forward or backward, not {direction!r}") from None

    def wire(self) -> wire.PartitionWindow:
        """As data."""
        if not self.unit:
            raise NotImplementedError(
                f"window {type(self).__name__}: windows of one's own are not available yet; use one of those that are "
                "there, or SegmentWindow"
            )
        return wire.Window(unit=self.unit, backward=self.direction is self.Direction.BACKWARD)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and self.wire() == other.wire()

    def __hash__(self) -> int:
        return hash(self.wire())

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class HourWindow(Window):
    """The 60 minutes of an hour."""

    unit = "hour"


class DayWindow(Window):
    """The 24 hours of a day."""

    unit = "day"


class WeekWindow(Window):
    """The 7 days of a week."""

    unit = "week"


class MonthWindow(Window):
    """The days of a month. Backward: from the day after the start of the month before to the start of this one."""

    unit = "month"


class QuarterWindow(Window):
    """The 3 months of a quarter."""

    unit = "quarter"


class YearWindow(Window):
    """The 12 months of a year."""

    unit = "year"


class SegmentWindow(Window):
    """A fixed set of keys.

    Parameters:
        segments: texts, at least one.
    """

    def __init__(self, segments: Iterable[Any]) -> None:
        super().__init__()
        keys = [segments] if isinstance(segments, str) else list(segments)
        for key in keys:
            if not isinstance(key, str) or not key:
                raise WrongValue(f"a segment must be a text that is not empty, not {key!r}")
        if not keys:
            raise WrongValue("SegmentWindow needs at least one segment")
        self.segments = frozenset(keys)

    def wire(self) -> wire.Segments:
        return wire.Segments(keys=tuple(sorted(self.segments)))


class WaitForAll:
    """A rollup waits for every member of its window."""

    minimum: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WaitForAll) and self.minimum == other.minimum

    def __hash__(self) -> int:
        return hash(self.minimum)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class MinimumCount(WaitForAll):
    """A rollup waits for so many members; a negative number: so many may be missing.

    Parameters:
        n: not 0.
    """

    def __init__(self, n: Any) -> None:
        if isinstance(n, bool) or not isinstance(n, int) or n == 0:
            raise WrongValue(
                f"MinimumCount({n!r}): a whole number that is not 0 is needed; to wait for all: WaitForAll()"
            )
        self.n = self.minimum = n

    def __repr__(self) -> str:
        return f"MinimumCount({self.n})"


class PartitionMapper:
    """Decides which partition downstream a partition upstream belongs to.

    Parameters:
        max_downstream_keys: the most keys one key may become; None: 1000.
    """

    def __init__(self, *, max_downstream_keys: int | None = None) -> None:
        given: Any = max_downstream_keys
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
            raise WrongValue(f"max_downstream_keys must be a whole number above 0, not {given!r}")
        self.max_downstream_keys = max_downstream_keys

    def wire(self) -> wire.PartitionMap:
        """As data."""
        raise NotImplementedError(
            f"partition mapper {type(self).__name__}: mappers of one's own are not available yet; combine those that "
            "are there (ChainMapper, ProductMapper)"
        )

    def to_downstream(self, key: str) -> str | list[str]:
        """The key or keys that `key` becomes. Raises `BadInput` for one that does not fit."""
        keys = domain.downstream_keys(self.wire(), key)
        return keys[0] if len(keys) == 1 else list(keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartitionMapper) and self.wire() == other.wire()

    def __hash__(self) -> int:
        return hash(self.wire())

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class IdentityMapper(PartitionMapper):
    """The same key."""

    def wire(self) -> wire.IdentityMap:
        return wire.IdentityMap(max_downstream_keys=self.max_downstream_keys)


class FixedKeyMapper(PartitionMapper):
    """Always the same key.

    Parameters:
        downstream_key: that key.
    """

    def __init__(self, downstream_key: str, *, max_downstream_keys: int | None = None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.downstream_key = _key("downstream_key of FixedKeyMapper", downstream_key)

    def wire(self) -> wire.FixedKeyMap:
        return wire.FixedKeyMap(key=self.downstream_key, max_downstream_keys=self.max_downstream_keys)


class AllowedKeyMapper(PartitionMapper):
    """The same key, if it is one of those allowed; other keys are refused.

    Parameters:
        allowed_keys: texts.
    """

    def __init__(self, allowed_keys: Iterable[str], *, max_downstream_keys: int | None = None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.allowed_keys = [_key("a key of AllowedKeyMapper", key) for key in allowed_keys]

    def wire(self) -> wire.AllowedKeysMap:
        return wire.AllowedKeysMap(keys=tuple(self.allowed_keys), max_downstream_keys=self.max_downstream_keys)


class _StartOf(PartitionMapper):
    """The start of the period in which a key of time lies.

    Parameters:
        timezone: in which the keys are meant and the period begins.
        input_format: how upstream writes its keys (`strftime`).
        output_format: how the key is written; default by period.
    """

    unit: ClassVar[str]
    default_output_format: ClassVar[str]

    def __init__(
        self,
        *,
        timezone: Any = "UTC",
        input_format: str = wire.INSTANT_FORMAT,
        output_format: str | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.timezone = zone_name(timezone)
        self.input_format = input_format
        self.output_format = output_format or self.default_output_format
        _checked(self.wire())

    def wire(self) -> wire.TemporalMap:
        return wire.TemporalMap(
            unit=self.unit,
            timezone=self.timezone,
            input_format=self.input_format,
            output_format=self.output_format,
            max_downstream_keys=self.max_downstream_keys,
        )


class StartOfHourMapper(_StartOf):
    """`2024-03-13T10:42:15` → `2024-03-13T10`."""

    unit = "hour"
    default_output_format = "%Y-%m-%dT%H"


class StartOfDayMapper(_StartOf):
    """`2024-03-13T10:42:15` → `2024-03-13`."""

    unit = "day"
    default_output_format = "%Y-%m-%d"


class StartOfWeekMapper(_StartOf):
    """`2024-03-13T10:42:15` → `2024-03-11 (W11)`: Monday and ISO week. The format must name year, month and day."""

    unit = "week"
    default_output_format = "%Y-%m-%d (W%V)"


class StartOfMonthMapper(_StartOf):
    """`2024-03-13T10:42:15` → `2024-03`."""

    unit = "month"
    default_output_format = "%Y-%m"


class StartOfQuarterMapper(_StartOf):
    """`2024-03-13T10:42:15` → `2024-Q1`. The format may hold `{quarter}`."""

    unit = "quarter"
    default_output_format = "%Y-Q{quarter}"


class StartOfYearMapper(_StartOf):
    """`2024-03-13T10:42:15` → `2024`."""

    unit = "year"
    default_output_format = "%Y"


class ProductMapper(PartitionMapper):
    """A key of several parts, each with its own mapper.

    Parameters:
        mappers: at least two.
        delimiter: between the parts.
    """

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        delimiter: str = "|",
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.mappers = _mappers("ProductMapper", (mapper0, mapper1, *mappers))
        if not delimiter:
            raise WrongValue("delimiter of ProductMapper must not be empty")
        self.delimiter = delimiter

    def wire(self) -> wire.ProductMap:
        return wire.ProductMap(
            mappers=tuple(each.wire() for each in self.mappers),
            delimiter=self.delimiter,
            max_downstream_keys=self.max_downstream_keys,
        )


class ChainMapper(PartitionMapper):
    """One mapper after another.

    Parameters:
        mappers: at least two.
    """

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.mappers = _mappers("ChainMapper", (mapper0, mapper1, *mappers))

    def wire(self) -> wire.ChainMap:
        return wire.ChainMap(
            mappers=tuple(each.wire() for each in self.mappers), max_downstream_keys=self.max_downstream_keys
        )


class RollupMapper(PartitionMapper):
    """Many keys upstream make one key downstream.

    Parameters:
        upstream_mapper: from an upstream key to the downstream key it belongs to.
        window: which upstream keys make up a downstream key.
        wait_policy: how many of them must have come (`WaitForAll()`, `MinimumCount(n)`).
    """

    def __init__(
        self,
        *,
        upstream_mapper: PartitionMapper,
        window: Window,
        wait_policy: WaitForAll | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        (self.upstream_mapper,) = _mappers("RollupMapper", (upstream_mapper,))
        self.window = _window("RollupMapper", window)
        _readable("RollupMapper", upstream_mapper)
        self.wait_policy = WaitForAll() if wait_policy is None else wait_policy
        if not isinstance(self.wait_policy, WaitForAll):
            raise WrongArgument(f"wait_policy must be WaitForAll() or MinimumCount(n), not {wait_policy!r}")
        if domain.decodes_to_time(self.upstream_mapper.wire()) is isinstance(window, SegmentWindow):
            needed = "a fixed set of keys" if isinstance(window, SegmentWindow) else "keys of time"
            raise WrongArgument(
                f"RollupMapper: {type(window).__name__} is made for {needed}, which {type(upstream_mapper).__name__} "
                "does not give; choose a mapper and a window that fit"
            )

    def wire(self) -> wire.RollupMap:
        return wire.RollupMap(
            upstream=self.upstream_mapper.wire(),
            window=self.window.wire(),
            minimum=self.wait_policy.minimum,
            max_downstream_keys=self.max_downstream_keys,
        )

    def to_upstream(self, downstream_key: str) -> frozenset[str]:
        """The upstream keys that make up a downstream key."""
        return domain.needed_keys(self.wire(), downstream_key) or frozenset()


class FanOutMapper(PartitionMapper):
    """One key upstream makes many keys downstream.

    Parameters:
        upstream_mapper: reads the upstream key and takes it to the start of its period.
        window: the members of that period.
        downstream_mapper: writes each member; default by window (hours of a day, days of a week or month, months of a
            quarter or year).
    """

    default_downstream_mapper_by_window_name: ClassVar[dict[str, type[PartitionMapper]]] = {
        "DayWindow": StartOfHourMapper,
        "WeekWindow": StartOfDayMapper,
        "MonthWindow": StartOfDayMapper,
        "QuarterWindow": StartOfMonthMapper,
        "YearWindow": StartOfMonthMapper,
    }

    def __init__(
        self,
        *,
        upstream_mapper: PartitionMapper,
        window: Window,
        downstream_mapper: PartitionMapper | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        (self.upstream_mapper,) = _mappers("FanOutMapper", (upstream_mapper,))
        self.window = _window("FanOutMapper", window)
        _readable("FanOutMapper", upstream_mapper)
        if downstream_mapper is None:
            standard = self.default_downstream_mapper_by_window_name.get(type(window).__name__)
            if standard is None:
                raise WrongValue(f"FanOutMapper with {type(window).__name__} needs a downstream_mapper")
            downstream_mapper = standard()
        (self.downstream_mapper,) = _mappers("FanOutMapper", (downstream_mapper,))

    def wire(self) -> wire.FanOutMap:
        return wire.FanOutMap(
            upstream=self.upstream_mapper.wire(),
            window=self.window.wire(),
            downstream=self.downstream_mapper.wire(),
            max_downstream_keys=self.max_downstream_keys,
        )


# --- timetables ------------------------------------------------------------------------------------------------------


class PartitionedAssetTimetable(AssetTriggeredTimetable):
    """A run for each partition for which the condition over assets holds.

    Parameters:
        assets: an asset, alias, reference or condition, or several: all.
        partition_mapper_config: asset or reference → its mapper.
        default_partition_mapper: for the others.
    """

    def __init__(
        self,
        assets: BaseAsset | Iterable[BaseAsset],
        partition_mapper_config: Mapping[BaseAsset, PartitionMapper] | None = None,
        default_partition_mapper: PartitionMapper | None = None,
    ) -> None:
        super().__init__(assets if isinstance(assets, BaseAsset) else list(assets))
        self.partition_mapper_config = dict(partition_mapper_config or {})
        self.default_partition_mapper = default_partition_mapper or IdentityMapper()
        self.schedule = PartitionedAssetSchedule(
            condition=self.asset_condition.leaf(),
            mappers=tuple(self._config()),
            default=_mappers("default_partition_mapper", (self.default_partition_mapper,))[0].wire(),
        )

    def _config(self) -> Iterable[tuple[Leaf, wire.PartitionMap]]:
        listened = list(leaves_of(self.asset_condition.leaf()))
        for asset, mapper in self.partition_mapper_config.items():
            if not isinstance(asset, Asset | AssetRef | AssetAlias):
                raise WrongArgument(f"partition_mapper_config is keyed by assets and references, not by {asset!r}")
            leaf: Any = asset.leaf()
            if not any(_speaks_of(leaf, other) for other in listened):
                raise WrongValue(
                    f"partition_mapper_config names {asset!r}, which is none of the assets of the schedule"
                )
            yield leaf, _mappers("partition_mapper_config", (mapper,))[0].wire()


def _speaks_of(one: Leaf, other: Leaf) -> bool:
    """Whether both mean the same asset, as far as one can tell here."""
    if topic_of(one) == topic_of(other):
        return True
    if isinstance(one, AliasLeaf) or isinstance(other, AliasLeaf):
        return False
    return any(getattr(one, part, None) == getattr(other, part, ()) for part in ("name", "uri"))


class PartitionedAtRuntime(Timetable):
    """Never by itself; a task names the partitions it made with `outlet_events[asset].add_partitions(keys)`."""

    can_be_scheduled = False
    partitioned_at_runtime = True

    def __init__(self) -> None:
        self.schedule = RuntimePartitionSchedule()


class CronPartitionTimetable(Timetable):
    """A run at each tick of a cron, for one partition, without a logical date.

    Parameters:
        cron, timezone, run_immediately: as of `CronTriggerTimetable`.
        run_offset: ticks from the run to the date of its partition; negative: before it.
        key_format: how the date is written as key (`strftime`).
    """

    def __init__(
        self,
        cron: str,
        *,
        timezone: Any,
        run_offset: int | None = None,
        run_immediately: Any = False,
        key_format: str = wire.INSTANT_FORMAT,
    ) -> None:
        if run_offset is not None and (isinstance(run_offset, bool) or not isinstance(run_offset, int)):
            raise WrongValue(
                f"run_offset of CronPartitionTimetable must be a whole number of ticks, not {run_offset!r}"
            )
        if not isinstance(cron, str):
            raise InvalidSchedule(f"a cron must be a text, not {cron!r}")
        self.schedule = checked(
            CronPartitionSchedule(
                cron=normal_text(cron),
                timezone=zone_name(timezone),
                run_offset=run_offset or 0,
                run_immediately=seconds_of(run_immediately),
                key_format=key_format,
            )
        )


def _key(what: str, key: Any) -> str:
    if not isinstance(key, str) or not key.strip() or len(key) > wire.KEY_LENGTH_MAX:
        raise WrongValue(f"{what} must be a text of 1 to {wire.KEY_LENGTH_MAX} characters, not {key!r}")
    return key


def _mappers(what: str, given: Iterable[Any]) -> list[PartitionMapper]:
    found = list(given)
    for each in found:
        if not isinstance(each, PartitionMapper):
            raise WrongArgument(f"{what} takes partition mappers, not {each!r}")
    return found


def _window(what: str, given: Any) -> Window:
    if not isinstance(given, Window):
        raise WrongArgument(f"window of {what} must be a window such as DayWindow(), not {given!r}")
    return given


def _checked(mapper: wire.TemporalMap) -> None:
    """Raises `WrongValue` for a format that cannot be written or read."""
    try:
        domain.downstream_keys(mapper, domain.sample_key(mapper))
    except (BadInput, ValueError) as error:
        raise WrongValue(
            f"formats {mapper.input_format!r} and {mapper.output_format!r} do not fit a period of one {mapper.unit}: "
            f"{error}"
        ) from None


def _readable(what: str, mapper: PartitionMapper) -> None:
    """Raises `WrongValue` when the start of the period cannot be read from the keys that the mapper writes."""
    words = mapper.wire()
    if isinstance(words, wire.TemporalMap) and not domain.reads_its_keys(words):
        raise WrongValue(
            f"{what} must find the start of a {words.unit} in the keys of its upstream_mapper, but output_format "
            f"{words.output_format!r} leaves out a part of the date"
        )
