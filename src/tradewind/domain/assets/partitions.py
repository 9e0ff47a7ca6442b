"""Keys of partitions: from upstream to downstream, and which upstream keys a downstream key needs.

A key of time is written by a format. A mapper decodes its keys to instants on the wall clock of its time zone; a window
steps through these; the mapper writes them again as upstream keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from tradewind.domain.timetables.zone_clock import find_zone
from tradewind.wire.assets import Leaf, leaves_of, topic_of
from tradewind.wire.errors import BadInput
from tradewind.wire.partitions import (
    KEY_LENGTH_MAX,
    AllowedKeysMap,
    ChainMap,
    FanOutMap,
    FixedKeyMap,
    IdentityMap,
    PartitionMap,
    PartitionWindow,
    ProductMap,
    RollupMap,
    Segments,
    TemporalMap,
    Window,
)
from tradewind.wire.schedule import PartitionedAssetSchedule

from .conditions import is_met

DOWNSTREAM_KEYS_MAX = 1000
"""The most keys one upstream key may become where its mapper says nothing."""
Decoded = datetime | str

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MEMBERS = {"hour": 60, "day": 24, "week": 7, "quarter": 3, "year": 12}
_STEP = {"hour": timedelta(minutes=1), "day": timedelta(hours=1), "week": timedelta(days=1)}
_DIRECTIVES = {"Y": r"\d{4}", **dict.fromkeys("mdHMSVUW", r"\d{2}")}


def downstream_keys(mapper: PartitionMap, key: str) -> tuple[str, ...]:
    """The keys that an upstream key becomes, each once. Raises `BadInput` naming the key and what does not fit, or when
    there are too many."""
    keys = tuple(dict.fromkeys(_map(mapper, key)))
    most = mapper.max_downstream_keys or DOWNSTREAM_KEYS_MAX
    if len(keys) > most:
        raise BadInput(f"partition key {key!r} becomes {len(keys)} keys, more than the {most} allowed")
    for each in keys:
        if not each.strip() or len(each) > KEY_LENGTH_MAX:
            raise BadInput(
                f"partition key {key!r} becomes {each[:40]!r}, which is no key of 1 to {KEY_LENGTH_MAX} characters"
            )
    return keys


def needed_keys(mapper: PartitionMap, key: str) -> frozenset[str] | None:
    """The upstream keys that make up a downstream key, of a rollup; None for other mappers: any one does."""
    if not isinstance(mapper, RollupMap):
        return None
    members = _members(mapper.window, _decode(mapper.upstream, key))
    return frozenset(_encode(mapper.upstream, member) for member in members)


def is_filled(mapper: PartitionMap, key: str, arrived: Set[str]) -> bool:
    """Whether enough upstream keys have come for a downstream key."""
    needed = needed_keys(mapper, key)
    if needed is None:
        return bool(arrived)
    assert isinstance(mapper, RollupMap)
    there, minimum = len(needed & arrived), mapper.minimum
    if minimum is None:
        return there == len(needed)
    return there >= (minimum if minimum > 0 else max(0, len(needed) + minimum))


def is_ready(schedule: PartitionedAssetSchedule, key: str, arrived: dict[str, set[str]]) -> bool:
    """Whether the run of a partition is to be made. `arrived`: topic → upstream keys that have come for it."""
    filled = {topic for topic, keys in arrived.items() if is_filled(mapper_of(schedule, topic), key, keys)}
    return is_met(schedule.condition, filled)


def mapper_of(schedule: PartitionedAssetSchedule, topic: str) -> PartitionMap:
    """The mapper for events of a topic: that of the leaf it belongs to, or the default."""
    return _mappers(schedule).get(topic, schedule.default)


def partition_date(mapper: PartitionMap, key: str) -> datetime | None:
    """The instant at which the period of a downstream key begins; None when the key does not speak of time."""
    match mapper:
        case TemporalMap():
            decoded = _decode(mapper, key)
            assert isinstance(decoded, datetime)
            begin = _start(mapper.unit, decoded)
            return begin.replace(tzinfo=begin.tzinfo or find_zone(mapper.timezone)).astimezone(UTC)
        case RollupMap():
            return partition_date(mapper.upstream, key)
        case FanOutMap():
            return partition_date(mapper.downstream, key)
        case ChainMap():
            return partition_date(mapper.mappers[-1], key)
        case ProductMap():
            parts = key.split(mapper.delimiter)
            if len(parts) != len(mapper.mappers):
                return None
            dates = [
                date for each, part in zip(mapper.mappers, parts, strict=True) if (date := partition_date(each, part))
            ]
            return dates[0] if len(dates) == 1 else None
        case _:
            return None


def date_in_schedule(schedule: PartitionedAssetSchedule, key: str) -> datetime | None:
    """The date of a partition of this schedule, if its mappers agree on one."""
    dates = set()
    for leaf in leaves_of(schedule.condition):
        try:
            dates.add(partition_date(mapper_of(schedule, topic_of(leaf)), key))
        except BadInput:
            return None
    return dates.pop() if len(dates) == 1 else None


def decodes_to_time(mapper: PartitionMap) -> bool:
    """Whether keys of this mapper are instants: what a window of time needs."""
    return isinstance(mapper, TemporalMap)


def sample_key(mapper: TemporalMap) -> str:
    """An upstream key as this mapper expects them."""
    return datetime(2024, 3, 13, 10, 42, 15, tzinfo=find_zone(mapper.timezone)).strftime(mapper.input_format)


def reads_its_keys(mapper: TemporalMap) -> bool:
    """Whether the start of the period can be read from the keys that the mapper writes."""
    begin = _start(mapper.unit, _parse(mapper, sample_key(mapper)))
    try:
        read = _decode(mapper, _format(mapper, begin))
    except BadInput:
        return False
    return isinstance(read, datetime) and read.replace(tzinfo=None) == begin.replace(tzinfo=None)


@lru_cache(maxsize=256)
def _mappers(schedule: PartitionedAssetSchedule) -> dict[str, PartitionMap]:
    given = {topic_of(leaf): mapper for leaf, mapper in schedule.mappers}
    found: dict[str, PartitionMap] = {}
    for leaf in leaves_of(schedule.condition):
        topic = topic_of(leaf)
        mapper = given.get(topic) or next((given[t] for t in _related(leaf) if t in given), None)
        if mapper is not None:
            found[topic] = mapper
    return found


def _related(leaf: Leaf) -> Iterator[str]:
    """Other topics under which an author may have given the mapper of a leaf."""
    for kind in ("name", "uri"):
        value = getattr(leaf, kind, None)
        if value is not None:
            yield f"{kind}:{value}"


# --- keys ------------------------------------------------------------------------------------------------------------


def _map(mapper: PartitionMap, key: str) -> Iterable[str]:
    match mapper:
        case IdentityMap():
            return (key,)
        case TemporalMap():
            return (_format(mapper, _start(mapper.unit, _parse(mapper, key))),)
        case FixedKeyMap():
            return (mapper.key,)
        case AllowedKeysMap():
            if key not in mapper.keys:
                raise BadInput(f"partition key {key!r} is none of those allowed: {', '.join(mapper.keys)}")
            return (key,)
        case ProductMap():
            return (_product(mapper, key),)
        case ChainMap():
            keys: tuple[str, ...] = (key,)
            for each in mapper.mappers:
                keys = tuple(found for one in keys for found in _map(each, one))
            return keys
        case RollupMap():
            return _map(mapper.upstream, key)
        case FanOutMap():
            return _fan_out(mapper, key)


def _product(mapper: ProductMap, key: str) -> str:
    parts = key.split(mapper.delimiter)
    if len(parts) != len(mapper.mappers):
        raise BadInput(
            f"partition key {key!r} has {len(parts)} parts (between {mapper.delimiter!r}), "
            f"{len(mapper.mappers)} are needed"
        )
    found = [tuple(_map(each, part)) for each, part in zip(mapper.mappers, parts, strict=True)]
    if any(len(keys) != 1 for keys in found):
        raise BadInput(f"a part of partition key {key!r} becomes several keys, which a product cannot take")
    return mapper.delimiter.join(keys[0] for keys in found)


def _fan_out(mapper: FanOutMap, key: str) -> Iterable[str]:
    coarse = tuple(_map(mapper.upstream, key))
    if len(coarse) != 1:
        raise BadInput(f"partition key {key!r} becomes several keys before it is fanned out")
    for member in _members(mapper.window, _decode(mapper.upstream, coarse[0])):
        if isinstance(mapper.downstream, TemporalMap) and isinstance(member, datetime):
            yield _format(mapper.downstream, member)
        else:
            yield member.isoformat() if isinstance(member, datetime) else member


def _decode(mapper: PartitionMap, key: str) -> Decoded:
    if not isinstance(mapper, TemporalMap):
        return key
    parts = _parts(mapper.output_format).fullmatch(key) if mapper.unit in ("week", "quarter") else None
    found = parts.groupdict() if parts is not None else {}
    if mapper.unit == "week" and {"Y", "m", "d"} <= found.keys():
        return datetime(int(found["Y"]), int(found["m"]), int(found["d"]))  # noqa: DTZ001 # on the zone's wall clock
    if mapper.unit == "quarter" and {"Y", "quarter"} <= found.keys():
        return datetime(int(found["Y"]), 3 * int(found["quarter"]) - 2, 1)  # noqa: DTZ001
    return _strptime(key, mapper.output_format)


def _encode(mapper: PartitionMap, value: Decoded) -> str:
    if not isinstance(mapper, TemporalMap) or not isinstance(value, datetime):
        return str(value)
    zone = find_zone(mapper.timezone)
    # There and back again: a wall time that a change of the clock left out becomes the one after it.
    at = (value if value.tzinfo is not None else value.replace(tzinfo=zone)).astimezone(UTC).astimezone(zone)
    return at.strftime(mapper.input_format)


def _parse(mapper: TemporalMap, key: str) -> datetime:
    at = _strptime(key, mapper.input_format)
    zone = find_zone(mapper.timezone)
    return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)


def _strptime(key: str, form: str) -> datetime:
    try:
        return datetime.strptime(key, form)  # noqa: DTZ007 # the zone is the mapper's
    except ValueError:
        raise BadInput(f"partition key {key!r} is not written as {form!r}") from None


def _format(mapper: TemporalMap, at: datetime) -> str:
    return at.strftime(mapper.output_format.replace("{quarter}", str((at.month - 1) // 3 + 1)))


@lru_cache(maxsize=256)
def _parts(form: str) -> re.Pattern[str]:
    """A format as a pattern whose groups are named after its directives; each of them may stand once."""
    pattern = ""
    for literal, directive, quarter in re.findall(r"([^%{]+|.)??(?:%([YmdHMSVUW])|(\{quarter\})|$)", form, re.DOTALL):
        pattern += re.escape(literal)
        if directive:
            pattern += f"(?P<{directive}>{_DIRECTIVES[directive]})"
        elif quarter:
            pattern += "(?P<quarter>[1-4])"
    try:
        return re.compile(pattern)
    except re.error:
        raise BadInput(f"format {form!r} names a part of the date twice") from None


# --- periods ---------------------------------------------------------------------------------------------------------


def _start(unit: str, at: datetime) -> datetime:
    """The start of the period on the wall clock."""
    if unit == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case _:
            return day.replace(month=1, day=1)


def _members(window: PartitionWindow, start: Decoded) -> Iterator[Decoded]:
    if isinstance(window, Segments):
        yield from window.keys
        return
    if not isinstance(start, datetime):
        raise BadInput(f"a window of one {window.unit} needs keys of time, not {start!r}")
    if window.unit in _MONTHS and start.day != 1:
        raise BadInput(f"a window of one {window.unit} begins on the first of a month, not on {start.date()}")
    if window.unit == "month":
        yield from _days(window, start)
        return
    count = _MEMBERS[window.unit]
    first = 1 - count if window.backward else 0
    for place in range(first, first + count):
        step = _STEP.get(window.unit)
        yield start + place * step if step is not None else _shifted(start, place)


def _days(window: Window, start: datetime) -> Iterator[datetime]:
    """The days of a month; backward: those after the start of the month before, up to the start of this one."""
    other = _shifted(start, -1 if window.backward else 1)
    count = abs((other - start).days)
    begin = other + timedelta(days=1) if window.backward else start
    for day in range(count):
        yield begin + timedelta(days=day)


def _shifted(at: datetime, months: int) -> datetime:
    total = at.month - 1 + months
    return at.replace(year=at.year + total // 12, month=total % 12 + 1)
