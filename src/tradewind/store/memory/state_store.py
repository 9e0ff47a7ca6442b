"""What tasks and assets remember, in memory."""

from __future__ import annotations

from datetime import datetime

from tradewind.ports.state_store_rows import StateRow, StateScope

from .unit import Unit


class StateStorePart(Unit):
    """`ports.state_store.StateStoreTx`."""

    def state_get(self, scope: StateScope, place: str, key: str, now: datetime) -> StateRow | None:
        row = self._data.states.get((scope, place, key))
        return row if row is not None and _alive(row, now) else None

    def state_put(self, row: StateRow) -> None:
        self._data.states.put(self._write("state_put"), (row.scope, row.place, row.key), row)

    def state_delete(self, scope: StateScope, place: str, key: str) -> bool:
        return self._data.states.delete(self._write("state_delete"), (scope, place, key)) is not None

    def state_clear(self, scope: StateScope, place: str) -> int:
        journal = self._write("state_clear")
        rows = self._data.states.found("place", (scope, place))
        for row in rows:
            self._data.states.delete(journal, (row.scope, row.place, row.key))
        return len(rows)

    def state_list(self, scope: StateScope, place: str, now: datetime) -> list[StateRow]:
        rows = [row for row in self._data.states.found("place", (scope, place)) if _alive(row, now)]
        return sorted(rows, key=lambda row: row.key)

    def state_expired(self, now: datetime) -> int:
        return sum(not _alive(row, now) for row in self._data.states)

    def state_prune(self, now: datetime, limit: int) -> int:
        journal = self._write("state_prune")
        rows = [row for row in self._data.states if not _alive(row, now)][:limit]
        for row in rows:
            self._data.states.delete(journal, (row.scope, row.place, row.key))
        return len(rows)


def _alive(row: StateRow, now: datetime) -> bool:
    return row.expires_at is None or row.expires_at > now
