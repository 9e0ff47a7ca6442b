# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""What the public API shows beside assets. See `ports.reads`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tradewind.ports.asset_rows import AliasRow, AssetUseRow
from tradewind.store.codec import ASSET_ALIAS, ASSET_USE
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement


@statement
def dags_consuming(d: Dialect) -> str:
    like = " OR ".join(
        rf"{d.folded(f'u.{column}')} LIKE {d.folded(':pattern')} ESCAPE '\'" for column in ("name", "uri")
    )
    return f"SELECT DISTINCT u.dag_id FROM asset_use u WHERE u.role = 'schedule' AND ({like})"


@statement
def asset_conflicts(d: Dialect) -> str:
    return f"""SELECT DISTINCT u.dag_id, a.conflict FROM asset_use u
               JOIN asset a ON a.name = u.name AND a.uri = u.uri
               WHERE a.conflict IS NOT NULL AND {d.any("u.dag_id", "dag_ids", Kind.TEXT)} ORDER BY 1, 2"""


@statement
def asset_uses(d: Dialect) -> str:
    return f"""SELECT {ASSET_USE.select("u")} FROM asset_use u
               WHERE {d.any("u.name", "names", Kind.TEXT)} OR {d.any("u.uri", "uris", Kind.TEXT)}
               ORDER BY u.dag_id, u.task_id"""


@statement
def asset_links(d: Dialect, by_alias: bool) -> str:
    which = d.any("l.alias", "aliases", Kind.TEXT) if by_alias else d.any("l.asset_id", "asset_ids", Kind.INTEGER)
    return f"SELECT l.alias, l.asset_id FROM asset_alias_link l WHERE {which} ORDER BY l.alias, l.asset_id"


@statement
def asset_last_events(d: Dialect) -> str:
    return f"""SELECT e.asset_id, e.event_id, e.at FROM asset_event e
               JOIN (SELECT x.asset_id, max(x.event_id) AS newest FROM asset_event x
                     WHERE {d.any("x.asset_id", "asset_ids", Kind.INTEGER)} GROUP BY x.asset_id) n
               ON n.newest = e.event_id"""


@statement
def asset_runs_of(d: Dialect) -> str:
    return f"""SELECT c.event_id, c.run_key FROM asset_consumed c
               WHERE {d.any("c.event_id", "event_ids", Kind.INTEGER)} ORDER BY c.event_id, c.run_key"""


@statement
def asset_aliases_named(d: Dialect) -> str:
    which = d.any("a.name", "names", Kind.TEXT)
    return f"SELECT {ASSET_ALIAS.select('a')} FROM asset_alias a WHERE {which} ORDER BY a.name"


class ApiAssetQueries(Work):
    """See `ports.reads.ApiReads`."""

    def dags_consuming(self, pattern: str) -> list[str]:
        found = self._rows(dags_consuming(self._dialect), pattern=f"%{self._value(Kind.TEXT, pattern)}%")
        return [dag_id for (dag_id,) in found]

    def asset_conflicts(self, dag_ids: Sequence[str]) -> list[tuple[str, str]]:
        found = self._rows(asset_conflicts(self._dialect), dag_ids=self._texts(dag_ids))
        return [(dag_id, conflict) for dag_id, conflict in found]

    def asset_uses(self, names: Sequence[str], uris: Sequence[str]) -> list[AssetUseRow]:
        sql = asset_uses(self._dialect)
        return self._read_all(ASSET_USE, sql, names=self._texts(names), uris=self._texts(uris))

    def asset_links(self, *, asset_ids: Sequence[int] = (), aliases: Sequence[str] = ()) -> list[tuple[str, int]]:
        found = self._rows(
            asset_links(self._dialect, bool(aliases)), asset_ids=self._numbers(asset_ids), aliases=self._texts(aliases)
        )
        return [(alias, asset_id) for alias, asset_id in found]

    def asset_last_events(self, asset_ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
        decode = self._dialect.decoders.get(Kind.INSTANT, lambda value: value)
        found = self._rows(asset_last_events(self._dialect), asset_ids=self._numbers(asset_ids))
        return {asset_id: (event_id, decode(at)) for asset_id, event_id, at in found}

    def asset_runs_of(self, event_ids: Sequence[int]) -> list[tuple[int, str]]:
        found = self._rows(asset_runs_of(self._dialect), event_ids=self._numbers(event_ids))
        return [(event_id, str(run_key)) for event_id, run_key in found]

    def asset_aliases_named(self, names: Sequence[str]) -> list[AliasRow]:
        return self._read_all(ASSET_ALIAS, asset_aliases_named(self._dialect), names=self._texts(names))

    def _numbers(self, values: Sequence[int]) -> str:
        return self._dialect.array(Kind.INTEGER, values)
