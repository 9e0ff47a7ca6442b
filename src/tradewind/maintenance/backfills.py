"""Backfills whose last runs ended at the same moment in two schedulers, or by the hand of a person: nobody saw the end
of the whole."""

from __future__ import annotations

from tradewind.ports.store import Store

from .duty import Duty


class CompletedBackfills(Duty):
    """Completes backfills none of whose runs is queued or running."""

    def __init__(self, store: Store, rest_seconds: float) -> None:
        super().__init__("completed-backfills", store, rest_seconds)

    def turn(self) -> float | None:
        with self._store.read() as tx:
            if not tx.backfill_list(active=True, limit=1):
                return None
        with self._store.begin() as tx:
            done = tx.backfill_complete(None, tx.now())
        for backfill_id in done:
            self.log.info("backfill_completed", backfill_id=backfill_id)
        return None
