"""What keeping history short asks of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from .rows import RunRow


class ArchivedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was deleted from `source`, as data."""

    line: int = 0
    """0: the database gives the next one."""
    archived_at: datetime
    source: str
    dag_id: str | None = None
    payload: dict[str, Any]


class RetentionTx(Protocol):
    """Old history. Each method does a bounded piece, so that nobody waits for long; what lives is never touched."""

    def run_list_expired(
        self, dag_id: str, before: datetime | None, keep: int | None, limit: int, after: str | None = None
    ) -> list[RunRow]:
        """Runs of the DAG that are over and ended before `before` (None: no age), or have `keep` newer ones (None: no
        count); oldest first, with a run key above `after`. Never its newest run, nor its newest scheduled one.
        """

    def run_delete_some_tasks(self, run_key: str, limit: int) -> int:
        """Delete at most so many instances of a run that is over, with what belongs to them; how many."""

    def run_archive(self, run_keys: Sequence[str], now: datetime) -> int:
        """Copy runs with their instances, tries and values to the archive; how many rows."""

    def xcom_list_urls(self, run_keys: Sequence[str]) -> list[str]:
        """Addresses of values of these runs that lie outside of the database."""

    def inbox_prune(self, limit: int) -> int:
        """Delete lines for runs that are over or gone; how many."""

    def backfill_prune(self, before: datetime, limit: int) -> int:
        """Delete backfills that were completed before and have no run any more; how many."""

    def version_prune(self, dag_id: str, keep: int, limit: int) -> int:
        """Delete versions of the DAG that nothing names: neither the DAG nor a run, and that came before the version
        its oldest run can have begun with; the `keep` newest stay; how many.
        """

    def archive_list(self, source: str | None = None, *, after: int = 0, limit: int = 1000) -> list[ArchivedRow]:
        """By line; `after` is the last line of the page before."""

    def archive_count(self) -> dict[str, int]:
        """By source."""

    def archive_drop(self, sources: Sequence[str] | None, limit: int) -> int:
        """Delete archived rows, of all sources for None; how many."""
