"""Connections, variables, users."""

from __future__ import annotations

from tradewind.ports.rows import ConnectionRow, UserRow, VariableRow

from .unit import Unit


class SecretPart(Unit):
    """`ports.store.SecretTx`."""

    def connection_get(self, conn_id: str) -> ConnectionRow | None:
        return self._data.connections.get(conn_id)

    def connection_list(self) -> list[ConnectionRow]:
        return sorted(self._data.connections, key=lambda row: row.conn_id)

    def connection_put(self, row: ConnectionRow) -> None:
        self._data.connections.put(self._write("connection_put"), row.conn_id, row)

    def connection_delete(self, conn_id: str) -> bool:
        return self._data.connections.delete(self._write("connection_delete"), conn_id) is not None

    def variable_get(self, key: str) -> VariableRow | None:
        return self._data.variables.get(key)

    def variable_list(self) -> list[VariableRow]:
        return sorted(self._data.variables, key=lambda row: row.key)

    def variable_put(self, row: VariableRow) -> None:
        self._data.variables.put(self._write("variable_put"), row.key, row)

    def variable_delete(self, key: str) -> bool:
        return self._data.variables.delete(self._write("variable_delete"), key) is not None

    def user_get(self, username: str) -> UserRow | None:
        return self._data.users.get(username)

    def user_put(self, row: UserRow) -> None:
        self._data.users.put(self._write("user_put"), row.username, row)

    def user_count(self) -> int:
        return len(self._data.users.rows)
