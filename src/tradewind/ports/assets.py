"""What a store does for assets.

The log: each topic that somebody listens to has a log of events without gaps, because a place in it is given under the
lock of the topic, which is kept to the end of the transaction. So "read up to place n" says everything about what a
consumer has seen. Consumers are DAGs; they read under the lock of their DAG row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tradewind.domain.assets import Waiting
from tradewind.wire.assets import AliasFacts, AssetFacts

from .asset_rows import (
    AliasRow,
    AssetCursorRow,
    AssetEventRow,
    AssetRow,
    AssetUseRow,
    PartitionShareRow,
    TimetableQuestionRow,
)
from .rows import DagRow

WAITING_MAX = 10_000
"""Events of a topic that are looked at together."""


class AssetTx(Protocol):
    """Assets, their events, and who consumes them."""

    def asset_put(self, assets: Sequence[AssetFacts], now: datetime) -> list[AssetRow]:
        """Insert, or update what DAG files describe; leaves is_active, conflict and late_since alone. In the order of
        `assets`, which must not name one twice.
        """

    def asset_get_many(self, asset_ids: Iterable[int]) -> list[AssetRow]: ...
    def asset_find(self, *, name: str | None = None, uri: str | None = None) -> list[AssetRow]:
        """Those with this name, this URI, or both; active ones first, then by id."""

    def asset_list(
        self, *, pattern: str | None = None, active: bool | None = None, limit: int = 100, after: int = 0
    ) -> list[AssetRow]:
        """By id; `pattern` is a part of the name or URI without regard to case; `after` is the last id of the page
        before.
        """

    def asset_set_active(self, asset_id: int, active: bool, conflict: str | None = None) -> None: ...
    def asset_set_late(self, asset_id: int, since: datetime | None) -> None: ...
    def asset_list_expected(self) -> list[tuple[AssetRow, datetime | None]]:
        """Active assets that are expected to change in time, each with the instant of its newest event."""

    def alias_put(self, aliases: Sequence[AliasFacts]) -> None: ...
    def alias_find(self, name: str) -> AliasRow | None: ...
    def alias_list(self) -> list[AliasRow]:
        """By name."""

    def asset_use_put(self, dag_id: str, uses: Sequence[AssetUseRow]) -> list[AssetUseRow]:
        """Replace what a DAG speaks of; what it spoke of before. A use that stays keeps its `since`."""

    def asset_use_list(
        self, *, dag_id: str | None = None, name: str | None = None, uri: str | None = None, role: str | None = None
    ) -> list[AssetUseRow]:
        """By DAG, task, role. `name` and `uri` narrow to uses that name them."""

    def asset_event_add(self, events: Sequence[AssetEventRow], topics: Sequence[Sequence[str]]) -> list[int]:
        """Append to the history and to the logs of those `topics` (one list per event) that somebody listens to, and
        wake the consumers that are not paused. `event_id` of the rows is not looked at; returns those given. Locks the
        topics in order. Links aliases with assets. Rings "assets".
        """

    def asset_event_list(
        self,
        *,
        name: str | None = None,
        uri: str | None = None,
        alias: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
        ascending: bool = True,
        limit: int | None = None,
    ) -> list[AssetEventRow]:
        """By time and id; `after` and `before` are inclusive."""

    def asset_event_get_many(self, event_ids: Iterable[int]) -> list[AssetEventRow]:
        """By id."""

    def asset_cursor_set(self, dag_id: str, topics: Iterable[str], *, paused: bool) -> None:
        """The DAG listens to these topics from now on and to no others. New ones begin at the end of their log."""

    def asset_cursor_list(self, *, dag_id: str | None = None, topic: str | None = None) -> list[AssetCursorRow]: ...
    def asset_cursor_move(self, dag_id: str, places: Mapping[str, int]) -> None:
        """Read up to these places; never backwards."""

    def asset_cursor_clear(self, *, dag_id: str | None = None, topics: Sequence[str] | None = None) -> int:
        """Pass over what waits; how many (DAG, topic) pairs had something waiting."""

    def asset_waiting(self, dag_id: str, limit: int = WAITING_MAX) -> list[Waiting]:
        """What the DAG has not read, by topic and place, at most so many of each topic. What came while it was paused
        is left out.
        """

    def asset_wake(self, dag_id: str, due_at: datetime) -> None:
        """Look at this consumer at that time."""

    def asset_claim_consumers(self, now: datetime, limit: int) -> list[DagRow]:
        """Consumers that are to be looked at, by id; locked, skipping locked ones; they are not woken for this again.
        Paused and stale ones too.
        """

    def asset_next_wake(self) -> datetime | None: ...
    def asset_consume(self, run_key: str, dag_id: str, partition_key: str | None, event_ids: Sequence[int]) -> int:
        """The run takes these events. How many it could take: an event is taken once per DAG (and partition)."""

    def asset_consumed_by(self, run_key: str) -> list[AssetEventRow]:
        """Events that a run took, by id."""

    def asset_prune(self, before: datetime, limit: int) -> int:
        """Delete the oldest events that happened before then and that no consumer has still to read, at most so many;
        how many. What runs took of them goes along.
        """

    def asset_consumers_of(self, event_id: int) -> list[str]:
        """Keys of the runs that took an event."""

    def partition_share_put(self, rows: Sequence[PartitionShareRow]) -> None:
        """Insert those that are not there yet."""

    def partition_share_list(self, dag_id: str, partition_key: str | None = None) -> list[PartitionShareRow]:
        """Of one partition, or of all that are being filled; by partition, topic, source key, event."""

    def partition_share_delete(self, dag_id: str, partition_key: str | None = None) -> int: ...


class TimetableTx(Protocol):
    """Timetables of authors' own: who is to be asked for the next run of a DAG, and what was said."""

    def timetable_ask(self, dag_id: str, now: datetime) -> None:
        """Somebody is to ask the timetable of this DAG. Rings "timetables"."""

    def timetable_claim(self, owner: str, seconds: float, limit: int) -> list[str]:
        """DAG ids that are to be asked and that nobody else asks just now, by the database's clock; leased."""

    def timetable_answer(self, dag_id: str, owner: str, forecast: Sequence[str], now: datetime) -> bool:
        """The answer is there. False: it was asked anew meanwhile, or the lease is lost; nothing is changed."""

    def timetable_get(self, dag_id: str) -> TimetableQuestionRow | None: ...
    def timetable_forget(self, dag_id: str) -> None: ...
