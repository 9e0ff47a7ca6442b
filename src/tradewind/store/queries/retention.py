# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Keeping history short: bounded deletions along indexes, so that nobody waits for long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tradewind.ports.retention import ArchivedRow
from tradewind.ports.rows import RunRow
from tradewind.store.codec import ARCHIVE, ATTEMPT, DEADLINE, RUN, TASK, XCOM, Codec
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

from .past import OF_INSTANCE, delete_by

_LAST, _LAST_KEY = datetime(9999, 12, 31, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff"
_FIRST_KEY = "00000000-0000-0000-0000-000000000000"
_ARCHIVED: tuple[Codec[Any], ...] = (RUN, TASK, ATTEMPT, XCOM, DEADLINE)
_LINE = tuple((column, kind) for column, kind in ARCHIVE.kinds.items() if column != "line")


def first_key_of(instant: datetime) -> str:
    """The least run key that can have been made at that instant: they begin with milliseconds since 1970."""
    milliseconds = f"{max(0, int(instant.timestamp() * 1000)):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-000000000000"


@statement
def run_list_expired(_: Dialect, by_age: bool, by_count: bool) -> str:
    # What was made later than `before` cannot have ended earlier: so the walk from the oldest run on ends early.
    reasons = []
    if by_age:
        reasons.append("(r.run_key < :made_before AND r.ended_at < :before)")
    if by_count:
        reasons.append(
            """r.run_key < (SELECT k.run_key FROM dag_run k WHERE k.dag_id = :dag_id
                            ORDER BY k.run_key DESC LIMIT 1 OFFSET :kept)"""
        )
    bound = "AND r.run_key < :made_before" if by_age and not by_count else ""
    return f"""SELECT {RUN.select("r")} FROM dag_run r
               WHERE r.dag_id = :dag_id AND r.run_key > :after {bound}
               AND r.state || '' IN ('failed', 'success') AND ({" OR ".join(reasons)})
               AND r.run_key <> (SELECT n.run_key FROM dag_run n WHERE n.dag_id = :dag_id
                                 ORDER BY n.run_key DESC LIMIT 1)
               AND NOT EXISTS (SELECT 1 FROM (SELECT s.run_key FROM dag_run s
                                   WHERE s.dag_id = :dag_id AND s.run_type = 'scheduled'
                                   ORDER BY coalesce(s.logical_date, s.run_after) DESC, s.run_key DESC LIMIT 1) AS last
                               WHERE last.run_key = r.run_key)
               ORDER BY r.run_key LIMIT :limit"""


@statement
def task_list_some(_: Dialect) -> str:
    return "SELECT t.ti_id FROM task_instance t WHERE t.run_key = :run_key ORDER BY t.task_id, t.map_path LIMIT :limit"


@statement
def rows_of_runs(d: Dialect, table: str, columns: str) -> str:
    return f"SELECT {columns} FROM {table} x WHERE {d.any('x.run_key', 'ids', Kind.ID)}"


@statement
def attempts_of_runs(d: Dialect) -> str:
    which = d.any("t.run_key", "ids", Kind.ID)
    return f"""SELECT {ATTEMPT.select("a")} FROM task_instance t JOIN task_attempt a ON a.ti_id = t.ti_id
               WHERE {which}"""


@statement
def xcoms_of_runs(d: Dialect, only_urls: bool) -> str:
    which = d.any("t.run_key", "ids", Kind.ID)
    found, outside = ("x.url", "AND x.url IS NOT NULL") if only_urls else (XCOM.select("x"), "")
    return f"SELECT {found} FROM task_instance t JOIN xcom x ON x.ti_id = t.ti_id WHERE {which} {outside}"


@statement
def inbox_prune(d: Dialect) -> str:
    return f"""DELETE FROM inbox WHERE line IN (
                   SELECT i.line FROM inbox i
                   WHERE NOT EXISTS (SELECT 1 FROM dag_run r WHERE r.run_key = i.run_key
                                     AND r.state || '' IN ('queued', 'running'))
                   ORDER BY i.line LIMIT :limit {d.lock("i", skip=True)}
               ) RETURNING line"""


@statement
def backfill_prune(_: Dialect) -> str:
    return """DELETE FROM backfill WHERE backfill_id IN (
                  SELECT b.backfill_id FROM backfill b WHERE b.completed_at < :before
                  AND NOT EXISTS (SELECT 1 FROM dag_run r WHERE r.backfill_id IS NOT NULL
                                  AND r.backfill_id = b.backfill_id)
                  ORDER BY b.backfill_id LIMIT :limit
              ) RETURNING backfill_id"""


@statement
def backfill_run_prune(d: Dialect) -> str:
    return f"DELETE FROM backfill_run WHERE {d.any('backfill_id', 'ids', Kind.INTEGER)}"


@statement
def version_prune(_: Dialect) -> str:
    # Instances of a run may be of an older version than it: of the one it began with, or later ones. So everything from
    # the version before the oldest run on stays.
    oldest_run = "SELECT o.run_key FROM dag_run o WHERE o.dag_id = :dag_id ORDER BY o.run_key LIMIT 1"
    began = f"""SELECT b.version_id FROM dag_version b WHERE b.dag_id = :dag_id
                AND b.version_id < coalesce(({oldest_run}), :last_key) ORDER BY b.version_id DESC LIMIT 1"""
    kept = "SELECT k.number FROM dag_version k WHERE k.dag_id = :dag_id ORDER BY k.number DESC LIMIT 1 OFFSET :kept"
    return f"""DELETE FROM dag_version WHERE version_id IN (
                   SELECT v.version_id FROM dag_version v WHERE v.dag_id = :dag_id
                   AND v.version_id < ({began}) AND v.number < ({kept})
                   AND NOT EXISTS (SELECT 1 FROM dag g WHERE g.dag_id = :dag_id AND g.version_id = v.version_id)
                   AND NOT EXISTS (SELECT 1 FROM dag_run r WHERE r.version_id = v.version_id)
                   ORDER BY v.number LIMIT :limit
               ) RETURNING version_id"""


@statement
def archive_list(_: Dialect, of_source: bool) -> str:
    which = "AND a.source = :source" if of_source else ""
    return f"SELECT {ARCHIVE.select('a')} FROM archive a WHERE a.line > :after {which} ORDER BY a.line LIMIT :limit"


@statement
def archive_count(_: Dialect) -> str:
    return "SELECT a.source, count(*) FROM archive a GROUP BY a.source ORDER BY a.source"


@statement
def archive_drop(d: Dialect, some: bool) -> str:
    which = f"WHERE {d.any('a.source', 'sources', Kind.TEXT)}" if some else ""
    return f"""DELETE FROM archive WHERE line IN (SELECT a.line FROM archive a {which} ORDER BY a.line LIMIT :limit)
               RETURNING line"""


class RetentionQueries(Work):
    """See `ports.retention.RetentionTx`."""

    def run_list_expired(
        self, dag_id: str, before: datetime | None, keep: int | None, limit: int, after: str | None = None
    ) -> list[RunRow]:
        if before is None and keep is None:
            return []
        return self._read_all(
            RUN,
            run_list_expired(self._dialect, before is not None, keep is not None),
            dag_id=dag_id,
            before=self._instant(before),
            made_before=self._id(first_key_of(before or _LAST)),
            kept=max(keep or 1, 1) - 1,
            after=self._id(after or _FIRST_KEY),
            limit=limit,
        )

    def run_delete_some_tasks(self, run_key: str, limit: int) -> int:
        found = self._rows(task_list_some(self._dialect), run_key=self._id(run_key), limit=limit)
        ids = self._ids(ti_id for (ti_id,) in found)
        for table in (*OF_INSTANCE, "task_instance") if found else ():
            self._write(delete_by(self._dialect, table, "ti_id"), ids=ids)
        return len(found)

    def run_archive(self, run_keys: Sequence[str], now: datetime) -> int:
        ids = self._ids(run_keys)
        lines: list[list[Any]] = []
        for codec in _ARCHIVED:
            sql = rows_of_runs(self._dialect, codec.table, codec.select("x"))
            if codec is ATTEMPT:
                sql = attempts_of_runs(self._dialect)
            elif codec is XCOM:
                sql = xcoms_of_runs(self._dialect, False)
            for row in self._read_all(codec, sql, ids=ids):
                payload = msgspec.to_builtins(row, builtin_types=())
                kept = ArchivedRow(archived_at=now, source=codec.table, dag_id=payload.get("dag_id"), payload=payload)
                lines.append(ARCHIVE.encode(self._dialect, kept)[1:])
        if lines:
            self._session.insert("archive", _LINE, lines)
        return len(lines)

    def xcom_list_urls(self, run_keys: Sequence[str]) -> list[str]:
        return [url for (url,) in self._rows(xcoms_of_runs(self._dialect, True), ids=self._ids(run_keys))]

    def inbox_prune(self, limit: int) -> int:
        return len(self._rows(inbox_prune(self._dialect), limit=limit))

    def backfill_prune(self, before: datetime, limit: int) -> int:
        gone = [
            each for (each,) in self._rows(backfill_prune(self._dialect), before=self._instant(before), limit=limit)
        ]
        if gone:
            self._write(backfill_run_prune(self._dialect), ids=self._dialect.array(Kind.INTEGER, gone))
        return len(gone)

    def version_prune(self, dag_id: str, keep: int, limit: int) -> int:
        gone = self._rows(
            version_prune(self._dialect),
            dag_id=dag_id,
            kept=max(keep, 1) - 1,
            last_key=self._id(_LAST_KEY),
            limit=limit,
        )
        return len(gone)

    def archive_list(self, source: str | None = None, *, after: int = 0, limit: int = 1000) -> list[ArchivedRow]:
        sql = archive_list(self._dialect, source is not None)
        return self._read_all(ARCHIVE, sql, source=source, after=after, limit=limit)

    def archive_count(self) -> dict[str, int]:
        return dict(self._rows(archive_count(self._dialect)))

    def archive_drop(self, sources: Sequence[str] | None, limit: int) -> int:
        sql = archive_drop(self._dialect, sources is not None)
        return len(self._rows(sql, sources=self._texts(sources or ()), limit=limit))
