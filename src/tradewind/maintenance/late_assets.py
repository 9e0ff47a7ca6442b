"""Assets that were expected to change by now and did not: noted once, until they change."""

from __future__ import annotations

from tradewind.commands.assets import note_late_assets
from tradewind.ports.store import Store

from .duty import Duty


class LateAssets(Duty):
    """Looks at assets that have `expected_every`.

    Parameters:
        rest_seconds: how much later than expected a late one may be noticed.
    """

    def __init__(self, store: Store, rest_seconds: float) -> None:
        super().__init__("late-assets", store, rest_seconds)

    def turn(self) -> float | None:
        with self._store.read() as tx:
            if not tx.asset_list_expected():
                return None
        with self._store.begin() as tx:
            note_late_assets(tx, tx.now())
        return None
