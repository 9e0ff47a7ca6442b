# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""The outbox: claimed by lease, so that any number of deliverers share it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tradewind.ports.outbox_rows import OutboxRow, OutboxState
from tradewind.store.codec import OUTBOX
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

_TAIL = "ON CONFLICT (delivery_key) DO NOTHING"


@statement
def outbox_claim(d: Dialect) -> str:
    # The state stands in the condition as in the partial index, so that history costs nothing.
    return f"""
        UPDATE outbox SET lease_owner = :owner, leased_until = {d.seconds_before(":now", ":lease")}, tries = tries + 1
        WHERE id IN (
            SELECT o.id FROM outbox o
            WHERE o.state = 'pending' AND o.due_at <= :now AND (o.leased_until IS NULL OR o.leased_until < :now)
            ORDER BY o.due_at, o.id LIMIT :limit {d.lock("o", skip=True)}
        ) RETURNING {OUTBOX.plain()}"""


@statement
def outbox_settle(_: Dialect) -> str:
    return """
        UPDATE outbox SET state = :state, error = :error, due_at = coalesce(:due_at, due_at), ended_at = :ended_at,
               lease_owner = NULL, leased_until = NULL
        WHERE id = :id AND state = 'pending' RETURNING id"""


@statement
def outbox_next_due(_: Dialect) -> str:
    return """
        SELECT min(CASE WHEN o.leased_until IS NULL OR o.leased_until < o.due_at THEN o.due_at ELSE o.leased_until END)
        FROM outbox o WHERE o.state = 'pending'"""


@statement
def outbox_list(d: Dialect, of_states: bool) -> str:
    which = f"WHERE {d.any('o.state', 'states', Kind.TEXT)}" if of_states else ""
    return f"SELECT {OUTBOX.select('o')} FROM outbox o {which} ORDER BY o.id DESC LIMIT :limit"


@statement
def outbox_retry(d: Dialect) -> str:
    return f"""
        UPDATE outbox SET state = 'pending', due_at = :now, tries = 0, ended_at = NULL, error = NULL
        WHERE {d.any("id", "ids", Kind.TEXT)} AND state = 'dead' RETURNING id"""


@statement
def outbox_prune(_: Dialect) -> str:
    return """
        DELETE FROM outbox WHERE id IN (
            SELECT o.id FROM outbox o WHERE o.state = 'delivered' AND o.ended_at < :before ORDER BY o.id LIMIT :limit
        ) RETURNING id"""


class OutboxQueries(Work):
    """See `ports.outbox.OutboxTx`."""

    def outbox_put(self, rows: Sequence[OutboxRow]) -> None:
        if rows:
            self._insert(OUTBOX, rows, _TAIL)
            self.ring("outbox")

    def outbox_claim(self, owner: str, now: datetime, lease_seconds: float, limit: int) -> list[OutboxRow]:
        found = self._read_all(
            OUTBOX,
            outbox_claim(self._dialect),
            owner=owner,
            now=self._instant(now),
            lease=-lease_seconds,
            limit=limit,
        )
        return sorted(found, key=lambda row: (row.due_at, row.id))

    def outbox_settle(
        self, id: str, state: OutboxState, now: datetime, *, error: str | None = None, due_at: datetime | None = None
    ) -> bool:
        ended = None if state is OutboxState.PENDING else now
        return bool(
            self._rows(
                outbox_settle(self._dialect),
                id=id,
                state=state.value,
                error=error,
                due_at=self._instant(due_at),
                ended_at=self._instant(ended),
            )
        )

    def outbox_next_due(self) -> datetime | None:
        return self._first_instant(outbox_next_due(self._dialect))

    def outbox_list(self, states: Iterable[OutboxState] = (), limit: int = 100) -> list[OutboxRow]:
        wanted = [state.value for state in states]
        params = {"states": self._texts(wanted)} if wanted else {}
        return self._read_all(OUTBOX, outbox_list(self._dialect, bool(wanted)), limit=limit, **params)

    def outbox_retry(self, ids: Sequence[str], now: datetime) -> list[str]:
        found = self._rows(outbox_retry(self._dialect), ids=self._texts(ids), now=self._instant(now))
        if found:
            self.ring("outbox")
        return sorted(id for (id,) in found)

    def outbox_prune(self, before: datetime, limit: int) -> int:
        return len(self._rows(outbox_prune(self._dialect), before=self._instant(before), limit=limit))
