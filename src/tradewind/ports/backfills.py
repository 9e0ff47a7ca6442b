"""What backfills ask of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from tradewind.wire.states import DagRunState

from .backfill_rows import BackfillRow, BackfillRunRow
from .rows import RunRow


class BackfillTx(Protocol):
    """Backfills, their dates and their runs. `run_start_queued` starts runs of backfills that are neither paused nor
    at their `max_active_runs`; `run_move` keeps the counter.
    """

    def backfill_insert(self, row: BackfillRow) -> int:
        """The id it was given."""

    def backfill_get(self, backfill_id: int, *, lock: bool = False) -> BackfillRow | None: ...
    def backfill_list(
        self, *, dag_id: str | None = None, active: bool | None = None, limit: int = 100, before: int | None = None
    ) -> list[BackfillRow]:
        """Newest first; `active`: whether it is not completed; `before` is the last id of the page before."""

    def backfill_set_paused(self, backfill_id: int, paused: bool, now: datetime) -> bool: ...
    def backfill_cancel(self, backfill_id: int, reason: str, now: datetime) -> int:
        """Complete it, and end its queued runs as failed (change `mark_failed`); how many."""

    def backfill_complete(self, backfill_ids: Iterable[int] | None, now: datetime) -> list[int]:
        """Complete those of them (None: of all) that have neither queued nor running runs; which."""

    def backfill_runs_insert(self, rows: Sequence[BackfillRunRow]) -> None: ...
    def backfill_run_list(
        self, backfill_id: int, *, limit: int = 1000, after: int = 0
    ) -> list[tuple[BackfillRunRow, DagRunState | None]]:
        """Its dates in order with the state of their runs; `after` is the last ordinal of the page before."""

    def backfill_count_states(self, backfill_ids: Iterable[int]) -> dict[int, dict[DagRunState, int]]:
        """Of runs that belong to them."""

    def run_insert_many(self, rows: Sequence[RunRow]) -> set[str]:
        """Insert those that no unique key forbids; their run keys."""

    def run_adopt(self, run_key: str, backfill_id: int, conf: dict[str, Any] | None) -> bool:
        """A run that is over becomes one of this backfill (run type and asker too), with another conf unless None."""
