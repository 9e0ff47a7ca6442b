# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Assets, and who speaks of them. Their events and logs stand in `asset_log`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tradewind.ports.asset_rows import AliasRow, AssetRow, AssetUseRow
from tradewind.store.codec import ASSET, ASSET_ALIAS, ASSET_USE
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement
from tradewind.wire.assets import AliasFacts, AssetFacts

_DESCRIBED = ("group_name", "extra", "watchers", "access", "expected_every_seconds", "updated_at")
_USE_KEY = ("dag_id", "task_id", "role", "kind", "name", "uri")
_ALIAS_COLUMNS = (("name", Kind.TEXT), ("group_name", Kind.TEXT))


@statement
def asset_put(_: Dialect) -> str:
    columns = [column for column in ASSET.columns if column != "asset_id"]
    changes = ", ".join(f"{column} = excluded.{column}" for column in _DESCRIBED)
    return f"""INSERT INTO asset ({", ".join(columns)}) VALUES ({", ".join(f":{column}" for column in columns)})
               ON CONFLICT (name, uri) DO UPDATE SET {changes} RETURNING {ASSET.plain()}"""


@statement
def asset_get_many(d: Dialect) -> str:
    return f"""SELECT {ASSET.select("a")} FROM asset a WHERE {d.any("a.asset_id", "asset_ids", Kind.INTEGER)}
               ORDER BY a.asset_id"""


@statement
def asset_find(_: Dialect, by_name: bool, by_uri: bool) -> str:
    wanted = [*(["a.name = :name"] if by_name else []), *(["a.uri = :uri"] if by_uri else [])]
    return f"""SELECT {ASSET.select("a")} FROM asset a WHERE {" AND ".join(wanted) or "FALSE"}
               ORDER BY a.is_active DESC, a.asset_id"""


@statement
def asset_list(d: Dialect, by_pattern: bool, by_active: bool) -> str:
    like = f"""AND ({d.folded("a.name")} LIKE {d.folded(":pattern")} ESCAPE '!'
                    OR {d.folded("a.uri")} LIKE {d.folded(":pattern")} ESCAPE '!')"""
    return f"""SELECT {ASSET.select("a")} FROM asset a WHERE a.asset_id > :after {like if by_pattern else ""}
               {"AND a.is_active = :active" if by_active else ""} ORDER BY a.asset_id LIMIT :limit"""


@statement
def alias_list(_: Dialect) -> str:
    return f"SELECT {ASSET_ALIAS.select('a')} FROM asset_alias a ORDER BY a.name"


@statement
def asset_set_active(_: Dialect) -> str:
    return "UPDATE asset SET is_active = :active, conflict = :conflict WHERE asset_id = :asset_id"


@statement
def asset_set_late(_: Dialect) -> str:
    return "UPDATE asset SET late_since = :since WHERE asset_id = :asset_id"


@statement
def asset_list_expected(_: Dialect) -> str:
    return f"""SELECT {ASSET.select("a")},
                   (SELECT e.at FROM asset_event e WHERE e.asset_id = a.asset_id ORDER BY e.event_id DESC LIMIT 1)
               FROM asset a WHERE a.is_active AND a.expected_every_seconds IS NOT NULL ORDER BY a.asset_id"""


@statement
def alias_find(_: Dialect) -> str:
    return f"SELECT {ASSET_ALIAS.select('a')} FROM asset_alias a WHERE a.name = :name"


@statement
def asset_use_list(_: Dialect, by_dag: bool, by_name: bool, by_uri: bool, by_role: bool) -> str:
    wanted = [
        *(["u.dag_id = :dag_id"] if by_dag else []),
        *(["u.name = :name"] if by_name else []),
        *(["u.uri = :uri"] if by_uri else []),
        *(["u.role = :role"] if by_role else []),
    ]
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    return f"SELECT {ASSET_USE.select('u')} FROM asset_use u {where} ORDER BY {', '.join(f'u.{c}' for c in _USE_KEY)}"


@statement
def asset_use_delete(_: Dialect) -> str:
    return "DELETE FROM asset_use WHERE dag_id = :dag_id"


