"""What the owner of a run must not forget between its steps: retries of the run, and that somebody stopped it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from tradewind.wire.states import DagRunState


class RunRetryRow(msgspec.Struct, frozen=True, kw_only=True):
    """The retries of a run that failed. A run that a person cleared begins anew: `clear_number` tells."""

    run_key: str
    clear_number: int = 0
    number: int = 0
    """Retries used; with `due_at` the one that is to come is among them."""
    due_at: datetime | None = None
    """When the tasks are to run again; None: they do."""
    reason: str | None = None
    """Why the run failed before."""
    asked: DagRunState | None = None
    """A person stopped the run: it ends so when its teardowns are done."""
    asked_reason: str | None = None


class RunRetryTx(Protocol):
    """For the owner of the run, while it holds the run's row."""

    def run_retry_get(self, run_key: str) -> RunRetryRow | None: ...
    def run_retry_put(self, row: RunRetryRow) -> None:
        """Insert or replace."""
