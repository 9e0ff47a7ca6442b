# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Connections, variables and users. What is secret arrives here as ciphertext or hash."""

from __future__ import annotations

from tradewind.ports.rows import ConnectionRow, UserRow, VariableRow
from tradewind.store.codec import CONNECTION, USER, VARIABLE
from tradewind.store.dialects.base import Dialect
from tradewind.store.statements import Work, statement, upsert_tail

_CONNECTION_TAIL = upsert_tail(CONNECTION, ("conn_id",))
_VARIABLE_TAIL = upsert_tail(VARIABLE, ("key",))
_USER_TAIL = upsert_tail(USER, ("username",))


@statement
def connection_get(_: Dialect) -> str:
    return f"SELECT {CONNECTION.select('c')} FROM connection c WHERE c.conn_id = :conn_id"


@statement
def connection_list(_: Dialect) -> str:
    return f"SELECT {CONNECTION.select('c')} FROM connection c ORDER BY c.conn_id"


@statement
def connection_delete(_: Dialect) -> str:
    return "DELETE FROM connection WHERE conn_id = :conn_id RETURNING conn_id"


@statement
def variable_get(_: Dialect) -> str:
    return f"SELECT {VARIABLE.select('v')} FROM variable v WHERE v.key = :key"


@statement
def variable_list(_: Dialect) -> str:
    return f"SELECT {VARIABLE.select('v')} FROM variable v ORDER BY v.key"


@statement
def variable_delete(_: Dialect) -> str:
    return "DELETE FROM variable WHERE key = :key RETURNING key"


@statement
def user_get(_: Dialect) -> str:
    return f"SELECT {USER.select('u')} FROM user_account u WHERE u.username = :username"


@statement
def user_count(_: Dialect) -> str:
    return "SELECT count(*) FROM user_account"


class SecretQueries(Work):
    """See `ports.store.SecretTx`."""

    def connection_get(self, conn_id: str) -> ConnectionRow | None:
        return self._read_one(CONNECTION, connection_get(self._dialect), conn_id=conn_id)

    def connection_list(self) -> list[ConnectionRow]:
        return self._read_all(CONNECTION, connection_list(self._dialect))

    def connection_put(self, row: ConnectionRow) -> None:
        self._insert(CONNECTION, [row], _CONNECTION_TAIL)

    def connection_delete(self, conn_id: str) -> bool:
        return bool(self._rows(connection_delete(self._dialect), conn_id=conn_id))

    def variable_get(self, key: str) -> VariableRow | None:
        return self._read_one(VARIABLE, variable_get(self._dialect), key=key)

    def variable_list(self) -> list[VariableRow]:
        return self._read_all(VARIABLE, variable_list(self._dialect))

    def variable_put(self, row: VariableRow) -> None:
        self._insert(VARIABLE, [row], _VARIABLE_TAIL)

    def variable_delete(self, key: str) -> bool:
        return bool(self._rows(variable_delete(self._dialect), key=key))

    def user_get(self, username: str) -> UserRow | None:
        return self._read_one(USER, user_get(self._dialect), username=username)

    def user_put(self, row: UserRow) -> None:
        self._insert(USER, [row], _USER_TAIL)

    def user_count(self) -> int:
        count: int = self._rows(user_count(self._dialect))[0][0]
        return count
