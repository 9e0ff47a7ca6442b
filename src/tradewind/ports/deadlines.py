"""What deadlines ask of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from .deadline_rows import DeadlineRow, DeadlineState
from .outbox_rows import OutboxState


class DeadlineTx(Protocol):
    """Deadlines of runs and tasks."""

    def deadline_put(self, rows: Sequence[DeadlineRow]) -> None:
        """Insert, or replace those of the same run, task and ordinal."""

    def deadline_claim(self, now: datetime, limit: int) -> list[DeadlineRow]:
        """Pending ones that are due or not resolved, oldest first; locked, skipping locked ones."""

    def deadline_next_due(self) -> datetime | None:
        """When the next pending one is due; the beginning of time when one is not resolved."""

    def deadline_resolve(self, deadline_id: str, interval_seconds: float, due_at: datetime) -> None:
        """The variable of its interval was read."""

    def deadline_settle(
        self, deadline_ids: Iterable[str], state: DeadlineState, now: datetime, reason: str | None = None
    ) -> int:
        """Pending ones among them become met, missed or void; how many."""

    def deadline_list_of_run(self, run_key: str) -> list[DeadlineRow]:
        """By due time."""

    def deadline_list(
        self,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
        states: Iterable[DeadlineState] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[DeadlineRow, OutboxState | None, str | None]]:
        """Latest due first, each with the state and the error of its callback."""

    def run_average_seconds(self, dag_id: str, runs_max: int) -> tuple[float, int]:
        """Mean duration of the newest runs that ended, at most so many; and of how many."""
