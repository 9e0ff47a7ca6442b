"""The outbox: what was decided in a transaction and is done afterwards, at least once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from .outbox_rows import OutboxRow, OutboxState


class OutboxTx(Protocol):
    """Lines are written beside the change that caused them and delivered by whoever holds their lease."""

    def outbox_put(self, rows: Sequence[OutboxRow]) -> None:
        """Write lines; one whose `delivery_key` exists already is left out. Rings "outbox"."""

    def outbox_claim(self, owner: str, now: datetime, lease_seconds: float, limit: int) -> list[OutboxRow]:
        """Pending lines that are due and that nobody holds, oldest first: held by `owner` for so long, tries + 1."""

    def outbox_settle(
        self, id: str, state: OutboxState, now: datetime, *, error: str | None = None, due_at: datetime | None = None
    ) -> bool:
        """End a lease: delivered, dead, or pending again at `due_at`. False: there is no such pending line."""

    def outbox_next_due(self) -> datetime | None:
        """When the next pending line may be claimed (its due time, or the end of the lease on it); None without any."""

    def outbox_list(self, states: Iterable[OutboxState] = (), limit: int = 100) -> list[OutboxRow]:
        """Newest first."""

    def outbox_retry(self, ids: Sequence[str], now: datetime) -> list[str]:
        """Dead lines become pending and due now, with their tries counted anew; the ids that did. Rings "outbox"."""

    def outbox_prune(self, before: datetime, limit: int) -> int:
        """Forget delivered lines that ended before; how many."""
