"""Deadlines: the next one is waited for, what is due is judged, what is missed is called."""

from __future__ import annotations

from collections.abc import Callable

from tradewind.commands.deadlines import judge_deadlines
from tradewind.commands.documents import Documents
from tradewind.ports.store import Store, Transaction
from tradewind.ports.vault import Vault

from .duty import Duty

_LOOK_SECONDS = 5.0
"""A deadline that is nearer than this when its run is made may be noticed so much later."""
_BATCH_MAX = 200


class Deadlines(Duty):
    """Settles deadlines when they are due.

    Parameters:
        vault: opens the variables that intervals are read from.
    """

    def __init__(self, store: Store, vault: Vault) -> None:
        super().__init__("deadlines", store, _LOOK_SECONDS)
        self._vault = vault
        self._documents = Documents()

    def turn(self) -> float | None:
        with self._store.read() as tx:
            due, now = tx.deadline_next_due(), tx.now()
        if due is None:
            return None
        if due > now:
            return min(_LOOK_SECONDS, (due - now).total_seconds() + 0.01)
        with self._store.begin() as tx:
            missed = judge_deadlines(tx, self._documents, tx.now(), _BATCH_MAX, self._reader(tx))
        for row in missed:
            self.log.warning(
                "deadline_missed", dag_id=row.dag_id, run_id=row.run_id, task_id=row.task_id or None, due_at=row.due_at
            )
        return 0.0

    def _reader(self, tx: Transaction) -> Callable[[str], str | None]:
        def read(key: str) -> str | None:
            row = tx.variable_get(key)
            return None if row is None else self._vault.open(row.value)

        return read