class AssetQueries(Work):
    """See `ports.assets.AssetTx`."""

    def asset_put(self, assets: Sequence[AssetFacts], now: datetime) -> list[AssetRow]:
        found: dict[tuple[str, str], AssetRow] = {}
        for facts in sorted(assets, key=lambda each: (each.name, each.uri)):  # the order of their locks
            row = described_asset(facts, now)
            params = ASSET.params(self._dialect, row)
            del params["asset_id"]
            written = self._read_one(ASSET, asset_put(self._dialect), **params)
            assert written is not None
            found[facts.name, facts.uri] = written
        return [found[each.name, each.uri] for each in assets]

    def asset_get_many(self, asset_ids: Iterable[int]) -> list[AssetRow]:
        ids = self._dialect.array(Kind.INTEGER, asset_ids)
        return self._read_all(ASSET, asset_get_many(self._dialect), asset_ids=ids)

    def asset_find(self, *, name: str | None = None, uri: str | None = None) -> list[AssetRow]:
        text = asset_find(self._dialect, name is not None, uri is not None)
        return self._read_all(ASSET, text, **_given(self, name=name, uri=uri))

    def asset_list(
        self, *, pattern: str | None = None, active: bool | None = None, limit: int = 100, after: int = 0
    ) -> list[AssetRow]:
        given: dict[str, Any] = {}
        if pattern is not None:
            escaped = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
            given["pattern"] = self._value(Kind.TEXT, f"%{escaped}%")
        if active is not None:
            given["active"] = active
        text = asset_list(self._dialect, pattern is not None, active is not None)
        return self._read_all(ASSET, text, after=after, limit=limit, **given)

    def asset_set_active(self, asset_id: int, active: bool, conflict: str | None = None) -> None:
        reason = self._value(Kind.TEXT, conflict)
        self._write(asset_set_active(self._dialect), asset_id=asset_id, active=active, conflict=reason)

    def asset_set_late(self, asset_id: int, since: datetime | None) -> None:
        self._write(asset_set_late(self._dialect), asset_id=asset_id, since=self._instant(since))

    def asset_list_expected(self) -> list[tuple[AssetRow, datetime | None]]:
        decode = ASSET.decoder(self._dialect)
        instant = self._dialect.decoders.get(Kind.INSTANT, lambda value: value)
        return [
            (decode(values), None if newest is None else instant(newest))
            for *values, newest in self._rows(asset_list_expected(self._dialect))
        ]

    def alias_put(self, aliases: Sequence[AliasFacts]) -> None:
        rows = sorted((self._value(Kind.TEXT, each.name), self._value(Kind.TEXT, each.group)) for each in aliases)
        if rows:
            tail = "ON CONFLICT (name) DO UPDATE SET group_name = excluded.group_name"
            self._session.insert("asset_alias", _ALIAS_COLUMNS, rows, tail)

    def alias_find(self, name: str) -> AliasRow | None:
        return self._read_one(ASSET_ALIAS, alias_find(self._dialect), name=self._value(Kind.TEXT, name))

    def alias_list(self) -> list[AliasRow]:
        return self._read_all(ASSET_ALIAS, alias_list(self._dialect))

    def asset_use_put(self, dag_id: str, uses: Sequence[AssetUseRow]) -> list[AssetUseRow]:
        before = self.asset_use_list(dag_id=dag_id)
        known = {use_key(use): use for use in before}
        kept = [known.get(use_key(use), use) for use in uses]
        if {use_key(use) for use in uses} != set(known):
            self._write(asset_use_delete(self._dialect), dag_id=dag_id)
            self._insert(ASSET_USE, kept)
        return before

    def asset_use_list(
        self, *, dag_id: str | None = None, name: str | None = None, uri: str | None = None, role: str | None = None
    ) -> list[AssetUseRow]:
        given = _given(self, dag_id=dag_id, name=name, uri=uri, role=role)
        text = asset_use_list(self._dialect, *(key in given for key in ("dag_id", "name", "uri", "role")))
        return self._read_all(ASSET_USE, text, **given)


def use_key(use: AssetUseRow) -> tuple[str, ...]:
    """What makes a use one of its kind."""
    return (use.dag_id, use.task_id, use.role, use.kind, use.name, use.uri)


def described_asset(facts: AssetFacts, now: datetime) -> AssetRow:
    """The row of an asset that is not known yet."""
    return AssetRow(
        asset_id=0,
        name=facts.name,
        uri=facts.uri,
        group_name=facts.group,
        extra=facts.extra,
        watchers={each.name: {"trigger": each.trigger, "kwargs": each.kwargs} for each in facts.watchers},
        access=facts.access,
        expected_every_seconds=facts.expected_every_seconds,
        created_at=now,
        updated_at=now,
    )


def _given(work: Work, **values: str | None) -> dict[str, Any]:
    return {name: work._value(Kind.TEXT, value) for name, value in values.items() if value is not None}
