# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Events of assets, the logs of topics, and how far each consumer has read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from tradewind.domain.assets import Waiting
from tradewind.ports.asset_rows import AssetCursorRow, AssetEventRow, PartitionShareRow
from tradewind.ports.assets import WAITING_MAX
from tradewind.ports.rows import DagRow
from tradewind.store.codec import ASSET_CURSOR, ASSET_EVENT, DAG, PARTITION_SHARE
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

_HEADS = (("topic", Kind.TEXT), ("head", Kind.INTEGER))
_LOG = (("topic", Kind.TEXT), ("place", Kind.INTEGER), ("event_id", Kind.INTEGER))
_EVENT_ALIASES = (("alias", Kind.TEXT), ("event_id", Kind.INTEGER))
_ALIAS_LINKS = (("alias", Kind.TEXT), ("asset_id", Kind.INTEGER))
WAKE = (("dag_id", Kind.TEXT), ("due_at", Kind.INSTANT))
_DUE = (("due_at", Kind.INSTANT),)
_EVENT_IDS = (("event_id", Kind.INTEGER),)
_TOPICS = (("topic", Kind.TEXT), ("head", Kind.INTEGER))

# Where the reading goes on: behind the gap, if the cursor has reached it.
_BEGIN = """(CASE WHEN c.skip_from IS NOT NULL AND c.skip_from <= c.place AND c.skip_to > c.place
                  THEN c.skip_to ELSE c.place END)"""
# What a consumer may read: not what came while its DAG was paused.
_COLLECTED = """(c.held IS NULL OR l.place <= c.held)
                AND NOT (c.skip_from IS NOT NULL AND l.place > c.skip_from AND l.place <= c.skip_to)"""


@statement
def asset_topic_lock(d: Dialect) -> str:
    return f"""SELECT t.topic, t.head FROM asset_topic t WHERE {d.any("t.topic", "topics", Kind.TEXT)}
               ORDER BY t.topic {d.lock("t")}"""


@statement
def asset_topic_move(d: Dialect) -> str:
    return f"UPDATE asset_topic SET head = v.head FROM {d.relation('v', _HEADS)} WHERE asset_topic.topic = v.topic"


@statement
def asset_event_add(_: Dialect) -> str:
    columns = [column for column in ASSET_EVENT.columns if column != "event_id"]
    return f"""INSERT INTO asset_event ({", ".join(columns)}) VALUES ({", ".join(f":{c}" for c in columns)})
               RETURNING event_id"""


@statement
def asset_wake_consumers(d: Dialect) -> str:
    return f"""INSERT INTO asset_wake (dag_id, due_at) SELECT DISTINCT c.dag_id, v.due_at
               FROM asset_cursor c CROSS JOIN {d.relation("v", _DUE)}
               WHERE {d.any("c.topic", "topics", Kind.TEXT)} AND c.held IS NULL"""


@statement
def asset_event_list(
    _: Dialect, by_name: bool, by_uri: bool, by_alias: bool, after: bool, before: bool, up: bool
) -> str:
    wanted = [
        *(["e.name = :name"] if by_name else []),
        *(["e.uri = :uri"] if by_uri else []),
        *(["e.at >= :after"] if after else []),
        *(["e.at <= :before"] if before else []),
    ]
    alias = "JOIN asset_event_alias x ON x.event_id = e.event_id AND x.alias = :alias" if by_alias else ""
    order = "ASC" if up else "DESC"
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    return f"""SELECT {ASSET_EVENT.select("e")} FROM asset_event e {alias} {where}
               ORDER BY e.at {order}, e.event_id {order} LIMIT :limit"""


@statement
def asset_event_get_many(d: Dialect) -> str:
    return f"""SELECT {ASSET_EVENT.select("e")} FROM asset_event e
               WHERE {d.any("e.event_id", "event_ids", Kind.INTEGER)} ORDER BY e.event_id"""


@statement
def asset_cursor_drop(d: Dialect) -> str:
    return f"DELETE FROM asset_cursor WHERE dag_id = :dag_id AND NOT ({d.any('topic', 'topics', Kind.TEXT)})"


@statement
def asset_cursor_begin(d: Dialect, paused: bool) -> str:
    held = "t.head" if paused else "NULL"
    return f"""INSERT INTO asset_cursor (dag_id, topic, place, held)
               SELECT d.dag_id, t.topic, t.head, {held} FROM asset_topic t CROSS JOIN dag d
               WHERE d.dag_id = :dag_id AND {d.any("t.topic", "topics", Kind.TEXT)} ON CONFLICT DO NOTHING"""


