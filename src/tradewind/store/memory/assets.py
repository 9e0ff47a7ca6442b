"""Assets, their events, and how far each consumer has read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from tradewind.domain.assets import Waiting
from tradewind.ports.asset_rows import (
    AliasRow,
    AssetCursorRow,
    AssetEventRow,
    AssetRow,
    AssetUseRow,
    PartitionShareRow,
    TimetableQuestionRow,
)
from tradewind.ports.assets import WAITING_MAX
from tradewind.ports.rows import DagRow
from tradewind.wire.assets import AliasFacts, AssetFacts

from .asset_words import Consumed, ShareKey, UseKey, Wake
from .unit import Unit


class AssetPart(Unit):
    """`ports.assets.AssetTx`."""

    def asset_put(self, assets: Sequence[AssetFacts], now: datetime) -> list[AssetRow]:
        journal = self._write("asset_put")
        table, rows = self._data.assets, []
        for facts in assets:
            old = table.one("identity", (facts.name, facts.uri))
            row = AssetRow(
                asset_id=len(table.rows) + 1 if old is None else old.asset_id,
                name=facts.name,
                uri=facts.uri,
                group_name=facts.group,
                extra=facts.extra,
                watchers={each.name: {"trigger": each.trigger, "kwargs": each.kwargs} for each in facts.watchers},
                access=facts.access,
                expected_every_seconds=facts.expected_every_seconds,
                is_active=old is not None and old.is_active,
                conflict=None if old is None else old.conflict,
                late_since=None if old is None else old.late_since,
                created_at=now if old is None else old.created_at,
                updated_at=now,
            )
            table.put(journal, row.asset_id, row)
            rows.append(row)
        return rows

    def asset_get_many(self, asset_ids: Iterable[int]) -> list[AssetRow]:
        table = self._data.assets
        return [table.rows[each] for each in sorted(set(asset_ids)) if each in table.rows]

    def asset_find(self, *, name: str | None = None, uri: str | None = None) -> list[AssetRow]:
        if name is None and uri is None:
            return []
        found = [row for row in self._data.assets if name in (None, row.name) and uri in (None, row.uri)]
        return sorted(found, key=lambda row: (not row.is_active, row.asset_id))

    def asset_list(
        self, *, pattern: str | None = None, active: bool | None = None, limit: int = 100, after: int = 0
    ) -> list[AssetRow]:
        wanted = (pattern or "").lower()
        found = [
            row
            for row in self._data.assets
            if row.asset_id > after
            and active in (None, row.is_active)
            and (wanted in row.name.lower() or wanted in row.uri.lower())
        ]
        return sorted(found, key=lambda row: row.asset_id)[:limit]

    def asset_set_active(self, asset_id: int, active: bool, conflict: str | None = None) -> None:
        journal, row = self._write("asset_set_active"), self._data.assets.get(asset_id)
        if row is not None:
            self._data.assets.put(journal, asset_id, replace(row, is_active=active, conflict=conflict))

    def asset_set_late(self, asset_id: int, since: datetime | None) -> None:
        journal, row = self._write("asset_set_late"), self._data.assets.get(asset_id)
        if row is not None:
            self._data.assets.put(journal, asset_id, replace(row, late_since=since))

    def asset_list_expected(self) -> list[tuple[AssetRow, datetime | None]]:
        events = self._data.asset_events
        return [
            (row, max((each.at for each in events.found("asset", row.asset_id)), default=None))
            for row in sorted(self._data.assets, key=lambda row: row.asset_id)
            if row.is_active and row.expected_every_seconds is not None
        ]

    def alias_put(self, aliases: Sequence[AliasFacts]) -> None:
        journal, table = self._write("alias_put"), self._data.asset_aliases
        for facts in aliases:
            old = table.get(facts.name)
            alias_id = len(table.rows) + 1 if old is None else old.alias_id
            table.put(journal, facts.name, AliasRow(alias_id=alias_id, name=facts.name, group_name=facts.group))

    def alias_find(self, name: str) -> AliasRow | None:
        return self._data.asset_aliases.get(name)

    def alias_list(self) -> list[AliasRow]:
        return sorted(self._data.asset_aliases, key=lambda row: row.name)

    def asset_use_put(self, dag_id: str, uses: Sequence[AssetUseRow]) -> list[AssetUseRow]:
        journal, table = self._write("asset_use_put"), self._data.asset_uses
        before = self.asset_use_list(dag_id=dag_id)
        known = {_use_key(use): use for use in before}
        for key in known:
            table.delete(journal, key)
        for use in uses:
            table.put(journal, _use_key(use), known.get(_use_key(use), use))
        return before

    def asset_use_list(
        self, *, dag_id: str | None = None, name: str | None = None, uri: str | None = None, role: str | None = None
    ) -> list[AssetUseRow]:
        pool = self._data.asset_uses if dag_id is None else self._data.asset_uses.found("dag", dag_id)
        found = [
            use for use in pool if name in (None, use.name) and uri in (None, use.uri) and role in (None, use.role)
        ]
        return sorted(found, key=_use_key)

    # --- events ------------------------------------------------------------------------------------------------------

    def asset_event_add(self, events: Sequence[AssetEventRow], topics: Sequence[Sequence[str]]) -> list[int]:
        if not events:
            return []
        journal = self._write("asset_event_add")
        data = self._data
        ids: list[int] = []
        told_topics: set[str] = set()
        for event, told in zip(events, topics, strict=True):
            event_id = max(max(data.asset_events.rows, default=0), max(data.asset_log.rows.values(), default=0)) + 1
            data.asset_events.insert(journal, event_id, replace(event, event_id=event_id))
            ids.append(event_id)
            for topic in dict.fromkeys(told):
                head = data.asset_topics.get(topic)
                if head is not None:
                    data.asset_topics.put(journal, topic, head + 1)
                    data.asset_log.insert(journal, (topic, head + 1), event_id)
                    told_topics.add(topic)
        readers = {
            c.dag_id for topic in told_topics for c in data.asset_cursors.found("topic", topic) if c.held is None
        }
        for dag_id in sorted(readers):
            self._put_wake(dag_id, events[-1].at)
        self.topics |= {"assets", "changes"}
        return ids

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
        found = [
            row
            for row in self._data.asset_events
            if name in (None, row.name)
            and uri in (None, row.uri)
            and (alias is None or alias in row.aliases)
            and (after is None or row.at >= after)
            and (before is None or row.at <= before)
        ]
        return sorted(found, key=lambda row: (row.at, row.event_id), reverse=not ascending)[:limit]

    def asset_event_get_many(self, event_ids: Iterable[int]) -> list[AssetEventRow]:
        rows = self._data.asset_events.rows
        return [rows[each] for each in sorted(set(event_ids)) if each in rows]

    # --- consumers ---------------------------------------------------------------------------------------------------

    def asset_cursor_set(self, dag_id: str, topics: Iterable[str], *, paused: bool) -> None:
        journal, data = self._write("asset_cursor_set"), self._data
        wanted = sorted(set(topics))
        for cursor in data.asset_cursors.found("dag", dag_id):
            if cursor.topic not in wanted:
                data.asset_cursors.delete(journal, (dag_id, cursor.topic))
        for topic in wanted:
            head = data.asset_topics.get(topic)
            if head is None:
                head = 0
                data.asset_topics.put(journal, topic, 0)
            if (dag_id, topic) not in data.asset_cursors.rows and dag_id in data.dags.rows:
                row = AssetCursorRow(dag_id=dag_id, topic=topic, place=head, held=head if paused else None)
                data.asset_cursors.put(journal, (dag_id, topic), row)

    def asset_cursor_list(self, *, dag_id: str | None = None, topic: str | None = None) -> list[AssetCursorRow]:
        found = [c for c in self._data.asset_cursors if dag_id in (None, c.dag_id) and topic in (None, c.topic)]
        return sorted(found, key=lambda c: (c.dag_id, c.topic))

    def asset_cursor_move(self, dag_id: str, places: Mapping[str, int]) -> None:
        journal, table = self._write("asset_cursor_move"), self._data.asset_cursors
        for topic, place in places.items():
            cursor = table.get((dag_id, topic))
            if cursor is not None and cursor.place < place:
                table.put(journal, (dag_id, topic), replace(cursor, place=place))

    def asset_cursor_clear(self, *, dag_id: str | None = None, topics: Sequence[str] | None = None) -> int:
        journal, cleared = self._write("asset_cursor_clear"), 0
        for cursor in self.asset_cursor_list(dag_id=dag_id):
            if (topics is None or cursor.topic in topics) and self._unread(cursor):
                moved = replace(cursor, place=self._data.asset_topics.rows[cursor.topic])
                self._data.asset_cursors.put(journal, (cursor.dag_id, cursor.topic), moved)
                cleared += 1
        if cleared:
            self.topics.add("changes")
        return cleared

    def asset_waiting(self, dag_id: str, limit: int = WAITING_MAX) -> list[Waiting]:
        events = self._data.asset_events.rows
        return [
            Waiting(cursor.topic, place, event_id, events[event_id].at, events[event_id].partition_key)
            for cursor in self.asset_cursor_list(dag_id=dag_id)
            for place, event_id in self._unread(cursor)[:limit]
        ]

    def _unread(self, cursor: AssetCursorRow) -> list[tuple[int, int]]:
        """(place, event id) of what a consumer has not read and may read."""
        end = self._data.asset_topics.rows[cursor.topic]
        if cursor.held is not None:
            end = min(end, cursor.held)
        gap = range((cursor.skip_from or 0) + 1, (cursor.skip_to or 0) + 1) if cursor.skip_from is not None else ()
        log = self._data.asset_log.rows
        return [(n, log[cursor.topic, n]) for n in range(cursor.place + 1, end + 1) if n not in gap]

    def _hold_cursors(self, dag_id: str) -> None:
        """The DAG is paused."""
        journal, table = self._write("asset_cursor_hold"), self._data.asset_cursors
        for cursor in table.found("dag", dag_id):
            if cursor.held is None:
                held = replace(cursor, held=self._data.asset_topics.rows[cursor.topic])
                table.put(journal, (dag_id, cursor.topic), held)

    def _resume_cursors(self, dag_id: str) -> None:
        """The DAG is not paused any more."""
        journal, table = self._write("asset_cursor_resume"), self._data.asset_cursors
        resumed = [cursor for cursor in table.found("dag", dag_id) if cursor.held is not None]
        for cursor in resumed:
            grows = cursor.skip_from is not None and (cursor.skip_to or 0) > cursor.place
            fresh = replace(
                cursor,
                skip_from=cursor.skip_from if grows else cursor.held,
                skip_to=self._data.asset_topics.rows[cursor.topic],
                held=None,
            )
            table.put(journal, (dag_id, cursor.topic), fresh)
        if resumed:
            self.asset_wake(dag_id, self.now())

    def asset_wake(self, dag_id: str, due_at: datetime) -> None:
        self._put_wake(dag_id, due_at)
        self.topics.add("assets")

    def _put_wake(self, dag_id: str, due_at: datetime) -> None:
        table = self._data.asset_wakes
        line = max(table.rows, default=0) + 1
        table.put(self._write("asset_wake"), line, Wake(line, dag_id, due_at))

    def asset_claim_consumers(self, now: datetime, limit: int) -> list[DagRow]:
        journal, table = self._write("asset_claim_consumers"), self._data.asset_wakes
        due = [wake for wake in table if wake.due_at <= now]
        dags = self._data.dags.rows
        claimed = sorted({wake.dag_id for wake in due if wake.dag_id in dags})[:limit]
        for wake in due:
            if wake.dag_id in claimed or wake.dag_id not in dags:
                table.delete(journal, wake.line)
        return [dags[dag_id] for dag_id in claimed]

    def asset_next_wake(self) -> datetime | None:
        return min((wake.due_at for wake in self._data.asset_wakes), default=None)

    def asset_consume(self, run_key: str, dag_id: str, partition_key: str | None, event_ids: Sequence[int]) -> int:
        journal, table = self._write("asset_consume"), self._data.asset_consumed
        taken = 0
        for event_id in event_ids:
            key = (dag_id, partition_key or "", event_id)
            if key not in table.rows:
                table.put(journal, key, Consumed(*key, run_key))
                taken += 1
        return taken

    def asset_consumed_by(self, run_key: str) -> list[AssetEventRow]:
        return self.asset_event_get_many(each.event_id for each in self._data.asset_consumed.found("run", run_key))

    def asset_prune(self, before: datetime, limit: int) -> int:
        journal, data = self._write("asset_prune"), self._data
        unread = {
            data.asset_log.rows[cursor.topic, place]
            for cursor in data.asset_cursors
            for place in range(cursor.place + 1, data.asset_topics.rows[cursor.topic] + 1)
            if (cursor.topic, place) in data.asset_log.rows
        }
        unread |= {share.event_id for share in data.partition_shares}
        gone = [row.event_id for row in data.asset_events if row.at < before and row.event_id not in unread][:limit]
        for event_id in gone:
            data.asset_events.delete(journal, event_id)
        for key in [key for key, event_id in data.asset_log.rows.items() if event_id in gone]:
            data.asset_log.delete(journal, key)
        for taken in [taken for taken in data.asset_consumed.rows if taken[2] in gone]:
            data.asset_consumed.delete(journal, taken)
        return len(gone)

    def asset_consumers_of(self, event_id: int) -> list[str]:
        return sorted(each.run_key for each in self._data.asset_consumed if each.event_id == event_id)

    # --- partitions --------------------------------------------------------------------------------------------------

    def partition_share_put(self, rows: Sequence[PartitionShareRow]) -> None:
        journal, table = self._write("partition_share_put"), self._data.partition_shares
        for row in rows:
            if _share_key(row) not in table.rows:
                table.put(journal, _share_key(row), row)

    def partition_share_list(self, dag_id: str, partition_key: str | None = None) -> list[PartitionShareRow]:
        found = [
            row
            for row in self._data.partition_shares.found("dag", dag_id)
            if partition_key in (None, row.partition_key)
        ]
        return sorted(found, key=_share_key)

    def partition_share_delete(self, dag_id: str, partition_key: str | None = None) -> int:
        journal = self._write("partition_share_delete")
        doomed = self.partition_share_list(dag_id, partition_key)
        for row in doomed:
            self._data.partition_shares.delete(journal, _share_key(row))
        return len(doomed)


class TimetablePart(Unit):
    """`ports.assets.TimetableTx`."""

    def timetable_ask(self, dag_id: str, now: datetime) -> None:
        table = self._data.timetable_questions
        row = table.get(dag_id) or TimetableQuestionRow(dag_id=dag_id)
        fresh = replace(row, asked_at=now, leased_by=None, leased_until=None)
        table.put(self._write("timetable_ask"), dag_id, fresh)
        self.topics.add("timetables")

    def timetable_claim(self, owner: str, seconds: float, limit: int) -> list[str]:
        journal, table, now = self._write("timetable_claim"), self._data.timetable_questions, self.now()
        open_ones = [
            row for row in table if row.asked_at is not None and not (row.leased_until and row.leased_until >= now)
        ]
        chosen = sorted(open_ones, key=lambda row: (str(row.asked_at), row.dag_id))[:limit]
        for row in chosen:
            table.put(journal, row.dag_id, replace(row, leased_by=owner, leased_until=now + timedelta(seconds=seconds)))
        return sorted(row.dag_id for row in chosen)

    def timetable_answer(self, dag_id: str, owner: str, forecast: Sequence[str], now: datetime) -> bool:
        journal, table = self._write("timetable_answer"), self._data.timetable_questions
        row = table.get(dag_id)
        if row is None or row.leased_by != owner:
            return False
        done = replace(row, asked_at=None, leased_by=None, leased_until=None, forecast=tuple(forecast), answered_at=now)
        table.put(journal, dag_id, done)
        return True

    def timetable_get(self, dag_id: str) -> TimetableQuestionRow | None:
        return self._data.timetable_questions.get(dag_id)

    def timetable_forget(self, dag_id: str) -> None:
        self._data.timetable_questions.delete(self._write("timetable_forget"), dag_id)


def _use_key(use: AssetUseRow) -> UseKey:
    return (use.dag_id, use.task_id, use.role, use.kind, use.name, use.uri)


def _share_key(row: PartitionShareRow) -> ShareKey:
    return (row.dag_id, row.partition_key, row.topic, row.source_key, row.event_id)
