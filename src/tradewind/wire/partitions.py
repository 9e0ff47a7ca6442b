"""How keys of partitions upstream become keys downstream, as data. What each mapper decides stands in
`domain/assets/partitions`.
"""

from __future__ import annotations

import msgspec

KEY_LENGTH_MAX = 250
"""Characters of a partition key."""
INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S"
"""How keys are written where the author names no format."""


class Window(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="period"):
    """The members of one period: 60 minutes of an hour, 24 hours of a day, days of a week or month, months of a
    quarter or year."""

    unit: str
    """hour, day, week, month, quarter or year."""
    backward: bool = False
    """The members end at the period's start instead of beginning there."""


class Segments(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="segments"):
    """A fixed set of keys that make up one period."""

    keys: tuple[str, ...]
    """Sorted, each once."""


PartitionWindow = Window | Segments
"""Which keys make up one period."""


class _Mapper(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What all mappers share."""

    max_downstream_keys: int | None = None
    """The most keys one upstream key may become; None: what is set for all."""


class IdentityMap(_Mapper, frozen=True, kw_only=True, tag="identity"):
    """The same key."""


class TemporalMap(_Mapper, frozen=True, kw_only=True, tag="temporal"):
    """The start of the hour, day, week, month, quarter or year that the key lies in."""

    unit: str
    output_format: str
    timezone: str = "UTC"
    input_format: str = INSTANT_FORMAT


class ProductMap(_Mapper, frozen=True, kw_only=True, tag="product"):
    """A key of several parts, each with its own mapper."""

    mappers: tuple[PartitionMap, ...]
    delimiter: str = "|"


class ChainMap(_Mapper, frozen=True, kw_only=True, tag="chain"):
    """One mapper after another."""

    mappers: tuple[PartitionMap, ...]


class AllowedKeysMap(_Mapper, frozen=True, kw_only=True, tag="allowed"):
    """The same key, if it is one of these."""

    keys: tuple[str, ...]


class FixedKeyMap(_Mapper, frozen=True, kw_only=True, tag="fixed"):
    """Always this key."""

    key: str


class RollupMap(_Mapper, frozen=True, kw_only=True, tag="rollup"):
    """Many upstream keys make one downstream key, which is ready when enough members of its window have come."""

    upstream: PartitionMap
    window: PartitionWindow
    minimum: int | None = None
    """None: all members. Positive: so many of them. Negative: so many may be missing."""


class FanOutMap(_Mapper, frozen=True, kw_only=True, tag="fan_out"):
    """One upstream key makes one downstream key for each member of its window."""

    upstream: PartitionMap
    window: PartitionWindow
    downstream: PartitionMap


PartitionMap = IdentityMap | TemporalMap | ProductMap | ChainMap | AllowedKeysMap | FixedKeyMap | RollupMap | FanOutMap
"""Any mapper."""
