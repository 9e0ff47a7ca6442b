# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Read models of the public API that are no lists. See `ports.reads`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tradewind.ports.reads import Ask, Found
from tradewind.ports.reads_rows import VersionHead
from tradewind.ports.rows import RunRow
from tradewind.store.codec import RUN
from tradewind.store.dialects.base import Dialect
from tradewind.store.dialects.values import dict_of, names_of
from tradewind.store.kinds import Kind
from tradewind.store.queries.slots import RunSlots
from tradewind.store.statements import statement

from .api_assets import ApiAssetQueries

_HEAD = "v.version_id, v.dag_id, v.number, v.bundle, v.bundle_version, v.file, v.created_at"


@statement
def version_heads(d: Dialect) -> str:
    return f"SELECT {_HEAD} FROM dag_version v WHERE {d.any('v.version_id', 'ids', Kind.ID)}"


@statement
def version_documents(d: Dialect) -> str:
    return f"SELECT v.version_id, v.document FROM dag_version v WHERE {d.any('v.version_id', 'ids', Kind.ID)}"


@statement
def version_source(_: Dialect, newest: bool) -> str:
    which = "" if newest else "AND v.number = :number"
    return (
        f"SELECT v.number, v.source FROM dag_version v WHERE v.dag_id = :dag_id {which} ORDER BY v.number DESC LIMIT 1"
    )


@statement
def dag_tags(d: Dialect, some: bool) -> str:
    which = f"AND {d.any('d.dag_id', 'dag_ids', Kind.TEXT)}" if some else ""
    return f"SELECT DISTINCT CAST(d.tags AS TEXT) FROM dag d WHERE NOT d.is_stale {which}"


@statement
def run_counts(d: Dialect, some: bool) -> str:
    which = f"AND {d.any('d.dag_id', 'dag_ids', Kind.TEXT)}" if some else ""
    return f"""SELECT d.dag_id, coalesce(d.display_name, d.dag_id), r.state, count(*)
               FROM dag d JOIN dag_run r ON r.dag_id = d.dag_id WHERE true {which} GROUP BY 1, 2, 3 ORDER BY 1"""


@statement
def run_clear_partition(_: Dialect) -> str:
    return "UPDATE dag_run SET partition_key = NULL, partition_date = NULL WHERE run_key = :run_key"


@statement
def run_many(d: Dialect) -> str:
    return f"SELECT {RUN.select('r')} FROM dag_run r WHERE {d.any('r.run_key', 'ids', Kind.ID)}"


@statement
def pool_states(_: Dialect) -> str:
    # What waits, runs or is queued is little, and the partial indexes hold it; deferred ones hold no slot.
    return """SELECT t.pool, t.state, sum(t.pool_slots) FROM task_instance t
              WHERE t.state IN ('queued', 'running', 'scheduled', 'deferred') GROUP BY t.pool, t.state"""


@statement
def rendered_many(d: Dialect) -> str:
    return f"SELECT r.ti_id, r.fields FROM rendered_fields r WHERE {d.any('r.ti_id', 'ids', Kind.ID)}"


class ApiReadQueries(ApiAssetQueries, RunSlots):
    """See `ports.reads.ApiReads`."""

    def ask_list(self, name: str, ask: Ask) -> Found[Any]:
        # Loaded when somebody asks: agents and schedulers never do.
        from .api_lists import LISTS
        from .listing import run_ask

        self._flush_run_slots()
        return run_ask(LISTS[name], self._session, ask)

    def list_fields(self, name: str) -> Sequence[str]:
        from .api_lists import LISTS

        return tuple(LISTS[name].fields)

    def version_heads(self, version_ids: Iterable[str]) -> dict[str, VersionHead]:
        from .api_lists import VERSIONS

        found = self._rows(version_heads(self._dialect), ids=self._ids(version_ids))
        read = VERSIONS.read(self._dialect)
        return {head.version_id: head for head in map(read, found)}

    def version_documents(self, version_ids: Iterable[str]) -> dict[str, bytes]:
        return {
            str(version_id): bytes(document)
            for version_id, document in self._rows(version_documents(self._dialect), ids=self._ids(version_ids))
        }

    def version_source(self, dag_id: str, number: int | None) -> tuple[int, str] | None:
        sql = version_source(self._dialect, number is None)
        found = self._rows(sql, dag_id=dag_id, number=number)
        return (found[0][0], found[0][1]) if found else None

    def dag_tags(self, dag_ids: Sequence[str] | None) -> list[str]:
        found = self._rows(dag_tags(self._dialect, dag_ids is not None), dag_ids=self._texts(dag_ids or ()))
        return sorted({name for (tags,) in found for name in names_of(tags)})

    def run_counts(self, dag_ids: Sequence[str] | None) -> list[tuple[str, str, str, int]]:
        found = self._rows(run_counts(self._dialect, dag_ids is not None), dag_ids=self._texts(dag_ids or ()))
        return [(row[0], row[1], row[2], row[3]) for row in found]

    def run_many(self, run_keys: Iterable[str]) -> dict[str, RunRow]:
        rows = self._read_all(RUN, run_many(self._dialect), ids=self._ids(run_keys))
        return {row.run_key: row for row in rows}

    def pool_states(self) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for pool, state, slots in self._rows(pool_states(self._dialect)):
            counts.setdefault(pool, {})[state] = int(slots)
        return counts

    def rendered_many(self, ti_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        found = self._rows(rendered_many(self._dialect), ids=self._ids(ti_ids))
        return {str(ti_id): dict_of(fields) for ti_id, fields in found}

    def run_clear_partition(self, run_key: str) -> None:
        self._write(run_clear_partition(self._dialect), run_key=self._id(run_key))
        self.ring("changes")
