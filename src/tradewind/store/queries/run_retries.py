# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Retries of whole runs."""

from __future__ import annotations

from tradewind.ports.run_retries import RunRetryRow
from tradewind.store.codec import RUN_RETRY
from tradewind.store.dialects.base import Dialect
from tradewind.store.statements import Work, statement, upsert_tail

_TAIL = upsert_tail(RUN_RETRY, ("run_key",))


@statement
def run_retry_get(_: Dialect) -> str:
    return f"SELECT {RUN_RETRY.select('r')} FROM run_retry r WHERE r.run_key = :run_key"


class RunRetryQueries(Work):
    """See `ports.run_retries.RunRetryTx`."""

    def run_retry_get(self, run_key: str) -> RunRetryRow | None:
        return self._read_one(RUN_RETRY, run_retry_get(self._dialect), run_key=self._id(run_key))

    def run_retry_put(self, row: RunRetryRow) -> None:
        self._insert(RUN_RETRY, [row], _TAIL)
