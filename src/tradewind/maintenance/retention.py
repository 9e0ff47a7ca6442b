"""Old history: deleted by policy, piece by piece, with a breath between the pieces."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from tradewind.commands.retention import ROWS_MAX, Piece, chosen_dags, prune_others, prune_runs, read_policies
from tradewind.kernel.settings import Settings
from tradewind.ports.logs import attempt_log
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Store
from tradewind.runtime.values import ValueStore
from tradewind.wire.errors import TradewindError

from .duty import Duty

_BREATH_SECONDS = 0.05
_INBOX_SECONDS = 300.0


class Retention(Duty):
    """Deletes runs, versions and other history that the settings of section `retention` do not want any more, and
    lines for runs that are over.

    Parameters:
        settings: sections retention, logs and values.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        rest = min(settings.retention.interval_seconds, _INBOX_SECONDS)
        super().__init__("retention", store, rest)
        self._options = settings.retention
        self._policies = read_policies(self._options.runs_days, self._options.runs_keep, self._options.dags)
        self._logs = settings.logs.folder if self._options.logs else None
        self._values = ValueStore(settings.values.url)
        self._waited = settings.retention.interval_seconds

    def turn(self) -> float | None:
        self._repeat_inbox()
        self._waited += self._rest_seconds
        if self._waited < self._options.interval_seconds:
            return None
        self._waited = 0.0
        with self._store.read() as tx:
            dag_ids = chosen_dags(tx)
        for dag_id in dag_ids:
            if self.stopping.is_set():
                return None
            self._prune_dag(dag_id)
        self._prune_others()
        return None

    def _repeat_inbox(self) -> None:
        gone = ROWS_MAX
        while gone >= ROWS_MAX and not self.stopping.is_set():
            with self._store.begin() as tx:
                gone = tx.inbox_prune(ROWS_MAX)

    def _prune_dag(self, dag_id: str) -> None:
        policy = self._policies.of(dag_id)
        runs = rows = 0
        piece = Piece(more=not policy.keeps_all)
        while piece.more and not self.stopping.wait(_BREATH_SECONDS if runs else 0.0):
            with self._store.begin() as tx:
                piece = prune_runs(tx, dag_id, policy, tx.now(), archive=self._options.archive)
            self._forget(piece)
            runs, rows = runs + len(piece.runs), rows + piece.rows
        with self._store.begin() as tx:
            versions = tx.version_prune(dag_id, self._options.versions_keep, ROWS_MAX)
        if runs or versions:
            self.log.info("history_pruned", dag_id=dag_id, runs=runs, tasks=rows, versions=versions)

    def _prune_others(self) -> None:
        if not self._options.others_days:
            return
        more = True
        while more and not self.stopping.wait(_BREATH_SECONDS):
            with self._store.begin() as tx:
                gone = prune_others(tx, tx.now() - timedelta(days=self._options.others_days))
            more = any(count >= ROWS_MAX for count in gone.values())

    def _forget(self, piece: Piece) -> None:
        """What lies outside of the database: after the commit, because a file cannot be brought back."""
        if self._logs is None:
            return
        remove_logs(self._logs, piece.runs)
        for url in piece.urls:
            try:
                self._values.delete(url)
            except TradewindError as error:
                self.log.warning("value_not_deleted", url=url, reason=str(error))


def remove_logs(folder: Path, runs: Iterable[RunRow]) -> None:
    """Delete the logs of runs; what is not there is fine."""
    for run in runs:
        of_task = attempt_log(folder, run.dag_id, run.run_id, "-", "", 1).parent
        shutil.rmtree(of_task.parent, ignore_errors=True)