@statement
def asset_cursor_list(_: Dialect, by_dag: bool, by_topic: bool) -> str:
    wanted = [*(["c.dag_id = :dag_id"] if by_dag else []), *(["c.topic = :topic"] if by_topic else [])]
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    return f"SELECT {ASSET_CURSOR.select('c')} FROM asset_cursor c {where} ORDER BY c.dag_id, c.topic"


@statement
def asset_cursor_move(d: Dialect) -> str:
    return f"""UPDATE asset_cursor SET place = v.head FROM {d.relation("v", _HEADS)}
               WHERE asset_cursor.dag_id = :dag_id AND asset_cursor.topic = v.topic AND asset_cursor.place < v.head"""


@statement
def asset_cursor_hold(_: Dialect) -> str:
    return """UPDATE asset_cursor SET held = (SELECT t.head FROM asset_topic t WHERE t.topic = asset_cursor.topic)
              WHERE dag_id = :dag_id AND held IS NULL"""


@statement
def asset_cursor_resume(_: Dialect) -> str:
    # A gap of an earlier pause that lies before what is still unread grows into one with this.
    return """UPDATE asset_cursor SET
                  skip_from = CASE WHEN skip_from IS NOT NULL AND skip_to > place THEN skip_from ELSE held END,
                  skip_to = (SELECT t.head FROM asset_topic t WHERE t.topic = asset_cursor.topic), held = NULL
              WHERE dag_id = :dag_id AND held IS NOT NULL RETURNING topic"""


@statement
def asset_cursor_unread(d: Dialect, by_dag: bool, by_topic: bool) -> str:
    dag = "AND c.dag_id = :dag_id" if by_dag else ""
    topic = f"AND {d.any('c.topic', 'topics', Kind.TEXT)}" if by_topic else ""
    return f"""SELECT c.dag_id, c.topic FROM asset_cursor c WHERE EXISTS (
                   SELECT 1 FROM asset_log l WHERE l.topic = c.topic AND l.place > c.place AND {_COLLECTED}
               ) {dag} {topic} ORDER BY c.dag_id, c.topic"""


@statement
def asset_cursor_to_end(_: Dialect) -> str:
    return """UPDATE asset_cursor SET place = (SELECT t.head FROM asset_topic t WHERE t.topic = asset_cursor.topic)
              WHERE dag_id = :dag_id AND topic = :topic"""


@statement
def asset_waiting(_: Dialect) -> str:
    return f"""SELECT l.topic, l.place, l.event_id, e.at, e.partition_key
               FROM asset_cursor c
               JOIN asset_log l ON l.topic = c.topic AND l.place > {_BEGIN} AND l.place <= {_BEGIN} + :limit
               JOIN asset_event e ON e.event_id = l.event_id
               WHERE c.dag_id = :dag_id AND {_COLLECTED} ORDER BY l.topic, l.place"""


@statement
def asset_claim_consumers(d: Dialect) -> str:
    return f"""SELECT {DAG.select("d")} FROM dag d
               WHERE d.dag_id IN (SELECT w.dag_id FROM asset_wake w WHERE w.due_at <= :now)
               ORDER BY d.dag_id LIMIT :limit {d.lock("d", skip=True)}"""


@statement
def asset_wake_take(d: Dialect) -> str:
    return f"DELETE FROM asset_wake WHERE {d.any('dag_id', 'dag_ids', Kind.TEXT)} AND due_at <= :now"


@statement
def asset_wake_forget(_: Dialect) -> str:
    return """DELETE FROM asset_wake WHERE due_at <= :now
              AND NOT EXISTS (SELECT 1 FROM dag d WHERE d.dag_id = asset_wake.dag_id)"""


@statement
def asset_next_wake(_: Dialect) -> str:
    return "SELECT w.due_at FROM asset_wake w ORDER BY w.due_at LIMIT 1"


@statement
def asset_consume(d: Dialect) -> str:
    return f"""INSERT INTO asset_consumed (dag_id, partition_key, event_id, run_key)
               SELECT r.dag_id, coalesce(r.partition_key, ''), v.event_id, r.run_key
               FROM dag_run r CROSS JOIN {d.relation("v", _EVENT_IDS)} WHERE r.run_key = :run_key
               ON CONFLICT DO NOTHING RETURNING event_id"""


@statement
def asset_list_expired(_: Dialect) -> str:
    # Event ids rise with time, so the walk from the oldest on ends early. Partitions that are being filled keep theirs.
    return """SELECT e.event_id FROM asset_event e WHERE e.at < :before
              AND NOT EXISTS (SELECT 1 FROM partition_share s WHERE s.event_id = e.event_id)
              AND NOT EXISTS (SELECT 1 FROM asset_cursor c JOIN asset_log l ON l.topic = c.topic AND l.place > c.place
                              WHERE l.event_id = e.event_id)
              ORDER BY e.event_id LIMIT :limit"""


