# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""What tasks and assets remember."""

from __future__ import annotations

from datetime import datetime

from tradewind.ports.state_store_rows import StateRow, StateScope
from tradewind.store.codec import STATE
from tradewind.store.dialects.base import Dialect
from tradewind.store.statements import Work, statement, upsert_tail

_TAIL = upsert_tail(STATE, ("scope", "place", "key"))
_PLACE = "s.scope = :scope AND s.place = :place"
_ALIVE = "(s.expires_at IS NULL OR s.expires_at > :now)"


@statement
def state_get(_: Dialect) -> str:
    return f"SELECT {STATE.select('s')} FROM state_store s WHERE {_PLACE} AND s.key = :key AND {_ALIVE}"


@statement
def state_list(_: Dialect) -> str:
    return f"SELECT {STATE.select('s')} FROM state_store s WHERE {_PLACE} AND {_ALIVE} ORDER BY s.key"


@statement
def state_delete(_: Dialect) -> str:
    return "DELETE FROM state_store WHERE scope = :scope AND place = :place AND key = :key RETURNING key"


@statement
def state_clear(_: Dialect) -> str:
    return "DELETE FROM state_store WHERE scope = :scope AND place = :place RETURNING key"


@statement
def state_expired(_: Dialect) -> str:
    return "SELECT count(*) FROM state_store WHERE expires_at <= :now"


@statement
def state_prune(_: Dialect) -> str:
    return """
        DELETE FROM state_store WHERE (scope, place, key) IN (
            SELECT s.scope, s.place, s.key FROM state_store s WHERE s.expires_at <= :now ORDER BY s.expires_at
            LIMIT :limit
        ) RETURNING key"""


class StateStoreQueries(Work):
    """See `ports.state_store.StateStoreTx`."""

    def state_get(self, scope: StateScope, place: str, key: str, now: datetime) -> StateRow | None:
        return self._read_one(
            STATE, state_get(self._dialect), scope=scope.value, place=place, key=key, now=self._instant(now)
        )

    def state_put(self, row: StateRow) -> None:
        self._insert(STATE, [row], _TAIL)

    def state_delete(self, scope: StateScope, place: str, key: str) -> bool:
        return bool(self._rows(state_delete(self._dialect), scope=scope.value, place=place, key=key))

    def state_clear(self, scope: StateScope, place: str) -> int:
        return len(self._rows(state_clear(self._dialect), scope=scope.value, place=place))

    def state_list(self, scope: StateScope, place: str, now: datetime) -> list[StateRow]:
        return self._read_all(STATE, state_list(self._dialect), scope=scope.value, place=place, now=self._instant(now))

    def state_expired(self, now: datetime) -> int:
        return int(self._rows(state_expired(self._dialect), now=self._instant(now))[0][0])

    def state_prune(self, now: datetime, limit: int) -> int:
        return len(self._rows(state_prune(self._dialect), now=self._instant(now), limit=limit))
