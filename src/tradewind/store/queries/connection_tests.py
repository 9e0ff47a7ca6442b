# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Tests of connections."""

from __future__ import annotations

from datetime import datetime

from tradewind.ports.connection_tests import ConnectionTestRow
from tradewind.store.codec import Codec
from tradewind.store.dialects.base import Dialect
from tradewind.store.statements import Work, statement, upsert_tail

CONNECTION_TEST = Codec("connection_test", ConnectionTestRow)
_TAIL = upsert_tail(CONNECTION_TEST, ("token",))


@statement
def connection_test_get(_: Dialect) -> str:
    return f"SELECT {CONNECTION_TEST.select('c')} FROM connection_test c WHERE c.token = :token"


@statement
def connection_test_active(_: Dialect) -> str:
    return """SELECT 1 FROM connection_test c WHERE c.conn_id = :conn_id AND c.ended_at IS NULL
              AND c.created_at > :since LIMIT 1"""


@statement
def connection_test_prune(_: Dialect) -> str:
    return "DELETE FROM connection_test WHERE created_at < :before"


class ConnectionTestQueries(Work):
    """See `ports.connection_tests`."""

    def connection_test_put(self, row: ConnectionTestRow) -> None:
        self._insert(CONNECTION_TEST, [row], _TAIL)

    def connection_test_get(self, token: str) -> ConnectionTestRow | None:
        return self._read_one(CONNECTION_TEST, connection_test_get(self._dialect), token=token)

    def connection_test_active(self, conn_id: str, since: datetime) -> bool:
        sql = connection_test_active(self._dialect)
        return bool(self._rows(sql, conn_id=conn_id, since=self._instant(since)))

    def connection_test_prune(self, before: datetime) -> None:
        self._write(connection_test_prune(self._dialect), before=self._instant(before))