@statement
def asset_forget(d: Dialect, table: str) -> str:
    return f"DELETE FROM {table} WHERE {d.any('event_id', 'event_ids', Kind.INTEGER)}"


@statement
def asset_consumed_by(_: Dialect) -> str:
    return f"""SELECT {ASSET_EVENT.select("e")} FROM asset_consumed c JOIN asset_event e ON e.event_id = c.event_id
               WHERE c.run_key = :run_key ORDER BY e.event_id"""


@statement
def asset_consumers_of(_: Dialect) -> str:
    return "SELECT c.run_key FROM asset_consumed c WHERE c.event_id = :event_id ORDER BY c.run_key"


@statement
def partition_share_list(_: Dialect, by_key: bool) -> str:
    key = "AND s.partition_key = :partition_key" if by_key else ""
    return f"""SELECT {PARTITION_SHARE.select("s")} FROM partition_share s WHERE s.dag_id = :dag_id {key}
               ORDER BY s.partition_key, s.topic, s.source_key, s.event_id"""


@statement
def partition_share_delete(_: Dialect, by_key: bool) -> str:
    key = "AND partition_key = :partition_key" if by_key else ""
    return f"DELETE FROM partition_share WHERE dag_id = :dag_id {key} RETURNING event_id"


class AssetLogQueries(Work):
    """See `ports.assets.AssetTx`."""

    def asset_event_add(self, events: Sequence[AssetEventRow], topics: Sequence[Sequence[str]]) -> list[int]:
        if not events:
            return []
        heads = dict(self._rows(asset_topic_lock(self._dialect), topics=self._texts({t for ts in topics for t in ts})))
        ids: list[int] = []
        lines: list[tuple[str, int, int]] = []
        for event, told in zip(events, topics, strict=True):
            params = ASSET_EVENT.params(self._dialect, event)
            del params["event_id"]
            ((event_id,),) = self._rows(asset_event_add(self._dialect), **params)
            ids.append(event_id)
            for topic in dict.fromkeys(told):
                if topic in heads:
                    heads[topic] += 1
                    lines.append((topic, heads[topic], event_id))
        self._note_aliases(events, ids)
        self._append(lines, events[-1].at)
        self.ring("assets", "changes")
        return ids

    def _note_aliases(self, events: Sequence[AssetEventRow], ids: Sequence[int]) -> None:
        named = [(alias, event_id) for event, event_id in zip(events, ids, strict=True) for alias in event.aliases]
        links = sorted({(alias, event.asset_id) for event in events for alias in event.aliases})
        if named:
            self._session.insert("asset_event_alias", _EVENT_ALIASES, named, "ON CONFLICT DO NOTHING")
            self._session.insert("asset_alias_link", _ALIAS_LINKS, links, "ON CONFLICT DO NOTHING")

    def _append(self, lines: Sequence[tuple[str, int, int]], now: datetime) -> None:
        if not lines:
            return
        ends: Counter[str] = Counter()
        for topic, place, _ in lines:
            ends[topic] = max(ends[topic], place)
        params = self._dialect.relation_params("v", _HEADS, sorted(ends.items()))
        self._write(asset_topic_move(self._dialect), **params)
        self._session.insert("asset_log", _LOG, lines)
        due = self._dialect.relation_params("v", _DUE, [(now,)])
        self._write(asset_wake_consumers(self._dialect), topics=self._texts(ends), **due)

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
        texts = {"name": name, "uri": uri, "alias": alias}
        given = {key: self._value(Kind.TEXT, value) for key, value in texts.items() if value is not None}
        given |= {key: self._instant(at) for key, at in (("after", after), ("before", before)) if at is not None}
        by_name, by_uri, by_alias = (value is not None for value in (name, uri, alias))
        text = asset_event_list(
            self._dialect, by_name, by_uri, by_alias, after is not None, before is not None, ascending
        )
        return self._read_all(ASSET_EVENT, text, limit=1_000_000 if limit is None else limit, **given)

    def asset_event_get_many(self, event_ids: Iterable[int]) -> list[AssetEventRow]:
        ids = self._dialect.array(Kind.INTEGER, event_ids)
        return self._read_all(ASSET_EVENT, asset_event_get_many(self._dialect), event_ids=ids)

    # --- consumers ---------------------------------------------------------------------------------------------------

    def asset_cursor_set(self, dag_id: str, topics: Iterable[str], *, paused: bool) -> None:
        wanted = sorted(set(topics))
        self._write(asset_cursor_drop(self._dialect), dag_id=dag_id, topics=self._texts(wanted))
        if wanted:
            encoded = [(self._value(Kind.TEXT, topic), 0) for topic in wanted]
            self._session.insert("asset_topic", _TOPICS, encoded, "ON CONFLICT DO NOTHING")
            self._write(asset_cursor_begin(self._dialect, paused), dag_id=dag_id, topics=self._texts(wanted))

    def asset_cursor_list(self, *, dag_id: str | None = None, topic: str | None = None) -> list[AssetCursorRow]:
        given = {key: value for key, value in (("dag_id", dag_id), ("topic", topic)) if value is not None}
        text = asset_cursor_list(self._dialect, dag_id is not None, topic is not None)
        return self._read_all(ASSET_CURSOR, text, **given)

    def asset_cursor_move(self, dag_id: str, places: Mapping[str, int]) -> None:
        if places:
            params = self._dialect.relation_params("v", _HEADS, sorted(places.items()))
            self._write(asset_cursor_move(self._dialect), dag_id=dag_id, **params)

    def asset_cursor_clear(self, *, dag_id: str | None = None, topics: Sequence[str] | None = None) -> int:
        given = {} if dag_id is None else {"dag_id": dag_id}
        if topics is not None:
            given["topics"] = self._texts(topics)
        text = asset_cursor_unread(self._dialect, dag_id is not None, topics is not None)
        unread = self._rows(text, **given)
        for reader, topic in unread:
            self._write(asset_cursor_to_end(self._dialect), dag_id=reader, topic=topic)
        if unread:
            self.ring("changes")
        return len(unread)

    def asset_waiting(self, dag_id: str, limit: int = WAITING_MAX) -> list[Waiting]:
        instant = self._dialect.decoders.get(Kind.INSTANT, lambda value: value)
        found = self._rows(asset_waiting(self._dialect), dag_id=dag_id, limit=limit)
        return [Waiting(topic, place, event_id, instant(at), key) for topic, place, event_id, at, key in found]

    def asset_wake(self, dag_id: str, due_at: datetime) -> None:
        self._session.insert("asset_wake", WAKE, [(dag_id, self._instant(due_at))])
        self.ring("assets")

    def asset_claim_consumers(self, now: datetime, limit: int) -> list[DagRow]:
        at = self._instant(now)
        found = self._read_all(DAG, asset_claim_consumers(self._dialect), now=at, limit=limit)
        if found:
            ids = self._texts(row.dag_id for row in found)
            self._write(asset_wake_take(self._dialect), dag_ids=ids, now=at)
        else:
            self._write(asset_wake_forget(self._dialect), now=at)
        return found

    def asset_next_wake(self) -> datetime | None:
        return self._first_instant(asset_next_wake(self._dialect))

    def asset_consume(
        self,
        run_key: str,
        dag_id: str,  # noqa: ARG002 # the row of the run says it
        partition_key: str | None,  # noqa: ARG002
        event_ids: Sequence[int],
    ) -> int:
        params = self._dialect.relation_params("v", _EVENT_IDS, [(event_id,) for event_id in event_ids])
        return len(self._rows(asset_consume(self._dialect), run_key=self._id(run_key), **params))

    def asset_consumed_by(self, run_key: str) -> list[AssetEventRow]:
        return self._read_all(ASSET_EVENT, asset_consumed_by(self._dialect), run_key=self._id(run_key))

    def asset_prune(self, before: datetime, limit: int) -> int:
        found = self._rows(asset_list_expired(self._dialect), before=self._instant(before), limit=limit)
        if found:
            ids = self._dialect.array(Kind.INTEGER, [event_id for (event_id,) in found])
            for table in ("asset_log", "asset_event_alias", "asset_consumed", "asset_event"):
                self._write(asset_forget(self._dialect, table), event_ids=ids)
        return len(found)

    def asset_consumers_of(self, event_id: int) -> list[str]:
        return [str(run_key) for (run_key,) in self._rows(asset_consumers_of(self._dialect), event_id=event_id)]

    # --- partitions --------------------------------------------------------------------------------------------------

    def partition_share_put(self, rows: Sequence[PartitionShareRow]) -> None:
        self._insert(PARTITION_SHARE, list(rows), "ON CONFLICT DO NOTHING")

    def partition_share_list(self, dag_id: str, partition_key: str | None = None) -> list[PartitionShareRow]:
        given = {"dag_id": dag_id}
        if partition_key is not None:
            given["partition_key"] = partition_key
        return self._read_all(PARTITION_SHARE, partition_share_list(self._dialect, partition_key is not None), **given)

    def partition_share_delete(self, dag_id: str, partition_key: str | None = None) -> int:
        given = {"dag_id": dag_id}
        if partition_key is not None:
            given["partition_key"] = partition_key
        return len(self._rows(partition_share_delete(self._dialect, partition_key is not None), **given))
