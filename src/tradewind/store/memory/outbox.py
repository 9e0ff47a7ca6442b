"""The outbox in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from tradewind.ports.outbox_rows import OutboxRow, OutboxState

from .unit import Unit


class OutboxPart(Unit):
    """`ports.outbox.OutboxTx`."""

    def outbox_put(self, rows: Sequence[OutboxRow]) -> None:
        if not rows:
            return
        journal = self._write("outbox_put")
        for row in rows:
            if self._data.outbox.one("delivery_key", row.delivery_key) is None:
                self._data.outbox.insert(journal, row.id, row)
        self.ring("outbox")

    def outbox_claim(self, owner: str, now: datetime, lease_seconds: float, limit: int) -> list[OutboxRow]:
        journal = self._write("outbox_claim")
        due = [row for row in self._pending() if _free_at(row) <= now]
        claimed = []
        for row in sorted(due, key=lambda row: (row.due_at, row.id))[:limit]:
            held = replace(
                row, lease_owner=owner, leased_until=now + timedelta(seconds=lease_seconds), tries=row.tries + 1
            )
            self._data.outbox.put(journal, row.id, held)
            claimed.append(held)
        return claimed

    def outbox_settle(
        self, id: str, state: OutboxState, now: datetime, *, error: str | None = None, due_at: datetime | None = None
    ) -> bool:
        journal = self._write("outbox_settle")
        row = self._data.outbox.get(id)
        if row is None or row.state is not OutboxState.PENDING:
            return False
        ended = None if state is OutboxState.PENDING else now
        settled = replace(
            row,
            state=state,
            error=error,
            due_at=due_at or row.due_at,
            ended_at=ended,
            lease_owner=None,
            leased_until=None,
        )
        self._data.outbox.put(journal, id, settled)
        return True

    def outbox_next_due(self) -> datetime | None:
        return min(map(_free_at, self._pending()), default=None)

    def outbox_list(self, states: Iterable[OutboxState] = (), limit: int = 100) -> list[OutboxRow]:
        wanted = set(states) or set(OutboxState)
        found = [row for row in self._data.outbox if row.state in wanted]
        return sorted(found, key=lambda row: row.id, reverse=True)[:limit]

    def outbox_retry(self, ids: Sequence[str], now: datetime) -> list[str]:
        journal = self._write("outbox_retry")
        revived = []
        for id in ids:
            row = self._data.outbox.get(id)
            if row is not None and row.state is OutboxState.DEAD:
                fresh = replace(row, state=OutboxState.PENDING, due_at=now, tries=0, ended_at=None, error=None)
                self._data.outbox.put(journal, id, fresh)
                revived.append(id)
        if revived:
            self.ring("outbox")
        return sorted(revived)

    def outbox_prune(self, before: datetime, limit: int) -> int:
        journal = self._write("outbox_prune")
        old = [row.id for row in self._data.outbox if _ended_before(row, before)][:limit]
        for id in old:
            self._data.outbox.delete(journal, id)
        return len(old)

    def _pending(self) -> list[OutboxRow]:
        return [row for row in self._data.outbox if row.state is OutboxState.PENDING]


def _free_at(row: OutboxRow) -> datetime:
    return row.due_at if row.leased_until is None else max(row.due_at, row.leased_until)


def _ended_before(row: OutboxRow, before: datetime) -> bool:
    return row.state is OutboxState.DELIVERED and row.ended_at is not None and row.ended_at < before
