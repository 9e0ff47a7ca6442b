"""What clearing, marking and deleting ask of the database, beside the methods of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from .rows import RunRow, TaskRow, VersionRow


class PastTx(Protocol):
    """Runs and instances as people change them afterwards. States go through `task_move` and `run_move`."""

    def run_list_window(self, dag_id: str, start: datetime | None, end: datetime | None) -> list[RunRow]:
        """Runs of the DAG whose logical date (run_after, where there is none) lies from `start` to `end`, both
        included, None: no bound; oldest first.
        """

    def run_set_version(self, run_key: str, version_id: str, bundle_version: str | None) -> bool:
        """From now on the run follows this version of its DAG, with its code from this tree. Its owner, if it has one,
        must be told with `RunRenewed`.
        """

    def task_renew(self, rows: Sequence[TaskRow]) -> None:
        """Take over version, pool, pool_slots, queue, executor, priority_weight and operator of `rows`. The pool of an
        instance that still holds slots stays, because its counter does.
        """

    def task_set_note(self, ti_id: str, note: str | None) -> bool: ...

    def task_delete(self, ti_ids: Sequence[str]) -> int:
        """Delete instances with their attempts, values and rendered fields; how many. None of them may live."""

    def run_delete(self, run_keys: Sequence[str]) -> int:
        """Delete runs with everything that belongs to them; how many. None of them may be running."""

    def version_find(self, dag_id: str, number: int) -> VersionRow | None: ...
    def bundle_versions_used(self, bundle: str, versions: Sequence[str]) -> set[str]:
        """Those that a DAG, a version of one, or a run names: a run may still be run again on them."""

    def dag_delete(self, dag_id: str) -> None:
        """Delete the row of a DAG, its versions and counters. Its runs must be gone."""
